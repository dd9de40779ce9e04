"""The question set: all questions of one run, and the hash by which the files they came from are known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import beir, squad, topics
from .errors import EvalError
from .questions import Question, read_questions, select

SQUAD, LINES = ".json", ".jsonl"
FORMS = (
    "a file with a question a line (.jsonl), a SQuAD file (.json), a file of TREC topics with --qrels, "
    "or a folder with queries.jsonl and qrels.tsv (BEIR) or with topics* and qrels* (TREC)"
)
COMMON = ("questions", topics.TOPICS)  # names that many sets have, so that the folder is named, too


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions that were selected from a set of any form; `sha256` is that of all files it was read from."""

    name: str
    sha256: str
    where: tuple[str, ...]
    questions: tuple[Question, ...]


def read_set(path: Path, where: Sequence[str] = (), qrels: Path | None = None) -> QuestionSet:
    """Read a set of questions in any of its forms, and select from it. Raises `EvalError`.

    It is a file with a question a line, a SQuAD file (.json), a file of TREC topics where `qrels` is given, or a folder
    of BEIR or TREC.
    """
    questions, files = _read(path, qrels)
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return QuestionSet(_name(path.resolve()), digest.hexdigest(), tuple(where), tuple(select(questions, where)))


def read_articles(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the articles that a set asks of: the documents of a BEIR or TREC folder, or the paragraphs of a SQuAD file.

    They are records that `onrecord index` reads. Raises `EvalError`.
    """
    if path.is_dir():
        return beir.read_corpus(path)
    if path.suffix == SQUAD:
        return squad.read_corpus(path)
    raise EvalError(
        f"{path} is neither a folder nor a SQuAD file. Give a folder with {' or '.join(beir.CORPUS)}, or a file .json."
    )


def _read(path: Path, qrels: Path | None) -> tuple[list[Question], list[Path]]:
    """Give the questions, and the files they were read from."""
    if path.is_dir():
        return _read_folder(path, qrels)
    if not path.exists():
        raise EvalError(f"{path} cannot be read (No such file or directory). Give {FORMS}.")
    if path.suffix in {SQUAD, LINES} and qrels:
        raise EvalError(f"{path} has judgements of its own, and --qrels is for topics. Leave one out: give {FORMS}.")
    if qrels:
        return topics.read_collection(path, qrels), [path, qrels]
    if path.suffix != LINES and path.name.startswith(topics.TOPICS):
        raise EvalError(f"{path} is a file of topics without judgements. Name these with --qrels: give {FORMS}.")
    return (squad.read_collection(path) if path.suffix == SQUAD else read_questions(path)), [path]


def _read_folder(path: Path, qrels: Path | None) -> tuple[list[Question], list[Path]]:
    if qrels:
        raise EvalError(f"{path} is a folder, and --qrels is for a file of topics. Give {FORMS}.")
    if any((path / name).is_file() for name in beir.QUERIES):
        return beir.read_collection(path), [beir.find(path, beir.QUERIES), beir.find(path, beir.QRELS)]
    if not any(file.name.startswith((topics.TOPICS, topics.QRELS)) for file in path.iterdir()):
        raise EvalError(f"{path} holds no set of questions. Give {FORMS}.")
    found = topics.find(path)
    return topics.read_collection(*found), [*found]


def _name(path: Path) -> str:
    if path.is_dir():
        return path.name
    return f"{path.parent.name}-{path.stem}" if path.stem in COMMON else path.stem
