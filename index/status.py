"""`onrecord status`: what is in an archive, what its indexes follow, and what became of the files; changes nothing."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rag.archive import FILE_NAME, LOCK_NAME, WRITER_NAME, Archive, Position
from rag.errors import ArchiveDamaged
from rag.generations import VECTORS, current_manifest, current_name
from rag.ledger import FileRecord, Ledger
from rag.lexical import WORDS, commits
from rag.publications import Manifest
from rag.talk import counted, shown

MOST_ROWS = 12
MOST_REFUSED = 20
LABEL = 11


@dataclass(frozen=True, slots=True)
class Index:
    """How far an index follows the archive: passages that came and left since then are searched and left out apart."""

    name: str
    passages: int
    came: int
    left: int


@dataclass(frozen=True, slots=True)
class Writer:
    """The process that is writing to the archive."""

    pid: int
    since: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A file of which something was refused: how many parts, and at most the first hundred reasons."""

    path: str
    state: str
    parts: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """What there is to say of an archive; sizes are bytes, what is not known is empty or None."""

    archive: str
    articles: int
    stories: int
    passages: int
    first_date: str
    last_date: str
    outlets: dict[str, int]
    months: dict[str, int]
    synchronised: str
    model: str
    model_sha256: str
    dimension: int
    splitter: str
    runtime: str
    vectors: Index | None
    words: Index | None
    bytes: dict[str, int]
    files: dict[str, int]
    refused: tuple[Refused, ...]
    writer: Writer | None

    def to_dict(self) -> dict[str, Any]:
        """Give it for other programs."""
        return asdict(self)


def read_status(directory: Path) -> Status:
    """Look at an archive. Raises `ArchiveNotFound`, and what else `Archive.open` raises."""
    with Archive.open(directory) as archive:
        facts, ledger = archive.facts, Ledger(archive.database)
        outlets, months, first, last = _published(archive)
        found = Status(
            archive=shown(directory),
            articles=archive.count(),
            stories=archive.count_stories(),
            passages=archive.count_passages(),
            first_date=first,
            last_date=last,
            outlets=outlets,
            months=months,
            synchronised=facts.get("synchronised", ""),
            model=shown(facts.get("model", "")),
            model_sha256=facts.get("model_sha256", ""),
            dimension=int(facts.get("dimension", 0)),
            splitter=facts.get("splitter", ""),
            runtime=_runtime(facts.get("model_sha256", "")),
            vectors=_vectors(archive),
            words=_words(archive),
            bytes={},
            files=ledger.states(),
            refused=tuple(map(_refused, ledger.refused())),
            writer=writer_of(directory),
        )
    return replace(found, bytes=_sizes(directory))  # without what SQLite needs beside the file while we read it


def fingerprint(directory: Path) -> str:
    """Give the SHA-256 by which archives that hold the same articles are known; reads all of them."""
    with Archive.open(directory) as archive:
        return archive.fingerprint()


def writer_of(directory: Path) -> Writer | None:
    """Give the process that is writing to an archive, if there is one."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        noted = json.loads((directory / WRITER_NAME).read_bytes())
        # A writer that was killed leaves its note, but not its lock.
        if _is_locked(directory / LOCK_NAME):
            return Writer(int(noted["pid"]), shown(str(noted["since"])[:19]))
    return None


def _is_locked(path: Path) -> bool:
    import fcntl

    with path.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _published(archive: Archive) -> tuple[dict[str, int], dict[str, int], str, str]:
    """Count articles by outlet (most first) and by month (latest first); give the first and the last day too."""
    query = "SELECT source, substr(date, 1, 7), count(*), min(date), max(date) FROM articles GROUP BY 1, 2"
    outlets, months = Counter[str](), Counter[str]()
    days: list[str] = []
    for source, month, count, first, last in archive.database.read(query):
        outlets[shown(source)] += count
        months[shown(month)] += count
        days += [shown(first), shown(last)] if first else []
    ranked = dict(sorted(outlets.items(), key=lambda pair: (-pair[1], pair[0])))
    return ranked, dict(sorted(months.items(), reverse=True)), min(days, default=""), max(days, default="")


def _runtime(sha256: str) -> str:
    """Say what embeds with a model on this machine, as far as that is known without loading it."""
    from rag.inference import LEAST_AGREEMENT, read_manifest
    from rag.models import export_folder

    exported = read_manifest(export_folder(sha256)) if sha256 else None
    if exported is None:
        return ""
    usable = (label for label, agreement in exported.agreement.items() if agreement >= LEAST_AGREEMENT)
    return next(usable, f"PyTorch ({exported.refusal})" if exported.refusal else "")


def _vectors(archive: Archive) -> Index | None:
    manifest = current_manifest(archive)
    return _index(archive, current_name(archive.directory), manifest.passages, manifest.position) if manifest else None


def _words(archive: Archive) -> Index | None:
    commit = commits(archive.directory).current()
    with suppress(ArchiveDamaged):
        if commit:
            manifest = Manifest.read(commit)
            manifest.check(archive)
            return _index(archive, commit.name, manifest.passages, manifest.position)
    return None


def _index(archive: Archive, name: str, passages: int, position: Position) -> Index:
    came, left = archive.count_passages(after=position.passages), len(archive.departed(position.departures))
    return Index(name, passages, came, left)


def _refused(record: FileRecord) -> Refused:
    return Refused(shown(record.path), record.state, record.refused, tuple(map(shown, record.reasons)))


def _sizes(directory: Path) -> dict[str, int]:
    """Give the bytes of the archive's parts and of all its folder; a file with two names counts once."""
    truth = sum(path.stat().st_size for path in directory.glob(f"{FILE_NAME}*"))
    return {"archive": truth, VECTORS: _size(directory / VECTORS), WORDS: _size(directory / WORDS)} | {
        "total": _size(directory)
    }


