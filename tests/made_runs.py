"""Runs made up of what each question found and answered, in the folders that `eval run` leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.answered import ALWAYS, Answered, Cited, Said, Shown
from eval.questions import Question
from eval.retrieved import Hit, Retrieved
from eval.runs import ANSWERS, ARTICLES, PASSAGES, Manifest, Run, append, begin, finish, write

GOLD, DEPTH = "gold", 20
IDENTITY: dict[str, Any] = {
    "questions": {"name": "made", "sha256": "0", "where": [], "count": 0, "wording": "question", "as_of": ""},
    "archive": {"name": "made", "fingerprint": "0", "articles": 0, "passages": 0, "model": "none", "model_sha256": "0"},
    "settings": {},
    "lists": {"passages": 10, "depth": 100, "read": 8},
    "search_only": False,
    "code": "0",
    "versions": {},
}


@dataclass(frozen=True, slots=True)
class Made:
    """What one question came to: the rank of its gold article, what was said ("" for a refusal), how likely it was."""

    rank: int | None
    said: str
    likelihood: float
    seconds: float = 0.1


def question(number: int, *, answerable: bool = True) -> Question:
    """Make a question whose answer is "right"; none shares an article with another."""
    gold = (f"{GOLD} {number}",) if answerable else ()
    return Question(str(number), f"What is {number}?", ("right",) if answerable else (), gold, answerable=answerable)


def shown(said: str, article_id: str) -> Shown:
    """Show a sentence that is its own citation, or refuse where it is empty."""
    return Shown((Said(said, (1,)),), (Cited(1, article_id, 0, len(said), said),)) if said else Shown()


def answered(asked: Question, made: Made) -> Answered:
    """Answer a question; what is refused would have been wrong."""
    gold = f"{GOLD} {asked.id}"
    kept = shown(made.said, gold)
    state = "answered" if made.said else "not_in_archive"
    others = {ALWAYS: shown(made.said or "wrong", gold)}
    return Answered(asked.id, asked.question, state, made.seconds, made.likelihood, kept, others)


def retrieved(asked: Question, made: Made) -> Retrieved:
    """Find the gold article of a question at its rank among others."""
    names = [f"other {at}" for at in range(1, DEPTH + 1)]
    if made.rank:
        names.insert(made.rank - 1, f"{GOLD} {asked.id}")
    hits = tuple(Hit(name, 0, 10, 1 - at / 100, text=name, tokens=10) for at, name in enumerate(names))
    return Retrieved(asked.id, made.seconds, hits[:10], hits)


def make_run(folder: Path, questions: Sequence[Question], came: Sequence[Made]) -> Run:
    """Write a run into a folder."""
    manifest = begin(folder, Manifest(folder.name, IDENTITY, [], {}, 0, "2026-01-01"), questions)
    for asked, made in zip(questions, came, strict=True):
        append(folder / PASSAGES, retrieved(asked, made).to_dict())
        append(folder / ANSWERS, answered(asked, made).to_dict())
    write(folder / ARTICLES, [])
    finish(folder, manifest, questions, "2026-01-02")
    return Run.open(folder)
