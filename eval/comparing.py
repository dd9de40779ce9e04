"""Comparing: two runs on the same questions, and how sure it is that one is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rag.talk import shown

from .errors import EvalError
from .reporting import describe
from .runs import Run
from .scores import Scores
from .statistics import Estimate, Numbers, estimate, holm, randomisation, wins_ties_losses
from .tables import between, figure, print_note, print_table

LEADING = ("nDCG@10", "RR@10", "AP")  # by these, in this order, questions have changed more or less
MOST_CHANGED = 10
WIDEST_QUESTION = 70
NOTE = (
    "Differences are B less A on {questions:,} questions in {clusters:,} clusters; intervals: 95 %, paired bootstrap. "
    "p: paired randomisation test, both ways; p (Holm): the same, raised for {measures} measures. W/T/L: how many "
    "questions B wins, ties and loses."
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of both runs."""

    measure: str
    a: float
    b: float
    difference: Estimate
    p: float
    p_holm: float
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True, slots=True)
class Change:
    """A question that the runs answer differently, with the rank of the first gold article, None if it is not there."""

    question_id: str
    question: str
    a: float
    b: float
    rank_a: int | None
    rank_b: int | None


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


def compare(a: Run, b: Run, where: Sequence[str] = ()) -> Comparison:
    """Compare two runs on the questions that both were asked. Raises `EvalError` where there is none."""
    ids, notes = _shared(a, b)
    first, second = (_restricted(run.scores(where), ids) for run in (a, b))
    if not first.questions:
        raise EvalError(f"{a.folder} and {b.folder} have no such question in common. Compare runs of one set.")
    return Comparison(a, b, tuple(_differences(first, second)), tuple(_changes(a, b, first, second)), tuple(notes))


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
        print(f"\nThe {len(found.changes)} questions that changed most, with the rank of the first gold article:")
        print_table(
            ("question", "", f"{LEADING[0]}: A", "B", "rank: A", "B"), map(_change_cells, found.changes), left=2
        )


def _shared(a: Run, b: Run) -> tuple[set[str], list[str]]:
    """Give the ids of the questions with the same judgements in both runs, and what should be known of the others."""
    judged = {question.id: (question.question, question.relevance) for question in a.questions}
    both = {
        question.id for question in b.questions if judged.get(question.id) == (question.question, question.relevance)
    }
    notes = []
    if len(both) < max(len(a.questions), len(b.questions)):
        notes.append(f"Of {len(a.questions):,} and {len(b.questions):,} questions {len(both):,} are the same in both.")
    if a.manifest.identity["archive"]["fingerprint"] != b.manifest.identity["archive"]["fingerprint"]:
        notes.append("The archives do not hold the same articles.")
    return both, notes


def _restricted(scores: Scores, ids: set[str]) -> Scores:
    return Scores(tuple(question for question in scores.questions if question.id in ids), scores.measured)


def _differences(a: Scores, b: Scores) -> list[Difference]:
    names = [name for name in a.measures if name in b.measures]
    tables = a.table(names), b.table(names)
    moved = tables[1] - tables[0]
    known = np.flatnonzero(~np.isnan(moved).all(axis=0)).tolist()
    names, moved = [names[at] for at in known], moved[:, known]
    if not names:
        raise EvalError("No question of both runs has a gold article or an answer. Compare runs of answerable ones.")
    estimates = estimate(moved, a.clusters, share=False)
    probabilities = randomisation(moved, a.clusters)
    means = [_means(table[:, known]) for table in tables]
    return [
        Difference(name, means[0][at], means[1][at], estimates[at], p, p_holm, *wins_ties_losses(moved[:, at]))
        for at, (name, p, p_holm) in enumerate(zip(names, probabilities, holm(probabilities), strict=True))
    ]


def _changes(a: Run, b: Run, first: Scores, second: Scores) -> list[Change]:
    ranks = [_ranks(run, first) for run in (a, b)]
    changes = []
    for question in first.questions:
        if question.relevance:
            values = [[scores.measured[name][question.id] for name in LEADING] for scores in (first, second)]
            if values[0] != values[1]:
                moved = [abs(one - other) for one, other in zip(*values, strict=True)]
                rank_a, rank_b = (found.get(question.id) for found in ranks)
                change = Change(question.id, question.question, values[0][0], values[1][0], rank_a, rank_b)
                changes.append((moved, change))
    changes.sort(key=lambda pair: pair[0], reverse=True)
    return [change for _, change in changes[:MOST_CHANGED]]


def _ranks(run: Run, scores: Scores) -> dict[str, int]:
    """Give the rank of the first gold article of each question that has one in its ranking."""
    rankings = run.rankings()
    found = {}
    for question in scores.questions:
        places = (at for at, name in enumerate(rankings.get(question.id, ()), 1) if name in question.relevance)
        if rank := next(places, None):
            found[question.id] = rank
    return found


def _means(table: Numbers) -> list[float]:
    return [float(mean) for mean in np.nanmean(table, axis=0)]


def _cells(found: Difference) -> list[str]:
    low, high = found.difference.low, found.difference.high
    moved = f"{found.difference.mean:+.3f}"
    counts = f"{found.wins:,}/{found.ties:,}/{found.losses:,}"
    return [
        found.measure,
        figure(found.a),
        figure(found.b),
        moved,
        between(low, high, signed=True),
        _p(found.p),
        _p(found.p_holm),
        counts,
    ]


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else figure(p)


def _change_cells(change: Change) -> list[str]:
    words = " ".join(change.question.split())
    short = words if len(words) <= WIDEST_QUESTION else f"{words[:WIDEST_QUESTION]}…"
    ranks = (str(rank or "-") for rank in (change.rank_a, change.rank_b))
    return [shown(change.question_id[:24]), shown(short), figure(change.a), figure(change.b), *ranks]