def _size(directory: Path) -> int:
    sizes: dict[tuple[int, int], int] = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):  # a writer may have removed it
                found = Path(folder, name).lstat()
                sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())


# For a person


def write_status(status: Status) -> str:
    """Write what there is to say of an archive in lines for a person."""
    dates = f", {status.first_date} to {status.last_date}" if status.first_date else ""
    count = f"{_write_articles(status)} in {counted(status.passages, 'passage')}"
    rows = [
        ("Archive", [f"{status.archive}: {count}{dates}"]),
        ("Last sync", [status.synchronised or "never: no folder was indexed into it"]),
        ("Outlets", _table(status.outlets, "(not known)")),
        ("Months", _table(status.months, "(no date)")),
        ("Model", [f"{status.model}, {status.dimension} numbers a passage; splitter {status.splitter}"]),
        ("Runtime", [status.runtime or "not known before something is embedded here"]),
        ("Vectors", [_write_index(status.vectors, status)]),
        ("Words", [_write_index(status.words, status)]),
        ("Disk", [_write_sizes(status.bytes)]),
        ("Files", [", ".join(f"{count:,} {state}" for state, count in status.files.items()) or "none"]),
        ("Refused", _write_refused(status.refused)),
        ("Writer", [f"process {status.writer.pid}, since {status.writer.since}" if status.writer else "none at work"]),
    ]
    return "\n".join(_write_row(label, lines) for label, lines in rows if lines)


def _write_articles(status: Status) -> str:
    """Say how many articles there are, and how many stories where some are copies or versions of others."""
    stories = f"{status.stories:,} {'story' if status.stories == 1 else 'stories'}"
    return counted(status.articles, "article") + (f" ({stories})" if status.stories < status.articles else "")


def _write_row(label: str, lines: Sequence[str]) -> str:
    return "\n".join(f"{label if not number else '':<{LABEL}}{line}" for number, line in enumerate(lines))


def _table(counts: Mapping[str, int], unknown: str) -> list[str]:
    width = max((len(f"{count:,}") for count in counts.values()), default=0)
    rows = [f"{count:>{width},}  {name or unknown}" for name, count in counts.items()]
    return _first(rows, MOST_ROWS)


def _write_index(index: Index | None, status: Status) -> str:
    if index is None:
        mend = f"none that can be used; make it with: onrecord rebuild --archive {status.archive}"
        return mend if status.passages else "none yet"
    since = f"; since then {index.came:,} came and {index.left:,} left" if index.came or index.left else ""
    return f"{index.name} with {counted(index.passages, 'passage')}{since}"


def _write_sizes(sizes: Mapping[str, int]) -> str:
    parts = [f"{name} {sizes[name] / 1e6:,.1f}" for name in ("archive", VECTORS, WORDS)]
    return f"{sizes['total'] / 1e6:,.1f} MB: {', '.join(parts)}"


def _write_refused(refused: Sequence[Refused]) -> list[str]:
    rows = [f"{file.state}  {file.path}: {reason}" for file in refused for reason in _reasons(file)]
    return _first(rows, MOST_REFUSED)


def _reasons(file: Refused) -> list[str]:
    more = file.parts - len(file.reasons)
    return [*file.reasons, f"{more:,} more parts like these"] if more else [*file.reasons]


def _first(rows: list[str], most: int) -> list[str]:
    return rows if len(rows) <= most else [*rows[:most], f"and {len(rows) - most:,} more"]
