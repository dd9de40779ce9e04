"""`onrecord eval bench`: Onrecord beside the stock LlamaIndex pipeline, on the same texts with the same weights."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from rag.articles import Article
from rag.models import PACKAGED_MODEL, find_model
from rag.reading import Refusal, read_articles
from rag.settings import PREFIX

from .children import BenchError, Finished, run_phase
from .measures import Measure, Target, agreement, percentile
from .workspace import Workspace, change_articles, disk_megabytes, write_articles

PEERS = ("llama-index-embeddings-huggingface", "llama-index-vector-stores-chroma")
VERSIONS = ("onrecord", "llama-index-core", *PEERS, "chromadb", "sentence-transformers", "torch", "openvino")
FIRST_ANSWERS = 3
PLAIN_WIDTH = 110
NOTE = (
    "Stock is LlamaIndex's quickstart with SentenceSplitter(256, 20), or its IngestionPipeline with a document store "
    "where that is said; ours are the commands `onrecord index` and `onrecord search`. Each phase ran once, in its own "
    "process, the first answer {answers} times (the median counts). Peak memory is that of the build, and of the "
    "largest process where there were several. Before it, Onrecord had its model prepared for this machine, as is done "
    "once ({prepared:.1f} s)."
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a benchmark found."""

    articles: int
    changed: int
    texts: int
    measures: tuple[Measure, ...]
    versions: dict[str, str]
    cpus: int
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "articles": self.articles,
            "changed": self.changed,
            "texts": self.texts,
            "cpus": self.cpus,
            "versions": self.versions,
            "note": self.note,
            "measures": [measure.to_dict() for measure in self.measures],
        }


def run(file: Path, most: int, keep: Path | None, *, as_json: bool = False) -> None:
    """Run the benchmark and print what it found. Raises `BenchError`."""
    with _workspace(keep) as workspace:
        report = run_bench(file, most, workspace)
    if as_json:
        print(json.dumps(report.to_dict(), ensure_ascii=False, indent=2))
    else:
        print_table(report)


def run_bench(file: Path, most: int, workspace: Workspace, first_answers: int = FIRST_ANSWERS) -> Report:
    """Measure both sides on the first articles of a file. Raises `BenchError`."""
    versions = _versions()
    articles = _read(file, most)
    write_articles(workspace, articles)
    bench = _Bench(workspace, str(find_model(PACKAGED_MODEL)))
    prepared = bench.ours("prepare", "prepare the model for this machine").seconds
    built = _run_round(bench, "build")
    first = _measure_first_answers(bench, first_answers)
    warm = _measure_warm(bench)
    again = _run_round(bench, "nothing changed")
    changed = change_articles(workspace)
    measures = [*_measure_builds(built), *_measure_reruns(built, again), _measure_change(bench)]
    measures += [first, *warm]
    return Report(
        articles=len(articles),
        changed=changed,
        texts=len(workspace.read("texts")["texts"]),
        measures=tuple(measures),
        versions=versions,
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        note=NOTE.format(answers=first_answers, prepared=prepared),
    )


