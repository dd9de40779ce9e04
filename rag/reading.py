"""Reading: files in, articles out; whatever cannot be read is told in a plain word and stops nothing else."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal

from rag.archive import FILE_NAME
from rag.articles import Article
from rag.cleaning import CLOSERS, WIDEST_WRAP, clean_line
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

SUFFIX = re.compile(r"\.[a-z0-9]{1,10}")
FULL_STOPS = (".", "。", "।", "۔", "።")
LINK = "a symbolic link, which is not followed"
CHANGED = "changed while it was read"

# Skipped is what is passed over by a rule or holds nothing to read; failed is an article that could not be read.
Outcome = Literal["skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file, or one line of one, that could not be read as an article, and why, in words for a person."""

    path: Path
    reason: str
    state: Outcome = "failed"


def find_files(folder: Path) -> Iterator[Path | Refusal]:
    """Yield the files under a folder that can hold articles, in the order of their names, and a Refusal for the others.

    Links are never followed. Passed over in silence are hidden files and folders, the backups of editors (`a.txt~`,
    `.a.swp`, `~$a`), files named README or LICENSE, and a folder in which an Onrecord archive lies. The path of one
    file finds that file.
    """
    waiting = [iter([folder])]
    while waiting:
        path = next(waiting[-1], None)
        if path is None:
            waiting.pop()
        elif not (_is_folder(path) or (path == folder and path.is_dir())):
            yield _found(path)
        elif isinstance(found := _listed(path), Refusal):
            yield found
        else:
            waiting.append(found)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _listed(folder: Path) -> Iterator[Path] | Refusal:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - a million paths would fill the memory, their names do not
    except OSError as error:
        return _trouble(folder, error)
    return iter(()) if FILE_NAME in names else (folder / name for name in names if not _is_passed_over(name))


def _is_passed_over(name: str) -> bool:
    return (
        name.startswith((".", "~$", "#"))
        or name.endswith(("~", ".swp", ".swo", ".bak"))
        or name.partition(".")[0].casefold() in {"readme", "license", "licence"}
    )


def _found(path: Path) -> Path | Refusal:
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        return _trouble(path, error)
    if not stat.S_ISREG(mode):
        return Refusal(path, _irregular(mode), "skipped")
    return path if path.name.lower().endswith(READABLE) else Refusal(path, f"{_kind(path)}; {FORMATS}", "skipped")


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    plain = SUFFIX.fullmatch(suffix) is not None
    unknown = f"a {suffix} file" if plain else "a file of another kind" if suffix else "a file without a suffix"
    return OTHER_KINDS.get(suffix, unknown)


def _irregular(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return LINK
    return "a named pipe, not a file" if stat.S_ISFIFO(mode) else "a socket or a device, not a file"


def _trouble(path: Path, error: OSError) -> Refusal:
    if error.errno == errno.ELOOP:
        return Refusal(path, LINK, "skipped")
    if error.errno == errno.ENOENT:
        return Refusal(path, "not there, or no longer", "skipped")
    return Refusal(path, f"cannot be read ({error.strerror or 'for a reason that the system does not tell'})")


def read_articles(path: Path) -> Iterator[Article | Refusal]:
    """Yield the articles of one file as they are read, and a Refusal for each part that is none.

    A file of .jsonl has one article a line; every other file is one article.
    """
    try:
        if path.name.lower().endswith((".jsonl", ".jsonl.gz")):
            yield from _read_lines(path)
        else:
            yield _read_whole(path)
    except OSError as error:
        yield _trouble(path, error)
    except Unreadable as error:
        yield Refusal(path, str(error), error.state)


def open_file(path: Path) -> BufferedReader:
    """Open a regular file; never wait for a pipe, never follow a link that took the file's place."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise Unreadable(_irregular(mode) if not stat.S_ISDIR(mode) else "a folder, not a file", "skipped")
    return os.fdopen(handle, "rb")


def _is_changed(path: Path, before: os.stat_result) -> bool:
    after = path.lstat()
    return (after.st_ino, after.st_size, after.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns)


def _read_whole(path: Path) -> Article:
    suffix = path.suffix.lower()
    if suffix not in READERS:
        open_file(path).close()  # which tells first of what is no file at all
        raise Unreadable(f"{_kind(path)}; {FORMATS}", "skipped")
    record = READERS[suffix](_content(path, LARGEST_FILE if suffix == ".txt" else LARGEST_PAGE))
    if not record["text"].strip():
        raise Unreadable("no article text found", "skipped")
    return article_of(record)


def _content(path: Path, largest: int) -> bytes:
    """Read a whole file; once more if it changed meanwhile, for half of one article and half of another is none."""
    for _ in range(2):
        with open_file(path) as file:
            before = os.fstat(file.fileno())
            data = file.read(largest + 1) if before.st_size <= largest else b""
        if max(before.st_size, len(data)) > largest:
            raise Unreadable(f"larger than {largest // 1_000_000} MB", "skipped")
        if not _is_changed(path, before):
            return data
    raise Unreadable(CHANGED)


def _text_record(data: bytes) -> dict[str, Any]:
    """Give the record of a plain text, whose first line is the title if it stands apart and is not a sentence."""
    text = decode(data)
    first, _, rest = text.lstrip().partition("\n")
    following = rest.lstrip()
    apart = not rest.split("\n", 1)[0].strip() or len(rest.split("\n", 1)[0]) > WIDEST_WRAP
    if not following or not apart or len(first) >= LONGEST_TITLE:
        return {"text": text}
    sentence = clean_line(first).rstrip(CLOSERS).endswith(FULL_STOPS) or following[:1].islower()
    return {"text": text} if sentence else {"title": first, "text": rest}


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


def _read_lines(path: Path) -> Iterator[Article | Refusal]:
    with open_file(path) as file:
        before = os.fstat(file.fileno())
        for number, record in line_records(file, compressed=path.suffix.lower() == ".gz"):
            yield _line_article(path, number, record)
    if _is_changed(path, before):
        yield Refusal(path, CHANGED)


def _line_article(path: Path, number: int, record: dict[str, Any] | Unreadable) -> Article | Refusal:
    try:
        if isinstance(record, Unreadable):
            raise record
        return article_of(record)
    except Unreadable as error:
        return Refusal(path, f"line {number}: {error}", error.state)
