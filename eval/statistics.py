"""Statistics: how far a mean can be trusted, and whether one run is better than another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
WHOLE_RESAMPLES = 1_000  # each is computed afresh from all questions
CONFIDENCE = 0.95
SEED = 0
BATCH = 500  # resamples held in memory at once
ROUNDING = 1e-9

Numbers = NDArray[np.float64]
Way = Literal["both", "down", "up"]
WAYS: tuple[Way, ...] = ("both", "down", "up")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `questions` that fall into `clusters`, and its interval; with one cluster there is no interval."""

    mean: float
    low: float | None
    high: float | None
    questions: int
    clusters: int


@dataclass(frozen=True, slots=True)
class Whole:
    """A measure of all questions together: `rows` has one row a question, nan where it has no part in the measure."""

    rows: Numbers
    compute: Callable[[Numbers], float]

    def value(self, chosen: NDArray[np.intp] | None = None) -> float:
        """Give its value over the questions at these places, over all of them without; nan where it has none."""
        rows = self.rows if chosen is None else self.rows[chosen]
        known = rows[~np.isnan(rows).any(axis=1)]
        return self.compute(known) if len(known) else float("nan")


def estimate(values: Numbers, clusters: Sequence[int], *, seed: int = SEED, share: bool = True) -> list[Estimate]:
    """Give the mean of each column with its interval by the bootstrap, whole clusters drawn with replacement.

    `values` has a row for each question and a column for each measure, nan where a measure is not defined; each column
    has a number. Where all of them are 0, or all are 1, no resample differs; for a `share` between 0 and 1 the interval
    then ends where that would be seen in one of twenty samples (three in the number of clusters).
    """
    sums, sizes = _by_cluster(values, clusters)
    means = sums.sum(axis=0) / sizes.sum(axis=0)
    with np.errstate(invalid="ignore"):
        drawn = np.concatenate([(draw @ sums) / (draw @ sizes) for draw in _draws(len(sums), seed)])
    tail = 50 * (1 - CONFIDENCE)
    bounds = np.nanpercentile(drawn, [tail, 100 - tail], axis=0)
    found = []
    for at, mean in enumerate(means.tolist()):
        count = int((sizes[:, at] > 0).sum())
        low, high = min(bounds[0, at], mean), max(bounds[1, at], mean)
        if share and low == high:
            low, high = _rare(mean, count)
        known = count > 1
        asked = int(sizes[:, at].sum())
        found.append(Estimate(mean, float(low) if known else None, float(high) if known else None, asked, count))
    return found


def randomisation(differences: Numbers, clusters: Sequence[int], *, way: Way = "both", seed: int = SEED) -> list[float]:
    """Give for each column how often chance alone moves its mean so far from 0 (Fisher's paired randomisation).

    If both runs were alike, each cluster's differences could as well have the other sign. Where there are few clusters
    that differ, all signs are tried, else `RESAMPLES` random ones; the observed ones count among them, so none is 0.
    Where only one `way` counts, a move the other way is none.
    """
    sums, _ = _by_cluster(differences, clusters)
    sums = sums[(sums != 0).any(axis=1)]
    total = sums.sum(axis=0)
    exact = 2 ** min(len(sums), 64) <= RESAMPLES
    batches = [_all_signs(len(sums))] if exact else _signs(len(sums), seed)

    def reach(moved: Numbers) -> Numbers:
        return np.abs(moved) if way == "both" else moved * (1 if way == "up" else -1)

    reached = sum((reach(signs @ sums) >= reach(total) - ROUNDING).sum(axis=0) for signs in batches)
    tried = 2 ** len(sums) if exact else RESAMPLES
    counted: Numbers = reached / tried if exact else (reached + 1) / (tried + 1)
    return [float(p) for p in counted]


def draws_of(clusters: Sequence[int], *, seed: int = SEED) -> list[NDArray[np.intp]]:
    """Give the places of the questions in each resample of a bootstrap that draws whole clusters with replacement."""
    _, at = np.unique(np.asarray(clusters), return_inverse=True)
    counts = np.random.default_rng(seed).multinomial(
        at.max() + 1, np.full(at.max() + 1, 1 / (at.max() + 1)), size=WHOLE_RESAMPLES
    )
    return [np.repeat(np.arange(len(at)), count[at]) for count in counts]


