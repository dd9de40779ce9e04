"""Reading apart: a file that nobody vouches for, read in a process of its own, which may crash, swell or never end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from rag.articles import Article
from rag.children import run_module
from rag.reading import Refusal, read_articles

LARGEST_PROCESS = 4_000_000_000  # bytes of addresses, of which the libraries alone take a quarter


def read_apart(path: Path, *, seconds: float, most: int) -> Iterator[Article | Refusal]:
    """Yield at most so many of what `read_articles` finds; a Refusal where that takes too long or breaks off."""
    try:
        done = run_module("rag.reading_apart", [str(path), str(most)], seconds=seconds)
    except subprocess.TimeoutExpired:
        yield Refusal(path, f"took longer than {seconds:.0f} seconds to read")
        return
    found = done.stdout.splitlines()
    yield from (_read(path, json.loads(line)) for line in found[: len(found) - bool(done.returncode)])
    if done.returncode:
        yield Refusal(path, "broke the program that reads it")


def main() -> None:
    """Print what is found in a file, a line each."""
    _limit_memory()
    path, most = sys.argv[1:]
    for found in islice(read_articles(Path(path)), int(most)):
        record = found.to_dict() if isinstance(found, Article) else {"reason": found.reason, "state": found.state}
        print(json.dumps(record), flush=True)


def _read(path: Path, record: dict[str, Any]) -> Article | Refusal:
    if "reason" in record:
        return Refusal(path, **record)
    return Article(**{**record, "authors": tuple(record["authors"])})


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit, a stricter one may be set already
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (LARGEST_PROCESS, LARGEST_PROCESS))


if __name__ == "__main__":
    main()
