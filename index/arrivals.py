"""What arrives from the files of a folder: what was found in each so far, and what is stored in one step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.articles import Article
from rag.indexing import BATCH_ARTICLES, BATCH_CHARACTERS
from rag.ledger import MOST_REASONS, FileRecord, FileState, Stamp
from rag.reading import Outcome, Refusal

from .files import File, name_of

MOST_ARRIVALS = 1000


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a part of a file does not come in; without a reason, it is passed over in silence."""

    reason: str
    state: Outcome = "failed"
    held_up: bool = False


@dataclass(slots=True)
class Reading:
    """A file while it is read: what was found in it so far, or that its bytes are known."""

    file: File
    known: bool = False
    kept: int = 0
    shared: int = 0
    held_up: bool = False
    refused: int = 0
    state: FileState = "failed"
    reasons: list[str] = field(default_factory=list)

    def refuse(self, objection: Objection) -> None:
        """Note that a part of it does not come in."""
        self.held_up = self.held_up or objection.held_up
        if not objection.reason:
            self.state = "skipped" if not self.refused else self.state
            return
        self.refused += 1
        self.state = objection.state if self.refused == 1 or objection.state == "failed" else self.state
        if len(self.reasons) < MOST_REASONS:
            self.reasons.append(objection.reason)

    @property
    def outcome(self) -> FileState:
        """What became of it."""
        if not self.kept:
            return self.state
        return "duplicate" if self.shared == self.kept else "indexed"

    def record(self) -> FileRecord:
        """Give what the ledger keeps of it; what was held up is read again next time, whatever holds it up may go."""
        file = replace(self.file, digest="", stamp=Stamp()) if self.held_up else self.file
        return record_of(file, self.outcome, self.refused, tuple(self.reasons))


# What was found in a file, or nothing once it has been read to its end.
Arrival = tuple[Reading, Article | Refusal | None]


def windows(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    """Yield what is embedded and stored in one step."""
    window: list[Arrival] = []
    articles = characters = 0
    for arrival in arrivals:
        window.append(arrival)
        if isinstance(arrival[1], Article):
            articles += 1
            characters += len(arrival[1].text)
        if articles >= BATCH_ARTICLES or characters >= BATCH_CHARACTERS or len(window) >= MOST_ARRIVALS:
            yield window
            window, articles, characters = [], 0, 0
    if window:
        yield window


def record_of(file: File, state: FileState, refused: int = 0, reasons: tuple[str, ...] = ()) -> FileRecord:
    """Give what the ledger keeps of a file."""
    return FileRecord(file.name, name_of(file.folder), file.digest, file.stamp, file.checked, state, refused, reasons)


def refusals_of(path: Path, record: FileRecord) -> list[Refusal]:
    """Give what was refused in a file, for a report."""
    state: Outcome = "skipped" if record.state == "skipped" else "failed"
    listed = [Refusal(path, reason, state) for reason in record.reasons]
    more = record.refused - len(listed)
    return [*listed, Refusal(path, f"{more:,} more parts like these", state)] if more else listed
