"""Measures of a whole run, which are no mean over its questions: how well it refuses, how fast it is, and the like.

Each is computed from rows of numbers, one row a question, so that questions can be drawn again or exchanged between two
runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

from .statistics import Numbers, Whole

BINS = 15
PRECISION = 0.95


def auroc(rows: Numbers) -> float:
    """Give how often an answerable question (column 1) seems likelier (column 0) than an unanswerable one."""
    positive = rows[:, 1] > 0
    there, missing = int(positive.sum()), int((~positive).sum())
    if not there or not missing:
        return float("nan")
    ranks = rankdata(rows[:, 0])
    return float((ranks[positive].sum() - there * (there + 1) / 2) / (there * missing))


def rejection_at(share: float) -> Callable[[Numbers], float]:
    """Make the measure: the share of unanswerable questions refused where at most this share of the others is."""

    def rejection(rows: Numbers) -> float:
        positive = rows[:, 1] > 0
        there, missing = np.sort(rows[positive, 0]), rows[~positive, 0]
        if not len(there) or not len(missing):
            return float("nan")
        return float((missing < there[int(share * len(there))]).mean())

    return rejection


def risk_coverage(rows: Numbers) -> list[tuple[float, float]]:
    """Give share answered and share of these that are wrong (column 1 is what is right), the likeliest first.

    Equally likely ones are answered together.
    """
    if not len(rows):
        return []
    order = np.argsort(-rows[:, 0], kind="stable")
    likely, right = rows[order, 0], np.cumsum(rows[order, 1])
    ends = np.flatnonzero(np.append(likely[1:] != likely[:-1], True))
    return [((at + 1) / len(rows), 1 - right[at] / (at + 1)) for at in ends.tolist()]


def coverage_at_precision(rows: Numbers) -> float:
    """Give the largest share of all questions that can be answered so that 95 % of these answers are right."""
    reached = [coverage for coverage, risk in risk_coverage(rows) if 1 - risk >= PRECISION]
    return max(reached, default=0.0)


def area_under_risk(rows: Numbers) -> float:
    """Give the mean risk over all coverages (AURC; Geifman and El-Yaniv, ICLR 2019)."""
    points = risk_coverage(rows)
    widths = np.diff([0.0, *(coverage for coverage, _ in points)])
    return float(np.dot(widths, [risk for _, risk in points]))


def calibration_bins(rows: Numbers) -> list[tuple[float, float, int]]:
    """Give mean likelihood, share right and number of questions in bins of equal size, the least likely first.

    Equally likely ones stand for each other, so that nothing depends on the order of the questions.
    """
    likely, at = np.unique(rows[:, 0], return_inverse=True)
    right = np.bincount(at, rows[:, 1]) / np.bincount(at)
    ordered = np.column_stack([likely, right])[np.sort(at)]
    bins = (part for part in np.array_split(ordered, BINS) if len(part))
    return [(float(part[:, 0].mean()), float(part[:, 1].mean()), len(part)) for part in bins]


def calibration_error(rows: Numbers) -> float:
    """Give how far likelihoods are from the shares that are right, by the mean over bins of equal size."""
    return sum(abs(likely - right) * count for likely, right, count in calibration_bins(rows)) / len(rows)


def gap_closed(rows: Numbers) -> float:
    """Give the share of the way from the last turn alone (column 1) to a person's rewrite (column 2) that was gone."""
    own, last, rewrite = rows.mean(axis=0).tolist()
    return (own - last) / (rewrite - last) if abs(rewrite - last) > 1e-9 else float("nan")


def quantile(share: float) -> Callable[[Numbers], float]:
    """Make the measure: the smallest value that this share of the values does not exceed."""

    def at_share(rows: Numbers) -> float:
        return float(np.quantile(rows[:, 0], share, method="inverted_cdf"))

    return at_share


def whole_of(columns: Sequence[Sequence[float]], compute: Callable[[Numbers], float]) -> Whole:
    """Make a measure from its columns."""
    return Whole(np.array(columns, dtype=float).T, compute)
