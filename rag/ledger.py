"""The ledger: every file that was seen, what became of it, and which articles it holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.database import Database, findable

FileState = Literal["indexed", "duplicate", "skipped", "failed"]

# A file written this shortly before it was read may have been written again without any change of its time.
DOUBTFUL_NANOSECONDS = 2_000_000_000
MOST_REASONS = 100

_FILES = "SELECT path, folder, digest, size, changed, inode, checked, state, refused, refusals FROM files WHERE"
_NOTE = """
INSERT OR REPLACE INTO files (path, folder, digest, size, changed, inode, checked, state, refused, refusals)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ORPHANS = "SELECT id FROM articles WHERE NOT EXISTS (SELECT 1 FROM origins WHERE article_id = articles.id)"
_UNSEEN = """
SELECT path FROM files WHERE folder = ?1 OR (path >= ?2 AND path < ?3)
UNION SELECT path FROM origins WHERE path >= ?2 AND path < ?3
EXCEPT SELECT path FROM temp.seen
"""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the file system says of a file: bytes, time of the last change in nanoseconds, inode."""

    size: int = -1
    changed: int = -1
    inode: int = -1


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as it was when it was last read: SHA-256 of its bytes, when that was (nanoseconds), what became of it.

    `reasons` holds at most the first hundred of all `refused` parts.
    """

    path: str
    folder: str
    digest: str
    stamp: Stamp
    checked: int
    state: FileState
    refused: int = 0
    reasons: tuple[str, ...] = ()

    def is_still(self, stamp: Stamp) -> bool:
        """Say whether a file with this stamp is beyond doubt the one that was read."""
        return self.stamp == stamp and stamp.changed < self.checked - DOUBTFUL_NANOSECONDS


