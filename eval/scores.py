"""The scores of a run: what every measure gives for every question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .questions import Question, cluster, shuffled
from .retrieval_measures import Measured, measure_passages, measure_rankings
from .retrieved import Retrieved
from .statistics import SEED, Estimate, Numbers, estimate
from .trec import Judgements, Rankings


@dataclass(frozen=True, slots=True)
class Scores:
    """The numbers of a run; `measures` are those that are defined for one of the questions at least."""

    questions: tuple[Question, ...]
    measured: Measured

    @property
    def measures(self) -> list[str]:
        """The names of the measures, in the order of a table."""
        return [name for name, values in self.measured.items() if values]

    @property
    def clusters(self) -> list[int]:
        """The same number for questions that depend on each other."""
        return cluster(self.questions)

    def table(self, measures: Sequence[str]) -> Numbers:
        """Give a row for each question and a column for each of the measures, nan where one is not defined."""
        rows = [[self.measured[name].get(question.id, np.nan) for name in measures] for question in self.questions]
        return np.array(rows, dtype=float).reshape(len(rows), len(measures))

    def estimates(self) -> dict[str, Estimate]:
        """Give the mean of each measure with its interval."""
        names = self.measures
        return dict(zip(names, estimate(self.table(names), self.clusters), strict=True)) if names else {}


def score(
    questions: Sequence[Question], rankings: Rankings, judgements: Judgements, retrieved: Sequence[Retrieved]
) -> Scores:
    """Measure a run, of which some questions may be left out."""
    wanted = {question.id for question in questions}
    judged = {question_id: grades for question_id, grades in judgements.items() if question_id in wanted}
    found = [one for one in retrieved if one.question_id in wanted]
    return Scores(tuple(questions), measure_rankings(rankings, judged) | measure_passages(found, questions))


def control(questions: Sequence[Question], rankings: Rankings, retrieved: Sequence[Retrieved]) -> Scores:
    """Measure a run by the judgements of other questions, as a negative control: what it reaches so is chance."""
    changed = shuffled(questions, SEED)
    judgements = {question.id: question.relevance for question in changed if question.relevance}
    return score(changed, rankings, judgements, retrieved)