def estimate_whole(measure: Whole, clusters: Sequence[int], draws: Sequence[NDArray[np.intp]]) -> Estimate | None:
    """Give a measure of all questions together with its interval by the bootstrap; None where it has no value."""
    value = measure.value()
    if np.isnan(value):
        return None
    known = ~np.asarray(np.isnan(measure.rows).any(axis=1))
    count = len(np.unique(np.asarray(clusters)[known]))
    drawn = np.array([measure.value(draw) for draw in draws])
    drawn = drawn[~np.isnan(drawn)]
    if count < 2 or not len(drawn):
        return Estimate(value, None, None, int(known.sum()), count)
    low, high = _interval(drawn)
    return Estimate(value, min(low, value), max(high, value), int(known.sum()), count)


def difference_of_wholes(
    a: Whole, b: Whole, clusters: Sequence[int], draws: Sequence[NDArray[np.intp]], *, seed: int = SEED
) -> tuple[Estimate, float, float, float] | None:
    """Give b less a with its interval, and how often chance alone moves it so far: either way, down, and up.

    The interval is that of a bootstrap which draws the same questions of both; by chance the rows of each cluster could
    as well be those of the other run (paired randomisation). None where one of them has no value.
    """
    first, second = estimate_whole(a, clusters, []), estimate_whole(b, clusters, [])
    if first is None or second is None:
        return None
    moved = second.mean - first.mean
    drawn = np.array([b.value(draw) - a.value(draw) for draw in draws])
    drawn = drawn[~np.isnan(drawn)]
    low, high = _interval(drawn) if first.clusters > 1 and len(drawn) else (None, None)
    chance = np.array([*_exchanged(a, b, clusters, seed), moved])
    either = float((np.abs(chance) >= abs(moved) - ROUNDING).mean())
    down, up = float((chance <= moved + ROUNDING).mean()), float((chance >= moved - ROUNDING).mean())
    return Estimate(moved, low, high, first.questions, first.clusters), either, down, up


def _exchanged(a: Whole, b: Whole, clusters: Sequence[int], seed: int) -> Iterator[float]:
    """Yield the difference of two runs whose rows were exchanged, each cluster's by the toss of a coin."""
    _, at = np.unique(np.asarray(clusters), return_inverse=True)
    generator = np.random.default_rng(seed)
    for _ in range(WHOLE_RESAMPLES):
        swap = generator.integers(0, 2, size=at.max() + 1, dtype=bool)[at][:, None]
        one, other = np.where(swap, b.rows, a.rows), np.where(swap, a.rows, b.rows)
        moved = Whole(other, b.compute).value() - Whole(one, a.compute).value()
        if not np.isnan(moved):
            yield moved


def _interval(drawn: Numbers) -> tuple[float, float]:
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return float(low), float(high)


def holm(probabilities: Sequence[float]) -> list[float]:
    """Raise each p for how many were looked at, by Holm's step-down method."""
    order = sorted(range(len(probabilities)), key=lambda at: probabilities[at])
    adjusted = [1.0] * len(probabilities)
    highest = 0.0
    for step, at in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - step) * probabilities[at]))
        adjusted[at] = highest
    return adjusted


def wins_ties_losses(differences: Numbers) -> tuple[int, int, int]:
    """Count the questions for which a difference is above, at and below 0; nan is none of them."""
    wins, losses = int((differences > ROUNDING).sum()), int((differences < -ROUNDING).sum())
    return wins, int((~np.isnan(differences)).sum()) - wins - losses, losses


def _rare(mean: float, count: int) -> tuple[float, float]:
    reach = min(1.0, 3 / max(count, 1))
    return (0.0, reach) if mean == 0 else (1 - reach, 1.0) if mean == 1 else (mean, mean)


def _by_cluster(values: Numbers, clusters: Sequence[int]) -> tuple[Numbers, Numbers]:
    """Give the sum and the number of the values of each cluster that has any."""
    names, at = np.unique(np.asarray(clusters), return_inverse=True)
    known = ~np.isnan(values)
    sums, sizes = (np.zeros((len(names), values.shape[1])) for _ in range(2))
    np.add.at(sums, at, np.where(known, values, 0))
    np.add.at(sizes, at, known)
    measured = sizes.any(axis=1)
    return sums[measured], sizes[measured]


def _draws(count: int, seed: int) -> Iterator[Numbers]:
    """Yield how often each cluster is drawn, a row for each resample."""
    generator = np.random.default_rng(seed)
    for _ in range(0, RESAMPLES, BATCH):
        yield generator.multinomial(count, np.full(count, 1 / count), size=BATCH).astype(np.float64)


def _signs(count: int, seed: int) -> Iterator[Numbers]:
    generator = np.random.default_rng(seed)
    for _ in range(0, RESAMPLES, BATCH):
        yield (generator.integers(0, 2, size=(BATCH, count)) * 2 - 1).astype(np.float64)


def _all_signs(count: int) -> Numbers:
    bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    return (bits * 2 - 1).astype(np.float64)
