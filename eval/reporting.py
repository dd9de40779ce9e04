"""Reporting: what runs reached, computed again from their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .measures import percentile
from .runs import Run
from .statistics import Estimate
from .tables import between, figure, print_note, print_table

LEGEND = (
    "Rankings of articles are the first {depth} passages, each article once; PassageSuccess, PassageAllEvidence and "
    "Answer look at the first passages of a list of {passages}. AllEvidence: all gold articles are there. Story: "
    "also what is named as a copy counts as found. Answer: a passage holds an answer or a piece "
    "of evidence. Intervals: 95 %, bootstrap of {clusters} clusters of questions "
    "that share a gold article or a conversation."
)
NOTHING = "None of the questions has a gold article or an answer, so there is only the time to tell."


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one run; `chance` is what it reaches when each question is judged by another one's answers."""

    run: Run
    estimates: dict[str, Estimate]
    chance: dict[str, Estimate]
    milliseconds: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        manifest = asdict(self.run.manifest)
        return {
            "run": str(self.run.folder),
            "manifest": manifest,
            "measures": {name: asdict(estimate) for name, estimate in self.estimates.items()},
            "shuffled": {name: asdict(estimate) for name, estimate in self.chance.items()},
            "milliseconds": self.milliseconds,
        }


def report(run: Run, where: Sequence[str] = (), *, with_control: bool = False) -> Report:
    """Measure a run."""
    scores = run.scores(where)
    chance = run.control(where).estimates() if with_control else {}
    asked = {question.id for question in scores.questions}
    taken = [1000 * found.seconds for found in run.retrieved if found.question_id in asked]
    milliseconds = {name: round(percentile(taken, share), 3) for name, share in (("p50", 0.5), ("p95", 0.95))}
    return Report(run, scores.estimates(), chance, milliseconds)


def print_reports(reports: Sequence[Report]) -> None:
    """Print reports beside each other for a person."""
    for one in reports:
        print(describe(one.run))
    names = list(dict.fromkeys(name for one in reports for name in one.estimates))
    headings = ["measure", *(heading for one in reports for heading in _headings(one, alone=len(reports) == 1))]
    rows = [[name, *(cell for one in reports for cell in _cells(one, name))] for name in names]
    print_table(headings, rows + _times(reports))
    print_note(_legend(reports[0]) if names else NOTHING)


def describe(run: Run) -> str:
    """Say in a line what was run."""
    identity = run.manifest.identity
    questions, archive = identity["questions"], identity["archive"]
    where = "".join(f", {condition}" for condition in questions["where"])
    settings = ", ".join(run.manifest.given) or "default settings"
    missing = f" {run.manifest.missing_gold:,} gold articles are not there." if run.manifest.missing_gold else ""
    asked = f"{questions['count']:,} questions of {questions['name']}{where}, worded as the {questions['wording']}"
    asked += f", as of {questions['as_of']}" if questions["as_of"] else ""
    held = f"{archive['articles']:,} articles, {archive['passages']:,} passages"
    return f"{run.manifest.name}: {asked}, asked of {archive['name']} ({held}); {settings}.{missing}"


def _headings(one: Report, *, alone: bool) -> list[str]:
    name = "value" if alone else one.run.manifest.name
    return [name, "95 % interval", "n", *(["shuffled"] if one.chance else [])]


def _cells(one: Report, name: str) -> list[str]:
    found = one.estimates.get(name)
    chance = [figure(one.chance[name].mean if name in one.chance else None)] if one.chance else []
    if found is None:
        return ["-", "-", "0", *chance]
    return [figure(found.mean), between(found.low, found.high), f"{found.questions:,}", *chance]


def _times(reports: Sequence[Report]) -> list[list[str]]:
    return [
        [
            f"milliseconds {name}",
            *(
                cell
                for one in reports
                for cell in (
                    figure(one.milliseconds[name], 1),
                    "",
                    f"{len(one.run.retrieved):,}",
                    *([""] if one.chance else []),
                )
            ),
        ]
        for name in ("p50", "p95")
    ]


def _legend(one: Report) -> str:
    clusters = max((estimate.clusters for estimate in one.estimates.values()), default=0)
    return LEGEND.format(**one.run.manifest.identity["lists"], clusters=f"{clusters:,}")