def print_table(report: Report) -> None:
    """Print a report for a person."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PLAIN_WIDTH)
    table = Table("measure")
    for heading in ("stock", "ours", "ratio", "target", "reached"):
        table.add_column(heading, justify="right")
    for measure in report.measures:
        table.add_row(*measure.cells())
    console.print(table)
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    console.print(f"{report.articles:,} articles, {report.changed:,} changed, {report.texts:,} texts embedded alone.")
    console.print(f"{report.note} {report.cpus} CPUs; {versions}.")


@dataclass(frozen=True, slots=True)
class _Bench:
    workspace: Workspace
    model: str

    def index(self, phase: str) -> Finished:
        folders = [str(self.workspace.articles), "--archive", str(self.workspace.ours)]
        return self._run(f"ours: {phase}", "rag", "index", *folders)

    def ask(self, phase: str) -> Finished:
        question = self.workspace.read("questions")[0]
        return self._run(f"ours: {phase}", "rag", "search", "--archive", str(self.workspace.ours), "--", question)

    def ours(self, worker: str, phase: str) -> Finished:
        return self._run(f"ours: {phase}", f"{__package__}.ours", worker, str(self.workspace.folder), PACKAGED_MODEL)

    def stock(self, worker: str, phase: str) -> Finished:
        return self._run(f"stock: {phase}", f"{__package__}.stock", worker, str(self.workspace.folder), self.model)

    def rows(self) -> int:
        return int(self.ours("rows", "count the passages").result()["rows"])

    def _run(self, phase: str, *command: str) -> Finished:
        return run_phase(phase, command, _environment(self.model))


@dataclass(frozen=True, slots=True)
class _Round:
    """One run over all articles on each side, and the rows that each has then."""

    ours: Finished
    stock: Finished
    ingestion: Finished
    rows: int
    disk_megabytes: tuple[float, float, float]

    @property
    def stock_rows(self) -> int:
        return int(self.stock.result()["rows"])

    @property
    def ingestion_rows(self) -> int:
        return int(self.ingestion.result()["rows"])


def _run_round(bench: _Bench, phase: str) -> _Round:
    ours = bench.index(phase)
    stock = bench.stock("build", phase)
    ingestion = bench.stock("ingest", f"{phase}, IngestionPipeline")
    workspace = bench.workspace
    # Measured before the worker that counts the rows opens the archive.
    disk = disk_megabytes(workspace.ours), disk_megabytes(workspace.stock), disk_megabytes(workspace.ingestion)
    return _Round(ours, stock, ingestion, bench.rows(), disk)


def _measure_builds(built: _Round) -> list[Measure]:
    ours, stock, ingestion = built.disk_megabytes
    return [
        Measure("build", "s", built.stock.seconds, built.ours.seconds, target=Target("ratio", 4.5)),
        Measure("build, IngestionPipeline", "s", built.ingestion.seconds, built.ours.seconds),
        Measure("rows", "rows", built.stock_rows, built.rows, "neither"),
        Measure("peak memory", "MB", built.stock.peak_megabytes, built.ours.peak_megabytes, target=Target("ratio", 2)),
        Measure("size on disk", "MB", stock, ours, target=Target("ratio", 3)),
        Measure("size on disk, IngestionPipeline", "MB", ingestion, ours),
    ]


def _measure_reruns(built: _Round, again: _Round) -> list[Measure]:
    growth = again.rows / built.rows
    stock, ingestion = again.stock_rows / built.stock_rows, again.ingestion_rows / built.ingestion_rows
    once = Target("at most", 1)
    return [
        Measure("nothing changed", "s", again.stock.seconds, again.ours.seconds, target=Target("ratio", 40)),
        Measure(
            "nothing changed, IngestionPipeline",
            "s",
            again.ingestion.seconds,
            again.ours.seconds,
            target=Target("ratio", 40),
        ),
        Measure("rows then, times those before", "", stock, growth, "neither", once),
        Measure("rows then, IngestionPipeline", "", ingestion, growth, "neither", once),
    ]


def _measure_change(bench: _Bench) -> Measure:
    ours = bench.index("1 % changed")
    ingestion = bench.stock("ingest", "1 % changed, IngestionPipeline")
    return Measure("1 % changed, IngestionPipeline", "s", ingestion.seconds, ours.seconds, target=Target("ratio", 10))


def _measure_first_answers(bench: _Bench, times: int) -> Measure:
    pairs = [
        (bench.stock("answer", "first answer").seconds_to_output, bench.ask("first answer").seconds_to_output)
        for _ in range(times)
    ]
    stock, ours = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    return Measure("first answer from process start", "s", stock, ours, target=Target("ratio", 5))


def _measure_warm(bench: _Bench) -> list[Measure]:
    # Ours first: it cuts the texts that both embed.
    ours = bench.ours("warm", "warm search and embedding").result()
    stock = bench.stock("warm", "warm search and embedding").result()
    return [*_measure_searches(stock["milliseconds"], ours["milliseconds"]), *_measure_embedding(bench, stock, ours)]


def _measure_searches(stock: Sequence[float], ours: Sequence[float]) -> list[Measure]:
    shares = {"p50": 0.5, "p95": 0.95}
    return [
        Measure(f"warm search {name}", "ms", percentile(stock, share), percentile(ours, share))
        for name, share in shares.items()
    ]


def _measure_embedding(bench: _Bench, stock: dict[str, Any], ours: dict[str, Any]) -> list[Measure]:
    tokens = bench.workspace.read("texts")["tokens"]
    same = agreement(bench.workspace.vectors("stock"), bench.workspace.vectors("ours"))
    speed = tokens / stock["seconds"], tokens / ours["seconds"]
    return [
        Measure("embedding", "tokens/s", *speed, "more", Target("ratio", 4.5)),
        Measure("top-10 agreement of the embeddings", "", 1, same, "neither", Target("at least", 0.99)),
    ]


@contextmanager
def _workspace(keep: Path | None) -> Iterator[Workspace]:
    if keep is None:
        with TemporaryDirectory(prefix="bench-") as folder:
            yield Workspace(Path(folder).resolve())
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        occupied = any(keep.iterdir())
    except OSError as error:
        raise BenchError(f"The folder {keep} cannot be used ({error.strerror}). Give another to --keep.") from error
    if occupied:
        raise BenchError(f"The folder {keep} is not empty. Give a new or an empty one to --keep.")
    yield Workspace(keep.resolve())


def _read(file: Path, most: int) -> list[Article]:
    if not file.is_file():
        raise BenchError(f"There is no file {file}. Give one with an article a line, .jsonl or .jsonl.gz.")
    articles = list(islice((found for found in read_articles(file) if not isinstance(found, Refusal)), most))
    if not articles:
        raise BenchError(
            f"No article could be read from {file}. Give a file with an article a line, .jsonl or .jsonl.gz."
        )
    return articles


def _versions() -> dict[str, str]:
    """Give the versions of what is measured. Raises `BenchError` where the other side is not installed."""
    versions = {name: _version(name) for name in VERSIONS}
    if missing := " and ".join(name for name in PEERS if not versions[name]):
        raise BenchError(
            f'The benchmark needs {missing}, which is not installed. Install it with: pip install "onrecord[bench]"'
        )
    return {"python": platform.python_version()} | {name: version for name, version in versions.items() if version}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _environment(model: str) -> dict[str, str]:
    """Give the environment of all phases: no settings of this machine's user, and no look at the network."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    offline = {"HF_HUB_OFFLINE": "1"} if Path(model).is_dir() else {}
    # A terminal shows a line as soon as it is printed; a pipe would get it when the process ends.
    return environment | offline | {"PYTHONUNBUFFERED": "1"}
