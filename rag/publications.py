"""Publications: folders that are put in place whole and never written again, so that no crash can tear them.

    CURRENT                     the name of the one to read
    gen-000012/manifest.json    what it is made from, and the hash of each of its files
    gen-000012/...

The next one is made beside them under another name and put in place by one rename, then CURRENT is replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePath
from typing import Self

from rag.archive import Archive, Position
from rag.errors import ArchiveDamaged

CURRENT, MANIFEST, UNFINISHED = "CURRENT", "manifest.json", "unfinished-"
_NAME = re.compile(r"gen-(\d{1,12})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a publication is: what made it, from which archive, how far it follows it, and what its files hold.

    `files` gives the size and the SHA-256 of each file by its path in the publication.
    """

    made_by: dict[str, str]
    facts: dict[str, str]
    position: Position
    passages: int
    files: dict[str, str]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a publication. Raises `ArchiveDamaged` where it is not as it was written."""
        try:
            stored = json.loads((folder / MANIFEST).read_bytes())
            digest = stored.pop("digest")
            if digest != _digest_of_values(stored) or any(map(_is_elsewhere, stored["files"])):
                raise ArchiveDamaged(f"{MANIFEST} is not as it was published")
            return cls(**stored | {"position": Position(**stored["position"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ArchiveDamaged(f"{MANIFEST} cannot be read ({type(error).__name__})") from error

    def write(self, folder: Path) -> None:
        """Write it into a folder that is being made."""
        stored = asdict(self)
        text = json.dumps(stored | {"digest": _digest_of_values(stored)}, indent=2, sort_keys=True)
        (folder / MANIFEST).write_text(text)

    def check(self, archive: Archive) -> None:
        """Raise `ArchiveDamaged` unless it was made from this archive, as it is or as it was before."""
        facts, position = archive.facts, archive.position
        for name, value in self.facts.items():
            if facts.get(name) != value:
                raise ArchiveDamaged(f"it was made with another {name}")
        if self.position.passages > position.passages or self.position.departures > position.departures:
            raise ArchiveDamaged("it is of a later state than the archive")


class Publications:
    """The publications of one kind, in a folder of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def current(self) -> Path | None:
        """Give the one to read: what CURRENT names or, where that names nothing, the latest."""
        named = self._named()
        return named or max(self._all(), key=_number, default=None)

    def is_named(self) -> bool:
        """Say whether CURRENT names one that is there."""
        return self._named() is not None

    def publish(self, make: Callable[[Path], Manifest]) -> None:
        """Let `make` fill a folder and describe it, and put it in place for all who read from now on.

        Files that the manifest knows already are not hashed again. What `make` raises leaves the current one in place.
        """
        if not self.directory.is_dir():
            self.directory.unlink(missing_ok=True)
            self.directory.mkdir()
        self.sweep()
        # A name of its own: what a killed writer has started may still be writing under the name it was given.
        unfinished = self.directory / f"{UNFINISHED}{secrets.token_hex(4)}"
        unfinished.mkdir()
        try:
            self._seal(unfinished, make(unfinished))
            name = f"gen-{max(map(_number, self._all()), default=0) + 1:06d}"
            unfinished.rename(self.directory / name)
            _sync(self.directory)
            self._point_to(name)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        self.sweep()

    def sweep(self) -> None:
        """Remove all but the current one and what was never finished, and have CURRENT name it."""
        current = self.current()
        if current and not self.is_named():
            self._point_to(current.name)
        for path in self.directory.glob("*"):
            if path != current and path.name != CURRENT:
                _remove(path)

    def drop(self) -> None:
        """Remove all of them."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _named(self) -> Path | None:
        with suppress(OSError, UnicodeDecodeError):
            name = (self.directory / CURRENT).read_text().strip()
            if _NAME.fullmatch(name) and (self.directory / name).is_dir():
                return self.directory / name
        return None

    def _all(self) -> Iterator[Path]:
        with suppress(OSError):
            yield from (path for path in self.directory.iterdir() if _number(path) and path.is_dir())

    def _seal(self, folder: Path, manifest: Manifest) -> None:
        names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
        files = {name: manifest.files.get(name) or seal_of(folder / name) for name in names}
        replace(manifest, files=files).write(folder)
        for path in [*folder.rglob("*"), folder]:
            if path.relative_to(folder).as_posix() not in manifest.files:
                _sync(path)

    def _point_to(self, name: str) -> None:
        waiting = self.directory / f"{CURRENT}.new"
        waiting.write_text(f"{name}\n")
        _sync(waiting)
        if (self.directory / CURRENT).is_dir():
            _remove(self.directory / CURRENT)
        waiting.replace(self.directory / CURRENT)
        _sync(self.directory)


def seal_of(path: Path) -> str:
    """Give the size of a file in bytes and its SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return f"{os.fstat(stream.fileno()).st_size} {hashlib.file_digest(stream, 'sha256').hexdigest()}"


def check_file(path: Path, seal: str) -> None:
    """Raise `ArchiveDamaged` unless a file has this seal."""
    try:
        # The size first: a damaged file has been seen to claim terabytes, which would be hashed for hours.
        whole = str(path.stat().st_size) == seal.partition(" ")[0] and seal_of(path) == seal
    except OSError as error:
        raise ArchiveDamaged(f"{path.name} cannot be read ({error.strerror})") from error
    if not whole:
        raise ArchiveDamaged(f"{path.name} is not as it was published")


def _digest_of_values(stored: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()


def _is_elsewhere(name: str) -> bool:
    return PurePath(name).is_absolute() or ".." in PurePath(name).parts


def _number(folder: Path) -> int:
    found = _NAME.fullmatch(folder.name)
    return int(found[1]) if found else 0


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
