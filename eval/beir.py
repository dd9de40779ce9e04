"""BEIR folders: a public form of test collections (corpus.jsonl, queries.jsonl and qrels.tsv or qrels/test.tsv)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import EvalError
from .questions import Question

CORPUS = ("corpus.jsonl", "docs.jsonl")
QUERIES = ("queries.jsonl",)
QRELS = ("qrels.tsv", "qrels/test.tsv")
COPIED = ("title", "text", "source", "date", "url", "authors")


def read_collection(folder: Path) -> list[Question]:
    """Give the judged queries of a folder as questions. Raises `EvalError`."""
    judged = _judgements(find(folder, QRELS))
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


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise EvalError(f"{path}, line {number}: it is not JSON. Correct the file.") from error
            if not isinstance(record, dict):
                raise EvalError(f"{path}, line {number}: it is not an object. Correct the file.")
            yield f"{path}, line {number}", record


def _field(place: str, record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str | int) or not str(value).strip():
        raise EvalError(f"{place}: field {name} is {value!r}, not a text. Correct the file.")
    return str(value)


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            cells = line.rstrip("\n").split("\t")
            if number == 1 and cells[-1:] == ["score"]:
                continue
            if len(cells) != 3 or not cells[2].strip().lstrip("-").isdecimal():
                raise EvalError(f"{path}, line {number}: it is {line.strip()!r}, not query, document and grade.")
            if int(cells[2]) > 0:
                judged[cells[0]][cells[1]] = int(cells[2])
    return judged
