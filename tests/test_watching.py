from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from index.status import read_status
from index.watching import RETRY_SECONDS, Watcher, watch
from rag import NothingReadable, Settings
from rag.archive import Archive
from rag.embedding import Embedder
from rag.indexing import locked
from rag.retrieval import Retriever

SECONDS = 30.0
OWLS = "Three barn owls have nested in the old mill at Ferrow."
BRIDGE = "The stone bridge at Ferrow will close for eleven weeks."


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Watching:
    """A process that watches a folder in which its archive lies too, and what it says line by line."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.archive = folder / "archive"
        command = [
            sys.executable,
            "-m",
            "rag",
            "index",
            str(folder),
            "--archive",
            str(self.archive),
            "--watch",
            *options,
        ]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        # Whoever runs the tests in the background of a shell has them ignore Ctrl-C, and all that they start.
        self.process = subprocess.Popen(command, preexec_fn=_heed_interrupts, **pipes)  # noqa: PLW1509
        self._lines: dict[str, queue.Queue[str]] = {"out": queue.Queue(), "err": queue.Queue()}
        self._threads = [
            threading.Thread(target=self._read, args=("out", self.process.stdout)),
            threading.Thread(target=self._read, args=("err", self.process.stderr)),
        ]
        for thread in self._threads:
            thread.start()

    def out(self) -> str:
        return self._lines["out"].get(timeout=SECONDS)

    def err(self) -> str:
        """Give the next line of what is told, but for the steps of the work."""
        while (line := self._lines["err"].get(timeout=SECONDS)).endswith(" ..."):
            pass
        return line

    def is_silent(self) -> bool:
        return all(lines.empty() for lines in self._lines.values())

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(SECONDS)
        self.close()
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def _read(self, name: str, stream: Iterable[str]) -> None:
        for line in stream:
            self._lines[name].put(line.rstrip("\n"))


def nearest(archive: Path, embedder: Embedder) -> list[str]:
    """Give what is found for a question about the bridge, nearest first."""
    with closing(Retriever(Archive.open(archive), embedder)) as retriever:
        return [found.passage.text for found in retriever.retrieve("How long will the bridge be closed?")]


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    """A process that watches a folder with one article, after its first round; the tests below follow one another."""
    folder = tmp_path_factory.mktemp("watched") / "news"
    folder.mkdir()
    (folder / "owls.txt").write_text(OWLS)
    process = Watching(folder)
    try:
        assert process.out() == f"1 article in {folder}/archive: 1 added, 0 removed, 0 files unchanged, 0 refused."
        assert process.err() == f"Watching {folder}. Stop with Ctrl-C."
        yield process
    finally:
        process.close()


def test_what_changes_is_brought_in_and_can_be_found(watching: Watching, embedder: Embedder) -> None:
    folder = watching.folder

    (folder / "bridge.txt").write_text(BRIDGE)
    came = watching.out()
    found = nearest(watching.archive, embedder)
    (folder / "owls.txt").rename(folder / "birds.txt")
    moved = watching.out()
    (folder / "bridge.txt").unlink()
    left = watching.out()

    where = f"in {folder}/archive:"
    assert came == f"2 articles {where} 1 added, 0 removed, 1 file unchanged, 0 refused."
    assert found == [BRIDGE, OWLS]
    assert moved == f"2 articles {where} 0 added, 0 removed, 1 file unchanged, 1 file moved, 0 refused."
    assert left == f"1 article {where} 0 added, 1 removed, 1 file unchanged, 0 refused."


def test_what_changes_nothing_is_not_told_and_the_archive_starts_no_round(watching: Watching) -> None:
    folder = watching.folder
    (folder / "page.pdf").touch()
    refused, line = watching.err(), watching.out()
    (folder / "birds.txt").touch()
    time.sleep(1.5)
    (folder / "archive" / "note.txt").write_text("A note.")
    synchronised = read_status(watching.archive).synchronised
    time.sleep(2)

    assert refused.startswith(f"refused  {folder}/page.pdf: a PDF file; ")
    assert line.endswith(": 0 added, 0 removed, 1 file unchanged, 1 refused.")
    assert watching.is_silent()
    assert read_status(watching.archive).synchronised == synchronised


def test_a_round_that_must_wait_for_another_writer_is_made_up_for(watching: Watching) -> None:
    with locked(watching.archive):
        (watching.folder / "bridge.txt").write_text(BRIDGE)
        told = watching.err()
        time.sleep(RETRY_SECONDS + 0.5)

    assert told.startswith("onrecord: Another process (")
    assert watching.out().startswith("2 articles ")
    assert watching.is_silent()


def test_a_folder_that_is_taken_away_and_put_back_is_watched_again(watching: Watching) -> None:
    folder = watching.folder
    away = folder.rename(folder.with_name("away"))
    (away / "barn.txt").write_text("The barn at Ferrow burned down.")
    time.sleep(1)
    away.rename(folder)
    came = watching.out()
    (folder / "barn.txt").unlink()

    assert came.startswith("3 articles ")
    assert watching.out().startswith("2 articles ")


def test_ctrl_c_ends_it_well(watching: Watching) -> None:
    assert watching.end(signal.SIGINT) == 0
    assert watching.err() == "Stopped watching. The archive holds what was read so far."
    assert watching.is_silent()


def test_an_empty_folder_is_watched_until_something_comes(tmp_path: Path) -> None:
    process = Watching(tmp_path, "--json")
    try:
        assert process.err().startswith(f"onrecord: No article could be read in {tmp_path}. ")
        assert process.err().startswith("Watching ")
        (tmp_path / "owls.txt").write_text(OWLS)

        assert process.out() == (
            '{"added": 1, "removed": 0, "unchanged_files": 0, "moved_files": 0, "duplicate_files": 0, "articles": 1, '
            '"trouble": "", "refusals": []}'
        )
        assert process.end(signal.SIGTERM) == 0
    finally:
        process.close()


def test_a_folder_that_is_not_there_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(NothingReadable, match="There is no folder"):
        watch([tmp_path / "missing"], Settings(archive=tmp_path / "archive"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        ("news/a.txt", True),
        ("news/deep/er/a.txt", True),
        ("news/archive/archive.sqlite3-wal", False),
        ("news/archive", False),
        ("news/archives/a.txt", True),
        ("one.txt", True),
        ("other.txt", False),
    ],
)
def test_only_what_is_indexed_matters(tmp_path: Path, path: str, matters: bool) -> None:
    watcher = Watcher([tmp_path / "news", tmp_path / "one.txt"], Settings(archive=tmp_path / "news" / "archive"))

    assert watcher._matters(tmp_path / path) == matters
