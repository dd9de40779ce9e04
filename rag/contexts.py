"""The context of a question: what is searched for beside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """Another wording of a question, and words with their weights; a word of the question itself weighs 1."""

    wording: str
    words: tuple[tuple[str, float], ...]
