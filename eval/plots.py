"""Plots: where things stand in a drawing, as percent of its width and height, so that a page can stretch it.

Nothing here is markup. Across is counted from the left, down from the top; what is not a finite number is left out.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

MARKED = 24  # characters of a name that may stand inside a drawing
BINS = 24
POINTS = 400  # as many as a screen can tell apart along a line
LARGEST = 1e15
WIDEST = 1e9  # how many times as large as the other the one end of a logarithmic axis may be
SMALLEST_DOT, LARGEST_DOT = 3.5, 15.0  # pixels
MINUS = "−"

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high`."""

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Say how far along the axis a value stands; what lies beyond an end stands there."""
        low, high, at = (math.log10(one) if self.logarithmic else one for one in (self.low, self.high, self._in(value)))
        return round(100 * (at - low) / (high - low), 2)

    def ticks(self, wanted: int = 5) -> tuple[Tick, ...]:
        """Give about as many round values as are wanted, with their places."""
        values = _powers(self.low, self.high) if self.logarithmic else _multiples(self.low, self.high, wanted)
        return tuple(Tick(self.place(value), _tick_label(value)) for value in values)

    def _in(self, value: float) -> float:
        return min(max(value, self.low), self.high)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its interval, and what others reach beside it, by their names."""

    mean: float
    low: float | None = None
    high: float | None = None
    beside: Mapping[str, float | None] | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """One dot of a drawing: what it is, which of several kinds, and where it stands."""

    name: str
    kind: int
    across: float
    down: float = 50.0
    radius: float = SMALLEST_DOT


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of an interval plot; None where nothing is known."""

    mean: float | None
    left: float | None
    right: float | None
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class IntervalPlot:
    """Rows over one axis; `zero` is where the axis crosses 0, if it does between its ends."""

    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    zero: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a plot, as the points of an SVG polyline."""

    name: str
    points: str


@dataclass(frozen=True, slots=True)
class LinePlot:
    """Lines over two axes, and perhaps a marked point."""

    across: tuple[Tick, ...]
    down: tuple[Tick, ...]
    lines: tuple[Line, ...]
    marked: Dot | None


@dataclass(frozen=True, slots=True)
class DotPlot:
    """Dots over two axes of shares."""

    across: tuple[Tick, ...]
    down: tuple[Tick, ...]
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a histogram, with what it counts."""

    left: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Strip:
    """One series of a histogram."""

    name: str
    count: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line over a histogram; its label stands to the left of it or to the right, each on its own `level`."""

    place: float
    label: str
    leftward: bool
    level: int


@dataclass(frozen=True, slots=True)
class HistogramPlot:
    """Series above each other over one axis, each as shares of its own count, so that they can be compared."""

    ticks: tuple[Tick, ...]
    strips: tuple[Strip, ...]
    marks: tuple[Mark, ...]
    logarithmic: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of a funnel: what is left, and what was lost since the step before, from `left` on."""

    name: str
    share: float
    left: float
    width: float
    lost: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a bar that shows how a whole is made up."""

    name: str
    count: int
    left: float
    width: float


def interval_plot(
    rows: Sequence[Interval | None],
    names: Sequence[str] = (),
    *,
    unit: str = "",
    around_zero: bool = False,
    ticks: int = 5,
) -> IntervalPlot:
    """Place rows over one axis: from 0 to 1 for shares (no `unit`), or as wide as they are on both sides of 0.

    What stands beside has the kind that is its place in `names`, so that it looks the same in several plots.
    """
    values = [value for row in rows if row for value in (row.mean, row.low, row.high, *(row.beside or {}).values())]
    scale = linear_scale(values, symmetric=True) if around_zero else value_scale(values, unit)
    zero = scale.place(0) if scale.low < 0 < scale.high else None
    return IntervalPlot(scale.ticks(ticks), tuple(_bar(row, scale, names) for row in rows), zero)


def line_plot(curves: Mapping[str, Sequence[Point]], marked: Point | None = None, label: str = "") -> LinePlot:
    """Place lines over two axes that start at 0; across are shares."""
    known = {name: [point for point in points if all(map(_known, point))] for name, points in curves.items()}
    spot = marked if marked and all(map(_known, marked)) else None
    heights = [height for points in known.values() for _, height in points] + ([spot[1]] if spot else [])
    across, up = Scale(0.0, 1.0), linear_scale([0.0, *heights])
    lines = tuple(Line(name, _polyline(_thinned(points), across, up)) for name, points in known.items())
    dot = Dot(label, 0, across.place(spot[0]), _flipped(up, spot[1])) if spot else None
    return LinePlot(across.ticks(), _upward(up), lines, dot)


