"""What `onrecord index` prints: progress on stderr, the summary on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rag.settings import Settings

from .sync import Report, synchronise

ALL_READ = 0
SOME_REFUSED = 3
STOPPED = 130


def run(folders: Sequence[Path], settings: Settings, *, as_json: bool = False) -> int:
    """Bring the archive in step and say what was done; give the exit code: 0, or 3 where something was refused."""
    try:
        with Meter() as meter:
            report = synchronise(folders, settings, meter)
    except KeyboardInterrupt:
        print("Stopped. What was read so far is kept; run the same command to go on.", file=sys.stderr)
        return STOPPED
    for refusal in report.refusals:
        print(f"refused  {_shown(refusal.path)}: {_shown(refusal.reason)}", file=sys.stderr)
    print(_as_json(report) if as_json else _summary(report, settings))
    return SOME_REFUSED if report.refusals else ALL_READ


class Meter:
    """A progress bar on stderr; where stderr is no terminal, a line for every step."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._console = console
        self._task = self._bar.add_task("Articles", total=None, visible=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def announce(self, step: str) -> None:
        """Say which step begins."""
        self._console.print(f"{step} ...")

    def expect(self, articles: int) -> None:
        """Show the bar for so many articles."""
        if articles:
            self.announce(f"Reading and embedding {articles:,} articles")
            self._bar.update(self._task, total=articles, visible=True)

    def advance(self, articles: int) -> None:
        """Move the bar."""
        self._bar.advance(self._task, articles)


def _summary(report: Report, settings: Settings) -> str:
    return (
        f"{report.articles:,} articles in {_shown(settings.archive)}: {report.added:,} added, "
        f"{report.removed:,} removed, {report.unchanged_files:,} files unchanged, {len(report.refusals):,} refused."
    )


def _as_json(report: Report) -> str:
    refusals = [{"path": _shown(refusal.path), "reason": _shown(refusal.reason)} for refusal in report.refusals]
    return json.dumps(asdict(report) | {"refusals": refusals}, ensure_ascii=False, indent=2)


def _shown(named: Path | str) -> str:
    """Write a path, or what names one, so that no file can break a line, move the cursor or be unprintable."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in str(named))
