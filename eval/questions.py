"""The question of an evaluation: what is asked, and what a good answer rests on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from .errors import EvalError

Wording = Literal["question", "rewrite"]

SELECTABLE = ("id", "answerable", "date", "kind", "label")
LONGEST_VALUE = 60


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
    questions: dict[str, Question] = {}
    faults = []
    for number, record in _records(path):
        try:
            question = _question_of(record, questions)
            questions[question.id] = question
        except _Fault as fault:
            faults.append(f"line {number}: {fault}")
    if faults:
        more = f" So are {len(faults) - 1:,} more lines." if len(faults) > 1 else ""
        raise EvalError(f"{path}, {faults[0]}.{more} Correct the file.")
    if not questions:
        raise EvalError(f"{path} holds no question. Give a file with a question a line, as JSON.")
    return list(questions.values())


def select(questions: Sequence[Question], conditions: Sequence[str]) -> list[Question]:
    """Give the questions that meet all conditions of the form `label=gold`. Raises `EvalError` where none does."""
    for condition in conditions:
        field, separator, wanted = condition.partition("=")
        if not separator or field not in SELECTABLE:
            raise EvalError(
                f"The selection {condition!r} is not understood. Write FIELD=VALUE, with one of {SELECTABLE}."
            )
        values = sorted({_written(getattr(question, field)) for question in questions})
        questions = [question for question in questions if _written(getattr(question, field)) == wanted]
        if not questions:
            there = ", ".join(map(_shown, values[:10]))
            raise EvalError(f"No question has {field} {wanted!r}. Choose from {there}.")
    return list(questions)


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


class _Fault(ValueError):
    """A line that is no question."""


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
    except (json.JSONDecodeError, RecursionError) as error:
        raise EvalError(f"{place}: it is not JSON ({str(error)[:LONGEST_VALUE]}). Correct the file.") from error


def _question_of(record: object, earlier: Container[str]) -> Question:
    if not isinstance(record, dict):
        raise _Fault(f"it is {_shown(record)}, not an object with the fields of a question")
    known = {name: read(name, record[name]) for name, read in _READERS.items() if record.get(name) is not None}
    for name in ("id", "question"):
        if not known.get(name, "").strip():
            raise _Fault(f"field {name} is missing or empty")
    if known["id"] in earlier:
        raise _Fault(f"field id is {_shown(known['id'])}, which an earlier line has")
    grades, gold = known.get("grades", ()), known.get("gold_articles", ())
    if len(set(gold)) < len(gold):
        raise _Fault(f"field gold_articles is {_shown(gold)}, and names an article twice")
    if grades and len(grades) != len(gold):
        raise _Fault(f"field grades is {_shown(grades)}, and gold_articles has {len(gold)} articles")
    return Question(**known)


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if name == "id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _Fault(f"field {name} is {_shown(value)}, not a text")


def _texts(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise _Fault(f"field {name} is {_shown(value)}, not a list of texts")


def _grades(name: str, value: object) -> tuple[int, ...]:
    if isinstance(value, list) and all(type(each) is int and each > 0 for each in value):
        return tuple(value)
    raise _Fault(f"field {name} is {_shown(value)}, not a list of whole numbers above 0")


def _truth(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _Fault(f"field {name} is {_shown(value)}, not true or false")


def _turns(name: str, value: object) -> tuple[Turn, ...]:
    turns: list[Any] = value if isinstance(value, list) else [None]
    if not all(isinstance(turn, dict) and {"role", "text"} <= turn.keys() for turn in turns):
        raise _Fault(f"field {name} is {_shown(value)}, not a list of objects with role and text")
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


def _shown(value: object) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= LONGEST_VALUE else f"{written[:LONGEST_VALUE]}…"


def lines_of(questions: Iterable[Question]) -> Iterator[str]:
    """Yield the questions as the lines of a file."""
    for question in questions:
        yield json.dumps(question.to_dict(), ensure_ascii=False) + "\n"
