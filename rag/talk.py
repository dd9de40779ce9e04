"""Talk: what a program says on stderr while a person waits."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
