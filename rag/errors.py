"""Every error that Onrecord raises on purpose; each message ends with the next step.

RagError
├── SettingError       a setting that cannot be used
├── QuestionError      a question that cannot be asked
├── FilterError        a filter that cannot be applied
├── ArchiveError       an archive that cannot be used as asked
│   ├── ArchiveNotFound
│   ├── ArchiveEmpty
│   ├── ArchiveMismatch
│   ├── ArchiveDamaged
│   ├── ArchiveLocked
│   └── ArticleNotFound
├── ArticleError       an article from a host that cannot be taken in
├── NothingReadable    a folder that holds no article
├── ModelError         an embedding model that cannot be loaded
└── GenerationFailed   a language model that did not answer
"""

from __future__ import annotations


class RagError(Exception):
    """The base of all errors a host application may want to catch and show."""


class SettingError(RagError):
    """A setting has a value that cannot be used."""


class QuestionError(RagError):
    """A question is empty or too long."""


class FilterError(RagError):
    """A filter cannot be applied as it is written."""


class ArchiveError(RagError):
    """An archive cannot be used as asked."""


class ArchiveNotFound(ArchiveError):
    """There is no archive at the given path."""


class ArchiveEmpty(ArchiveError):
    """The archive holds no articles."""


class ArchiveMismatch(ArchiveError):
    """The archive was made with another model or another version of Onrecord."""


class ArchiveDamaged(ArchiveError):
    """The archive's file holds what no archive can."""


class ArchiveLocked(ArchiveError):
    """Another process is writing to the archive."""


class ArticleNotFound(ArchiveError):
    """The archive holds no article of that id."""


class ArticleError(RagError):
    """An article from a host application cannot be taken in."""


class NothingReadable(RagError):
    """The given folders hold no file that can be read as an article."""


class ModelError(RagError):
    """The embedding model is missing, damaged or not the expected one."""


class GenerationFailed(RagError):
    """The language model could not be reached or gave nothing usable."""
