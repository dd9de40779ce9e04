"""Reading: files in, articles out; whatever cannot be read is told in a plain word and stops nothing else."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from rag.archive import FILE_NAME
from rag.articles import Article
from rag.cleaning import WIDEST_WRAP
from rag.decoding import decode
from rag.lines import line_records
from rag.records import Unreadable, article_of

READABLE = (".txt", ".md", ".html", ".htm", ".jsonl", ".jsonl.gz")

LARGEST_FILE = 50_000_000
LARGEST_PAGE = 10_000_000
LONGEST_TITLE = 200

FORMATS = "Onrecord reads .txt, .md, .html and .jsonl"
OTHER_KINDS = {
    ".pdf": "a PDF file",
    ".doc": "a Word file",
    ".docx": "a Word file",
    ".odt": "an OpenDocument file",
    ".rtf": "an RTF file",
    ".epub": "an e-book",
    ".json": "a JSON file that is not one article a line",
    ".csv": "a table",
    ".xlsx": "a table",
    ".xml": "an XML file",
    ".zip": "a ZIP file",
    ".gz": "a gzip file",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file, or one line of one, that could not be read as an article, and why, in words for a person."""

    path: Path
    reason: str


def find_files(folder: Path) -> Iterator[Path | Refusal]:
    """Yield the files under a folder that can hold articles, in the order of their names, and a Refusal for the others.

    Links are never followed. Passed over in silence are hidden files and folders, the backups of editors (`a.txt~`,
    `.a.swp`, `~$a`), files named README or LICENSE, and a folder in which an Onrecord archive lies. The path of one
    file finds that file.
    """
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        if not (_is_folder(path) or (path == folder and path.is_dir())):
            yield _found(path)
        elif isinstance(found := _listed(path), Refusal):
            yield found
        else:
            waiting.extend(reversed(found))


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _listed(folder: Path) -> list[Path] | Refusal:
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        return Refusal(folder, _trouble(error))
    return [] if folder / FILE_NAME in paths else [path for path in paths if not _is_passed_over(path.name)]


def _is_passed_over(name: str) -> bool:
    return (
        name.startswith((".", "~$"))
        or name.endswith(("~", ".swp", ".swo", ".bak"))
        or name.partition(".")[0].casefold() in {"readme", "license", "licence"}
    )


def _found(path: Path) -> Path | Refusal:
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        return Refusal(path, _trouble(error))
    if not stat.S_ISREG(mode):
        return Refusal(path, _irregular(mode))
    if path.name.lower().endswith(READABLE):
        return path
    kind = OTHER_KINDS.get(path.suffix.lower(), f"a {path.suffix} file" if path.suffix else "a file without a suffix")
    return Refusal(path, f"{kind}; {FORMATS}")


def _irregular(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a symbolic link, which is not followed"
    return "a named pipe, not a file" if stat.S_ISFIFO(mode) else "a socket or a device, not a file"


def _trouble(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a symbolic link, which is not followed"
    return f"cannot be read ({error.strerror or error})"


def read_articles(path: Path) -> Iterator[Article | Refusal]:
    """Yield the articles of one file as they are read, and a Refusal for each part that is none.

    A file of .jsonl has one article a line; every other file is one article.
    """
    name = path.name.lower()
    try:
        with _opened(path) as file:
            if name.endswith((".jsonl", ".jsonl.gz")):
                yield from _read_lines(path, file)
            else:
                yield _read_whole(path, file)
    except OSError as error:
        yield Refusal(path, _trouble(error))
    except Unreadable as error:
        yield Refusal(path, str(error))


def _opened(path: Path) -> BufferedReader:
    """Open a regular file; never wait for a pipe, never follow a link that took the file's place."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise Unreadable(_irregular(mode) if not stat.S_ISDIR(mode) else "a folder, not a file")
    return os.fdopen(handle, "rb")


def _read_whole(path: Path, file: BufferedReader) -> Article:
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise Unreadable(f"a {suffix} file; {FORMATS}")
    largest = LARGEST_FILE if suffix == ".txt" else LARGEST_PAGE
    data = file.read(largest + 1)
    if len(data) > largest:
        raise Unreadable(f"larger than {largest // 1_000_000} MB")
    record = READERS[suffix](data)
    if not record["text"].strip():
        raise Unreadable("no article text found")
    return article_of(record)


def _text_record(data: bytes) -> dict[str, Any]:
    """Give the record of a plain text, whose first line is the title if it stands apart and is not a sentence."""
    text = decode(data)
    first, _, rest = text.lstrip().partition("\n")
    following = rest.lstrip()
    apart = not rest.split("\n", 1)[0].strip() or len(rest.split("\n", 1)[0]) > WIDEST_WRAP
    sentence = first.rstrip().endswith(".") or following[:1].islower()
    if following and apart and not sentence and len(first) < LONGEST_TITLE:
        return {"title": first, "text": rest}
    return {"text": text}


def _markdown_record(data: bytes) -> dict[str, Any]:
    from rag.markdown import markdown_record

    return markdown_record(decode(data))


def _page_record(data: bytes) -> dict[str, Any]:
    from rag.pages import page_record

    return page_record(data)


READERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    ".txt": _text_record,
    ".md": _markdown_record,
    ".html": _page_record,
    ".htm": _page_record,
}


def _read_lines(path: Path, file: BufferedReader) -> Iterator[Article | Refusal]:
    for number, record in line_records(file, compressed=path.suffix.lower() == ".gz"):
        try:
            if isinstance(record, Unreadable):
                raise record
            yield article_of(record)
        except Unreadable as error:
            yield Refusal(path, f"line {number}: {error}")
