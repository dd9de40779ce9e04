"""Rendering: the page of a run becomes one file of HTML that needs nothing else and shows every text as text.

All that comes from an article, a question or a model passes through Jinja's escaping, or goes as JSON into an element
that cannot be closed from inside and is drawn by `page.js` without markup. The policy in the head of the page lets no
style and no script in but ours, by their hashes, and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from . import plots
from .measures import percentile
from .page import (
    OUTCOMES,
    Asked,
    Bin,
    CitedPassage,
    Configuration,
    GoldArticle,
    Histogram,
    Page,
    Row,
    Slice,
    Slices,
    SweepPage,
    Value,
)
from .runs import write

SECTIONS = {  # their names, and why they may be missing
    "outcomes": ("Outcomes", "no question was asked"),
    "figures": ("Figures", "nothing was measured"),
    "losses": ("Losses", "no answerable question was answered"),
    "confidence": ("Confidence", "no answer says how likely it is"),
    "spread": ("Spread", "there are no single values to show"),
    "slices": ("Slices", "the questions were not divided"),
    "questions": ("Questions", "none was asked"),
    "facts": ("How it was run", "nothing of it was noted"),
}
READINGS = tuple(at / 10 for at in range(1, 11))
_UNSHOWABLE = re.compile("[\x00\ud800-\udfff]")
_DIRECTION_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def write_page(page: Page, path: Path) -> None:
    """Write the page of a run, whole or not at all."""
    write(path, [_rendered("page.html", page=page, **_parts(page))])


def write_sweep_page(page: SweepPage, path: Path) -> None:
    """Write the page of a sweep, whole or not at all."""
    write(path, [_rendered("sweep.html", page=page, **_sweep_parts(page))])


@dataclass(frozen=True, slots=True)
class _Panel:
    """The rows of a group that share a unit and so an axis."""

    unit: str
    rows: tuple[tuple[Row, plots.Bar], ...]
    plot: plots.IntervalPlot


def _parts(page: Page) -> dict[str, Any]:
    counts = Counter(asked.outcome for asked in page.questions)
    beside = _beside(row for group in page.groups for row in group.rows)
    parts: dict[str, Any] = {
        "headline": [_alone(row) for row in page.headline],
        "outcomes": plots.stack({outcome: counts[outcome] for outcome in OUTCOMES}),
        "beside": beside,
        "groups": [(group, _panels(group.rows, beside), _numbers(group.rows)) for group in page.groups if group.rows],
        "funnel": plots.funnel(page.losses),
        **_risk_parts(page),
        **_calibration_parts(page.calibration),
        "histograms": [_spread(one) for one in page.histograms if any(one.series.values())],
        "slices": [_sliced(one) for one in page.slices if one.rows],
        "data": _packed(page.questions),
    }
    there = parts | {
        "figures": parts["groups"],
        "losses": parts["funnel"],
        "confidence": parts["risk"] or parts["calibration"],
        "spread": parts["histograms"],
        "questions": page.questions,
        "facts": page.facts,
    }
    contents = [(section, name) for section, (name, _) in SECTIONS.items() if there[section]]
    missing = [said for section, said in SECTIONS.items() if not there[section]]
    return parts | {"contents": contents, "missing": missing}


def _alone(row: Row) -> tuple[Row, plots.Bar, tuple[plots.Tick, ...]]:
    plot = plots.interval_plot([_interval(row.value)], unit=row.unit)
    return row, plot.bars[0], (plot.ticks[0], plot.ticks[-1])


def _beside(rows: Iterable[Row]) -> tuple[str, ...]:
    """Give the names of what measures are set against, each once."""
    return tuple(dict.fromkeys(name for row in rows for name in row.beside))


def _panels(rows: Iterable[Row], beside: Sequence[str]) -> list[_Panel]:
    by_unit: dict[str, list[Row]] = {}
    for row in rows:
        by_unit.setdefault(row.unit, []).append(row)
    return [_panel(unit, own, beside) for unit, own in by_unit.items()]


def _panel(unit: str, rows: Sequence[Row], beside: Sequence[str]) -> _Panel:
    plot = plots.interval_plot([_interval(row.value, row.beside) for row in rows], beside, unit=unit)
    return _Panel(unit, tuple(zip(rows, plot.bars, strict=True)), plot)


def _numbers(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Give the headings and the rows of the table that says what a drawing shows beside a measure."""
    names = _beside(rows)
    table = [
        [row.name, *(plots.written(value, row.unit) for value in (_mean(row), *map(row.beside.get, names)))]
        for row in rows
    ]
    return ["measure", "this run", *names], table if names else []


