from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag import Article, Passage
from rag.archive import FILE_NAME, WRITER_NAME, Archive, Entry
from rag.embedding import Embedder
from rag.generations import VECTORS, current_name, publish, tidy
from rag.indexing import locked
from rag.leases import READERS
from rag.retrieval import Retriever
from tests.killing import BY_MEANING, Launcher, articles_of, check, check_complete, launcher

FACTS = {"model": "some-model", "model_sha256": "0" * 64, "dimension": "64", "splitter": "some-splitter"}
OWLS = "Three barn owls have nested in the old mill at Ferrow."
BRIDGE = "The stone bridge at Ferrow will close for eleven weeks."
ASKED = "Where have barn owls nested?"
ERROR, FAILED, LOCKED = 1, 2, 4
ONE_INDEX = 15  # what Chroma uses for an index, more or less, in files and in threads
PLAIN_ROOT = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
READING = (
    ("ask", ASKED),
    ("search", ASKED),
    ("article", "owls"),
    ("status",),
    ("verify",),
    ("export",),
)
CHANGING = (("rebuild",), ("remove", "owls"))


def letter(number: int) -> str:
    return f"Letter {number}. {' '.join(f'Word {number * n} of it is new.' for n in range(15))}"


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    with launcher(tmp_path_factory.mktemp("forks") / "notes") as started:
        yield started


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an article about owls and one about a bridge."""
    folder = tmp_path_factory.mktemp("disk") / "news"
    folder.mkdir()
    for name, text in (("owls", OWLS), ("bridge", BRIDGE)):
        (folder / f"{name}.jsonl").write_text(json.dumps({"id": name, "text": text}))
    return folder


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a hundred longer articles, which are stored in several steps."""
    folder = tmp_path_factory.mktemp("disk") / "letters"
    folder.mkdir()
    for number in range(100):
        (folder / f"{number}.txt").write_text(letter(number))
    return folder


@pytest.fixture(scope="module")
def indexed(news: Path, forks: Launcher) -> Path:
    """An archive of the two articles."""
    assert forks.run("index", news, "--archive", news.parent / "indexed").code == 0
    return news.parent / "indexed"


@pytest.fixture
def archive(indexed: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(indexed, tmp_path / "archive"))


