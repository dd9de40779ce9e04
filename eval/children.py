"""Phases as processes of their own: how long one took, what it printed, how much memory it had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

from rag.errors import RagError

RSS_UNIT = 1 if sys.platform == "darwin" else 1024
PIECE_BYTES = 1 << 16


class BenchError(RagError):
    """A benchmark cannot be run, or one of its phases failed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A phase that ended well; `peak_megabytes` is that of the largest of its process and that one's children."""

    output: str
    seconds: float
    seconds_to_output: float
    peak_megabytes: float

    def result(self) -> Any:
        """Give what a worker printed last, which is JSON."""
        return json.loads(self.output.splitlines()[-1])


def run_phase(phase: str, command: Sequence[str], environment: Mapping[str, str]) -> Finished:
    """Run `python -m command` to its end. Raises `BenchError` with the last line it said where it fails."""
    print(f"{phase} ...", file=sys.stderr, flush=True)
    with TemporaryFile() as talk:
        status, finished = _run([sys.executable, "-m", *command], environment, talk)
        if status:
            talk.seek(0)
            lines = talk.read().decode(errors="replace").split("\n")
            said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
            raise BenchError(f"The phase {phase!r} failed with exit code {status}: {said}")
    print(f"{phase}: {finished.seconds:.2f} s", file=sys.stderr, flush=True)
    return finished


def _run(command: Sequence[str], environment: Mapping[str, str], talk: IO[bytes]) -> tuple[int, Finished]:
    started = told = time.perf_counter()
    pieces = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=talk, env=environment) as process:  # noqa: S603 # our own
        assert process.stdout  # noqa: S101 # for the type checker
        while piece := os.read(process.stdout.fileno(), PIECE_BYTES):
            pieces.append(piece)
            told = time.perf_counter()
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.perf_counter()
        process.returncode = os.waitstatus_to_exitcode(status)
    output = b"".join(pieces).decode()
    return process.returncode, Finished(output, ended - started, told - started, usage.ru_maxrss * RSS_UNIT / 1e6)