def _mean(row: Row) -> float | None:
    return row.value.mean if row.value else None


def _interval(value: Value | None, beside: Mapping[str, float | None] | None = None) -> plots.Interval | None:
    return plots.Interval(value.mean, value.low, value.high, beside) if value else None


def _risk_parts(page: Page) -> dict[str, Any]:
    curves = {curve.name: curve.points for curve in page.risk_coverage if curve.points}
    if not curves:
        return {"risk": None}
    label = ""
    if page.operating_point:
        coverage, risk = map(plots.written, page.operating_point)
        label = f"as it is set: {coverage} answered, {risk} of them wrong"
    described = "Share of answers that are wrong, by the share of questions answered. " + " ".join(
        f"{name}: {_reading(points, 0.5)} at 0.5, {_reading(points, 1)} at 1." for name, points in curves.items()
    )
    described += f" {label}." if label else ""
    return {
        "risk": plots.line_plot(curves, page.operating_point, label),
        "risk_described": described,
        "risk_headings": ["share answered", *curves],
        "risk_numbers": [[f"{at:.1f}", *(_reading(points, at) for points in curves.values())] for at in READINGS],
    }


def _reading(points: Sequence[tuple[float, float]], coverage: float) -> str:
    """Read a curve at the first point that reaches the coverage."""
    return plots.written(next((risk for reached, risk in sorted(points) if reached >= coverage - 1e-9), None))


def _calibration_parts(bins: Sequence[Bin]) -> dict[str, Any]:
    known = [(one.confidence, one.right, one.count) for one in bins if one.count > 0]
    if not known:
        return {"calibration": None}
    rows = [[plots.written(sure), plots.written(right), f"{count:,}"] for sure, right, count in known]
    described = "The share that was right, by how sure it was. " + " ".join(
        f"Sure {sure}: right {right}, {count} questions." for sure, right, count in rows
    )
    return {
        "calibration": plots.calibration_plot(known),
        "calibration_described": described,
        "calibration_numbers": rows,
    }


def _spread(one: Histogram) -> tuple[Histogram, plots.HistogramPlot, str, list[list[str]]]:
    plot = plots.histogram(one.series, one.marks, unit=one.unit, logarithmic=one.logarithmic)
    rows = [[name, *_summary(values, one.unit)] for name, values in one.series.items()]
    marks = "".join(f" {name}: {plots.written(value, one.unit)}." for name, value in one.marks.items())
    described = f"{one.title}, {one.unit}." + "".join(
        f" {name}: {n} values from {least} to {most}, half of them up to {middle}."
        for name, n, least, middle, _, most in rows
    )
    return one, plot, described + marks, rows


def _summary(values: Sequence[float], unit: str) -> list[str]:
    ordered = sorted(value for value in values if math.isfinite(value))
    if not ordered:
        return ["0", "–", "–", "–", "–"]
    read = (ordered[0], percentile(ordered, 0.5), percentile(ordered, 0.95), ordered[-1])
    return [f"{len(ordered):,}", *(plots.written(value, unit) for value in read)]


@dataclass(frozen=True, slots=True)
class _Sliced:
    """A table of slices: each row with a cell for each measure."""

    dimension: str
    measures: tuple[str, ...]
    rows: list[tuple[Slice, list[tuple[Value | None, plots.Bar, tuple[plots.Tick, ...]]]]]


