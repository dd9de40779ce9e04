"""`onrecord eval speed`: how fast search is in an archive of a given size, and how exact."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from rag.models import PACKAGED_MODEL, find_model
from rag.settings import PREFIX

from .children import BenchError, Finished, run_phase
from .measures import DECIMALS, Target, percentile
from .turns import Side, take_turns
from .workspace import Workspace, disk_megabytes

PEERS = ("llama_index.embeddings.huggingface", "llama_index.vector_stores.chroma")
QUESTIONS = 200
FIRST_SEARCHES = 3
INTERLEAVED = 100
# The limits of warm search: half and 95 % of the questions are answered within so many milliseconds.
LARGE = 100_000
LIMITS, LIMITS_OF_LARGER = {"p50": 15.0, "p95": 40.0}, {"p50": 40.0}
SHARES = {"p50": 0.5, "p95": 0.95}
PLAIN_WIDTH = 110
NOTE = (
    "The texts are put together from sentences of real ones, and most vectors are real ones that were moved. Every "
    "question is asked once, its embedding included; the ratio is that of two processes that take turns over the same "
    "texts and vectors, the other one with the stock retriever of LlamaIndex over Chroma."
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured, and what is wanted of it."""

    name: str
    unit: str
    value: float
    target: Target | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached, where there is one."""
        if self.target is None:
            return None
        return self.value <= self.target.value if self.target.of == "at most" else self.value >= self.target.value

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self) | {"reached": self.reached}

    def cells(self) -> tuple[str, str, str, str]:
        """Give it as a row of a table: figure, value, limit, met."""
        value = f"{self.value:,.{DECIMALS.get(self.unit, 4)}f} {self.unit}".strip()
        return self.name, value, str(self.target or ""), {None: "", True: "yes", False: "no"}[self.reached]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found for an archive of so many passages."""

    passages: int
    figures: tuple[Figure, ...]
    cpus: int
    python: str

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self) | {"note": NOTE, "figures": [figure.to_dict() for figure in self.figures]}


def run(passages: int, articles: Path | None, keep: Path | None, *, peer: bool, as_json: bool) -> None:
    """Measure and print what was found. Raises `BenchError`."""
    if peer and not all(map(_is_installed, PEERS)):
        raise BenchError('The other side is not installed. Install it with: pip install "onrecord[bench]"; or: --alone')
    with _workspace(keep) as workspace:
        report = run_speed(passages, articles, workspace, peer=peer)
    if as_json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        print_table(report)


def run_speed(
    passages: int, articles: Path | None, workspace: Workspace, *, peer: bool = True, questions: int = QUESTIONS
) -> Report:
    """Measure search in an archive of so many made-up passages, made first unless it is there. Raises `BenchError`."""
    bench = _Bench(workspace, str(find_model(PACKAGED_MODEL)))
    file = str(articles.resolve()) if articles else ""
    figures = [*_make(bench, {"passages": passages, "articles": file, "questions": questions})]
    figures += [*_measure_warm(bench, passages), _measure_first(bench)]
    figures += [*_measure_exactness(bench), *_measure_filters(bench), *_measure_threads(bench)]
    if peer:
        figures += _measure_peer(bench)
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Report(passages, tuple(figures), cpus, platform.python_version())


