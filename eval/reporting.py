"""Reporting: what runs reached, computed again from their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rag.talk import counted

from .glossary import TERMS, chapters_of, in_order
from .retrieval_measures import Measured
from .runs import Run
from .scores import Scores
from .statistics import Estimate
from .tables import between, figure, print_note, print_table

LEGEND = (
    "Rankings of articles are the first {depth} passages, each article once; passages are a list of {passages}, of "
    "which the first {read} are read for an answer. Intervals: 95 %, bootstrap of {clusters} clusters of questions "
    "that share a gold article or a conversation. Shuffled: each question judged by what another one wants, the mean "
    "of ten ways; that is chance."
)
NOTHING = "None of the questions has a gold article or an answer, so there is only the time to tell."
NONE_ANSWERABLE = "No question can be answered from the archive, so only refusals are measured."
NONE_UNANSWERABLE = "Every question can be answered from the archive, so nothing says what it does with others."
FEW = 30  # citations, of which the rule of three says next to nothing
ONE_CLUSTER = "All questions depend on each other, so there is no interval."


@dataclass(frozen=True)
class Report:
    """The figures of one run on the questions that were chosen."""

    run: Run
    where: tuple[str, ...]
    scores: Scores
    ranks: Mapping[str, int]
    estimates: Mapping[str, Estimate]

    @cached_property
    def others(self) -> dict[str, dict[str, float]]:
        """What other ways to answer reach, and chance ("shuffled"); measured when it is asked for, ten runs' work."""
        others = {name: _means(measured) for name, measured in self.scores.others.items()}
        chance = _mean_of([each.means() for each in self.run.control(self.where)])
        return {**others, "shuffled": {name: value for name, value in chance.items() if TERMS[name].is_judged}}

    @property
    def violations(self) -> tuple[int, int]:
        """How many citations and quotations are not verbatim, and how many citations there are."""
        asked = {question.id for question in self.scores.questions}
        citations = sum(len(one.shown.citations) for one in self.run.answered if one.question_id in asked)
        return int(sum(self.scores.measured.get("Violations", {}).values())), citations

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        violations, citations = self.violations
        return {
            "run": str(self.run.folder),
            "manifest": asdict(self.run.manifest),
            "measures": {name: asdict(self.estimates[name]) for name in in_order(self.estimates)},
            "others": {name: dict(means) for name, means in self.others.items()},
            "verbatim": {"citations": citations, "violations": violations},
        }


def report(run: Run, where: Sequence[str] = ()) -> Report:
    """Measure a run."""
    scores = run.scores(where)
    return Report(run, tuple(where), scores, run.ranks(), scores.estimates())


def print_reports(reports: Sequence[Report]) -> None:
    """Print reports for a person: one with all that stands beside it, several beside each other."""
    for one in reports:
        print(describe(one.run))
    names = in_order({name for one in reports for name in one.estimates})
    alone = reports[0] if len(reports) == 1 else None
    headings = (
        [*_headings(alone)] if alone else [cell for one in reports for cell in (one.run.manifest.name, "95 %", "n")]
    )
    for chapter, terms in chapters_of(names):
        rows = [[term.name, *(cell for one in reports for cell in _cells(one, term.name, alone))] for term in terms]
        print()
        print_table([chapter.title, *headings], rows)
    print()
    print_note(_legend(reports[0]))
    for one in reports:
        for note in notes(one):
            print_note(note)


def notes(one: Report) -> Iterator[str]:
    """Yield what should be known of the figures of a run."""
    questions, answered = one.scores.questions, one.run.answered
    if all(TERMS[name].unit == "ms" for name in one.estimates):
        yield NOTHING
    elif answered and not any(question.answerable for question in questions):
        yield NONE_ANSWERABLE
    elif answered and all(question.answerable for question in questions):
        yield NONE_UNANSWERABLE
    if len(set(one.scores.clusters)) == 1:
        yield ONE_CLUSTER
    if said := verbatim(one):
        yield said


def describe(run: Run) -> str:
    """Say in a line what was run."""
    identity = run.manifest.identity
    questions, archive = identity["questions"], identity["archive"]
    where = "".join(f", {condition}" for condition in questions["where"])
    settings = ", ".join(run.manifest.given) or "default settings"
    missing = f" {run.manifest.missing_gold:,} gold articles are not there." if run.manifest.missing_gold else ""
    asked = (
        f"{counted(questions['count'], 'question')} of {questions['name']}{where}, worded as the {questions['wording']}"
    )
    asked += f", as of {questions['as_of']}" if questions["as_of"] else ""
    asked += ", only searched for" if identity["search_only"] else ""
    held = f"{counted(archive['articles'], 'article')}, {counted(archive['passages'], 'passage')}"
    return f"{run.manifest.name}: {asked}, asked of {archive['name']} ({held}); {settings}.{missing}"


def verbatim(one: Report) -> str:
    """Say how many citations were checked character by character, and what that shows (the rule of three)."""
    violations, citations = one.violations
    if not citations:
        return ""
    if violations:
        return f"Not verbatim: {violations:,} of {citations:,} citations and the quotations beside them."
    every = "The citation is" if citations == 1 else f"All {citations:,} citations are"
    if citations < FEW:
        return f"{every} verbatim."
    return f"{every} verbatim, so of others like these fewer than {3 / citations:.2%} are not."


def _headings(one: Report) -> Iterable[str]:
    yield from ("value", "95 % interval", "n")
    yield from one.others


def _cells(one: Report, name: str, alone: Report | None) -> list[str]:
    found, decimals = one.estimates.get(name), DECIMALS.get(TERMS[name].unit, 3)
    others = [_other(means.get(name), decimals) for means in one.others.values()] if alone else []
    if found is None:
        return ["-", "-", "0", *others]
    interval = between(found.low, found.high, decimals=decimals)
    return [figure(found.mean, decimals), interval, f"{found.questions:,}", *others]


DECIMALS = {"ms": 1, "words": 1}


def _other(value: float | None, decimals: int) -> str:
    return "" if value is None else figure(value, decimals)


def _legend(one: Report) -> str:
    clusters = max((estimate.clusters for estimate in one.estimates.values()), default=0)
    return LEGEND.format(**one.run.manifest.identity["lists"], clusters=f"{clusters:,}")


def _means(measured: Measured) -> dict[str, float]:
    return {name: float(np.mean(list(values.values()))) for name, values in measured.items()}


def _mean_of(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for each in several for name in each)
    return {name: float(np.mean([each[name] for each in several if name in each])) for name in names}
