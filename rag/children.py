"""Modules of ours that run in a process of their own: what crashes or swells there does no harm here."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import rag


def run_module(
    name: str, arguments: Sequence[str] = (), *, written: str = "", seconds: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python -m name` over the library that runs here, with `written` as its input; wait for its end.

    Raises `subprocess.TimeoutExpired` where it takes longer.
    """
    # Not the folder that the user stands in: anybody's rag.py may lie there.
    library = str(Path(rag.__file__).parent.parent)
    path = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(  # noqa: S603 # our own interpreter, our own module
        [sys.executable, "-P", "-m", name, *arguments],
        input=written,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )


def end_with_parent() -> None:
    """End this process soon after the one that started it: nobody waits for its work any more."""
    threading.Thread(target=_watch, args=[os.getppid()], daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
