"""The scores of a run: what every measure gives for every question, and for all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from . import whole_measures as whole
from .answer_measures import is_right, measure_answers, measure_others, measure_reading
from .answered import ALWAYS, Answered
from .questions import Question, cluster, shuffled
from .retrieval_measures import Measured, measure_passages, measure_rankings, telling
from .retrieved import LAST_TURN, REWRITE, Retrieved
from .statistics import SEED, Estimate, Numbers, Whole, draws_of, estimate, estimate_whole
from .trec import Judgements, Rankings

SHUFFLES = 10
GAPS = ("nDCG@10", "R@10")
UNKNOWN = float("nan")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found and answered; the first `read` passages are those that answers were made from."""

    rankings: Rankings
    judgements: Judgements
    retrieved: Sequence[Retrieved]
    answered: Sequence[Answered] = ()
    read: int = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """The numbers of a run: a mean of questions (`measured`), or of all together (`wholes`).

    `others` has the answer measures of other ways to answer, by their names.
    """

    questions: tuple[Question, ...]
    measured: Measured
    wholes: Mapping[str, Whole] = field(default_factory=dict)
    others: Mapping[str, Measured] = field(default_factory=dict)

    @property
    def measures(self) -> list[str]:
        """The names of the measures that are means, in the order of a table."""
        return [name for name, values in self.measured.items() if values]

    @property
    def clusters(self) -> list[int]:
        """The same number for questions that depend on each other."""
        return cluster(self.questions)

    def table(self, measures: Sequence[str]) -> Numbers:
        """Give a row for each question and a column for each of the measures, nan where one is not defined."""
        rows = [[self.measured[name].get(question.id, np.nan) for name in measures] for question in self.questions]
        return np.array(rows, dtype=float).reshape(len(rows), len(measures))

    def means(self) -> dict[str, float]:
        """Give the value of each measure without an interval."""
        means = {name: float(np.mean(list(self.measured[name].values()))) for name in self.measures}
        wholes = {name: each.value() for name, each in self.wholes.items()}
        return means | {name: value for name, value in wholes.items() if not np.isnan(value)}

    def estimates(self) -> dict[str, Estimate]:
        """Give each measure with its interval."""
        names, clusters = self.measures, self.clusters
        found = dict(zip(names, estimate(self.table(names), clusters), strict=True)) if names else {}
        draws = draws_of(clusters)
        for name, each in self.wholes.items():
            if (known := estimate_whole(each, clusters, draws)) is not None:
                found[name] = known
        return found


def score(questions: Sequence[Question], outcome: Outcome) -> Scores:
    """Measure a run, of which some questions may be left out."""
    wanted = {question.id for question in questions}
    judged = {question_id: grades for question_id, grades in outcome.judgements.items() if question_id in wanted}
    found = [one for one in outcome.retrieved if one.question_id in wanted]
    answered = [one for one in outcome.answered if one.question_id in wanted]
    measured = measure_rankings(outcome.rankings, judged) | measure_passages(found, questions)
    measured |= measure_reading(answered, found, questions, outcome.read) | measure_answers(answered, questions)
    wholes = dict(_wholes(questions, judged, found, answered, measured))
    return Scores(tuple(questions), measured, wholes, measure_others(answered, questions))


def controls(questions: Sequence[Question], outcome: Outcome) -> list[Scores]:
    """Measure a run by the judgements of other questions, as a negative control: what it reaches so is chance."""
    return [_control(questions, outcome, SEED + number) for number in range(SHUFFLES)] if len(questions) > 1 else []


def outcome_rows(questions: Sequence[Question], answered: Sequence[Answered]) -> tuple[Numbers, Numbers]:
    """Give likelihood and answerability, and likelihood and rightness, of each question; nan where one is not known.

    Right is what would be shown if nothing were refused.
    """
    known = {one.question_id: one for one in answered if one.likelihood is not None}
    answerable, right = [], []
    for question in questions:
        one = known.get(question.id)
        likelihood = UNKNOWN if one is None or one.likelihood is None else one.likelihood
        answerable.append((likelihood, float(question.answerable)))
        judged = one is not None and (not question.answerable or telling(question.answers))
        right.append((likelihood, float(is_right(one.others[ALWAYS], question)) if one and judged else UNKNOWN))
    return (np.array(rows, dtype=float).reshape(len(rows), 2) for rows in (answerable, right))  # type: ignore[return-value]


def _control(questions: Sequence[Question], outcome: Outcome, seed: int) -> Scores:
    changed = shuffled(questions, seed)
    judgements = {question.id: question.relevance for question in changed if question.relevance}
    bare = [Retrieved(one.question_id, one.seconds, one.passages, one.depth) for one in outcome.retrieved]
    return score(changed, Outcome(outcome.rankings, judgements, bare, outcome.answered, outcome.read))


def _wholes(
    questions: Sequence[Question],
    judged: Judgements,
    found: Sequence[Retrieved],
    answered: Sequence[Answered],
    measured: Measured,
) -> Iterator[tuple[str, Whole]]:
    yield from _refusing(questions, answered)
    yield from _following(questions, judged, found, measured)
    for name, timed in (("search", found), ("answer", answered)):
        seconds = {one.question_id: 1000 * one.seconds for one in timed}
        if seconds:
            column = [seconds.get(question.id, UNKNOWN) for question in questions]
            yield f"{name} p50", whole.whole_of([column], whole.quantile(0.5))
            yield f"{name} p95", whole.whole_of([column], whole.quantile(0.95))


def _refusing(questions: Sequence[Question], answered: Sequence[Answered]) -> Iterator[tuple[str, Whole]]:
    if any(one.likelihood is not None for one in answered):
        answerable, right = outcome_rows(questions, answered)
        yield "AUROC", Whole(answerable, whole.auroc)
        yield "Rejection@5FR", Whole(answerable, whole.rejection_at(0.05))
        yield "Rejection@10FR", Whole(answerable, whole.rejection_at(0.1))
        yield "Coverage@95P", Whole(right, whole.coverage_at_precision)
        yield "AURC", Whole(right, whole.area_under_risk)
        yield "ECE", Whole(right, whole.calibration_error)


def _following(
    questions: Sequence[Question], judged: Judgements, found: Sequence[Retrieved], measured: Measured
) -> Iterator[tuple[str, Whole]]:
    """Measure follow-ups by how far the way from their last turn to a person's rewrite was gone."""
    talks = [one for one in found if one.wordings and one.question_id in judged]
    if not talks:
        return
    own = {one.question_id: judged[one.question_id] for one in talks}
    last, rewrite = (
        measure_rankings({one.question_id: one.wordings[name] for one in talks}, own) for name in (LAST_TURN, REWRITE)
    )
    for name in GAPS:
        columns = [
            [each[name].get(question.id, UNKNOWN) if question.id in own else UNKNOWN for question in questions]
            for each in (measured, last, rewrite)
        ]
        yield f"GapClosed {name}", whole.whole_of(columns, whole.gap_closed)
