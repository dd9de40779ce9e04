"""`onrecord index --watch`: a round of indexing after every change in the folders, until somebody stops it."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import watchfiles

from rag.errors import ArchiveError, NothingReadable, SettingError
from rag.reading import Refusal
from rag.settings import Settings
from rag.talk import shown

from .command import STOPPED, STOPPED_LINE, Meter, as_dict, print_refusals, summary
from .sync import Report, synchronise

# A round begins when nothing has changed for this long, so that a file is seldom read while it is written ...
QUIET_MILLISECONDS = 500
# ... but no later than this after the first change.
LONGEST_WAIT_MILLISECONDS = 5000
RETRY_SECONDS = 2.0


def watch(folders: Sequence[Path], settings: Settings, *, as_json: bool = False) -> int:
    """Bring the archive in step now and after every change until Ctrl-C or SIGTERM; give the exit code.

    Raises what ends the first round, but for folders that are there and hold nothing yet.
    """
    watcher = Watcher(folders, settings, as_json=as_json)
    with _ended_by_sigterm():
        try:
            watcher.begin()
        except KeyboardInterrupt:
            print(STOPPED_LINE, file=sys.stderr)
            return STOPPED
        try:
            watcher.run()
        except KeyboardInterrupt:
            print("Stopped watching. The archive holds what was read so far.", file=sys.stderr)
            return 0


class Watcher:
    """Keeps an archive in step with some folders, and says what changed."""

    def __init__(self, folders: Sequence[Path], settings: Settings, *, as_json: bool = False) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._settings = settings
        self._archive = settings.archive.resolve()
        self._as_json = as_json
        self._refused: set[Refusal] = set()
        self._trouble = ""

    def begin(self) -> None:
        """Do the first round, and say what it did."""
        try:
            with Meter() as meter:
                report = synchronise(self._folders, self._settings, meter)
            self._tell(report)
            self._complain(report.trouble)
        except NothingReadable as error:
            if not all(self._identities()):
                raise
            self._complain(str(error))

    def run(self) -> NoReturn:
        """Do a round after every change."""
        print(f"Watching {', '.join(map(shown, self._folders))}. Stop with Ctrl-C.", file=sys.stderr, flush=True)
        while True:
            while not all(self._identities()):
                time.sleep(RETRY_SECONDS)
            self._follow()

    def _follow(self) -> None:
        """Do rounds until a folder is gone, or another one has its name: what is watched then is no longer there."""
        watched = self._identities()
        behind = True  # files may have come while nobody watched
        for changed in self._changes():
            if self._identities() != watched:
                return
            if changed or behind:
                behind = not self._round()

    def _round(self) -> bool:
        """Bring the archive in step and say what changed; give False where that must be tried again."""
        try:
            with _QuietMeter() as meter:
                report = synchronise(self._folders, self._settings, meter)
        except (NothingReadable, ArchiveError) as error:
            self._complain(str(error))
            return isinstance(error, NothingReadable)
        self._complain(report.trouble)
        if report.added or report.removed or report.moved_files or {*report.refusals} - self._refused:
            self._tell(report)
        self._refused = {*report.refusals}
        return True

    def _changes(self) -> Iterator[bool]:
        """Yield True after every change that matters, and False when there was none for a while."""
        places = {folder if folder.is_dir() else folder.parent for folder in self._folders}
        try:
            for changes in watchfiles.watch(
                *places,
                watch_filter=lambda _, path: self._matters(Path(path)),
                step=QUIET_MILLISECONDS,
                debounce=LONGEST_WAIT_MILLISECONDS,
                rust_timeout=int(RETRY_SECONDS * 1000),
                yield_on_timeout=True,
                ignore_permission_denied=True,
            ):
                yield bool(changes)
        except (OSError, RuntimeError) as error:
            raise SettingError(
                f"The folders cannot be watched ({error}). Let a timer run this instead: onrecord index FOLDER"
            ) from error

    def _matters(self, path: Path) -> bool:
        """Say whether a path belongs to what is indexed: an archive may lie inside a folder."""
        above = {path, *path.parents}
        return self._archive not in above and not above.isdisjoint(self._folders)

    def _identities(self) -> list[tuple[int, int] | None]:
        return [_identity(folder) for folder in self._folders]

    def _tell(self, report: Report) -> None:
        print_refusals(refusal for refusal in report.refusals if refusal not in self._refused)
        self._refused = {*report.refusals}
        line = json.dumps(as_dict(report), ensure_ascii=False) if self._as_json else summary(report, self._settings)
        print(line, flush=True)

    def _complain(self, trouble: str) -> None:
        """Say what is wrong, once."""
        if trouble not in {"", self._trouble}:
            print(f"onrecord: {shown(trouble)}", file=sys.stderr, flush=True)
        self._trouble = trouble


class _QuietMeter(Meter):
    """Shows its bar only: one line a round is enough."""

    def announce(self, step: str) -> None:
        pass


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if folder.is_dir() else (0, 0)  # an editor replaces a file by another


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
