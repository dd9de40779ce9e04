"""Limits: how much a reader may bring in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How many files at once and in all, of how many bytes and articles each, for how many seconds of work."""

    files: int = 20
    additions: int = 500
    largest: int = 10_000_000
    articles: int = 200
    seconds: float = 60

    @property
    def megabytes(self) -> str:
        """The largest size, for a person."""
        return f"{self.largest // 1_000_000} MB"
