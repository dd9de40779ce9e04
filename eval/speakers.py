"""Speakers: how often we name for a quotation, or for what is reported, the same one as annotators of a public set do.

`articles.jsonl`       an article a line, with `id`, `title` and `text`
`attributions.jsonl`   an attribution a line: `article`, and `source`, `cue` and `content`, each a list of mentions that
                       are lists of pieces, [start, end] in characters of the article's text
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag.answers import Span
from rag.statements import Statement, find_statements

from .errors import EvalError
from .statistics import Estimate, Numbers, estimate
from .tables import between, figure, print_note, print_table

ARTICLES, ATTRIBUTIONS = "articles.jsonl", "attributions.jsonl"
QUOTED, SENTENCES, REPORTED, OURS = (
    "quotations",
    "of these, begun by a mark, of 5 words or more",
    "reported",
    "our own statements",
)
MEASURES = ("found", "right", "right, strictly", "right where named")
OVERLAP = 0.5
TIGHTNESS = 0.1
FEWEST_WORDS = 5
NOTE = (
    "Counted are attributions that have a source. A quotation is an attribution whose content begins or ends with a "
    "quotation mark, or stands in quotation marks for more than half; it is found where one of our statements overlaps "
    "it, and anything else where one covers half of it. The speaker is right where the mention that we name overlaps "
    "the source that is annotated, and strictly so where it has the last word of its name or noun. Our own statements "
    "are found where half of one stands in the content of an attribution. Intervals: bootstrap over articles, 95 %."
)

_OPENING, _MARKS = "\"“„«‘'", "\"“”„»«’‘'"
_QUOTATION = re.compile("[\"“„«]|''|``")
_ENCLOSED = re.compile("(?:[\"“„«]|''|``)(?:[^\"“”„»«'`]|'(?!')|`(?!`))*+(?:[\"”»]|''|$)")
_BEFORE_COMPLEMENT = re.compile(r",|\(| (?:who|of|for|at|from|in|with|on) ")


@dataclass(frozen=True, slots=True)
class Attribution:
    """What annotators say of some characters of an article: who says them, and which they are."""

    source: tuple[Span, ...]
    content: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Annotated:
    """An article with its attributions."""

    id: str
    title: str
    text: str
    attributions: tuple[Attribution, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one kind of attributions."""

    kind: str
    measure: str
    estimate: Estimate


def measure_speakers(folder: Path) -> list[Row]:
    """Find the statements of every article, and hold them against its attributions. Raises `EvalError`."""
    scores: dict[str, list[tuple[int, Sequence[float]]]] = defaultdict(list)
    for number, article in enumerate(read_annotated(folder)):
        statements = find_statements(article.text, article.title)
        for kind, score in _score(article, statements):
            scores[kind].append((number, score))
    return [row for kind in (QUOTED, SENTENCES, REPORTED, OURS) for row in _rows(kind, scores[kind])]


def print_speakers(rows: Sequence[Row]) -> None:
    """Print the measures for a person."""
    print_table(("", "measure", "value", "95 %", "of", "articles"), map(_cells, rows), left=2)
    print_note(NOTE)


def _cells(row: Row) -> tuple[str, ...]:
    one = row.estimate
    return (
        row.kind,
        row.measure,
        figure(one.mean),
        between(one.low, one.high),
        f"{one.questions:,}",
        f"{one.clusters:,}",
    )


