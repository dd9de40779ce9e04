"""Two processes that take turns: each is asked the same questions, one after the other, and says how long it took."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

from .children import BenchError

WARM_UPS = 5


class Side:
    """A process that was started with `python -m command` and runs `answer_turns`."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._name = name
        self._talk = TemporaryFile()  # noqa: SIM115 # closed on leaving
        self._process = subprocess.Popen(  # noqa: S603 # our own
            [sys.executable, "-m", *command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._talk,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()
        self._talk.close()

    def ask(self, question: str) -> float:
        """Give the milliseconds that it took to search for a question. Raises `BenchError` where it ended."""
        assert self._process.stdin  # noqa: S101 # for the type checker
        assert self._process.stdout  # noqa: S101
        try:
            self._process.stdin.write(f"{json.dumps(question)}\n")
            self._process.stdin.flush()
            return float(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            self._process.wait()
            self._talk.seek(0)
            lines = self._talk.read().decode(errors="replace").strip().splitlines()
            raise BenchError(f"The side {self._name!r} ended: {lines[-1] if lines else 'it said nothing'}") from error


def take_turns(sides: Sequence[Side], questions: Sequence[str]) -> list[list[float]]:
    """Ask all sides each question in turn, after a few that are not counted; give the milliseconds of each side."""
    for question in questions[:WARM_UPS]:
        for side in sides:
            side.ask(f"{question} again")
    pairs = [[side.ask(question) for side in sides] for question in questions]
    return [list(of_side) for of_side in zip(*pairs, strict=True)]


def answer_turns(search: Callable[[str], Sequence[object]]) -> None:
    """Search for the questions that come in, one a line."""
    for line in sys.stdin:
        print(milliseconds(search, json.loads(line)), flush=True)


def milliseconds(search: Callable[[str], Sequence[object]], question: str) -> float:
    """Say how long one search took."""
    started = time.perf_counter()
    search(question)
    return (time.perf_counter() - started) * 1000
