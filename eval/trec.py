"""Run and qrels files in the form of TREC, which every evaluation tool reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from .errors import EvalError

Rankings = Mapping[str, Sequence[str]]
Judgements = Mapping[str, Mapping[str, int]]


def run_lines(rankings: Rankings, name: str) -> Iterator[str]:
    """Yield a line for each article of each ranking: question, Q0, article, rank, score, name.

    Tools sort by the score and ignore the rank. A retriever may put passages in another order than that of their scores
    (variety, several channels), so the score here only counts down.
    """
    for question_id, articles in rankings.items():
        for rank, article_id in enumerate(articles, start=1):
            score = len(articles) + 1 - rank
            yield f"{_escaped(question_id)} Q0 {_escaped(article_id)} {rank} {score} {_escaped(name)}\n"


def qrels_lines(judgements: Judgements) -> Iterator[str]:
    """Yield a line for each judged article: question, 0, article, grade."""
    for question_id, grades in judgements.items():
        for article_id, grade in grades.items():
            yield f"{_escaped(question_id)} 0 {_escaped(article_id)} {grade}\n"


def read_run(path: Path) -> dict[str, list[str]]:
    """Give the articles of each question, best first, as any tool takes them: by score, ties as trec_eval has them."""
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for question_id, _, article_id, _, score, _ in _cells(path, 6):
        found[unquote(question_id)].append((float(score), unquote(article_id)))
    return {question_id: [article for _, article in sorted(hits, reverse=True)] for question_id, hits in found.items()}


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Give the grade of each judged article of each question."""
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    for question_id, _, article_id, grade in _cells(path, 4):
        judged[unquote(question_id)][unquote(article_id)] = int(grade)
    return dict(judged)


def _cells(path: Path, columns: int) -> Iterable[list[str]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            cells = line.split()
            if len(cells) != columns:
                raise EvalError(f"{path}, line {number}: it has {len(cells)} columns, not {columns}. Run it again.")
            yield cells


def _escaped(name: str) -> str:
    """Keep an id in one column: white space, and what marks it, is written as in an address."""
    return "".join(
        "".join(f"%{byte:02X}" for byte in character.encode()) if character.isspace() or character == "%" else character
        for character in name
    )
