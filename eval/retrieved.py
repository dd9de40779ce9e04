"""What was retrieved for a question: its passages, where each stands, and the seconds it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rag.passages import ScoredPassage, Standing

LAST_TURN, REWRITE = "last turn", "rewrite"


@dataclass(frozen=True, slots=True)
class Hit:
    """One place of a ranking; `also_in` are other articles that could have stood there, `text` may be left out.

    `tokens` are those of the passage in the embedding model; offsets are 0 where a system does not tell them.
    """

    article_id: str
    start: int
    end: int
    score: float
    meaning: Standing | None = None
    words: Standing | None = None
    also_in: tuple[str, ...] = ()
    text: str = ""
    tokens: int = 0

    @classmethod
    def of(cls, found: ScoredPassage, tokens: int) -> Hit:
        """Keep of a passage what is measured."""
        passage = found.passage
        also_in = tuple(copy.article_id for copy in found.also_in)
        place = passage.article_id, passage.start, passage.end
        return cls(*place, found.score, found.meaning, found.words, also_in, passage.text, tokens)

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

    `seconds` is how long the passages took; the deep ranking is a search of its own. Of a follow-up `wordings` has the
    articles found for the last turn alone, and for a person's rewrite.
    """

    question_id: str
    seconds: float
    passages: tuple[Hit, ...]
    depth: tuple[Hit, ...]
    wordings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def articles(self) -> list[str]:
        """The articles of the deep ranking, each where its first passage stands."""
        return articles_of(self.depth)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Retrieved:
        """Read it back. Raises `KeyError` or `TypeError` for what is none."""
        passages, depth = (tuple(map(Hit.from_dict, record[name])) for name in ("passages", "depth"))
        wordings = {name: tuple(articles) for name, articles in record.get("wordings", {}).items()}
        return cls(record["question_id"], record["seconds"], passages, depth, wordings)

    def to_dict(self) -> dict[str, Any]:
        """Give it as one line of `passages.jsonl`."""
        lists = {"passages": self.passages, "depth": self.depth}
        written = {name: [hit.to_dict() for hit in hits] for name, hits in lists.items()}
        wordings = {"wordings": {name: list(articles) for name, articles in self.wordings.items()}}
        return {
            "question_id": self.question_id,
            "seconds": self.seconds,
            **written,
            **(wordings if self.wordings else {}),
        }


def articles_of(hits: Sequence[Hit]) -> list[str]:
    """Give the articles of a ranking of passages, each once, where its first passage stands."""
    return list(dict.fromkeys(hit.article_id for hit in hits))


def stories_of(hits: Sequence[Hit], n: int) -> set[str]:
    """Give the first `n` articles of a ranking of passages, and all that are named there as copies of them."""
    first = set(articles_of(hits)[:n])
    return first | {copy for hit in hits if hit.article_id in first for copy in hit.also_in}
