"""Passages: the pieces of articles that are indexed and found ("chunks" in RAG talk)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from rag.articles import Article, Copy


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences: `text` is the article's text from `start` to `end`, in characters."""

    article_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one channel of the search puts a passage: its rank there (from 1) and the channel's own score."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage that was found, with its article, its rank (from 1) and its score (higher is better).

    `meaning` (cosine of the vectors) and `words` (BM25) say where each channel puts it, None where it is not among what
    that channel gave. `also_in` are the other articles of the same story that could have stood here: copies and other
    versions. `why` says in words what moved it, where that was asked for.
    """

    passage: Passage
    article: Article
    rank: int
    score: float
    meaning: Standing | None = None
    words: Standing | None = None
    also_in: tuple[Copy, ...] = ()
    why: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give one entry of `onrecord search --json`."""
        found = {
            "rank": self.rank,
            "score": self.score,
            "meaning": asdict(self.meaning) if self.meaning else None,
            "words": asdict(self.words) if self.words else None,
            "article_id": self.article.id,
            "title": self.article.title,
            "source": self.article.source,
            "date": self.article.date,
            "url": self.article.url,
            "section": self.article.section,
            "language": self.article.language,
            "authors": list(self.article.authors),
            "start": self.passage.start,
            "end": self.passage.end,
            "text": self.passage.text,
            "also_in": [_reference(copy) for copy in self.also_in],
        }
        return found | ({"why": list(self.why)} if self.why else {})


def count_origins(found: Iterable[ScoredPassage]) -> tuple[int, int]:
    """Give how many articles the passages stand for, and of how many independent origins: copies of a story are one."""
    origins = {each.article.id: {each.article.id, *(copy.article_id for copy in each.also_in)} for each in found}
    return len(set().union(*origins.values())), len(origins)


def _reference(copy: Copy) -> dict[str, str]:
    return {"id": copy.article_id, "title": copy.title, "source": copy.source, "date": copy.date, "url": copy.url}