@contextmanager
def mounted(place: Path, size: str = "64m") -> Iterator[Path]:
    """Have a disk of its own at a place, or skip the test where that is not allowed."""
    place.mkdir()
    if os.geteuid() or run_quietly("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)):
        pytest.skip("only root may mount")
    try:
        yield place
    finally:
        run_quietly("umount", "-l", str(place))


def remount(place: Path, options: str) -> None:
    assert run_quietly("mount", "-o", f"remount,{options}", str(place)) == 0


def run_quietly(*command: str) -> int:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode
    except FileNotFoundError:
        return 127


def leave(disk: Path, room: int) -> None:
    """Leave so many bytes free on a disk."""
    used = shutil.disk_usage(disk).used
    remount(disk, f"size={used + room}")


def fill(disk: Path) -> None:
    """Leave nothing free on a disk."""
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


def tree(folder: Path) -> dict[str, str]:
    """Give what a folder holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


def told(output: str) -> str:
    """Give the one line with which a command says why it failed."""
    assert "Traceback" not in output
    [line] = [line for line in output.splitlines() if line.startswith("onrecord: ")]
    assert output.splitlines()[-1] == line
    return line


# A full disk


def test_a_full_disk_is_one_line_and_what_was_in_stays_in(
    news: Path, letters: Path, tmp_path: Path, forks: Launcher
) -> None:
    with mounted(tmp_path / "disk") as disk:
        archive = disk / "archive"
        assert forks.run("index", news, "--archive", archive).code == 0
        leave(disk, 100_000)

        full = forks.run("index", letters, "--archive", archive)

        kept = set(articles_of(archive).values())
        check(archive, {OWLS, BRIDGE, *map(letter, range(100))})
        asked = forks.run("ask", ASKED, "--archive", archive)
        remount(disk, "size=64m")
        again = forks.run("index", letters, "--archive", archive)

        check_complete(archive, {OWLS, BRIDGE, *map(letter, range(100))})
    assert full.code == ERROR
    assert "MB are free" in told(full.output)
    assert "Make room" in told(full.output)
    assert {OWLS, BRIDGE} <= kept
    assert (asked.code, OWLS in asked.output) == (0, True)
    assert again.code == 0


def test_a_disk_that_is_full_when_the_index_is_built_loses_nothing(
    indexed: Path, tmp_path: Path, forks: Launcher
) -> None:
    with mounted(tmp_path / "disk") as disk:
        archive = Path(shutil.copytree(indexed, disk / "archive"))
        leave(disk, 100_000)

        full = forks.run("rebuild", "--archive", archive)

        check(archive, {OWLS, BRIDGE})
        asked = forks.run("ask", ASKED, "--archive", archive)
        fill(disk)
        none_left = forks.run("ask", ASKED, "--archive", archive)
        (disk / "filler").unlink()
        remount(disk, "size=64m")
        again = forks.run("rebuild", "--archive", archive)
        check_complete(archive, {OWLS, BRIDGE})
    assert full.code == ERROR
    assert "MB are free" in told(full.output)
    assert (asked.code, OWLS in asked.output) == (0, True)
    assert (none_left.code, OWLS in none_left.output) == (0, True)
    assert again.code == 0


def test_a_limit_on_the_size_of_files_is_one_line_and_what_was_in_stays_in(
    archive: Path, letters: Path, forks: Launcher
) -> None:
    size = (archive / FILE_NAME).stat().st_size

    full = forks.run("index", letters, "--archive", archive, most=size + 30_000)

    check(archive, {OWLS, BRIDGE, *map(letter, range(100))})
    assert full.code == ERROR
    assert "could not be written" in told(full.output)
    assert {OWLS, BRIDGE} <= set(articles_of(archive).values())
    assert forks.run("index", letters, "--archive", archive).code == 0
    check_complete(archive, {OWLS, BRIDGE, *map(letter, range(100))})


@pytest.mark.parametrize("most", [1_000, 20_000, 60_000, 120_000])
def test_a_limit_on_the_size_of_files_spoils_no_index(archive: Path, forks: Launcher, most: int) -> None:
    full = forks.run("rebuild", "--archive", archive, most=most)

    check(archive, {OWLS, BRIDGE})
    assert full.code == ERROR
    assert "MB are free" in told(full.output)
    assert forks.run("rebuild", "--archive", archive).code == 0
    check_complete(archive, {OWLS, BRIDGE})


# What may not be written or read


@contextmanager
def on_a_read_only_disk(archive: Path, tmp_path: Path, forks: Launcher) -> Iterator[tuple[Path, Launcher]]:
    with mounted(tmp_path / "disk") as disk:
        place = Path(shutil.copytree(archive, disk / "archive"))
        remount(disk, "ro")
        yield place, forks


@contextmanager
def in_a_read_only_folder(archive: Path, tmp_path: Path, _: Launcher) -> Iterator[tuple[Path, Launcher]]:
    with without_rights_of_root(tmp_path) as plain:
        folders = [archive, *(path for path in archive.rglob("*") if path.is_dir())]
        for path in archive.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        archive.chmod(0o555)
        yield archive, plain
        for path in folders:
            path.chmod(0o755)


@contextmanager
def without_rights_of_root(tmp_path: Path) -> Iterator[Launcher]:
    """Have commands run with the rights of an ordinary user, who may not write where the mode of a file forbids it."""
    prefix = () if os.geteuid() else PLAIN_ROOT
    if prefix and run_quietly(*prefix, "true"):
        pytest.skip("root cannot do without its rights here")
    with launcher(tmp_path / "plain", prefix) as plain:
        yield plain


@pytest.mark.parametrize("read_only", [on_a_read_only_disk, in_a_read_only_folder])
def test_an_archive_that_can_only_be_read_answers(
    archive: Path,
    news: Path,
    tmp_path: Path,
    forks: Launcher,
    read_only: Callable[[Path, Path, Launcher], AbstractContextManager[tuple[Path, Launcher]]],
) -> None:
    with read_only(archive, tmp_path, forks) as (place, commands):
        before = tree(place)
        read = {name: commands.run(name, *rest, "--archive", place) for name, *rest in READING}
        changed = [commands.run(name, *rest, "--archive", place) for name, *rest in (("index", str(news)), *CHANGING)]
        after = tree(place)

    assert {name: ended.code for name, ended in read.items()} == dict.fromkeys(read, 0)
    assert all(OWLS in read[name].output for name in ("ask", "search", "article", "export"))
    assert [ended.code for ended in changed] == [ERROR] * 3
    assert all("cannot be written" in told(ended.output) for ended in changed)
    assert after == before


@pytest.mark.parametrize("left", ["*-journal", "*-shm"], ids=["log", "log without its index"])
def test_a_log_that_was_left_in_an_archive_that_can_only_be_read_is_never_passed_over(
    archive: Path, tmp_path: Path, forks: Launcher, left: str
) -> None:
    copied = tmp_path / "copied"
    with closing(sqlite3.connect(archive / FILE_NAME)) as writer:
        writer.execute("UPDATE articles SET title = 'Owls in the log' WHERE id = 'owls'")
        writer.commit()
        shutil.copytree(archive, copied, ignore=shutil.ignore_patterns(left))
    assert (copied / f"{FILE_NAME}-wal").stat().st_size

    with in_a_read_only_folder(copied, tmp_path, forks) as (place, commands):
        read = [commands.run(name, *rest, "--archive", place) for name, *rest in READING[:3]]

    if left == "*-shm":  # SQLite cannot read the log without writing its index
        assert [(ended.code, "cannot be read" in told(ended.output)) for ended in read] == [(FAILED, True)] * 3
    else:
        assert [(ended.code, "Owls in the log" in ended.output) for ended in read] == [(0, True)] * 3


def test_an_archive_that_may_not_be_read_is_one_line(archive: Path, news: Path, tmp_path: Path) -> None:
    with without_rights_of_root(tmp_path) as plain:
        archive.chmod(0)
        ended = [
            plain.run(name, *rest, "--archive", archive) for name, *rest in (*READING, *CHANGING, ("index", str(news)))
        ]
        archive.chmod(0o755)

    assert all(run.code in {ERROR, FAILED} for run in ended)
    assert all(str(archive) in told(run.output) for run in ended if run.output.startswith("onrecord"))
    assert not [run.output for run in ended if "Traceback" in run.output]


def test_an_archive_whose_file_may_not_be_read_is_one_line(archive: Path, news: Path, tmp_path: Path) -> None:
    with without_rights_of_root(tmp_path) as plain:
        (archive / FILE_NAME).chmod(0)
        ended = [
            plain.run(name, *rest, "--archive", archive) for name, *rest in (*READING, *CHANGING, ("index", str(news)))
        ]

    assert all(run.code in {ERROR, FAILED} for run in ended)
    assert not [run.output for run in ended if "Traceback" in run.output]


@pytest.mark.parametrize("command", [*READING, *CHANGING], ids=lambda command: command[0])
def test_a_mistyped_path_makes_nothing(tmp_path: Path, forks: Launcher, command: tuple[str, ...]) -> None:
    ended = forks.run(*command, "--archive", tmp_path / "archvie")

    assert ended.code in {ERROR, FAILED}
    assert "Traceback" not in ended.output
    assert str(tmp_path / "archvie") in ended.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [*READING, *CHANGING, ("index", "corpus")], ids=lambda command: command[0])
def test_a_path_to_a_file_is_one_line(tmp_path: Path, forks: Launcher, command: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("in the way")

    ended = forks.run(*command, "--archive", tmp_path / "file")

    assert ended.code in {ERROR, FAILED}
    assert "Traceback" not in ended.output
    assert str(tmp_path / "file") in ended.output
    assert tree(tmp_path) == {"file": hashlib.sha256(b"in the way").hexdigest()}


# Several processes


def test_a_second_writer_is_refused_with_the_process_id_of_the_first(
    letters: Path, archive: Path, tmp_path: Path, forks: Launcher
) -> None:
    with launcher(tmp_path / "notes") as others:
        first = others.start("index", letters, "--archive", archive)
        while not (archive / WRITER_NAME).exists() or not (archive / WRITER_NAME).stat().st_size:
            time.sleep(0.001)
        first.hold()
        begun = time.monotonic()
        second = forks.run("index", letters, "--archive", archive)
        waited = time.monotonic() - begun
        first.kill()
        first.end()
        third = forks.run("index", letters, "--archive", archive)

    assert second.code == LOCKED
    assert f"({first.process}, since " in told(second.output)
    assert waited < 5
    assert third.code == 0


def edition(number: int) -> Entry:
    """Give the newest state of an article in two passages, which have to be of one edition."""
    text = f"Edition {number} has owls.\n\nEdition {number} has bridges."
    places = [(0, text.index("\n")), (text.rindex("E"), len(text))]
    passages = tuple(Passage("news", start, end, text[start:end]) for start, end in places)
    vectors = np.full((2, 64), 0.125, dtype=np.float32)
    return Entry(Article("news", f"Edition {number}", text), passages, vectors)


def old(number: int) -> Entry:
    text = f"Old article {number}."
    vector = np.random.default_rng(number).standard_normal((1, 64)).astype(np.float32)
    unit: NDArray[np.float32] = vector / np.float32(np.linalg.norm(vector))
    return Entry(Article(f"old-{number}", "", text), (Passage(f"old-{number}", 0, len(text), text),), unit)


class Ones:
    """A model for which every text means the same."""

    dimension = 64
    maximum_tokens = 256
    runtime = "none"

    def encode(self, texts: Sequence[str], *, question: bool) -> NDArray[np.float32]:
        return np.full((len(texts), 64), 0.125, dtype=np.float32)

    def count(self, texts: Sequence[str]) -> list[int]:
        return [1 for _ in texts]


def count(folder: str) -> int:
    return len(list(Path(folder).iterdir()))


def read_on(archive: Path, last: int, said: Connection) -> None:
    """Search until the last edition is found; tell what was wrong, and how many files and threads were in use."""
    used, wrong, searches = [], [], 0
    with closing(Retriever(Archive.open(archive), Embedder(Ones()), BY_MEANING)) as retriever:
        said.send("ready")
        title, ends = "", time.monotonic() + 120
        while title != f"Edition {last}" and time.monotonic() < ends:
            found = [hit for hit in retriever.retrieve("news", k=4) if hit.article.id == "news"]
            title = found[0].article.title if found else ""
            whole = edition(int(title.split()[1])) if found else None
            passages = {hit.passage for hit in found}
            if whole is None or {hit.article for hit in found} != {whole.article} or passages != {*whole.passages}:
                wrong.append([(hit.article.title, hit.passage.text) for hit in found])
            used.append((count("/proc/self/fd"), count("/proc/self/task")))
            searches += 1
    said.send((title, searches, wrong, used))


def wait_there(archive: Path, said: Connection) -> None:
    """Have an archive open until the end."""
    with closing(Retriever(Archive.open(archive), Embedder(Ones()), BY_MEANING)) as retriever:
        retriever.retrieve("news", k=1)
        said.send("ready")
        time.sleep(600)


@pytest.fixture
def editions(tmp_path: Path) -> Iterator[Archive]:
    """An archive with an article that is about to change often, and its generation."""
    with Archive.create(tmp_path / "archive", FACTS) as archive:
        archive.put([*map(old, range(50)), edition(0)])
        publish(archive)
        yield archive


@contextmanager
def reader(target: Callable[..., None], *arguments: object) -> Iterator[tuple[SpawnProcess, Connection]]:
    context = multiprocessing.get_context("spawn")
    heard, said = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, said))
    process.start()
    said.close()
    assert heard.recv() == "ready"
    yield process, heard
    process.join()
    process.close()
    heard.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_a_reader_never_sees_half_an_article_while_another_process_writes_200_times(editions: Archive) -> None:
    with reader(read_on, editions.directory, 200) as (_, heard):
        for number in range(1, 201):
            editions.put([edition(number)])
            if number % 20 == 0:
                publish(editions)
        title, searches, wrong, used = heard.recv()

    half = len(used) // 2
    assert (title, wrong) == ("Edition 200", [])
    assert searches > 50
    assert max(files for files, _ in used[half:]) <= max(files for files, _ in used[:half]) + ONE_INDEX
    assert max(threads for _, threads in used[half:]) <= max(threads for _, threads in used[:half]) + ONE_INDEX
    assert list((editions.directory / READERS).iterdir()) == []


def test_a_replaced_generation_answers_until_its_reader_closes_and_is_gone_then(editions: Archive) -> None:
    vectors = editions.directory / VECTORS
    with closing(Retriever(Archive.open(editions.directory), Embedder(Ones()), BY_MEANING)) as retriever:
        before = retriever.retrieve("news", k=2)
        shutil.copytree(vectors, vectors.with_name("kept"))
        publish(editions)
        replaced = sorted(path.name for path in vectors.iterdir())
        shutil.rmtree(vectors)

        assert retriever.retrieve("news", k=2) == before
    assert replaced == ["CURRENT", "gen-000002"]
    assert list((editions.directory / READERS).iterdir()) == []


def test_what_a_killed_reader_left_is_swept_by_the_next_writer(editions: Archive) -> None:
    with reader(wait_there, editions.directory) as (process, _):
        assert len(list((editions.directory / READERS).iterdir())) == 1
        tidy(editions)
        assert len(list((editions.directory / READERS).iterdir())) == 1  # it is in use
        process.kill()
        process.join()
        assert len(list((editions.directory / READERS).iterdir())) == 1
        tidy(editions)

    assert list((editions.directory / READERS).iterdir()) == []
    assert current_name(editions.directory) == "gen-000001"


def test_a_writer_that_holds_the_archive_keeps_no_reader_waiting(archive: Path, forks: Launcher) -> None:
    with locked(archive):
        asked = forks.run("ask", ASKED, "--archive", archive)

    assert (asked.code, OWLS in asked.output) == (0, True)