def calibration_plot(bins: Sequence[tuple[float, float, int]]) -> DotPlot:
    """Place for each bin (confidence, share that was right, count) a dot whose area is its count."""
    known = [one for one in bins if all(map(_known, one)) and one[2] > 0]
    most = max((count for *_, count in known), default=1)
    shares = Scale(0.0, 1.0)
    dots = tuple(
        Dot(
            f"sure {written(confidence)}, right {written(right)}, {count:,} questions",
            0,
            shares.place(confidence),
            _flipped(shares, right),
            round(SMALLEST_DOT + (LARGEST_DOT - SMALLEST_DOT) * math.sqrt(count / most), 1),
        )
        for confidence, right, count in sorted(known, key=lambda one: -one[2])
    )
    return DotPlot(shares.ticks(), _upward(shares), dots)


def histogram(
    series: Mapping[str, Sequence[float]],
    marks: Mapping[str, float] | None = None,
    *,
    unit: str = "",
    logarithmic: bool = False,
) -> HistogramPlot:
    """Count the values of each series in bins of one width (one ratio, where `logarithmic`)."""
    known = {name: list(filter(_known, values)) for name, values in series.items()}
    stated = {name: value for name, value in (marks or {}).items() if _known(value)}
    scale = _binned_scale([*(v for values in known.values() for v in values), *stated.values()], logarithmic)
    edges = _edges(scale)
    counts = {name: _counts(values, edges) for name, values in known.items()}
    most = max((max(found) / len(known[name]) for name, found in counts.items() if known[name]), default=1)
    strips = tuple(
        Strip(name, len(known[name]), _columns(found, edges, scale, most * len(known[name]), unit))
        for name, found in counts.items()
    )
    return HistogramPlot(scale.ticks(), strips, _marks(stated, scale, unit), scale.logarithmic)


def funnel(stages: Iterable[tuple[str, float]]) -> tuple[Stage, ...]:
    """Set the shares that are left at each step against the step before; the first is set against all."""
    shares, steps, before = Scale(0.0, 1.0), [], 1.0
    for name, share in stages:
        if _known(share):
            steps.append(
                Stage(
                    name,
                    share,
                    shares.place(share),
                    max(0.0, shares.place(before) - shares.place(share)),
                    before - share,
                )
            )
            before = share
    return tuple(steps)


def stack(counts: Mapping[str, int]) -> tuple[Piece, ...]:
    """Lay counts side by side in one bar; nothing is laid for 0."""
    whole, before, pieces = sum(counts.values()), 0, []
    for name, count in counts.items():
        if count:
            pieces.append(Piece(name, count, round(100 * before / whole, 3), round(100 * count / whole, 3)))
        before += count
    return tuple(pieces)


def value_scale(values: Iterable[float | None], unit: str) -> Scale:
    """Give the axis of a measure: shares go from 0 to 1 unless one lies outside, others from 0 to a round value."""
    known = [value for value in values if _known(value)]
    if unit or min(known, default=0) < -1 or max(known, default=1) > 1:
        return linear_scale([0.0, *known])
    return Scale(-1.0 if min(known, default=0) < 0 else 0.0, 1.0)


def linear_scale(values: Iterable[float | None], *, symmetric: bool = False) -> Scale:
    """Give an axis between round values that holds all these."""
    known = [value for value in values if _known(value)] or [0.0]
    if symmetric:
        known += [-value for value in known]
    low, high = min(known), max(known)
    if high - low <= 1e-9 * max(1.0, abs(high)):
        low, high = (low, low + 1.0) if low >= 0 else (low - 1.0, low)
    step = _step(low, high, 5)
    # A hair less, so that 0.30000000000000004 needs no further step.
    return Scale(math.floor(low / step + 1e-6) * step, math.ceil(high / step - 1e-6) * step)


def log_scale(values: Iterable[float]) -> Scale:
    """Give an axis of equal ratios that holds all these, unless it were too long; they must be above 0."""
    known = list(values)
    low, high = max(min(known), max(known) / WIDEST), max(known)
    return Scale(low / 1.5, high * 1.5, logarithmic=True) if high < 2 * low else Scale(low, high, logarithmic=True)


