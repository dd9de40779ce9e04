"""`onrecord export`: all articles of an archive as lines of JSON, from which the same archive can be made again."""

from __future__ import annotations

import errno
import gzip
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO, cast

from rag.archive import Archive
from rag.articles import Article
from rag.errors import SettingError

SUFFIXES = (".jsonl", ".jsonl.gz")


def export(directory: Path, file: BinaryIO) -> int:
    """Write the articles of an archive, one a line in the order of their ids; give how many there are."""
    with Archive.open(directory) as archive:
        return sum(_write_line(article, file) for article in archive.articles())


def export_to(directory: Path, path: Path) -> int:
    """Write the articles of an archive to a file, which is there whole or not at all; give how many there are.

    Raises `SettingError` where the file cannot be written, or is not named as what can be read back.
    """
    if not path.name.endswith(SUFFIXES):
        raise SettingError(f"{path} is not named as an export. Name it so that it ends in {' or '.join(SUFFIXES)}.")
    with _replacing(path) as file:
        return export(directory, file)


def _write_line(article: Article, file: BinaryIO) -> int:
    file.write(json.dumps(article.to_dict(), ensure_ascii=False).encode() + b"\n")
    return 1


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside the given one, which takes its place once it is written to its end."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with beside.open("wb") as written:
            with _compressing(written) if path.suffix == ".gz" else nullcontext(written) as file:
                yield file
            written.flush()
            os.fsync(written.fileno())
        beside.replace(path)
    except OSError as error:
        raise SettingError(
            f"{path} cannot be written ({error.strerror or error}). Export to another place, or make room there."
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


@contextmanager
def _compressing(file: BinaryIO) -> Iterator[BinaryIO]:
    # Without a name and a time in it, the same articles give the same bytes.
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as compressed:
        yield cast("BinaryIO", compressed)
