"""Generations: the published vector indexes of an archive, and what follows from Chroma's ways.

A writer that is killed inside Chroma can leave an index that opens, answers, and later crashes the process. So an index
is built aside, checked in a process of its own, and published; and each reader opens files of its own.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rag.archive import MADE_WITH, Archive
from rag.children import end_with_parent, run_module
from rag.errors import ArchiveDamaged, ArchiveError
from rag.leases import Lease, leased, link_or_copy, sweep_leases
from rag.publications import CURRENT, Manifest, Publications

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.vectors import VectorIndex

FORMAT = "1"
VECTORS, CHROMA = "vectors", "chroma"
CANARIES = 64
SECONDS_AT_LEAST, SECONDS_A_PASSAGE = 300, 0.05

logger = logging.getLogger(__name__)


class Generation:
    """A published generation as one process reads it: files of its own that nobody can take away or change."""

    def __init__(self, name: str, manifest: Manifest, index: VectorIndex, lease: Lease) -> None:
        self.name = name
        self.manifest = manifest
        self._index = index
        self._lease = lease

    @classmethod
    def open(cls, archive: Archive, published: Path) -> Self:
        """Open a generation, its files checked against their hashes. Raises `ArchiveDamaged`, or what Chroma raises."""
        from rag.vectors import VectorIndex

        manifest = _checked_manifest(archive, published)
        lease = Lease.take(archive.directory)
        try:
            lease.hold(published, manifest.files)
            index = VectorIndex.open(lease.directory / CHROMA)
            try:
                _load(index, manifest)
            except BaseException:
                index.close()
                raise
        except BaseException:
            lease.give_back()
            raise
        return cls(published.name, manifest, index, lease)

    def nearest(self, vector: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        """Give the ids of the at most `k` nearest passages with their cosine similarity, nearest first."""
        return self._index.nearest(vector, k)

    def close(self) -> None:
        """Release the files."""
        try:
            self._index.close()
        finally:
            self._lease.give_back()


def generations(archive: Path) -> Publications:
    """Give the place of an archive's generations."""
    return Publications(archive / VECTORS)


def current_name(archive: Path) -> str:
    """Give the name of the generation to read; empty where none is published."""
    current = generations(archive).current()
    return current.name if current else ""


def current_mark(archive: Path) -> str:
    """Give what changes whenever another generation is to be read, also where that has the name of one before."""
    current = generations(archive).current()
    with suppress(OSError):
        if current:
            return f"{current.name} {current.stat().st_ino}"
    return ""


def current_manifest(archive: Archive) -> Manifest | None:
    """Give the manifest of the current generation, if it is one of this archive and its files are there."""
    current = generations(archive.directory).current()
    try:
        return _checked_manifest(archive, current) if current else None
    except ArchiveDamaged:
        return None


def open_current(archive: Archive) -> Generation | None:
    """Open the current generation; where that is damaged, say so in the log and give None."""
    current = generations(archive.directory).current()
    if current is None:
        if (archive.directory / VECTORS / CURRENT).exists():
            _warn(archive, archive.directory / VECTORS, "no generation is there")
        return None
    try:
        return Generation.open(archive, current)
    except Exception as error:  # noqa: BLE001 # what Chroma raises on files it cannot use has no list
        # A writer may have published another one and removed this since it was looked up.
        if generations(archive.directory).current() not in {current, None}:
            return open_current(archive)
        reason = str(error) if isinstance(error, ArchiveError) else type(error).__name__
        _warn(archive, current, reason)
        return None


def publish(archive: Archive) -> None:
    """Build a generation from the stored vectors of the archive as it is, check it, and make it the current one.

    The caller holds the archive for writing. Raises `ArchiveError` where the index does not pass its check or the disk
    is full; the current generation then stays.
    """
    published = generations(archive.directory)
    if not archive.count_passages():
        published.drop()
        return
    with _told(archive):
        published.publish(partial(_build, archive))
    sweep_leases(archive.directory)


def tidy(archive: Archive) -> None:
    """Remove what killed processes left, and a generation that is not of this archive, before it could seem to be."""
    published = generations(archive.directory)
    if current_manifest(archive) is None:
        published.drop()
    else:
        published.sweep()
    sweep_leases(archive.directory)


def damage(archive: Archive) -> list[str]:
    """Say what is wrong with the published generation, every byte of it checked; empty where all is well."""
    published = generations(archive.directory)
    current = published.current()
    if current is None:
        return ["no generation is published"] if archive.count_passages() else []
    found = [] if published.is_named() else [f"{CURRENT} does not name {current.name}"]
    try:
        manifest = _checked_manifest(archive, current)
        with leased(archive.directory) as lease:
            lease.hold(current, manifest.files)
            return found + _in_a_child("check", archive, lease.directory / CHROMA, manifest)
    except ArchiveError as error:
        return [*found, f"{current.name}: {error}"]