def print_table(report: Report) -> None:
    """Print a report for a person."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PLAIN_WIDTH)
    table = Table("figure")
    for heading in ("value", "limit", "met"):
        table.add_column(heading, justify="right")
    for figure in report.figures:
        table.add_row(*figure.cells())
    console.print(table)
    console.print(f"{report.passages:,} passages, {report.cpus} CPUs, Python {report.python}. {NOTE}")


@dataclass(frozen=True, slots=True)
class _Bench:
    workspace: Workspace
    model: str

    def ours(self, worker: str, phase: str) -> Finished:
        return run_phase(phase, self._command("searching", worker, PACKAGED_MODEL), _environment())

    def stock(self, worker: str, phase: str) -> Finished:
        return run_phase(phase, self._command("stock_search", worker, self.model), _environment())

    def search(self) -> Finished:
        question = self.workspace.read("questions")[0]
        command = ["rag", "search", "--archive", str(self.workspace.ours), "--", question]
        return run_phase("first search", command, _environment())

    def take_turns(self) -> list[list[float]]:
        ours = self._command("searching", "turns", PACKAGED_MODEL)
        stock = self._command("stock_search", "turns", self.model)
        with Side("ours", ours, _environment()) as one, Side("stock", stock, _environment()) as other:
            return take_turns([one, other], self.workspace.read("questions")[:INTERLEAVED])

    def _command(self, module: str, worker: str, model: str) -> list[str]:
        return [f"{__package__}.{module}", worker, str(self.workspace.folder), model]


def _make(bench: _Bench, plan: dict[str, Any]) -> Iterator[Figure]:
    if (bench.workspace.folder / "made.json").exists():
        if (made := bench.workspace.read("made")) != plan:
            raise BenchError(f"In {bench.workspace.folder} lies another archive, of {made}. Give another to --keep.")
        return
    bench.workspace.write("plan", plan)
    finished = bench.ours("make", "make the archive")
    bench.workspace.write("made", plan)
    yield Figure("making the archive", "s", finished.seconds)
    yield Figure("of that, both indexes", "s", finished.result()["publishing"])


def _measure_warm(bench: _Bench, passages: int) -> Iterator[Figure]:
    finished = bench.ours("warm", "warm search")
    yield from _percentiles("warm search", finished.result()["milliseconds"], _limits(passages))
    yield Figure("peak memory of that process", "MB", finished.peak_megabytes)
    yield Figure("archive on disk", "MB", disk_megabytes(bench.workspace.ours))


def _measure_first(bench: _Bench) -> Figure:
    seconds = min(bench.search().seconds_to_output for _ in range(FIRST_SEARCHES))
    return Figure(f"first search from process start, best of {FIRST_SEARCHES}", "s", seconds, Target("at most", 1.3))


def _measure_exactness(bench: _Bench) -> Iterator[Figure]:
    found = bench.ours("exact", "compare with exact search").result()
    yield Figure("agreement at 10 with exact search", "", found.pop("all"), Target("at least", 0.99))
    for name, share in found.items():
        yield Figure(f"least agreement behind 1 % by {name}", "", share, Target("at least", 1))


def _measure_filters(bench: _Bench) -> Iterator[Figure]:
    for name, found in bench.ours("filtered", "search behind filters").result().items():
        yield Figure(f"{name}, first search", "ms", found["first"])
        yield from _percentiles(name, found["milliseconds"], {})


def _measure_threads(bench: _Bench) -> Iterator[Figure]:
    for count, speed in bench.ours("threads", "search by several threads").result().items():
        yield Figure(f"threads: {count}", "questions/s", speed)


def _measure_peer(bench: _Bench) -> Iterator[Figure]:
    if not (bench.workspace.folder / "stock.json").exists():
        rows = bench.stock("build", "fill the store of the other side").result()
        bench.workspace.write("stock", rows)
    ours, stock = bench.take_turns()
    for name, share in SHARES.items():
        yield Figure(f"in turns: stock {name}", "ms", percentile(stock, share))
        yield Figure(f"in turns: ours {name}", "ms", percentile(ours, share))
    yield Figure("so many times faster at p50", "", percentile(stock, 0.5) / percentile(ours, 0.5), Target("ratio", 3))


def _percentiles(name: str, values: Sequence[float], limits: dict[str, float]) -> Iterator[Figure]:
    for kind, share in SHARES.items():
        target = Target("at most", limits[kind]) if kind in limits else None
        yield Figure(f"{name} {kind}", "ms", percentile(values, share), target)


def _limits(passages: int) -> dict[str, float]:
    return LIMITS if passages <= LARGE else LIMITS_OF_LARGER


@contextmanager
def _workspace(keep: Path | None) -> Iterator[Workspace]:
    if keep is None:
        with TemporaryDirectory(prefix="speed-") as folder:
            yield Workspace(Path(folder).resolve())
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        occupied = any(keep.iterdir()) and not (keep / "made.json").exists()
    except OSError as error:
        raise BenchError(f"The folder {keep} cannot be used ({error.strerror}). Give another to --keep.") from error
    if occupied:
        raise BenchError(f"The folder {keep} holds something else. Give a new one to --keep, or one it was given.")
    yield Workspace(keep.resolve())


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _environment() -> dict[str, str]:
    """Give the environment of all phases: no settings of this machine's user, and no look at the network."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return environment | {"PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"}