def to_dict(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Give the list that `onrecord eval speakers --json` prints."""
    return [{"kind": row.kind, "measure": row.measure, **asdict(row.estimate)} for row in rows]


# Reading


def read_annotated(folder: Path) -> list[Annotated]:
    """Read the articles of a folder with their attributions. Raises `EvalError`."""
    articles = {str(record["id"]): record for record in _records(folder / ARTICLES, _is_article)}
    found: dict[str, list[Attribution]] = defaultdict(list)
    for record in _records(folder / ATTRIBUTIONS, lambda record: _is_attribution(record, articles)):
        found[record["article"]].append(Attribution(_pieces(record["source"]), _pieces(record["content"])))
    return [
        Annotated(name, str(record.get("title") or ""), record["text"], tuple(found[name]))
        for name, record in articles.items()
    ]


def _records(path: Path, fits: Callable[[Any], bool]) -> Iterator[Any]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise EvalError(f"{path} cannot be read ({error.strerror}). Give a folder that has it.") from error
    except UnicodeDecodeError as error:
        raise EvalError(f"{path} is not text in UTF-8. Save it as that.") from error
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EvalError(f"{path}, line {number}: it is not JSON ({error}). Correct the file.") from error
        if not fits(record):
            raise EvalError(f"{path}, line {number}: its fields are not those that are read. Correct the file.")
        yield record


def _is_article(record: Any) -> bool:
    return isinstance(record, dict) and isinstance(record.get("id"), str) and isinstance(record.get("text"), str)


def _is_attribution(record: Any, articles: dict[str, Any]) -> bool:
    if not isinstance(record, dict) or record.get("article") not in articles:
        return False
    length = len(articles[record["article"]]["text"])
    try:
        pieces = [*_pieces(record["source"]), *_pieces(record["content"])]
    except (KeyError, TypeError, ValueError):
        return False
    return all(0 <= start < end <= length for start, end in pieces)


def _pieces(mentions: Any) -> tuple[Span, ...]:
    return tuple((int(start), int(end)) for mention in mentions for start, end in mention)


# Scoring


def _score(article: Annotated, statements: Sequence[Statement]) -> Iterator[tuple[str, Sequence[float]]]:
    """Yield the four measures of each attribution that has a source, and of each of our statements; nan is none."""
    for one in article.attributions:
        if one.source and one.content:
            kinds = _kinds(article.text, one.content)
            score = _score_attribution(article.text, one, statements, least=0 if QUOTED in kinds else OVERLAP)
            yield from ((kind, score) for kind in kinds)
    for statement in statements:
        yield OURS, _score_statement(article.text, statement, article.attributions)


def _kinds(text: str, content: Sequence[Span]) -> tuple[str, ...]:
    words = " ".join(text[start:end] for start, end in content).strip()
    begun = words[:1] in _OPENING and any(mark in words[1:] for mark in _MARKS)
    enclosed = sum(len(match[0]) for match in _ENCLOSED.finditer(words))
    ended = words.rstrip(".,;")[-1:] in _MARKS and bool(_QUOTATION.search(words))
    if not (begun or ended or enclosed > len(words) / 2):
        return (REPORTED,)
    return (QUOTED, SENTENCES) if begun and len(text[slice(*content[0])].split()) >= FEWEST_WORDS else (QUOTED,)


def _score_attribution(
    text: str, one: Attribution, statements: Sequence[Statement], *, least: float
) -> Sequence[float]:
    best = max(statements, key=lambda statement: _fit(statement, one.content), default=None)
    share = _shared(best, one.content) / sum(end - start for start, end in one.content) if best else 0
    if best is None or share == 0 or share < least:
        return (0, 0, 0, np.nan)
    return (1, *_score_speaker(text, best.speaker_span, [one]))


def _fit(statement: Statement, content: Sequence[Span]) -> float:
    """Say how well a statement covers a content; of those that cover as much, the one that holds least else is best."""
    shared = _shared(statement, content)
    return shared / sum(end - start for start, end in content) + TIGHTNESS * shared / (statement.end - statement.start)


def _score_statement(text: str, statement: Statement, attributions: Iterable[Attribution]) -> Sequence[float]:
    least = OVERLAP * (statement.end - statement.start)
    same = [one for one in attributions if _shared(statement, one.content) >= least]
    return (float(bool(same)), *_score_speaker(text, statement.speaker_span, same))


def _score_speaker(text: str, named: Span | None, attributions: Sequence[Attribution]) -> tuple[float, float, float]:
    if named is None:
        return 0, 0, np.nan
    meant = [one for one in attributions if any(_overlap(named, piece) > 0 for piece in one.source)]
    strictly = any(_head(text, one.source) in text[slice(*named)] for one in meant)
    return float(bool(meant)), float(strictly), float(bool(meant))


def _head(text: str, source: Sequence[Span]) -> str:
    """Give the last word of the name or noun of a mention, before what only says more of it."""
    words = _BEFORE_COMPLEMENT.split(text[slice(*source[0])], maxsplit=1)[0].split()
    return words[-1] if words else ""


def _shared(statement: Statement, content: Sequence[Span]) -> int:
    return sum(max(0, _overlap((statement.start, statement.end), piece)) for piece in content)


def _overlap(one: Span, other: Span) -> int:
    return min(one[1], other[1]) - max(one[0], other[0])


def _rows(kind: str, scores: Sequence[tuple[int, Sequence[float]]]) -> Iterator[Row]:
    values: Numbers = np.array([score for _, score in scores], dtype=np.float64).reshape(-1, len(MEASURES))
    clusters = np.array([article for article, _ in scores])
    for at, measure in enumerate(MEASURES):
        known = ~np.isnan(values[:, at])
        if known.any():
            yield Row(kind, measure, estimate(values[known, at : at + 1], clusters[known].tolist())[0])
