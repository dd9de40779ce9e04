"""Processes of ours that are killed, and what an archive must be afterwards.

`python -m tests.killing` imports all that the commands need, once, and then forks a process for each order on stdin: so
a process that runs a real command costs milliseconds to start, and can be killed a hundred times.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from rag.archive import FILE_NAME, Archive
from rag.channels import Hit, Meaning, deepened
from rag.fusion import Ranking
from rag.generations import VECTORS, damage
from rag.leases import READERS
from rag.scanning import ExactIndex

ROOT = Path(__file__).parent.parent
_READ_BUT_EMPTY = "SELECT path FROM files WHERE state = 'indexed' AND path NOT IN (SELECT path FROM origins)"
KILLED = -signal.SIGKILL
BY_MEANING = Ranking(channels=("meaning",), per_article=10_000)  # what the vector index alone gives


class Step(NamedTuple):
    """A line of the library as a process comes to it for the so-manieth time."""

    module: str
    function: str
    line: int
    time: int


@dataclass(frozen=True, slots=True)
class Order:
    """A command to run; `modules` are watched line by line, and at `step` the process is killed.

    `most` is how many bytes a file may have that it writes; 0 sets no limit.
    """

    arguments: Sequence[str]
    modules: Sequence[str] = ()
    step: Step | None = None
    most: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit code, what it said, and the watched lines that it came to."""

    code: int
    output: str
    steps: list[Step]


class Run:
    """A process that runs a command."""

    def __init__(self, process: int, end: Callable[[], Ended]) -> None:
        self.process = process
        self.end = end

    def kill(self) -> None:
        """Do to it what `kill -9` does."""
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)

    def hold(self) -> None:
        """Let it stand still where it is."""
        os.kill(self.process, signal.SIGSTOP)


class Launcher:
    """Starts processes that run commands, one at a time."""

    def __init__(self, notes: Path, process: subprocess.Popen[str]) -> None:
        self._notes = notes
        self._process = process

    def start(
        self, *arguments: str | Path, modules: Sequence[str] = (), step: Step | None = None, most: int = 0
    ) -> Run:
        """Start `onrecord` with these arguments."""
        self._say(json.dumps(asdict(Order([str(argument) for argument in arguments], modules, step, most))))
        return Run(self._heard()["process"], self._ended)

    def run(
        self, *arguments: str | Path, modules: Sequence[str] = (), step: Step | None = None, most: int = 0
    ) -> Ended:
        """Run `onrecord` with these arguments to its end."""
        return self.start(*arguments, modules=modules, step=step, most=most).end()

    def _ended(self) -> Ended:
        self._say("end")  # until then it is there to be killed, dead or alive
        steps = self._notes / "steps"
        code, output = self._heard()["code"], (self._notes / "output").read_text()
        return Ended(code, output, [Step(*step) for step in json.loads(steps.read_text())] if steps.exists() else [])

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _heard(self) -> dict[str, int]:
        assert self._process.stdout is not None
        told: dict[str, int] = json.loads(self._process.stdout.readline())
        return told


