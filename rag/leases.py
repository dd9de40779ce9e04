"""Leases: the files of a generation as one reader has them, which nobody can take away or change."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import ArchiveDamaged, ArchiveError
from rag.publications import check_file

READERS, LOCK = "readers", "lock"
ATTEMPTS = 10
WRITTEN_WHEN_OPENED = "chroma.sqlite3"


class Lease:
    """A folder of one reader, with links to the files that are never written; the next writer removes it if we die."""

    def __init__(self, directory: Path, lock: FileLock) -> None:
        self.directory = directory
        self._lock = lock

    @classmethod
    def take(cls, archive: Path) -> Lease:
        """Make a folder of our own in the archive, or elsewhere if nothing can be written there."""
        for _ in range(ATTEMPTS):
            directory = _new_folder(archive)
            lock = FileLock(directory / LOCK)
            # A writer that sweeps may come before us, and take the folder for a dead reader's.
            with suppress(Timeout, FileNotFoundError):
                lock.acquire(timeout=0)
                if (directory / LOCK).exists():
                    return cls(directory, lock)
            lock.release()
        raise ArchiveError(f"No folder for reading could be made in {archive / READERS}. Try again in a moment.")

    def hold(self, published: Path, files: Mapping[str, str]) -> None:
        """Take the files of a generation, given with their seals. Raises `ArchiveDamaged` where one has changed."""
        for name, seal in files.items():
            place = self.directory / name
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                link_or_copy(published / name, place)
            except OSError as error:
                raise ArchiveDamaged(f"{name} cannot be read ({error.strerror})") from error
            check_file(place, seal)

    def give_back(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self._lock.release()


def _new_folder(archive: Path) -> Path:
    readers = archive / READERS
    try:
        readers.mkdir(exist_ok=True)
        return Path(tempfile.mkdtemp(dir=readers))
    except OSError:  # the archive can only be read
        return Path(tempfile.mkdtemp(prefix="onrecord-"))


@contextmanager
def leased(archive: Path) -> Iterator[Lease]:
    """Have a lease for as long as the block lasts."""
    lease = Lease.take(archive)
    try:
        yield lease
    finally:
        lease.give_back()


def sweep_leases(archive: Path) -> None:
    """Remove what readers left that were killed."""
    for directory in (archive / READERS).glob("*"):
        with suppress(Timeout, OSError), FileLock(directory / LOCK, timeout=0):
            shutil.rmtree(directory, ignore_errors=True)


def link_or_copy(source: str | Path, place: str | Path) -> None:
    """Link a file that is never written again, and copy the one that Chroma writes to whenever it is opened."""
    if Path(source).name != WRITTEN_WHEN_OPENED:
        with suppress(OSError):
            os.link(source, place)
            return
    shutil.copyfile(source, place)
