"""Exact search over the stored vectors of an archive: all of them, or those that came after a generation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.archive import Archive


class ExactIndex:
    """The vectors of the passages after a given one, held in memory: some thousands cost a millisecond to search."""

    def __init__(self, after: int = 0) -> None:
        self._last = after
        self._numbers: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._matrix: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, numbers: Sequence[int], matrix: NDArray[np.float32]) -> ExactIndex:
        """Give an index of these passages, which follows no archive."""
        index = cls()
        index._numbers = np.asarray(numbers, dtype=np.int64)
        index._matrix = matrix if len(matrix) else None
        return index

    def followed(self, archive: Archive) -> ExactIndex:
        """Give an index that knows what came in since; this one stays as it is for those who are searching it."""
        batches = list(archive.vectors(after=self._last))
        if not batches:
            return self
        index = ExactIndex(batches[-1][0][-1])
        index._numbers = np.concatenate([self._numbers, *(np.array(numbers) for numbers, _ in batches)])
        known = [] if self._matrix is None else [self._matrix]
        index._matrix = np.concatenate([*known, *(matrix for _, matrix in batches)])
        return index

    def nearest(self, vector: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        """Give the ids of the at most `k` nearest passages with their cosine similarity, nearest first."""
        if self._matrix is None:
            return []
        likeness = self._matrix @ vector
        best = np.argpartition(-likeness, min(k, len(likeness)) - 1)[:k]
        # Among equals the earlier passage comes first, so that the order never depends on chance.
        order = best[np.lexsort((best, -likeness[best]))]
        return [(int(self._numbers[row]), float(likeness[row])) for row in order]
