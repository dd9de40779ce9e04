"""The question set: all questions of one run, and the hash by which the file they came from is known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import beir
from .questions import Question, read_questions, select


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions that were selected from a file or a BEIR folder; `sha256` is that of all it was read from."""

    name: str
    sha256: str
    where: tuple[str, ...]
    questions: tuple[Question, ...]


def read_set(path: Path, where: Sequence[str] = ()) -> QuestionSet:
    """Read a question file or a BEIR folder, and select from it. Raises `EvalError`."""
    questions = beir.read_collection(path) if path.is_dir() else read_questions(path)
    read = [beir.find(path, beir.QUERIES), beir.find(path, beir.QRELS)] if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in read:
        digest.update(file.read_bytes())
    resolved = path.resolve()
    name = f"{resolved.parent.name}-{resolved.stem}" if resolved.stem == "questions" else resolved.stem
    return QuestionSet(name, digest.hexdigest(), tuple(where), tuple(select(questions, where)))
