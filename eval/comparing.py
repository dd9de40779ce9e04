"""Comparing: two runs on the same questions, and how sure it is that one is better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from rag.talk import shown

from .errors import EvalError
from .glossary import TERMS, in_order
from .questions import select
from .reporting import DECIMALS, describe
from .runs import Run
from .scores import Scores
from .statistics import (
    WAYS,
    Estimate,
    difference_of_wholes,
    draws_of,
    estimate,
    holm,
    randomisation,
    wins_ties_losses,
)
from .tables import between, figure, print_note, print_table

LEADING = ("Utility", "AnswerShown", "nDCG@10", "RR@10", "AP")  # by these, in this order, questions changed most
MOST_CHANGED = 10
WIDEST_QUESTION = 70
WIDEST_ANSWER = 300
NOTE = (
    "Differences are B less A on {questions:,} questions in {clusters:,} clusters; intervals: 95 %, paired bootstrap. "
    "p: paired randomisation test, both ways; p (Holm): the same, raised for {measures} measures. W/T/L: how many "
    "questions B wins, ties and loses, where a measure is a mean of questions."
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of both runs; `p_down` and `p_up` are how often chance alone moves B so far below or above A.

    Wins, ties and losses are None where a measure is no mean of questions.
    """

    measure: str
    a: float
    b: float
    difference: Estimate
    p: float
    p_down: float
    p_up: float
    p_holm: float = 1.0
    wins: int | None = None
    ties: int | None = None
    losses: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A question that the runs answer differently.

    `moved` is the measure that tells it, `rank` that of the first gold article (None if it is not there), and
    `answer_a` and `answer_b` what each showed, empty for a refusal.
    """

    question_id: str
    question: str
    moved: str
    a: float
    b: float
    rank_a: int | None
    rank_b: int | None
    answer_a: str
    answer_b: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What tells two runs apart."""

    a: Run
    b: Run
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "a": asdict(self.a.manifest),
            "b": asdict(self.b.manifest),
            "differences": [asdict(difference) for difference in self.differences],
            "changes": [asdict(change) for change in self.changes],
            "notes": list(self.notes),
        }


def compare(a: Run, b: Run, where: Sequence[str] = (), measures: Sequence[str] = ()) -> Comparison:
    """Compare two runs on the questions that both were asked, by these measures, else by all.

    Raises `EvalError` where they share no question, or by all measures nothing but time.
    """
    ids, notes = _shared(a, b)
    wanted = [question.id for question in select(a.questions, where) if question.id in ids]
    if not wanted:
        raise EvalError(f"{a.folder} and {b.folder} have no such question in common. Compare runs of one set.")
    first, second = (run.scores_of(wanted) for run in (a, b))
    found = _with_holm(_differences(first, second, measures))
    if not measures and all(TERMS[one.measure].unit == "ms" for one in found):
        raise EvalError("No question of both runs has a gold article or an answer. Compare runs of answerable ones.")
    return Comparison(a, b, tuple(found), tuple(_changes(a, b, first, second)), tuple(notes))


def print_comparison(found: Comparison) -> None:
    """Print a comparison for a person."""
    print(f"A  {describe(found.a)}\nB  {describe(found.b)}")
    for note in found.notes:
        print(note)
    headings = ("measure", "A", "B", "B - A", "95 % interval", "p", "p (Holm)", "W/T/L")
    print_table(headings, [_cells(difference) for difference in found.differences])
    sizes = [one.difference for one in found.differences]
    questions, clusters = (
        max((getattr(size, name) for size in sizes), default=0) for name in ("questions", "clusters")
    )
    print_note(NOTE.format(questions=questions, clusters=clusters, measures=len(sizes)))
    if found.changes:
        print(f"\nThe {len(found.changes)} questions that changed most:")
        for change in found.changes:
            print("\n".join(_change_lines(change)))


def _shared(a: Run, b: Run) -> tuple[set[str], list[str]]:
    """Give the ids of the questions with the same judgements in both runs, and what should be known of the others."""
    judged = {question.id: (question.question, question.relevance, question.answers) for question in a.questions}
    both = {
        question.id
        for question in b.questions
        if judged.get(question.id) == (question.question, question.relevance, question.answers)
    }
    notes = []
    if len(both) < max(len(a.questions), len(b.questions)):
        notes.append(f"Of {len(a.questions):,} and {len(b.questions):,} questions {len(both):,} are the same in both.")
    if a.manifest.identity["archive"]["fingerprint"] != b.manifest.identity["archive"]["fingerprint"]:
        notes.append("The archives do not hold the same articles.")
    if a.manifest.machine != b.manifest.machine:
        notes.append("They did not run on the same machine in the same way, so their times cannot be compared.")
    return both, notes


