"""The question of an evaluation: what is asked, and what a good answer rests on."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeGuard, TypeVar

from .errors import EvalError

Wording = Literal["question", "rewrite"]

SELECTABLE = ("id", "answerable", "date", "half", "kind", "label")
HALVES = ("tune", "report")
LONGEST_VALUE = 60
SURROGATE = re.compile("[\ud800-\udfff]")

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said before the question, and by whom."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its judgements; `grades` says how relevant each gold article is, 1 each where it is empty.

    `answers` and `evidence` are texts of which any one shows that a passage holds the answer. `rewrite` is the
    question as a person would ask it without its history.
    """

    id: str
    question: str
    answers: tuple[str, ...] = ()
    gold_articles: tuple[str, ...] = ()
    grades: tuple[int, ...] = ()
    evidence: tuple[str, ...] = ()
    answerable: bool = True
    date: str = ""
    kind: str = ""
    label: str = ""
    history: tuple[Turn, ...] = ()
    rewrite: str = ""

    @property
    def relevance(self) -> dict[str, int]:
        """The grade of each gold article; empty where nothing can be right, so that no ranking is measured."""
        grades = self.grades or (1,) * len(self.gold_articles)
        return dict(zip(self.gold_articles, grades, strict=True)) if self.answerable else {}

    def worded(self, wording: Wording) -> str:
        """Give the words that are asked: a person's rewrite where that is wanted and there is one."""
        return self.rewrite if wording == "rewrite" and self.rewrite else self.question

    def to_dict(self) -> dict[str, Any]:
        """Give it as one line of a question file, without what it has not."""
        return {name: value for name, value in asdict(self).items() if value not in ("", (), [])}


def read_questions(path: Path) -> list[Question]:
    """Read a file with a question a line.

    Raises `EvalError` with the line, the field and the value of what is wrong.
    """
    return gather(path, ((f"line {number}", record) for number, record in _records(path)), question_of, "lines")


def gather(
    path: Path, records: Iterable[tuple[str, Record]], read: Callable[[Record, Container[str]], Question], noun: str
) -> list[Question]:
    """Read the questions of a file from its records, each with its place.

    `read` is given a record and the ids of earlier questions. Raises `EvalError` with the first `Fault`, and with the
    number of all others.
    """
    questions: dict[str, Question] = {}
    faults = []
    for place, record in records:
        try:
            question = read(record, questions)
            questions[question.id] = question
        except Fault as fault:
            faults.append(f"{place}: {fault}")
    if faults:
        more = f" So are {len(faults) - 1:,} more {noun}." if len(faults) > 1 else ""
        raise EvalError(f"{path}, {faults[0]}.{more} Correct the file.")
    if not questions:
        raise EvalError(f"{path} holds no question. Give a file that holds some.")
    return list(questions.values())


def select(questions: Sequence[Question], conditions: Sequence[str]) -> list[Question]:
    """Give the questions that meet all conditions of the form `label=gold`. Raises `EvalError` where none does.

    `half=tune` and `half=report` part all questions given here, whatever the other conditions, and never a cluster: so
    settings can be chosen on one half, and numbers reported on the other. A cluster is known by what most of its
    questions share: the id of an article, else the opening of a conversation. Its half is tune where the SHA-256 of
    that is even, and report where it is odd. The order of the questions does not matter, and a question that is added
    moves others only where it changes what they share most.
    """
    halves = _halves(questions) if any(condition.startswith("half=") for condition in conditions) else {}
    for condition in conditions:
        field, separator, wanted = condition.partition("=")
        if not separator or field not in SELECTABLE:
            raise EvalError(
                f"The selection {condition!r} is not understood. Write FIELD=VALUE, with one of {SELECTABLE}."
            )
        values = [halves[one.id] if field == "half" else _written(getattr(one, field)) for one in questions]
        questions = [question for question, value in zip(questions, values, strict=True) if value == wanted]
        if not questions:
            there = ", ".join(map(shown, sorted({*values})[:10]))
            raise EvalError(f"No question has {field} {wanted!r}. Choose from {there}.")
    return list(questions)


def _halves(questions: Sequence[Question]) -> dict[str, str]:
    """Give the half of each question by its id."""
    numbers = cluster(questions)
    shared: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    for number, question in zip(numbers, questions, strict=True):
        shared[number].update(_shared_keys(question))
    halves = {number: _half(keys) for number, keys in shared.items()}
    return {question.id: halves[number] for number, question in zip(numbers, questions, strict=True)}


def _half(keys: Counter[tuple[str, str]]) -> str:
    # The article comes before the conversation, so that a lone question stays when another is asked of its article.
    _, name = min(keys, key=lambda key: (-keys[key], key))
    return HALVES[hashlib.sha256(name.encode()).digest()[-1] % 2]


