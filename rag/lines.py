"""Lines: the records of a .jsonl file, one after the other and each within bounds."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from io import BufferedReader
from typing import Any

from rag.decoding import MARKS, refuse_binary
from rag.records import FIELDS, Unreadable

LONGEST_LINE = 5_000_000
LONGEST_LINE_BYTES = 4 * LONGEST_LINE
MOST_LOST = 100_000_000
MOST_BLANK = 100_000
LARGEST_EXPANSION = 300


def line_records(file: BufferedReader, *, compressed: bool) -> Iterator[tuple[int, dict[str, Any] | Unreadable]]:
    """Yield the number and the record of each line that is not blank, or in its place the reason why there is none.

    Raises Unreadable where the rest of the file cannot be read either.
    """
    number = blank = 0
    try:
        for number, line in enumerate(_lines(file, compressed=compressed), start=1):
            blank = 0 if line.strip() else blank + 1
            if blank > MOST_BLANK:
                raise Unreadable(f"more than {MOST_BLANK:,} blank lines; nothing is read after line {number}")
            if not blank:
                yield number, _record(line)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unreadable(f"line {number + 1}: the compressed file is damaged or cut off") from error


def _lines(file: BufferedReader, *, compressed: bool) -> Iterator[bytes]:
    """Yield each line, cut where it is longer than any article; never hold more than one."""
    lines = gzip.GzipFile(fileobj=file) if compressed else file
    start = lines.peek(4096)
    if not start:
        raise Unreadable("empty", "skipped")
    if any(start.startswith(mark) for mark, encoding in MARKS if encoding != "utf-8"):
        raise Unreadable("UTF-16 or UTF-32; save it as UTF-8")
    refuse_binary(start.lstrip().split(b"\n", 1)[0])
    number = length = 0
    while line := lines.readline(LONGEST_LINE_BYTES + 1):
        number += 1
        length += len(line)
        yield line
        if len(line) > LONGEST_LINE_BYTES:
            length += _lose_line(lines, number)
        if compressed and length > MOST_LOST and length > LARGEST_EXPANSION * file.tell():
            raise Unreadable(f"expands more than {LARGEST_EXPANSION} times; nothing is read after line {number}")


def _lose_line(lines: BufferedReader | gzip.GzipFile, number: int) -> int:
    lost = 0
    while part := lines.readline(LONGEST_LINE):
        lost += len(part)
        if part.endswith(b"\n"):
            break
        if lost > MOST_LOST:
            raise Unreadable(f"line {number} never ends; nothing is read after it")
    return lost


def _record(line: bytes) -> dict[str, Any] | Unreadable:
    try:
        record = _parsed(line)
    except UnicodeDecodeError:
        return Unreadable("not text in UTF-8")
    except json.JSONDecodeError as error:
        return Unreadable(f"not JSON ({error.msg.removesuffix(' at').rstrip(': ')} at character {error.pos + 1})")
    except Unreadable as error:
        return error
    except RecursionError:
        return Unreadable("nested too deeply")
    except ValueError:
        return Unreadable("a number too long to read")
    return record if isinstance(record, dict) else Unreadable("not a JSON object with the fields of an article")


def _parsed(line: bytes) -> Any:
    text = line.decode("utf-8-sig") if len(line) <= LONGEST_LINE_BYTES else ""
    if not text or len(text) > LONGEST_LINE:
        raise Unreadable(f"longer than {LONGEST_LINE:,} characters", "skipped")
    return json.loads(text.rstrip(), object_pairs_hook=_unambiguous)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next((name for name in FIELDS if names.count(name) > 1), None)
        if twice:
            raise Unreadable(f"field {twice} stands in it twice")
    return record