class Ledger:
    """The files of one archive; what it changes is part of the archive's transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Files

    def find(self, path: str) -> FileRecord | None:
        """Give what is known of a file, if it was ever read to its end."""
        rows = self._files("path = ?", [path])
        return rows[0] if rows else None

    def twin(self, path: str, digest: str, suffix: str) -> FileRecord | None:
        """Give another file of the same kind with the same bytes, all of which was taken in."""
        known = "digest = ? AND path <> ? AND refused = 0 AND state IN ('indexed', 'duplicate') AND path LIKE ?"
        rows = self._files(f"{known} ORDER BY path LIMIT 1", [digest, path, f"%{suffix}"])
        return rows[0] if rows else None

    def refused(self) -> list[FileRecord]:
        """Give the files that were refused, whole or in part, in the order of their paths."""
        return self._files("refused > 0 ORDER BY path")

    def states(self) -> dict[str, int]:
        """Count the files of each state."""
        return dict(self._database.read("SELECT state, count(*) FROM files GROUP BY state ORDER BY state"))

    def note(self, record: FileRecord) -> None:
        """Write down what became of a file."""
        stamp, reasons = record.stamp, json.dumps(record.reasons[:MOST_REASONS])
        row = [record.path, record.folder, record.digest, stamp.size, stamp.changed, stamp.inode, record.checked]
        self._database.change(_NOTE, [*row, record.state, record.refused, reasons])

    def _files(self, condition: str, values: Sequence[object] = ()) -> list[FileRecord]:
        rows = self._database.read(f"{_FILES} {condition}", values)
        return [
            FileRecord(
                path, folder, digest, Stamp(size, changed, inode), checked, state, refused, tuple(json.loads(reasons))
            )
            for path, folder, digest, size, changed, inode, checked, state, refused, reasons in rows
        ]

    # Which file holds which article

    def holds(self, path: str, article_id: str, run: int) -> bool:
        """Say whether an article was found in a file during this run."""
        query = "SELECT 1 FROM origins WHERE path = ? AND article_id = ? AND run = ?"
        return bool(self._database.read(query, [path, article_id, run]))

    def other_origin(self, article_id: str, path: str) -> str | None:
        """Give a file other than `path` that holds the article, if there is one."""
        query = "SELECT path FROM origins WHERE article_id = ? AND path <> ? LIMIT 1"
        rows = self._database.read(query, [article_id, path])
        return str(rows[0][0]) if rows else None

    def articles_of(self, path: str) -> list[str]:
        """Give the ids of the articles that a file holds."""
        rows = self._database.read("SELECT article_id FROM origins WHERE path = ? ORDER BY article_id", [path])
        return [article_id for (article_id,) in rows]

    def origins(self, article_id: str) -> list[str]:
        """Give the files that hold an article."""
        rows = self._database.read("SELECT path FROM origins WHERE article_id = ? ORDER BY path", [article_id])
        return [path for (path,) in rows]

    def add_origins(self, path: str, article_ids: Iterable[str], run: int) -> None:
        """Note that a file holds these articles, as of this run."""
        rows = ((path, article_id, run) for article_id in article_ids)
        self._database.change_many(
            "INSERT INTO origins VALUES (?, ?, ?) ON CONFLICT (path, article_id) DO UPDATE SET run = excluded.run", rows
        )

    def drop_origins(self, path: str, *, but_of: int) -> None:
        """Let a file hold only what was found in the given run."""
        self._database.change("DELETE FROM origins WHERE path = ? AND run <> ?", [path, but_of])

    def forget(self, path: str) -> None:
        """Forget a file and what it holds."""
        self._database.change("DELETE FROM files WHERE path = ?", [path])
        self._database.change("DELETE FROM origins WHERE path = ?", [path])

    def orphans(self) -> list[str]:
        """Give the articles that no file holds any more."""
        return [article_id for (article_id,) in self._database.read(_ORPHANS)]

    # What one run has seen

    def begin_run(self) -> None:
        """Begin with nothing seen. What was seen is kept beside the archive, so that a million files need no memory."""
        self._database.read("PRAGMA temp_store = FILE")
        self._database.read("DROP TABLE IF EXISTS temp.seen")
        self._database.read("CREATE TEMP TABLE seen (path TEXT PRIMARY KEY) WITHOUT ROWID")

    def see(self, paths: Iterable[str]) -> None:
        """Note files that are there."""
        self._database.change_many("INSERT OR IGNORE INTO temp.seen VALUES (?)", ([path] for path in paths))

    def unseen(self, folder: str) -> list[str]:
        """Give the files that came into the archive when this folder was indexed, and were not seen in this run."""
        # "0" comes after "/", so this range holds the paths below the folder; LIKE would take "News" for "news".
        below = [folder, f"{folder}/", f"{folder}0"]
        return [path for (path,) in self._database.read(_UNSEEN, below)]

    # Articles that a person took out

    def withdraw(self, article_id: str, digest: str, day: str) -> None:
        """Remember an article that was taken out on purpose, so that its file does not bring it back."""
        self._database.change("INSERT OR REPLACE INTO withdrawn VALUES (?, ?, ?)", [article_id, digest, day])

    def withdrawn(self, article_id: str, digest: str) -> str | None:
        """Give the day on which this very article was taken out, if it was."""
        query = "SELECT day FROM withdrawn WHERE article_id = ? AND digest = ?"
        rows = self._database.read(query, [article_id, digest])
        return str(rows[0][0]) if rows else None

    def last_withdrawn(self, article_id: str) -> str:
        """Give the last day on which an article of this id was taken out; nothing where none was."""
        query = "SELECT coalesce(max(day), '') FROM withdrawn WHERE article_id = ?"
        return str(self._database.read(query, [findable(article_id)])[0][0])

    def any_withdrawn(self) -> bool:
        """Say whether any article was taken out."""
        return bool(self._database.read("SELECT 1 FROM withdrawn LIMIT 1"))

    def readmit(self, article_id: str) -> None:
        """Let an article in again that was taken out."""
        self._database.change("DELETE FROM withdrawn WHERE article_id = ?", [article_id])
