"""SQuAD files, in version 1.1 or 2.0: paragraphs of articles, and what people asked of each."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import EvalError
from .questions import LONGEST_VALUE, Fault, Question, gather, is_text, question_of, shown

LONGEST_SLUG = 100  # an archive takes ids of up to 300 characters
UNTITLED = "paragraph"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph, which is an article to us, with its questions as they stand in the file; `place` says where."""

    id: str
    title: str
    text: str
    asked: tuple[Any, ...]
    place: str


def read_collection(path: Path) -> list[Question]:
    """Give the questions of a file, each with its paragraph as gold article and its answers as evidence.

    Raises `EvalError`, also where an answer does not stand where the file says.
    """
    asked = (
        (f"{paragraph.place}.qas[{at}]", (paragraph, record))
        for paragraph in read_paragraphs(path)
        for at, record in enumerate(paragraph.asked)
    )
    return gather(path, asked, _question, "questions")


def read_corpus(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the paragraphs of a file as records that `onrecord index` reads. Raises `EvalError`."""
    for paragraph in read_paragraphs(path):
        yield {"id": paragraph.id, "title": paragraph.title, "text": paragraph.text}


def read_paragraphs(path: Path) -> Iterator[Paragraph]:
    """Yield the paragraphs of a file. Raises `EvalError`.

    A title has spaces where the file has the underscores of Wikipedia. An id is the title in small letters and a number
    that counts from 1, on through all articles of that title.
    """
    try:
        yield from _paragraphs(_loaded(path))
    except Fault as fault:
        raise EvalError(f"{path}, {fault}. Correct the file, or give one of SQuAD.") from fault


def _loaded(path: Path) -> object:
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise EvalError(f"{path} cannot be read ({error.strerror}). Give a SQuAD file.") from error
    except UnicodeDecodeError as error:
        raise EvalError(f"{path} is not text in UTF-8. Save it as that.") from error
    except (ValueError, RecursionError) as error:
        reason = str(error)[:LONGEST_VALUE]
        raise EvalError(
            f"{path} is not JSON ({reason}). Give a SQuAD file; a file with a question a line is named .jsonl."
        ) from error


def _paragraphs(record: object) -> Iterator[Paragraph]:
    counts: Counter[str] = Counter()
    for at, article in enumerate(_list("the file", record, "data")):
        title = _title(f"data[{at}]", article)
        slug = _slug(title)
        for position, paragraph in enumerate(_list(f"data[{at}]", article, "paragraphs")):
            place = f"data[{at}].paragraphs[{position}]"
            text, asked = _text(place, paragraph, "context"), _list(place, paragraph, "qas")
            counts[slug] += 1
            yield Paragraph(f"{slug}-{counts[slug]}", title, text, tuple(asked), place)


def _title(place: str, article: object) -> str:
    missing = isinstance(article, dict) and article.get("title") in (None, "")
    return "" if missing else _text(place, article, "title").replace("_", " ")


def _slug(title: str) -> str:
    """Keep the letters, marks and numbers of a title; what stands between them becomes one hyphen."""
    kept = "".join(
        character if unicodedata.category(character)[0] in "LMN" else " "
        for character in unicodedata.normalize("NFC", title.casefold())
    )
    return "-".join(kept.split())[:LONGEST_SLUG].strip("-") or UNTITLED


def _question(source: tuple[Paragraph, object], earlier: Container[str]) -> Question:
    paragraph, record = source
    if not isinstance(record, dict):
        raise Fault(f"it is {shown(record)}, not an object with the fields of a question")
    impossible = record.get("is_impossible", False)
    if not isinstance(impossible, bool):
        raise Fault(f"field is_impossible is {shown(impossible)}, not true or false")
    answers = [] if impossible else _answers(paragraph, record)
    return question_of(
        {
            **{name: record.get(name) for name in ("id", "question")},
            "answers": answers,
            "gold_articles": [paragraph.id],
            "evidence": answers,
            "answerable": not impossible,
        },
        earlier,
    )


def _answers(paragraph: Paragraph, record: dict[str, Any]) -> list[str]:
    """Give the texts of the answers, each once, after a look at where they stand."""
    question = f"question {shown(record.get('id'))}"
    answers = {}
    for answer in _list(question, record, "answers"):
        text, start = _text(question, answer, "text"), answer.get("answer_start")
        if type(start) is not int:
            raise Fault(f"{question}: field answer_start is {shown(start)}, not a whole number")
        stands = paragraph.text[start : start + len(text)] if start >= 0 else ""
        if stands != text:
            raise Fault(f"{question} has the answer {shown(text)} at {start}, where the context has {shown(stands)}")
        answers[text] = start
    return list(answers)


def _list(place: str, record: object, name: str) -> list[Any]:
    value = _value(place, record, name)
    if not isinstance(value, list):
        raise Fault(f"{place}: field {name} is {shown(value)}, not a list")
    return value


def _text(place: str, record: object, name: str) -> str:
    value = _value(place, record, name)
    if not is_text(value) or not value.strip():
        raise Fault(f"{place}: field {name} is {shown(value)}, not a text")
    return value


def _value(place: str, record: object, name: str) -> object:
    if not isinstance(record, dict):
        raise Fault(f"{place} is {shown(record)}, not an object with the field {name}")
    return record.get(name)
