"""Feedback: what readers say of answers, as a question set that `onrecord eval run` takes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rag.conversation import Turn
from rag.errors import ArchiveError

from .conversations import Kept

FILE_NAME = "feedback.jsonl"
LONGEST_WORD = 2000
Verdict = Literal["right", "wrong"]
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader says of an answer: `missed` is the id of the article that should have been found, if one should."""

    kept: Kept
    history: tuple[Turn, ...]
    verdict: Verdict
    word: str = ""
    missed: str = ""

    def entry(self) -> dict[str, Any]:
        """Give it as a question of a set, with what is known of its answer now."""
        answer = self.kept.answer
        entry: dict[str, Any] = {"id": self.kept.id, "question": answer.question, "kind": "feedback"}
        entry |= {"label": self.verdict, "note": self.word.strip()[:LONGEST_WORD]}
        entry |= {"history": [line for turn in self.history for line in _said(turn)]}
        if self.missed:
            return entry | {"gold_articles": [self.missed]}
        if self.verdict == "wrong":
            return entry
        if answer.state == "not_in_archive":
            return entry | {"answerable": False}
        articles = list(dict.fromkeys(citation.article_id for citation in answer.citations))
        return entry | {"gold_articles": articles, "evidence": [citation.text for citation in answer.citations]}


def note_feedback(folder: Path, feedback: Feedback) -> None:
    """Write it down, in the place of what was said of the same answer before; the file is whole at every moment.

    Raises `ArchiveError` where it cannot be written.
    """
    path = folder / FILE_NAME
    try:
        with _LOCK:
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            others = [line for line in lines if not _is_about(line, feedback.kept.id)]
            _replace(path, "".join(f"{line}\n" for line in [*others, json.dumps(feedback.entry())]))
    except OSError as error:
        raise ArchiveError(f"This could not be noted: {path.name} cannot be written ({error.strerror}).") from error


def _is_about(line: str, name: str) -> bool:
    """Say whether a line is about an answer; what a person wrote into the file by hand stays there."""
    try:
        return bool(json.loads(line)["id"] == name)
    except (ValueError, TypeError, KeyError):
        return False


def _said(turn: Turn) -> list[Mapping[str, str]]:
    return [{"role": "user", "text": turn.question}, {"role": "assistant", "text": turn.answer}]


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
