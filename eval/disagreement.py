"""Disagreement: how often values that sources give differently are shown side by side, and how often wrongly."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rag.articles import Article
from rag.disagreeing import Contrary, disagreements
from rag.embedding import Embedder
from rag.evidence import weigh_evidence
from rag.models import PACKAGED_MODEL
from rag.passages import Passage, ScoredPassage
from rag.questions import read_question
from rag.retrieval import Retriever
from rag.settings import Settings
from rag.words import words

from .errors import EvalError
from .questions import HALVES, cluster
from .sets import read_set
from .statistics import Estimate, estimate
from .tables import between, figure, print_note, print_table

ROWS = "rows.jsonl"
Half = Literal["tune", "report"]
Judged = tuple[float, float, float]
READ = 8  # passages a question, as the chatbot reads them
SHOWN, RIGHT, CLAIMED = "two answers are shown", "of what is shown, two are answers", "a disagreement is shown"
MEASURES = (SHOWN, RIGHT, CLAIMED)
NOTE = (
    "Each document is an article of its own outlet, and different answers count as shown if the sentences side by side "
    "hold two of them. Documents with one answer, and the questions of ordinary sets, show how often a disagreement is "
    "seen where there is none."
)


@dataclass(frozen=True, slots=True)
class Document:
    """A text with the ways to write the answer that it gives; without one, it answers nothing."""

    text: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A question with documents that answer it, not all alike."""

    question: str
    documents: tuple[Document, ...]

    def alike(self) -> tuple[Document, ...]:
        """Give the documents with the answer that most of them give."""
        given = [document.answers for document in self.documents if document.answers]
        most = max(given, key=given.count, default=())
        return tuple(document for document in self.documents if document.answers and document.answers == most)


@dataclass(frozen=True, slots=True)
class Finding:
    """One measure over questions of one kind."""

    asked: str
    measure: str
    estimate: Estimate


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a folder in the form of RAMDocs or of RGB. Raises `EvalError`."""
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            rows.append(_row(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise EvalError(
                f"{path}, line {number} is no row of RAMDocs or RGB ({error!r}). Correct the file."
            ) from None
    if not rows:
        raise EvalError(f"{path} holds no row. Give a folder that holds some.")
    return rows


def measure(folder: Path, archive: Path | None, half: Half) -> list[Finding]:
    """Measure the rows of a folder, or the questions of one that are asked of an archive. Raises `EvalError`.

    The rows with an even number, from 0, are the half to tune on.
    """
    if (folder / ROWS).is_file():
        return _of_rows(read_rows(folder / ROWS)[HALVES.index(half) :: len(HALVES)])
    if archive is None:
        raise EvalError(f"{folder} holds no {ROWS}, so its questions are asked of an archive. Name it with --archive.")
    return _of_questions(folder / "questions.jsonl", archive, half)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print the measures with their intervals."""
    print_table(
        ("asked", "measure", "share", "95 %", "questions"),
        [
            (
                found.asked,
                found.measure,
                figure(found.estimate.mean),
                between(found.estimate.low, found.estimate.high),
                f"{found.estimate.questions:,}",
            )
            for found in findings
        ],
        left=2,
    )
    print_note(NOTE)


def to_dict(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Give the findings for other programs."""
    return [{"asked": one.asked, "measure": one.measure, **asdict(one.estimate)} for one in findings]


def _of_rows(rows: Sequence[Row]) -> list[Finding]:
    embedder = Embedder.open(PACKAGED_MODEL)
    differing = [row for row in rows if len({document.answers for document in row.documents} - {()}) > 1]
    alike = [Row(row.question, row.alike()) for row in rows if len(row.alike()) > 1]
    values = [_judged(row, _sides(row, embedder)) for row in differing]
    quiet = [(math.nan, math.nan, float(bool(_sides(row, embedder)))) for row in alike]
    return [
        *_findings("documents that answer differently", values),
        *_findings("documents with one answer", quiet),
    ]


def _of_questions(path: Path, archive: Path, half: Half) -> list[Finding]:
    asked = read_set(path, [f"half={half}", "answerable=true"])
    values: list[Judged] = []
    with Retriever.open(archive, Settings()) as retriever:
        for one in asked.questions:
            question = read_question(one.question)
            verdict = weigh_evidence(question, retriever.retrieve(question.text, k=READ), retriever.embedder)
            seen = verdict.answers and bool(disagreements(question, verdict.ranked))
            values.append((math.nan, math.nan, float(seen)))
    return list(_findings(asked.name, values, cluster(asked.questions)))


def _sides(row: Row, embedder: Embedder) -> tuple[Contrary, ...]:
    question = read_question(row.question)
    return disagreements(question, weigh_evidence(question, list(_passages(row)), embedder).ranked)


def _passages(row: Row) -> Iterator[ScoredPassage]:
    for rank, document in enumerate(row.documents, start=1):
        article = Article(f"document-{rank}", "", document.text, f"Outlet {rank}")
        passage = Passage(article.id, 0, len(document.text), document.text)
        yield ScoredPassage(passage, article, rank, 1 / rank)


def _judged(row: Row, sides: Sequence[Contrary]) -> Judged:
    told = {
        document.answers
        for document in row.documents
        for side in sides
        if any(_holds(_text(side), answer) for answer in document.answers)
    }
    both = float(len(told) > 1)
    return both, both if sides else math.nan, float(bool(sides))


def _text(side: Contrary) -> str:
    evidence = side.evidence
    return evidence.article.text[evidence.start : evidence.end]


def _holds(text: str, answer: str) -> bool:
    return f" {_plain(answer)} " in f" {_plain(text)} "


def _plain(text: str) -> str:
    return " ".join(word.text.lower() for word in words(text))


def _findings(asked: str, values: Sequence[Judged], clusters: Sequence[int] = ()) -> Iterator[Finding]:
    table = np.array(values, dtype=np.float64).reshape(-1, len(MEASURES))
    numbers = np.array(clusters or range(len(table)))
    for at, name in enumerate(MEASURES):
        known = ~np.isnan(table[:, at])
        if known.any():
            yield Finding(asked, name, estimate(table[known, at : at + 1], numbers[known].tolist())[0])


def _row(record: dict[str, Any]) -> Row:
    if "documents" in record:
        documents = (
            Document(one["text"], (one["answer"],) if one["type"] != "noise" else ()) for one in record["documents"]
        )
        return Row(record["question"], tuple(documents))
    right, wrong = tuple(_flat(record["answer"])), (record["fakeanswer"],)
    texts = ((right, record["positive"]), (wrong, record["positive_wrong"]), ((), record["negative"]))
    return Row(record["query"], tuple(Document(text, answers) for answers, given in texts for text in given))


def _flat(answer: str | list[Any]) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    else:
        for one in answer:
            yield from _flat(one)
