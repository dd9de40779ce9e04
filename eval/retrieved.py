"""What was retrieved for a question: its passages, where each stands, and the seconds it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rag.passages import ScoredPassage, Standing


@dataclass(frozen=True, slots=True)
class Hit:
    """One place of a ranking; `also_in` are other articles that could have stood there, `text` may be left out."""

    article_id: str
    start: int
    end: int
    score: float
    meaning: Standing | None = None
    words: Standing | None = None
    also_in: tuple[str, ...] = ()
    text: str = ""

    @classmethod
    def of(cls, found: ScoredPassage, *, text: bool) -> Hit:
        """Keep of a passage what is measured, and its text where that is wanted."""
        passage = found.passage
        also_in = tuple(copy.article_id for copy in found.also_in)
        kept = passage.text if text else ""
        return cls(
            passage.article_id, passage.start, passage.end, found.score, found.meaning, found.words, also_in, kept
        )

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Hit:
        """Read it back."""
        standings = {name: Standing(**record[name]) for name in ("meaning", "words") if name in record}
        return cls(**record | standings | {"also_in": tuple(record.get("also_in", ()))})

    def to_dict(self) -> dict[str, Any]:
        """Give what there is of it."""
        return {name: value for name, value in asdict(self).items() if value is not None and value not in ("", ())}


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What one question found: the `passages` that a host application gets, and the ranking in all its `depth`.

    `seconds` is how long the passages took; the deep ranking is a search of its own.
    """

    question_id: str
    seconds: float
    passages: tuple[Hit, ...]
    depth: tuple[Hit, ...]

    @property
    def articles(self) -> list[str]:
        """The articles of the deep ranking, each where its first passage stands."""
        return articles_of(self.depth)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Retrieved:
        """Read it back. Raises `KeyError` or `TypeError` for what is none."""
        passages, depth = (tuple(map(Hit.from_dict, record[name])) for name in ("passages", "depth"))
        return cls(record["question_id"], record["seconds"], passages, depth)

    def to_dict(self) -> dict[str, Any]:
        """Give it as one line of `passages.jsonl`."""
        lists = {"passages": self.passages, "depth": self.depth}
        written = {name: [hit.to_dict() for hit in hits] for name, hits in lists.items()}
        return {"question_id": self.question_id, "seconds": self.seconds, **written}


def articles_of(hits: Sequence[Hit]) -> list[str]:
    """Give the articles of a ranking of passages, each once, where its first passage stands."""
    return list(dict.fromkeys(hit.article_id for hit in hits))


def stories_of(hits: Sequence[Hit], n: int) -> set[str]:
    """Give the first `n` articles of a ranking of passages, and all that are named there as copies of them."""
    first = set(articles_of(hits)[:n])
    return first | {copy for hit in hits if hit.article_id in first for copy in hit.also_in}