def written(value: float | None, unit: str = "", *, signed: bool = False) -> str:
    """Write a number as it is read in a table, with three decimals for shares, without its unit."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    decimals = (3 if not unit else 2) if size < 10 else 1 if size < 100 else 0
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    return (text if text.strip("+-0.") else text.lstrip("+-")).replace("-", MINUS)


def _bar(row: Interval | None, scale: Scale, names: Sequence[str]) -> Bar:
    if row is None or not _known(row.mean):
        return Bar(None, None, None, ())
    beside = row.beside or {}
    dots = tuple(
        Dot(name, kind, scale.place(value)) for kind, name in enumerate(names) if _known(value := beside.get(name))
    )
    if not (_known(row.low) and _known(row.high)):
        return Bar(scale.place(row.mean), None, None, dots)
    return Bar(scale.place(row.mean), scale.place(row.low), scale.place(row.high), dots)


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and abs(value) < LARGEST  # so that neither nan nor infinity passes


def _flipped(scale: Scale, value: float) -> float:
    return round(100 - scale.place(value), 2)


def _upward(scale: Scale) -> tuple[Tick, ...]:
    return tuple(Tick(round(100 - tick.place, 2), tick.label) for tick in scale.ticks())


def _polyline(points: Iterable[Point], across: Scale, up: Scale) -> str:
    return " ".join(f"{across.place(x)},{_flipped(up, y)}" for x, y in points)


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """Leave out points that lie too close to see, and keep both ends."""
    if len(points) <= POINTS:
        return points
    return [points[round(at * (len(points) - 1) / (POINTS - 1))] for at in range(POINTS)]


def _step(low: float, high: float, wanted: int) -> float:
    """Give the round step that makes about as many."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= rough * 0.8)


def _multiples(low: float, high: float, wanted: int) -> list[float]:
    step = _step(low, high, wanted)
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [round(at * step, 12) for at in range(first, last + 1)]


def _powers(low: float, high: float) -> list[float]:
    """Give the round values of a logarithmic axis: 1, 2 and 5 of each power of ten, or fewer where there are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    decades = math.log10(high / low)
    digits = (1, 2, 5) if decades <= 2.2 else (1, 3) if decades <= 3 else (1,)
    every = max(1, math.ceil(decades / 8))
    values = [digit * 10.0**power for power in powers[::every] for digit in digits]
    return [value for value in values if low * 0.999 <= value <= high * 1.001]


def _tick_label(value: float) -> str:
    size = abs(value)
    text = f"{value:,.0f}" if size >= 1000 else f"{value:.6g}"
    return text.replace("-", MINUS)


def _binned_scale(values: Sequence[float], logarithmic: bool) -> Scale:  # noqa: FBT001
    if not values:
        return Scale(0.0, 1.0)
    if logarithmic and min(values) > 0:
        return log_scale(values)
    return linear_scale(values)


def _edges(scale: Scale) -> list[float]:
    if scale.logarithmic:
        ratio = (scale.high / scale.low) ** (1 / BINS)
        return [scale.low * ratio**at for at in range(BINS)] + [scale.high]
    step = _step(scale.low, scale.high, BINS)
    count = max(1, math.ceil((scale.high - scale.low) / step - 1e-6))
    return [scale.low + at * step for at in range(count)] + [scale.high]


def _counts(values: Iterable[float], edges: Sequence[float]) -> list[int]:
    counts = [0] * (len(edges) - 1)
    for value in values:
        counts[min(max(bisect_right(edges, value) - 1, 0), len(counts) - 1)] += 1
    return counts


def _columns(counts: Sequence[int], edges: Sequence[float], scale: Scale, most: float, unit: str) -> tuple[Column, ...]:
    columns = []
    for at, count in enumerate(counts):
        if count:
            left, right = scale.place(edges[at]), scale.place(edges[at + 1])
            label = f"{written(edges[at], unit)} to {written(edges[at + 1], unit)} {unit[:MARKED]}".strip()
            columns.append(Column(left, round(right - left, 2), round(100 * count / most, 2), f"{label}: {count:,}"))
    return tuple(columns)


def _marks(marks: Mapping[str, float], scale: Scale, unit: str) -> tuple[Mark, ...]:
    placed = sorted((scale.place(value), name, value) for name, value in marks.items())
    return tuple(
        Mark(place, f"{name[:MARKED]} {written(value, unit)} {unit[:MARKED]}".strip(), place > 60, level)
        for level, (place, name, value) in enumerate(reversed(placed))
    )