@contextmanager
def launcher(notes: Path, prefix: Sequence[str] = ()) -> Iterator[Launcher]:
    """Have a process from which others are forked, started by `prefix`; `notes` is a folder for what they say."""
    notes.mkdir()
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [*prefix, sys.executable, "-m", "tests.killing", str(notes)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Launcher(notes, process)
        assert process.stdin is not None
        process.stdin.close()


# What an archive must be


def articles_of(archive: Path) -> dict[str, str]:
    """Give the texts of all articles by their ids, as another process sees them at this moment."""
    path = archive / FILE_NAME
    if not path.exists():
        return {}
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        try:
            return dict(connection.execute("SELECT id, text FROM articles"))
        except sqlite3.OperationalError:  # it is being made
            return {}


def passages_of(archive: Path) -> dict[str, list[tuple[int, int]]]:
    """Give where the passages of each article begin and end."""
    found: dict[str, list[tuple[int, int]]] = {}
    with Archive.open(archive) as opened:
        for batch in opened.passages_after(0):
            for _, passage, _ in batch:
                found.setdefault(passage.article_id, []).append((passage.start, passage.end))
    return {article_id: sorted(places) for article_id, places in found.items()}


def check(archive: Path, known: Collection[str]) -> None:
    """See that an archive holds whole articles only, each once, all of them known, and that search finds them."""
    with closing(Archive.open(archive)) as opened:
        assert opened.database.read("PRAGMA quick_check") == [("ok",)]
        assert opened.database.read("PRAGMA foreign_key_check") == []
        assert opened.database.read(_READ_BUT_EMPTY) == []
        texts = articles_of(archive)
        assert len(set(texts.values())) == len(texts)
        assert set(texts.values()) <= set(known)
        _check_passages(passages_of(archive), texts)
        check_search(opened)


def check_complete(archive: Path, known: Collection[str]) -> None:
    """See that an archive holds all that is known, is as a verification wants it, and has nothing left over."""
    check(archive, known)
    assert sorted(articles_of(archive).values()) == sorted(known)
    with closing(Archive.open(archive)) as opened:
        assert not (found := damage(opened)), found
    names = sorted(path.name for path in (archive / VECTORS).iterdir())
    assert [name.partition("-")[0] for name in names] == ["CURRENT", "gen"]
    assert list((archive / READERS).iterdir()) == []


def check_search(archive: Archive, most: int = 4) -> None:
    """See that a search for stored vectors finds what a scan over all of them finds, up to ties."""
    numbers, matrix = stored_vectors(archive)
    if not numbers:
        return
    everything = ExactIndex().followed(archive)
    rows = {number: row for row, number in enumerate(numbers)}
    with closing(Meaning(archive)) as meaning:
        for number in numbers[:: max(1, len(numbers) // most)]:
            query = matrix[rows[number]]
            expected = [score for _, score in everything.nearest(query, 10)]
            found = deepened(partial(meaning.best, query), partial(_still_there, rows), 10)
            np.testing.assert_allclose([score for _, score in found], expected, atol=1e-4)
            assert len(dict(found)) == len(found)
            cosines = [float(matrix[rows[each]] @ query) for each, _ in found]
            np.testing.assert_allclose(cosines, [score for _, score in found], atol=1e-4)


def _still_there(rows: Mapping[int, int], hits: Sequence[Hit]) -> list[Hit]:
    return [hit for hit in hits if hit[0] in rows]


def stored_vectors(archive: Archive) -> tuple[list[int], NDArray[np.float32]]:
    """Give all passages of an archive with their vectors."""
    batches = list(archive.vectors())
    numbers = [number for batch, _ in batches for number in batch]
    return numbers, np.concatenate([matrix for _, matrix in batches]) if batches else np.empty((0, 0), np.float32)


class StoredVectors:
    """A model that knows only the vectors of an archive: a question is the number of a passage."""

    maximum_tokens = 256
    runtime = "none"

    def __init__(self, numbers: Sequence[int], matrix: NDArray[np.float32]) -> None:
        self._vectors = dict(zip(map(str, numbers), matrix, strict=True))
        self.dimension = matrix.shape[1]

    def encode(self, texts: Sequence[str], *, question: bool) -> NDArray[np.float32]:
        """Give the vectors of the passages of these numbers."""
        return np.stack([self._vectors[text] for text in texts])

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count the words."""
        return [len(text.split()) for text in texts]


def _check_passages(passages: dict[str, list[tuple[int, int]]], texts: dict[str, str]) -> None:
    assert passages.keys() == texts.keys()
    for article_id, places in passages.items():
        text = texts[article_id]
        assert not text[: places[0][0]].strip()
        assert not text[places[-1][1] :].strip()
        assert all(not text[end:start].strip() for (_, end), (start, _) in pairwise(places))
        assert len(set(places)) == len(places)


# The process that forks the others


def _serve(notes: Path) -> None:
    _import_all()
    while line := sys.stdin.readline():
        order = Order(**json.loads(line))
        (notes / "steps").unlink(missing_ok=True)
        process = os.fork()
        if not process:
            _become(notes, replace(order, step=Step(*order.step) if order.step else None))
        _tell({"process": process})
        sys.stdin.readline()
        _, status = os.waitpid(process, 0)
        _tell({"code": os.waitstatus_to_exitcode(status)})


def _import_all() -> None:
    import importlib

    from rag.indexing import archive_facts
    from rag.settings import Settings

    for name in ("chromadb", "rag.cli", "rag.index.command", "rag.retrieval", "rag.lexical"):
        importlib.import_module(name)
    archive_facts(Settings())  # the model's files are hashed once
    assert threading.active_count() == 1


def _tell(told: dict[str, int]) -> None:
    print(json.dumps(told), flush=True)


def _become(notes: Path, order: Order) -> NoReturn:
    """Run a command in this process, which then ends without returning to what it was forked from."""
    output = os.open(notes / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 70
    steps: list[Step] = []
    try:
        if order.most:
            resource.setrlimit(resource.RLIMIT_FSIZE, (order.most, order.most))
        _watch(order, steps)
        code = _run(order.arguments)
    except BaseException:  # noqa: BLE001 # told by the exit code and in the output
        import traceback

        traceback.print_exc()
    finally:
        sys.settrace(None)
        if order.modules:
            (notes / "steps").write_text(json.dumps(steps))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(arguments: Sequence[str]) -> int:
    from rag.cli import main

    try:
        main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _watch(order: Order, steps: list[Step]) -> None:
    """Write down each line of the modules that is come to, and die at the one that was named."""
    times = Counter[tuple[str, int]]()
    names = {str(ROOT / "rag" / f"{module}.py"): module for module in order.modules}

    def within(frame: FrameType, event: str, _: object) -> object:
        if event == "line":
            place = names[frame.f_code.co_filename], frame.f_lineno
            times[place] += 1
            steps.append(Step(place[0], frame.f_code.co_name, place[1], times[place]))
            if steps[-1] == order.step:
                os.kill(os.getpid(), signal.SIGKILL)
        return within

    def called(frame: FrameType, _: str, __: object) -> object:
        return within if frame.f_code.co_filename in names else None

    if names:
        threading.settrace(called)  # type: ignore[arg-type]
        sys.settrace(called)  # type: ignore[arg-type]


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
