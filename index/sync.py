"""Bringing an archive in step with folders: new files in, changed ones replaced, vanished ones out."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rag.articles import Article
from rag.errors import NothingReadable, SettingError
from rag.indexing import BATCH_ARTICLES, Indexer, batched, writing
from rag.reading import READABLE, Refusal, find_files, read_articles
from rag.settings import Settings


class Talk(Protocol):
    """Whoever is told how far the work is."""

    def announce(self, step: str) -> None:
        """Tell that a step begins."""

    def expect(self, articles: int) -> None:
        """Tell how many articles are about to be read."""

    def advance(self, articles: int) -> None:
        """Tell how many more are done."""


@dataclass(slots=True)
class Report:
    """What became of the files of one run, in numbers of articles and files."""

    added: int = 0
    removed: int = 0
    unchanged_files: int = 0
    articles: int = 0
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    folder: Path
    digest: str


def synchronise(folders: Sequence[Path], settings: Settings, talk: Talk) -> Report:
    """Bring the archive of `settings` in step with the folders; it can be stopped at any moment and run again.

    Raises `SettingError` for a folder that is not there and `NothingReadable` where the folders hold no article; what
    the archive holds then stays as it is.
    """
    report = Report()
    talk.announce("Looking through the folders")
    files = [file for folder in folders for file in _scan(_existing(folder), report)]
    if not files:
        raise NothingReadable(_nothing(folders, report))
    with writing(settings.archive, settings, talk.announce) as indexer:
        changed = [file for file in files if not _is_unchanged(file, indexer, report)]
        talk.expect(sum(_count_articles(file.path) for file in changed))
        for file in changed:
            _bring_in(file, indexer, report, talk)
        _drop_vanished(folders, files, indexer, report)
        report.articles = indexer.archive.count()
    if not report.articles:
        raise NothingReadable(_nothing(folders, report))
    return report


def _existing(folder: Path) -> Path:
    if not folder.exists():
        raise SettingError(f"There is no folder {folder}. Give the folder that holds your articles.")
    return folder.resolve()


def _scan(folder: Path, report: Report) -> Iterator[_File]:
    for found in find_files(folder):
        if isinstance(found, Refusal):
            report.refusals.append(found)
            continue
        try:
            with found.open("rb") as stream:
                yield _File(found, folder, hashlib.file_digest(stream, "sha256").hexdigest())
        except OSError as error:
            report.refusals.append(Refusal(found, f"cannot be read ({error.strerror})"))


def _is_unchanged(file: _File, indexer: Indexer, report: Report) -> bool:
    known = indexer.archive.file(str(file.path))
    if known is None or known[0] != file.digest:
        return False
    report.unchanged_files += 1
    report.refusals += [Refusal(file.path, reason) for reason in known[1]]
    return True


def _bring_in(file: _File, indexer: Indexer, report: Report, talk: Talk) -> None:
    kept: set[str] = set()
    reasons: list[str] = []
    for batch in batched(read_articles(file.path), BATCH_ARTICLES):
        articles = [found for found in batch if isinstance(found, Article)]
        reasons += [found.reason for found in batch if isinstance(found, Refusal)]
        own = [article for article in articles if not _is_taken(article, file, indexer, reasons)]
        report.added += indexer.put(own, str(file.path))
        kept |= {article.id for article in own}
        talk.advance(len(batch))
    report.refusals += [Refusal(file.path, reason) for reason in reasons]
    report.removed += indexer.archive.finish_file(str(file.path), str(file.folder), file.digest, kept, reasons)


def _is_taken(article: Article, file: _File, indexer: Indexer, reasons: list[str]) -> bool:
    """Refuse an article whose id another file uses for another text: one of the two would be lost."""
    stored = indexer.archive.digests([article.id]).get(article.id)
    if stored in (None, article.digest()):
        return False
    other = indexer.archive.other_origin(article.id, str(file.path))
    if other is None:
        return False
    reasons.append(f"the id {article.id!r} belongs to another article, in {other}")
    return True


def _count_articles(path: Path) -> int:
    """Give how many articles a file may hold, for the progress bar alone."""
    if not path.name.lower().endswith((".jsonl", ".jsonl.gz")):
        return 1
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b""))
    except (OSError, EOFError, zlib.error):
        return 1


def _drop_vanished(folders: Sequence[Path], files: Sequence[_File], indexer: Indexer, report: Report) -> None:
    present = {str(file.path) for file in files}
    for folder in folders:
        for path in indexer.archive.files_below(str(folder.resolve())):
            if path not in present:
                report.removed += indexer.archive.forget_file(path)


def _nothing(folders: Sequence[Path], report: Report) -> str:
    places = ", ".join(str(folder) for folder in folders)
    refused = f" {len(report.refusals)} files were refused." if report.refusals else ""
    return f"No article could be read in {places}.{refused} Give a folder with files of {', '.join(READABLE)}."
