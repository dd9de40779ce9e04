"""BEIR folders: a public form of test collections (corpus.jsonl, queries.jsonl and qrels.tsv or qrels/test.tsv)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .errors import EvalError
from .questions import Question, is_text, shown

CORPUS = ("corpus.jsonl", "docs.jsonl")
QUERIES = ("queries.jsonl",)
QRELS = ("qrels.tsv", "qrels/test.tsv")
COPIED = ("title", "text", "source", "date", "url", "authors")
GRADE = re.compile(r"[+-]?[0-9]{1,9}")


def read_collection(folder: Path) -> list[Question]:
    """Give the judged queries of a folder as questions. Raises `EvalError`."""
    judged = gather_judgements(_judgements(find(folder, QRELS)))
    questions = []
    for place, record in _records(find(folder, QUERIES)):
        gold = judged.get(_field(place, record, "_id"), {})
        if gold:
            asked = _field(place, record, "text")
            questions.append(Question(str(record["_id"]), asked, (), tuple(gold), tuple(gold.values())))
    if not questions:
        raise EvalError(f"No query in {folder} is judged. Give a folder whose qrels name ids of its queries.")
    return questions


def read_corpus(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a folder as records that `onrecord index` reads."""
    for place, record in _records(find(folder, CORPUS)):
        known = record.get("metadata") if isinstance(record.get("metadata"), dict) else {}
        fields = {**(known or {}), **record}
        yield {"id": _field(place, record, "_id")} | {name: fields[name] for name in COPIED if fields.get(name)}


def find(folder: Path, names: tuple[str, ...]) -> Path:
    """Give the first of these files that a folder has. Raises `EvalError`."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise EvalError(f"{folder} holds no {' and no '.join(names)}. Give a BEIR folder.")


def gather_judgements(rows: Iterable[tuple[str, str, str, str]]) -> dict[str, dict[str, int]]:
    """Give the relevant documents of each query with their grades, from rows of place, query, document and grade.

    A grade of 0 or less says that a document is not relevant. Of several grades of one document the highest counts.
    Raises `EvalError` where a grade is no whole number.
    """
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    for place, query, document, grade in rows:
        if not GRADE.fullmatch(grade):
            raise EvalError(f"{place}: the grade is {shown(grade)}, not a whole number. Correct the file.")
        if int(grade) > 0:
            judged[query][document] = max(int(grade), judged[query].get(document, 0))
    return dict(judged)


def _judgements(path: Path) -> Iterator[tuple[str, str, str, str]]:
    for number, (place, line) in enumerate(_lines(path)):
        cells = line.rstrip("\r\n").split("\t")
        if number == 0 and cells[-1] == "score":
            continue
        if len(cells) != 3:
            said = shown(line.strip())
            raise EvalError(
                f"{place}: it is {said}, not query, document and grade with tabs between. Correct the file."
            )
        yield place, cells[0], cells[1], cells[2].strip()


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, line in _lines(path):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EvalError(f"{place}: it is not JSON. Correct the file.") from error
        if not isinstance(record, dict):
            raise EvalError(f"{place}: it is not an object. Correct the file.")
        yield place, record


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield f"{path}, line {number}", line
    except OSError as error:
        raise EvalError(f"{path} cannot be read ({error.strerror}). Give a BEIR folder.") from error
    except UnicodeDecodeError as error:
        raise EvalError(f"{path} is not text in UTF-8. Save it as that.") from error


def _field(place: str, record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    written = str(value) if isinstance(value, int) else value
    if not is_text(written) or not written.strip():
        raise EvalError(f"{place}: field {name} is {shown(value)}, not a text. Correct the file.")
    return written
