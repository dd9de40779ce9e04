"""The files of a folder, as they are looked at before any of them is read."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import time
import zlib
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from rag.ledger import Stamp
from rag.reading import LARGEST_FILE, Refusal, open_file

LINES = (".jsonl", ".jsonl.gz")
CHUNK = 1 << 20
MOST_COUNTED = 1 << 30


@dataclass(frozen=True, slots=True)
class File:
    """A file below a folder: what the file system says of it and, once it is hashed, the SHA-256 of its bytes.

    `checked` is when it was looked at, in nanoseconds.
    """

    path: Path
    folder: Path
    stamp: Stamp
    checked: int
    digest: str = ""

    @classmethod
    def look(cls, path: Path, folder: Path) -> File | Refusal:
        """Look at a file without reading it."""
        checked = time.time_ns()
        try:
            found = path.lstat()
        except OSError as error:
            return Refusal(path, f"cannot be read ({error.strerror})")
        # A program may set the time of the last writing back, but not that of the last change.
        changed = max(found.st_mtime_ns, found.st_ctime_ns)
        return cls(path, folder, Stamp(found.st_size, changed, found.st_ino), checked)

    @property
    def name(self) -> str:
        """The path as the archive stores it."""
        return name_of(self.path)

    @property
    def suffix(self) -> str:
        """The kind of the file, which decides how its bytes are read."""
        lower = self.path.name.lower()
        return next((suffix for suffix in LINES if lower.endswith(suffix)), Path(lower).suffix)

    def hashed(self) -> File | Refusal:
        """Read the file once to know its bytes again; one too large to be an article stays without a hash."""
        if self.suffix not in LINES and self.stamp.size > LARGEST_FILE:
            return self
        try:
            with open_file(self.path) as stream:
                return replace(self, digest=hashlib.file_digest(stream, "sha256").hexdigest())
        except (OSError, ValueError) as error:
            return Refusal(self.path, f"cannot be read ({getattr(error, 'strerror', None) or error})")

    def count_articles(self) -> int:
        """Give how many articles it may hold, for a progress bar alone."""
        if self.suffix not in LINES:
            return 1
        try:
            with open_file(self.path) as file:
                stream = gzip.GzipFile(fileobj=file) if self.suffix == ".jsonl.gz" else file
                chunks = iter(lambda: stream.read(CHUNK), b"")
                return max(1, sum(chunk.count(b"\n") for chunk in islice(chunks, MOST_COUNTED // CHUNK)))
        except (OSError, EOFError, ValueError, zlib.error):
            return 1


def name_of(path: Path) -> str:
    """Write a path as the archive stores it: in UTF-8, which the name of a file need not be."""
    return str(path).encode(errors="backslashreplace").decode()


def is_gone(name: str) -> bool:
    """Say whether nothing is at a path any more, though the folder above it can be looked into."""
    try:
        os.lstat(name)
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return False


def is_file(path: Path) -> bool:
    """Say whether a path that a person gave is a file, and not a folder."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
