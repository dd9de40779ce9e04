"""Talk: what a program says while a person waits and of an answer, and words from files made fit to be said."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.answers import Answer, Sentence, Side

TELL_AFTER_SECONDS = 1.5
DISAGREEMENT = "The articles disagree"
CALIBRATION = (
    "Fitted on questions whose answers are known. On other articles and questions it can be off by a fifth or so."
)
NO_SOURCE = "no source"
_DOUBTS = {"grounded": "", "weak": "weakly supported", "unsupported": "not supported"}
_LOWERED = {"A", "An", "Another", "Her", "His", "Its", "One", "The", "Their"}


@contextmanager
def told(step: str) -> Iterator[None]:
    """Say on stderr what is going on, if it takes long enough to wonder."""
    timer = threading.Timer(TELL_AFTER_SECONDS, print, [f"{step} ..."], {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def shown(named: Path | str) -> str:
    """Write a path, or what names one, so that no file can break a line, move the cursor or be unprintable."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in str(named))


def printable(text: str) -> str:
    """Drop what could steer a terminal."""
    return "".join(character for character in text if character.isprintable() or character == "\n")


def counted(count: int, thing: str) -> str:
    """Write how many there are: 1 article, 2,000 articles."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def understanding(answer: Answer) -> str:
    """Say how a follow-up was understood, nothing where the question stands alone."""
    return f"Understood as: {answer.understood_as}" if answer.understood_as else ""


def attribution(sentence: Sentence) -> str:
    """Say who says what a sentence quotes or reports, nothing where it does neither."""
    if not sentence.said_by:
        return "" if sentence.said_by is None else "Speaker not identified"
    first, space, rest = sentence.said_by.partition(" ")
    return f"Said by {first.lower() if first in _LOWERED else first}{space}{rest}"


def doubt(sentence: Sentence) -> str:
    """Say what a sentence lacks of being supported, nothing where it is grounded in what it cites."""
    return _DOUBTS[sentence.support] if sentence.citations else NO_SOURCE


def stance(side: Side) -> str:
    """Say what one side of a disagreement says."""
    if side.kind == "denial":
        return f"denies it: {side.value}" if side.value else "denies it"
    if side.kind == "correction":
        return f"{side.value} (correction)" if side.value else "corrects it"
    return side.value or "says so"


def likelihood(answer: Answer) -> str:
    """Say how likely an answer is right, which is never quite sure; nothing where there is none, or nobody knows."""
    if answer.state != "answered" or answer.probability is None:
        return ""
    return f"Chance of being right: {min(99, max(1, round(100 * answer.probability)))} %"


def absence(answer: Answer, *, narrowed: bool) -> str:
    """Say that there is no answer, and why; `narrowed` where a filter or a day left articles out."""
    outside = f"{counted(answer.outside, 'article')} outside it {'answers' if answer.outside == 1 else 'answer'} this."
    if narrowed and not answer.searched.articles:
        return "No article meets this filter." + (f" {outside}" if answer.reason == "filtered" else "")
    reasons = {
        "": "",
        "nothing": " Nothing in it is about this.",
        "not_said": " Articles are about it, but none that was found says this.",
        "filtered": f" {outside}",
    }
    return ("Not found under this filter." if narrowed else "Not in the archive.") + reasons[answer.reason]
