"""TREC topics: what was asked at the TREC conferences, with its qrels, the judgements of documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from .beir import gather_judgements
from .errors import EvalError
from .questions import Question, shown

TOPICS, QRELS = "topics", "qrels"
LABELS = {"num": "Number", "title": "Topic", "desc": "Description"}
TAG = re.compile(r"<(/?[A-Za-z][\w-]*)[ \t]*>")
MARKED = re.compile(r"^[ \t]*<(?:top|num)[ \t]*>", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of a file; `place` is the file and the line where it begins."""

    id: str
    title: str
    description: str
    place: str

    @property
    def asked(self) -> str:
        """The words that are asked: the title, or the description where there is no title."""
        return self.title or self.description


def read_collection(topics: Path, qrels: Path) -> list[Question]:
    """Give the judged topics of a file as questions. Raises `EvalError`.

    Ids are taken as they stand. The first TRECs number a topic 051 in the one file and 51 in the other: it is then
    known by the number in the qrels.
    """
    judged = gather_judgements(_judgements(qrels))
    questions: dict[str, Question] = {}
    for topic in read_topics(topics):
        known = topic.id if topic.id in judged else topic.id.lstrip("0")
        if known in questions:
            raise EvalError(f"{topic.place}: an earlier topic has the number {shown(topic.id)}, too. Correct the file.")
        if known in judged:
            questions[known] = _question(known, topic, judged[known])
    if not questions:
        raise EvalError(f"No topic of {topics} is judged in {qrels}. Give qrels whose first column has their numbers.")
    return list(questions.values())


def read_topics(path: Path) -> Iterator[Topic]:
    """Yield the topics of a file: <top> with <num>, <title> and <desc>, closed or not, or lines of id, tab and text.

    White space is made one space. A file that is not UTF-8 is read as Latin-1. Raises `EvalError`.
    """
    text = _decoded(path)
    return _marked(path, text) if MARKED.search(text) else _tabbed(path, text)


def find(folder: Path) -> tuple[Path, Path]:
    """Give the file of topics and that of qrels, by how their names begin. Raises `EvalError` unless it is one each."""
    found = []
    for start in (TOPICS, QRELS):
        files = sorted(path for path in folder.iterdir() if path.name.startswith(start) and path.is_file())
        if len(files) != 1:
            there = f"{len(files)} files" if files else "no file"
            names = f" ({', '.join(path.name for path in files)})" if files else ""
            raise EvalError(
                f"{folder} holds {there} whose name begins with {start}{names}. "
                "Give one file with --questions, and its judgements with --qrels."
            )
        found += files
    return found[0], found[1]


def _question(name: str, topic: Topic, grades: Mapping[str, int]) -> Question:
    if not topic.asked:
        raise EvalError(f"{topic.place}: topic {shown(name)} has no title and no description. Correct the file.")
    return Question(name, topic.asked, gold_articles=tuple(grades), grades=tuple(grades.values()))


def _marked(path: Path, text: str) -> Iterator[Topic]:
    fields: dict[str, str] = {}
    begun = 0
    for line, tag, words in _tagged(text):
        if tag == "top" or (tag == "num" and "num" in fields):
            if fields:
                yield _topic(f"{path}, line {begun}", fields)
            fields, begun = {}, line
        if tag in LABELS:
            begun = begun or line
            fields[tag] = fields.get(tag) or _unlabelled(words, LABELS[tag])
    if fields:
        yield _topic(f"{path}, line {begun}", fields)


def _tagged(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield each tag in small letters, with its line and the text up to the next one."""
    line = 1
    starts = [*((tag.start(), tag.end(), tag[1].lower()) for tag in TAG.finditer(text)), (len(text), len(text), "")]
    previous = 0
    for (start, end, tag), (following, _, _) in pairwise(starts):
        line += text.count("\n", previous, start)
        previous = start
        yield line, tag, text[end:following]


def _unlabelled(words: str, label: str) -> str:
    joined = " ".join(words.split())
    head, colon, rest = joined.partition(":")
    return rest.strip() if colon and head.strip().lower() == label.lower() else joined


def _topic(place: str, fields: Mapping[str, str]) -> Topic:
    if not fields.get("num"):
        raise EvalError(f"{place}: the topic has no number after <num>. Correct the file.")
    return Topic(fields["num"], fields.get("title", ""), fields.get("desc", ""), place)


def _tabbed(path: Path, text: str) -> Iterator[Topic]:
    for number, line in _lines(text):
        name, _, words = line.partition("\t")
        if not name.strip() or not words.strip():
            raise EvalError(
                f"{path}, line {number}: it is {shown(line.strip())}, not id, tab and text. "
                "Give a file of such lines, or of topics in <top>."
            )
        yield Topic(name.strip(), " ".join(words.split()), "", f"{path}, line {number}")


def _judgements(path: Path) -> Iterator[tuple[str, str, str, str]]:
    for number, line in _lines(_decoded(path)):
        place, cells = f"{path}, line {number}", line.split()
        if len(cells) != 4:
            raise EvalError(
                f"{place}: it is {shown(line.strip())}, not topic, iteration, document and grade. Give qrels of TREC."
            )
        yield place, cells[0], cells[2], cells[3]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # Not splitlines(): in Latin-1 and in a title there are more characters that it takes for the end of a line.
    return ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())


def _decoded(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EvalError(f"{path} cannot be read ({error.strerror}). Give topics and qrels of TREC.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