def _sliced(slices: Slices) -> _Sliced:
    measures = tuple(dict.fromkeys(measure for row in slices.rows for measure in row.values))
    columns = []
    for measure in measures:
        values = [row.values.get(measure) for row in slices.rows]
        plot = plots.interval_plot([_interval(value) for value in values], ticks=2)
        columns.append([(value, bar, plot.ticks) for value, bar in zip(values, plot.bars, strict=True)])
    cells = [list(row) for row in zip(*columns, strict=True)] or [[] for _ in slices.rows]
    return _Sliced(slices.dimension, measures, list(zip(slices.rows, cells, strict=True)))


def _sweep_parts(page: SweepPage) -> dict[str, Any]:
    measured = [(measure, _swept(measure, page.configurations)) for measure in page.measures]
    timed = any(configuration.milliseconds for configuration in page.configurations)
    return {"measured": [(measure, found) for measure, found in measured if found], "timed": timed}


def _swept(measure: str, configurations: Sequence[Configuration]) -> Any:
    values = [configuration.values.get(measure) for configuration in configurations]
    if not any(values):
        return None
    moved = [configuration.differences.get(measure) for configuration in configurations]
    plot = plots.interval_plot([_interval(value) for value in values])
    away = plots.interval_plot([_interval(one[0]) if one else None for one in moved], around_zero=True, ticks=4)
    rows = list(zip(configurations, values, plot.bars, moved, away.bars, strict=True))
    return {"plot": plot, "away": away, "rows": rows}


def _packed(questions: Sequence[Asked]) -> dict[str, Any]:
    """Give the questions as the script reads them, each article's facts once."""
    articles: dict[tuple[str, ...], int] = {}
    asked = [_packed_question(question, articles) for question in questions]
    measures = dict.fromkeys(name for question in questions for name in question.measures)
    return {"outcomes": OUTCOMES, "measures": [*measures], "articles": [*articles], "questions": asked}


def _packed_question(asked: Asked, articles: dict[tuple[str, ...], int]) -> dict[str, Any]:
    return {
        "id": asked.id,
        "question": asked.question,
        "kind": asked.kind,
        "date": asked.date,
        "history": asked.history,
        "rewrite": asked.rewrite,
        "outcome": asked.outcome,
        "likelihood": _finite(asked.likelihood),
        "sentences": [[said.text, said.citations] for said in asked.sentences],
        "citations": [_packed_passage(passage, articles) for passage in asked.citations],
        "nearest": [_packed_passage(passage, articles) for passage in asked.nearest],
        "notice": asked.notice,
        "answers": asked.answers,
        "gold": [_article_number(article, articles) for article in asked.gold],
        "evidence": asked.evidence,
        "rank": asked.rank,
        "measures": {name: _finite(value) for name, value in asked.measures.items()},
        "milliseconds": _finite(asked.milliseconds),
    }


def _packed_passage(passage: CitedPassage, articles: dict[tuple[str, ...], int]) -> dict[str, Any]:
    return {
        "number": passage.number,
        "article": _article_number(passage, articles),
        "text": passage.text,
        "gold": passage.is_gold,
        "verbatim": passage.is_verbatim,
    }


def _article_number(found: CitedPassage | GoldArticle, articles: dict[tuple[str, ...], int]) -> int:
    facts = (found.article_id, found.title, found.source, found.date, found.url)
    return articles.setdefault(facts, len(articles))


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 6)


def _rendered(template: str, **values: Any) -> str:
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    own = {"style": style, "script": script, "policy": policy}
    # What cannot be written as UTF-8, and the character that HTML does not know, wherever they stand.
    return _UNSHOWABLE.sub("\ufffd", _environment().get_template(template).render(values | own))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"written": plots.written, "plain": _plain, "probability": _probability}
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":"), "allow_nan": False}
    return environment


def _plain(text: str) -> str:
    """Give a text for a place that cannot isolate its direction."""
    return _DIRECTION_CONTROLS.sub("", text)


def _probability(p: float) -> str:
    return "< 0.001" if p < 0.001 else plots.written(p)


@cache
def _asset(name: str) -> Markup:
    """Read a file of ours that goes into the page as it is."""
    return Markup(_read(name))  # noqa: S704


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
