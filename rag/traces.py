"""Traces: where an excerpt comes from, to the character, and in which words it differs from what comes nearest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from rag.answers import Searched, Span

TraceState = Literal["verbatim", "words", "altered", "not_found"]
Part = Literal["text", "title"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Words that an excerpt and an article do not share, with their characters in both; one side may be empty."""

    excerpt: str
    article: str
    excerpt_start: int
    excerpt_end: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Origin:
    """The place in an article where an excerpt stands, the first of so many `times`.

    `text` are the stored characters from `start` to `end` of the article's text, or of its title where that is the
    `part`. They are `identical` where they are the excerpt's own, "verbatim" where only white space and the form of
    quotation marks and dashes differ, "words" where case or punctuation do, "altered" where words do. `omitted` are the
    characters that the excerpt leaves out and says so, by "..." or by words in square brackets. The articles of one
    `story` are copies or versions of one text.
    """

    article_id: str
    title: str
    source: str
    date: str
    url: str
    story: str
    part: Part
    start: int
    end: int
    text: str
    state: TraceState
    identical: bool
    omitted: tuple[Span, ...] = ()
    times: int = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """Where an excerpt comes from. `excerpt` is how it was read: in one line, without what nobody sees.

    `found` are the articles that hold it, verbatim before others, the oldest first, those of one story together. There
    may be `more` where so many hold it that not all were looked at. Where none does and one comes near, the state is
    "altered", and `differences` say in which words the excerpt differs from the `nearest` place.
    """

    excerpt: str
    state: TraceState
    found: tuple[Origin, ...]
    nearest: Origin | None
    differences: tuple[Difference, ...]
    searched: Searched
    more: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Give the object that `onrecord trace --json` prints."""
        return asdict(self)
