"""Configurations side by side: each is run on the same questions, and held against the first."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rag.archive import Archive
from rag.indexing import batched, index_articles
from rag.talk import told

from .comparing import Difference, compare, written_p
from .errors import EvalError
from .glossary import TERMS, in_order
from .page import Configuration, SweepPage
from .paging import value_of
from .rendering import write_sweep_page
from .reporting import DECIMALS, Report, describe
from .reporting import report as report_run
from .running import Plan, check_name, run
from .runs import Run
from .statistics import Estimate, holm
from .systems import Choice, read_choices
from .tables import between, figure, print_note, print_table

DEFAULT = "default"
ARCHIVES = ".archives"  # below the runs: archives of the same articles in passages of other lengths
SHOWN = ("RR@10", "Success@10", "nDCG@10", "AllEvidence@10", "Answer@10", "AnswerFirst", "AnswerShown", "Utility")
MEASURES_A_TABLE = 3
TIMED = ("search p50", "search p95")
NOTE = (
    "Intervals: 95 %, bootstrap of clusters of questions. p: paired randomisation test against {first}, raised by Holm "
    "for all figures of the table."
)


@dataclass(frozen=True, slots=True)
class Column:
    """One configuration: its report, and what tells it from the first by the shown measures."""

    name: str
    given: tuple[str, ...]
    report: Report
    differences: Mapping[str, Difference]


def combinations(varied: Sequence[str]) -> list[tuple[str, ...]]:
    """Give every combination of settings of the form `key=value`; of a key that is given again one at a time.

    Raises `EvalError`.
    """
    values: dict[str, list[str]] = {}
    for written in varied:
        ((key, value),) = read_choices([written]).items()
        values.setdefault(key, []).append(f"{key}={value}")
    return list(itertools.product(*values.values()))


def sweep(base: Plan, varied: Sequence[str], out: Path, name: str) -> list[Column]:
    """Run the plan as it is, and under each combination of settings; give what each reached.

    What was run before is not run again. Raises `EvalError`.
    """
    chosen = [(), *combinations(varied)]
    if len(chosen) == 2 and not chosen[1]:
        raise EvalError("Nothing varies. Give settings with --vary, like --vary depth=20 --vary depth=100.")
    check_name(name)
    # All of them are read before any is run, which may take hours.
    choices = {given: Choice.of(base.choice.archive, [*base.choice.given, *given]) for given in chosen}
    folders = {given: _run(base, choice, out / name, "-".join(given)) for given, choice in choices.items()}
    return _raised([_column(given, folder, folders[()]) for given, folder in folders.items()])


def columns_of(folders: Mapping[str, Path]) -> list[Column]:
    """Hold runs against the first of them, by their names."""
    first = next(iter(folders.values()))
    return _raised([replace(_column((), folder, first), name=name) for name, folder in folders.items()])


def print_columns(columns: Sequence[Column]) -> None:
    """Print a table for a person: a row for each configuration."""
    print(describe(columns[0].report.run))
    names = _names(columns)
    for part in batched(names, MEASURES_A_TABLE):
        rows = [[one.name, *(cell for name in part for cell in _cells(one, name))] for one in columns]
        print()
        print_table(["configuration", *(cell for name in part for cell in (name, "95 %", "p (Holm)"))], rows)
    times = [[one.name, *(figure(one.report.estimates[name].mean, 1) for name in TIMED)] for one in columns]
    print()
    print_table(["configuration", *(f"{name}, ms" for name in TIMED)], times)
    print_note(NOTE.format(first=columns[0].name))


def write_columns(columns: Sequence[Column], title: str, path: Path) -> None:
    """Write the same as a page with a plot."""
    names = _names(columns)
    identity = columns[0].report.run.manifest.identity
    facts = {
        "Questions": json.dumps(identity["questions"], ensure_ascii=False),
        "Archive": json.dumps(identity["archive"], ensure_ascii=False),
        "Versions": json.dumps(identity["versions"]),
        "Machine": json.dumps(columns[0].report.run.manifest.machine),
    }
    configurations = tuple(_configuration(one, names) for one in columns)
    note = NOTE.format(first=columns[0].name)
    summary = describe(columns[0].report.run)
    write_sweep_page(SweepPage(title, summary, tuple(names), configurations, tuple(facts.items()), (note,)), path)


def to_dict(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Give all of it as JSON has it."""
    return [
        {
            "name": one.name,
            "given": list(one.given),
            **one.report.to_dict(),
            "differences": {name: asdict(found) for name, found in one.differences.items()},
        }
        for one in columns
    ]


def _run(base: Plan, choice: Choice, out: Path, name: str) -> Path:
    assert isinstance(base.choice, Choice)  # noqa: S101 # for the type checker
    tokens = choice.settings.passage_tokens
    if tokens != base.choice.settings.passage_tokens:
        archive = _recut(choice, out.parent / ARCHIVES)
        choice = replace(choice, settings=replace(choice.settings, archive=archive))
    return run(replace(base, choice=choice), out, name or DEFAULT)


def _recut(choice: Choice, archives: Path) -> Path:
    """Give an archive of the same articles in passages of the wanted length, made first where there is none."""
    with Archive.open(choice.archive) as archive:
        folder = archives / f"{archive.fingerprint()[:16]}-{choice.settings.passage_tokens}"
        with told(f"Cutting {archive.count():,} articles into passages of {choice.settings.passage_tokens} tokens"):
            index_articles(archive.articles(), folder, choice.settings)
    return folder


def _column(given: Sequence[str], folder: Path, first: Path) -> Column:
    opened = Run.open(folder)
    differences = {}
    if folder != first:
        found = compare(Run.open(first), opened, measures=SHOWN)
        differences = {one.measure: one for one in found.differences}
    return Column(", ".join(given) or DEFAULT, tuple(given), report_run(opened), differences)


def _raised(columns: Sequence[Column]) -> list[Column]:
    """Raise each p for all that the table shows (Holm)."""
    places = [(at, name) for at, one in enumerate(columns) for name in one.differences]
    raised = dict(zip(places, holm([columns[at].differences[name].p for at, name in places]), strict=True))
    return [
        replace(
            one,
            differences={name: replace(found, p_holm=raised[at, name]) for name, found in one.differences.items()},
        )
        for at, one in enumerate(columns)
    ]


def _names(columns: Sequence[Column]) -> list[str]:
    return in_order(name for one in columns for name in one.report.estimates if name in SHOWN)


def _cells(one: Column, name: str) -> Iterator[str]:
    found, decimals = one.report.estimates.get(name), DECIMALS.get(TERMS[name].unit, 3)
    yield figure(found.mean if found else None, decimals)
    yield between(found.low, found.high, decimals=decimals) if found else "-"
    yield written_p(one.differences[name].p_holm) if name in one.differences else ""


def _configuration(one: Column, names: Sequence[str]) -> Configuration:
    estimates: Mapping[str, Estimate] = one.report.estimates
    p50, p95 = (estimates[name].mean for name in TIMED)
    return Configuration(
        name=one.name,
        given=", ".join(one.given),
        values={name: value_of(estimates[name]) for name in names if name in estimates},
        differences={name: (value_of(found.difference), found.p_holm) for name, found in one.differences.items()},
        milliseconds=(p50, p95),
    )