def _warn(archive: Archive, place: Path, reason: str) -> None:
    logger.warning(
        "The vector index at %s cannot be used (%s); answers come from the stored vectors. Mend it with: "
        "onrecord rebuild --archive %s",
        place,
        reason,
        archive.directory,
    )


def _build(archive: Archive, directory: Path) -> Manifest:
    facts = {name: value for name, value in archive.facts.items() if name in MADE_WITH}
    manifest = Manifest(_versions(), facts, archive.position, archive.count_passages(), {})
    if found := _in_a_child("build", archive, directory / CHROMA, manifest):
        free = shutil.disk_usage(archive.directory).free / 1e6
        raise ArchiveError(
            f"The vector index of {archive.directory} could not be built ({'; '.join(found)}; {free:,.0f} MB are free "
            "there). All articles are kept and can be searched. See that there is room, then run: "
            f"onrecord rebuild --archive {archive.directory}"
        )
    return manifest


def _in_a_child(action: str, archive: Archive, chroma: Path, manifest: Manifest) -> list[str]:
    """Build or check an index in a process of its own, which it may crash; say what is wrong with it."""
    arguments = [action, str(archive.directory), str(chroma), str(manifest.passages), str(manifest.position.passages)]
    try:
        child = run_module(
            "rag.generations", arguments, seconds=SECONDS_AT_LEAST + manifest.passages * SECONDS_A_PASSAGE
        )
    except subprocess.TimeoutExpired as error:
        return [f"it took longer than {error.timeout:,.0f} seconds"]
    if child.returncode:
        last = child.stderr.strip().splitlines()[-1:] or [f"the process ended with {child.returncode}"]
        return [last[0][:200]]
    return list(json.loads(child.stdout))


def _checked_manifest(archive: Archive, published: Path) -> Manifest:
    manifest = Manifest.read(published)
    if manifest.made_by.get("format") != FORMAT:
        raise ArchiveDamaged(f"its format is {manifest.made_by.get('format')}, not {FORMAT}")
    manifest.check(archive)
    if missing := [name for name in manifest.files if not (published / name).is_file()]:
        raise ArchiveDamaged(f"{missing[0]} is missing")
    return manifest


def _load(index: VectorIndex, manifest: Manifest) -> None:
    # The graph is read from its files at the first search: while they are known to be whole.
    import numpy as np

    index.nearest(np.ones(int(manifest.facts["dimension"]), dtype=np.float32), 1)


def _versions() -> dict[str, str]:
    return {"format": FORMAT} | {name: importlib.metadata.version(name) for name in ("onrecord", "chromadb")}


@contextmanager
def _told(archive: Archive) -> Iterator[None]:
    """Say in our words that there is no room to put an index in place."""
    try:
        yield
    except OSError as error:
        free = shutil.disk_usage(archive.directory).free / 1e6
        raise ArchiveError(
            f"The vector index of {archive.directory} could not be published ({error.strerror or error}; {free:,.0f} "
            "MB are free there). All articles are kept and can be searched. See that there is room, then run: "
            f"onrecord rebuild --archive {archive.directory}"
        ) from error


# What follows runs in a process of its own.


def main() -> None:
    """Build or check an index, as `_in_a_child` asks; print what is wrong with it as JSON."""
    end_with_parent()
    action, directory, chroma, count, until = sys.argv[1:]
    with Archive.open(Path(directory)) as archive:
        if action == "check":
            print(json.dumps(_faults(archive, Path(chroma), int(count), int(until))))
        else:
            print(json.dumps(_built(archive, Path(chroma), int(count), int(until))))


def _built(archive: Archive, chroma: Path, count: int, until: int) -> list[str]:
    from rag.vectors import build

    build(chroma, archive.vectors(), count)
    with leased(archive.directory) as lease:  # Chroma writes to what it opens
        shutil.copytree(chroma, lease.directory / CHROMA, copy_function=link_or_copy)
        return _faults(archive, lease.directory / CHROMA, count, until)


def _faults(archive: Archive, chroma: Path, count: int, until: int) -> list[str]:
    from rag.vectors import faults

    sample = archive.sampled_vectors(CANARIES, until=until)
    return faults(chroma, count, (([number], vector[None]) for number, vector in sample))


if __name__ == "__main__":
    main()