def _differences(a: Scores, b: Scores, measures: Sequence[str]) -> Iterator[Difference]:
    names = [name for name in in_order({*a.measured, *a.wholes}) if not measures or name in measures]
    yield from _of_means(a, b, [name for name in names if a.measured.get(name) and b.measured.get(name)])
    draws = draws_of(a.clusters)
    for name in (name for name in names if name in a.wholes and name in b.wholes):
        if found := difference_of_wholes(a.wholes[name], b.wholes[name], a.clusters, draws):
            yield Difference(name, a.wholes[name].value(), b.wholes[name].value(), *found)


def _of_means(a: Scores, b: Scores, names: Sequence[str]) -> Iterator[Difference]:
    """Compare by the questions for which a measure has a value in both runs."""
    tables = a.table(names), b.table(names)
    moved = tables[1] - tables[0]
    known = np.flatnonzero(~np.isnan(moved).all(axis=0)).tolist() if len(names) else []
    if not known:
        return
    estimates = estimate(moved[:, known], a.clusters, share=False)
    both, down, up = (randomisation(moved[:, known], a.clusters, way=way) for way in WAYS)
    for place, (at, found) in enumerate(zip(known, estimates, strict=True)):
        there = ~np.isnan(moved[:, at])
        means = [float(table[there, at].mean()) for table in tables]
        chances = both[place], down[place], up[place]
        counts = wins_ties_losses(moved[:, at])
        yield Difference(names[at], means[0], means[1], found, *chances, 1.0, *counts)


def _with_holm(given: Iterator[Difference]) -> list[Difference]:
    found = {one.measure: one for one in given}
    ordered = [found[name] for name in in_order(found)]
    raised = holm([one.p for one in ordered])
    return [replace(one, p_holm=p) for one, p in zip(ordered, raised, strict=True)]


def _changes(a: Run, b: Run, first: Scores, second: Scores) -> Iterator[Change]:
    """Yield the questions that changed most, with what each run answered."""
    answers = [{one.question_id: one.shown.text for one in run.answered} for run in (a, b)]
    ranks = [run.ranks() for run in (a, b)]
    moved = []
    for question in first.questions:
        both = [name for name in LEADING if question.id in first.measured.get(name, {})]
        values = {
            name: (first.measured[name][question.id], second.measured[name][question.id])
            for name in both
            if question.id in second.measured.get(name, {})
        }
        differing = {name: pair for name, pair in values.items() if pair[0] != pair[1]}
        if differing:
            size = [abs(values[name][1] - values[name][0]) if name in values else 0.0 for name in LEADING]
            moved.append((size, question, next(iter(differing.items()))))
    moved.sort(key=lambda each: each[0], reverse=True)
    for _, question, (name, pair) in moved[:MOST_CHANGED]:
        rank_a, rank_b = (found.get(question.id) for found in ranks)
        said_a, said_b = (found.get(question.id, "") for found in answers)
        yield Change(question.id, question.question, name, *pair, rank_a, rank_b, said_a, said_b)


def _cells(found: Difference) -> list[str]:
    decimals = DECIMALS.get(TERMS[found.measure].unit, 3)
    low, high = found.difference.low, found.difference.high
    counts = "" if found.wins is None else f"{found.wins:,}/{found.ties:,}/{found.losses:,}"
    return [
        found.measure,
        figure(found.a, decimals),
        figure(found.b, decimals),
        f"{found.difference.mean:+.{decimals}f}",
        between(low, high, signed=True, decimals=decimals),
        written_p(found.p),
        written_p(found.p_holm),
        counts,
    ]


def written_p(p: float) -> str:
    """Write a probability."""
    return "< 0.001" if p < 0.001 else figure(p)


def _change_lines(change: Change) -> Iterator[str]:
    ranks = " and ".join(str(rank or "-") for rank in (change.rank_a, change.rank_b))
    told = f"{change.moved} {figure(change.a)} and {figure(change.b)}; first gold article at {ranks}"
    yield f"\n  {shown(change.question_id[:24])}  {_short(change.question, WIDEST_QUESTION)}  ({told})"
    if change.answer_a != change.answer_b:
        yield f"    A  {_short(change.answer_a, WIDEST_ANSWER) or 'not in the archive'}"
        yield f"    B  {_short(change.answer_b, WIDEST_ANSWER) or 'not in the archive'}"


def _short(text: str, most: int) -> str:
    words = " ".join(text.split())
    return shown(words if len(words) <= most else f"{words[:most]}…")
