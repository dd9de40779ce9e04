"""Passages: the pieces of articles that are indexed and found ("chunks" in RAG talk)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rag.articles import Article


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences: `text` is the article's text from `start` to `end`, in characters."""

    article_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage that was found, with its article, its rank (from 1) and its score (higher is nearer)."""

    passage: Passage
    article: Article
    rank: int
    score: float

    def to_dict(self) -> dict[str, Any]:
        """Give one entry of `onrecord search --json`."""
        return {
            "rank": self.rank,
            "score": self.score,
            "article_id": self.article.id,
            "title": self.article.title,
            "source": self.article.source,
            "date": self.article.date,
            "url": self.article.url,
            "start": self.passage.start,
            "end": self.passage.end,
            "text": self.passage.text,
        }
