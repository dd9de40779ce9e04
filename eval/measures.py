"""Measures: what was found for both sides, how many times better ours is, and whether that reaches its target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Better = Literal["less", "more", "neither"]

DECIMALS = {"s": 2, "ms": 1, "MB": 1, "tokens/s": 0, "rows": 0}


@dataclass(frozen=True, slots=True)
class Target:
    """What is wanted: that ours is so many times better, or that its figure is at least or at most this."""

    of: Literal["ratio", "at least", "at most"]
    value: float

    def __str__(self) -> str:
        """Write it as in a table."""
        return f"{'≤' if self.of == 'at most' else '≥'} {self.value:g}{'x' if self.of == 'ratio' else ''}"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of both sides."""

    name: str
    unit: str
    stock: float
    ours: float
    better: Better = "less"
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """How many times better ours is; above 1 it is better, whichever way this measure runs."""
        if self.better == "neither":
            return None
        return self.stock / self.ours if self.better == "less" else self.ours / self.stock

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached, where there is one."""
        if self.target is None:
            return None
        if self.target.of == "ratio":
            return self.ratio is not None and self.ratio >= self.target.value
        return self.ours >= self.target.value if self.target.of == "at least" else self.ours <= self.target.value

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        target = {"of": self.target.of, "value": self.target.value} if self.target else None
        return {
            "name": self.name,
            "unit": self.unit,
            "stock": self.stock,
            "ours": self.ours,
            "ratio": self.ratio,
            "target": target,
            "reached": self.reached,
        }

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """Give it as a row of a table: measure, stock, ours, ratio, target, reached."""
        ratio = "" if self.ratio is None else f"{self.ratio:.{2 if self.ratio < 10 else 1}f}x"
        target = str(self.target) if self.target else ""
        reached = {None: "", True: "yes", False: "no"}[self.reached]
        return self.name, self._figure(self.stock), self._figure(self.ours), ratio, target, reached

    def _figure(self, value: float) -> str:
        return f"{value:,.{DECIMALS.get(self.unit, 3)}f} {self.unit}".strip()


def percentile(values: Sequence[float], share: float) -> float:
    """Give the smallest value that this share of the values does not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def agreement(stock: Path, ours: Path, k: int = 10) -> float:
    """Give the mean share of the `k` nearest texts of each question that two files of vectors have in common."""
    import numpy as np

    nearest = []
    for path in (stock, ours):
        with np.load(path) as vectors:
            scores = _unit(vectors["questions"]) @ _unit(vectors["texts"]).T
        nearest.append([set(row.tolist()) for row in np.argsort(-scores, axis=1, kind="stable")[:, :k]])
    return sum(len(one & other) / len(one) for one, other in zip(*nearest, strict=True)) / len(nearest[0])


def _unit(vectors: Any) -> Any:
    import numpy as np

    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
