"""Talk: what a program says while a person waits, and words from files made fit to be said."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TELL_AFTER_SECONDS = 1.5


@contextmanager
def told(step: str) -> Iterator[None]:
    """Say on stderr what is going on, if it takes long enough to wonder."""
    timer = threading.Timer(TELL_AFTER_SECONDS, print, [f"{step} ..."], {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def shown(named: Path | str) -> str:
    """Write a path, or what names one, so that no file can break a line, move the cursor or be unprintable."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in str(named))


def printable(text: str) -> str:
    """Drop what could steer a terminal."""
    return "".join(character for character in text if character.isprintable() or character == "\n")


def counted(count: int, thing: str) -> str:
    """Write how many there are: 1 article, 2,000 articles."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
