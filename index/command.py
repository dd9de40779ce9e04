"""What `onrecord index` prints: progress on stderr, the summary on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rag.reading import Refusal
from rag.settings import Settings
from rag.talk import counted, shown

from .sync import Report, synchronise

ALL_READ = 0
SOME_REFUSED = 3
FAILED = 1
STOPPED = 130
STOPPED_LINE = "Stopped. What was read so far is kept; run the same command to go on."


def run(folders: Sequence[Path], settings: Settings, *, as_json: bool = False) -> int:
    """Bring the archive in step and say what was done; give the exit code: 0, 3 after refusals, 1 after trouble."""
    try:
        with Meter() as meter:
            report = synchronise(folders, settings, meter)
            if report.added:
                _prepare_answers(settings, meter)
    except KeyboardInterrupt:
        print(STOPPED_LINE, file=sys.stderr)
        return STOPPED
    print_refusals(report.refusals)
    print(json.dumps(as_dict(report), ensure_ascii=False, indent=2) if as_json else summary(report, settings))
    if report.trouble:
        print(f"onrecord: {shown(report.trouble)}", file=sys.stderr)
        return FAILED
    return SOME_REFUSED if report.refusals else ALL_READ


def _prepare_answers(settings: Settings, meter: Meter) -> None:
    from rag.reader import prepare_reader

    prepare_reader(settings, meter.announce)


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
            self.announce(f"Reading and embedding {counted(articles, 'article')}")
            self._bar.update(self._task, total=articles, visible=True)

    def advance(self, articles: int) -> None:
        """Move the bar."""
        self._bar.advance(self._task, articles)


def print_refusals(refusals: Iterable[Refusal]) -> None:
    """Say on stderr what was refused, and why."""
    for refusal in refusals:
        print(f"refused  {shown(refusal.path)}: {shown(refusal.reason)}", file=sys.stderr)


def summary(report: Report, settings: Settings) -> str:
    """Write what was done as one line."""
    done = [
        f"{report.added:,} added",
        f"{report.removed:,} removed",
        f"{counted(report.unchanged_files, 'file')} unchanged",
        f"{counted(report.moved_files, 'file')} moved" if report.moved_files else "",
        f"{counted(report.duplicate_files, 'duplicate file')}" if report.duplicate_files else "",
        f"{len(report.refusals):,} refused",
    ]
    return f"{counted(report.articles, 'article')} in {shown(settings.archive)}: {', '.join(filter(None, done))}."


def as_dict(report: Report) -> dict[str, Any]:
    """Give what was done for other programs."""
    refusals = [
        {"path": shown(refusal.path), "state": refusal.state, "reason": shown(refusal.reason)}
        for refusal in report.refusals
    ]
    return asdict(report) | {"refusals": refusals}
