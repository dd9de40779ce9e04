"""The page of a run or a sweep: all that it shows, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .answered import Said

Outcome = Literal["right", "wrong", "refused rightly", "refused wrongly", "answered wrongly", "not judged"]

OUTCOMES: tuple[Outcome, ...] = (
    *("right", "refused rightly", "wrong", "refused wrongly", "answered wrongly", "not judged"),
)


@dataclass(frozen=True, slots=True)
class Value:
    """A mean over `n` questions with its 95 % interval, None where there is none."""

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Row:
    """One measure: its value, and what others reach, by their names; without a unit it is a share."""

    name: str
    value: Value | None
    beside: Mapping[str, float | None] = field(default_factory=dict)
    unit: str = ""
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Measures that belong together."""

    title: str
    explanation: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """Questions that were answered about as surely: how sure, what share was right, and how many they are."""

    confidence: float
    right: float
    count: int


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of points, across and up."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """The single values of several series, and values to mark."""

    title: str
    unit: str
    series: Mapping[str, tuple[float, ...]]
    marks: Mapping[str, float] = field(default_factory=dict)
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """The measures of the questions that have one value in common."""

    value: str
    n: int
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Slices:
    """The questions divided along one dimension."""

    dimension: str
    rows: tuple[Slice, ...]


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """A passage that an answer cites, or that came near."""

    number: int
    article_id: str
    title: str
    source: str
    date: str
    url: str
    text: str
    is_gold: bool = False
    is_verbatim: bool = True


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """An article that holds the answer."""

    article_id: str
    title: str
    source: str
    date: str
    url: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: what was asked, what was answered, and what was wanted.

    `history` is what was said before, by whom and what; `nearest` is what came nearest where nothing was answered;
    `rank` is that of the first gold article, None where it was not found.
    """

    id: str
    question: str
    kind: str
    outcome: Outcome
    date: str = ""
    history: tuple[tuple[str, str], ...] = ()
    rewrite: str = ""
    likelihood: float | None = None
    sentences: tuple[Said, ...] = ()
    citations: tuple[CitedPassage, ...] = ()
    nearest: tuple[CitedPassage, ...] = ()
    notice: str = ""
    answers: tuple[str, ...] = ()
    gold: tuple[GoldArticle, ...] = ()
    evidence: tuple[str, ...] = ()
    rank: int | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """All that the page of one run shows; what is empty is left out."""

    title: str
    summary: str
    headline: tuple[Row, ...] = ()
    groups: tuple[Group, ...] = ()
    losses: tuple[tuple[str, float], ...] = ()
    risk_coverage: tuple[Curve, ...] = ()
    operating_point: tuple[float, float] | None = None
    calibration: tuple[Bin, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    slices: tuple[Slices, ...] = ()
    questions: tuple[Asked, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """One configuration of a sweep: `given` says what was set, `differences` how far it is from the first and its p.

    `milliseconds` are those of the middle question and of the slowest twentieth, p50 and p95.
    """

    name: str
    given: str
    values: Mapping[str, Value]
    differences: Mapping[str, tuple[Value, float]] = field(default_factory=dict)
    milliseconds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class SweepPage:
    """All that the page of a sweep shows; the first configuration is the one the others are compared with."""

    title: str
    summary: str
    measures: tuple[str, ...]
    configurations: tuple[Configuration, ...]
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
