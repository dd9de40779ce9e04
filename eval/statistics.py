"""Statistics: how far a mean can be trusted, and whether one run is better than another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
CONFIDENCE = 0.95
SEED = 0
BATCH = 500  # resamples held in memory at once
ROUNDING = 1e-9

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `questions` that fall into `clusters`, and its interval; with one cluster there is no interval."""

    mean: float
    low: float | None
    high: float | None
    questions: int
    clusters: int


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


def randomisation(differences: Numbers, clusters: Sequence[int], *, seed: int = SEED) -> list[float]:
    """Give for each column how often chance alone moves its mean so far from 0 (Fisher's paired randomisation).

    If both runs were alike, each cluster's differences could as well have the other sign. Where there are few clusters
    that differ, all signs are tried, else `RESAMPLES` random ones; the observed ones count among them, so none is 0.
    """
    sums, _ = _by_cluster(differences, clusters)
    sums = sums[(sums != 0).any(axis=1)]
    observed = np.abs(sums.sum(axis=0)) - ROUNDING
    exact = 2 ** min(len(sums), 64) <= RESAMPLES
    batches = [_all_signs(len(sums))] if exact else _signs(len(sums), seed)
    reached = sum((np.abs(signs @ sums) >= observed).sum(axis=0) for signs in batches)
    tried = 2 ** len(sums) if exact else RESAMPLES
    counted: Numbers = reached / tried if exact else (reached + 1) / (tried + 1)
    return [float(p) for p in counted]


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