def cluster(questions: Sequence[Question]) -> list[int]:
    """Give each question a number, the same for those that depend on each other.

    They do where they share a gold article or a conversation; one that could stand in several clusters is in the
    largest. Chains of shared articles make no cluster: they would tie most questions of several sources to each other.
    """
    keys = [_shared_keys(question) for question in questions]
    counts = Counter(key for own in keys for key in own)
    numbers: dict[tuple[str, str], int] = {}
    return [numbers.setdefault(max(own, key=lambda key: (counts[key], key)), len(numbers)) for own in keys]


def _shared_keys(question: Question) -> list[tuple[str, str]]:
    opening = question.history[0].text if question.history else question.question
    return [("conversation", opening), *(("article", article_id) for article_id in question.gold_articles)]


def shuffled(questions: Sequence[Question], seed: int) -> list[Question]:
    """Judge each question by what another one asks for: what is measured then is chance."""
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(questions)).tolist()
    judged = dict(zip(order, order[1:] + order[:1], strict=True))  # one cycle, so that none keeps its own
    return [
        replace(
            question,
            answers=questions[judged[at]].answers,
            gold_articles=questions[judged[at]].gold_articles,
            grades=questions[judged[at]].grades,
            evidence=questions[judged[at]].evidence,
            answerable=questions[judged[at]].answerable,
        )
        for at, question in enumerate(questions)
    ]


class Fault(ValueError):
    """A record is no question; the message says which field and value, without the place."""


def _records(path: Path) -> Iterator[tuple[int, object]]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, _parsed(line, f"{path}, line {number}")
    except OSError as error:
        raise EvalError(f"{path} cannot be read ({error.strerror}). Give a file with a question a line.") from error
    except UnicodeDecodeError as error:
        raise EvalError(f"{path} is not text in UTF-8. Save it as that.") from error


def _parsed(line: str, place: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:  # not only a JSONDecodeError: a number may have too many digits
        raise EvalError(f"{place}: it is not JSON ({str(error)[:LONGEST_VALUE]}). Correct the file.") from error


def question_of(record: object, earlier: Container[str]) -> Question:
    """Read a question from what stands in a line. Raises `Fault`, also where its id is among the earlier ones."""
    if not isinstance(record, dict):
        raise Fault(f"it is {shown(record)}, not an object with the fields of a question")
    known = {name: read(name, record[name]) for name, read in _READERS.items() if record.get(name) is not None}
    for name in ("id", "question"):
        if not known.get(name, "").strip():
            raise Fault(f"field {name} is missing or empty")
    if known["id"] in earlier:
        raise Fault(f"field id is {shown(known['id'])}, which an earlier question has")
    grades, gold = known.get("grades", ()), known.get("gold_articles", ())
    if len(set(gold)) < len(gold):
        raise Fault(f"field gold_articles is {shown(gold)}, and names an article twice")
    if grades and len(grades) != len(gold):
        raise Fault(f"field grades is {shown(grades)}, and gold_articles has {len(gold)} articles")
    return Question(**known)


def is_text(value: object) -> TypeGuard[str]:
    """Say whether a value from JSON is a text that can be written down: half a surrogate pair cannot."""
    return isinstance(value, str) and not SURROGATE.search(value)


def _text(name: str, value: object) -> str:
    if is_text(value):
        return value
    if name == "id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Fault(f"field {name} is {shown(value)}, not a text")


def _texts(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(is_text(each) for each in value):
        return tuple(value)
    raise Fault(f"field {name} is {shown(value)}, not a list of texts")


def _grades(name: str, value: object) -> tuple[int, ...]:
    if isinstance(value, list) and all(type(each) is int and each > 0 for each in value):
        return tuple(value)
    raise Fault(f"field {name} is {shown(value)}, not a list of whole numbers above 0")


def _truth(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise Fault(f"field {name} is {shown(value)}, not true or false")


def _turns(name: str, value: object) -> tuple[Turn, ...]:
    turns: list[Any] = value if isinstance(value, list) else [None]
    if not all(isinstance(turn, dict) and {"role", "text"} <= turn.keys() for turn in turns):
        raise Fault(f"field {name} is {shown(value)}, not a list of objects with role and text")
    return tuple(Turn(_text(f"{name}.role", turn["role"]), _text(f"{name}.text", turn["text"])) for turn in turns)


_READERS: dict[str, Callable[[str, object], Any]] = {
    **dict.fromkeys(("id", "question", "date", "kind", "label", "rewrite"), _text),
    **dict.fromkeys(("answers", "gold_articles", "evidence"), _texts),
    "grades": _grades,
    "answerable": _truth,
    "history": _turns,
}


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def shown(value: object) -> str:
    """Give a value as an error shows it: as JSON, and no longer than a line."""
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= LONGEST_VALUE else f"{written[:LONGEST_VALUE]}…"


def lines_of(questions: Iterable[Question]) -> Iterator[str]:
    """Yield the questions as the lines of a file."""
    for question in questions:
        yield json.dumps(question.to_dict(), ensure_ascii=False) + "\n"
