"""Onrecord: question answering over news archives, every sentence tied to the characters that say it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answers import Answer, Citation, Gloss, Searched, Sentence, Side
    from rag.articles import Article, Copy
    from rag.chatbot import Chatbot
    from rag.contexts import Context
    from rag.conversation import Turn
    from rag.errors import (
        ArchiveDamaged,
        ArchiveEmpty,
        ArchiveError,
        ArchiveLocked,
        ArchiveMismatch,
        ArchiveNotFound,
        ArticleError,
        ArticleNotFound,
        FilterError,
        GenerationFailed,
        ModelError,
        NothingReadable,
        QuestionError,
        RagError,
        SettingError,
    )
    from rag.explaining import Explanation
    from rag.filters import Filters
    from rag.fusion import Ranking
    from rag.indexing import index_articles, remove_origin
    from rag.passages import Passage, ScoredPassage, Standing
    from rag.retrieval import Retriever
    from rag.settings import Settings, load_settings
    from rag.traces import Difference, Origin, Trace
    from rag.tracing import Tracer

# Where each public name lives. Modules are loaded on first use, so that `import rag` takes milliseconds.
_HOMES = {
    "Answer": "answers",
    "ArchiveDamaged": "errors",
    "ArchiveEmpty": "errors",
    "ArchiveError": "errors",
    "ArchiveLocked": "errors",
    "ArchiveMismatch": "errors",
    "ArchiveNotFound": "errors",
    "Article": "articles",
    "ArticleError": "errors",
    "ArticleNotFound": "errors",
    "Chatbot": "chatbot",
    "Citation": "answers",
    "Context": "contexts",
    "Copy": "articles",
    "Difference": "traces",
    "Explanation": "explaining",
    "FilterError": "errors",
    "Filters": "filters",
    "GenerationFailed": "errors",
    "Gloss": "answers",
    "ModelError": "errors",
    "NothingReadable": "errors",
    "Origin": "traces",
    "Passage": "passages",
    "QuestionError": "errors",
    "RagError": "errors",
    "Ranking": "fusion",
    "Retriever": "retrieval",
    "ScoredPassage": "passages",
    "Searched": "answers",
    "Sentence": "answers",
    "SettingError": "errors",
    "Settings": "settings",
    "Side": "answers",
    "Standing": "passages",
    "Trace": "traces",
    "Tracer": "tracing",
    "Turn": "conversation",
    "index_articles": "indexing",
    "load_settings": "settings",
    "remove_origin": "indexing",
}

__all__ = [
    "Answer",
    "ArchiveDamaged",
    "ArchiveEmpty",
    "ArchiveError",
    "ArchiveLocked",
    "ArchiveMismatch",
    "ArchiveNotFound",
    "Article",
    "ArticleError",
    "ArticleNotFound",
    "Chatbot",
    "Citation",
    "Context",
    "Copy",
    "Difference",
    "Explanation",
    "FilterError",
    "Filters",
    "GenerationFailed",
    "Gloss",
    "ModelError",
    "NothingReadable",
    "Origin",
    "Passage",
    "QuestionError",
    "RagError",
    "Ranking",
    "Retriever",
    "ScoredPassage",
    "Searched",
    "Sentence",
    "SettingError",
    "Settings",
    "Side",
    "Standing",
    "Trace",
    "Tracer",
    "Turn",
    "index_articles",
    "load_settings",
    "remove_origin",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(importlib.import_module(f"rag.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
