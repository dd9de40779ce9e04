"""One SQLite file: opened, migrated, read and changed in transactions that last."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rag.errors import ArchiveDamaged, ArchiveEmpty, ArchiveError, ArchiveMismatch

BUSY_SECONDS = 30.0

# Each script brings a file from the version of its place to the next; the last one gives the version of today.
MIGRATIONS = (
    """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE articles (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL, date TEXT NOT NULL,
    url TEXT NOT NULL, authors TEXT NOT NULL, digest TEXT NOT NULL
);
CREATE TABLE origins (
    path TEXT NOT NULL, article_id TEXT NOT NULL REFERENCES articles ON DELETE CASCADE, PRIMARY KEY (path, article_id)
);
CREATE INDEX origins_by_article ON origins (article_id);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, article_id TEXT NOT NULL REFERENCES articles ON DELETE CASCADE,
    first INTEGER NOT NULL, last INTEGER NOT NULL, vector BLOB NOT NULL
);
CREATE INDEX passages_by_article ON passages (article_id);
CREATE TABLE files (path TEXT PRIMARY KEY, folder TEXT NOT NULL, digest TEXT NOT NULL, refusals TEXT NOT NULL);
INSERT INTO facts VALUES ('revision', '0');
""",
    # The ledger learns what decides whether a file must be read again; departures tell an index what to drop.
    """
ALTER TABLE files ADD COLUMN size INTEGER NOT NULL DEFAULT -1;
ALTER TABLE files ADD COLUMN changed INTEGER NOT NULL DEFAULT -1;
ALTER TABLE files ADD COLUMN inode INTEGER NOT NULL DEFAULT -1;
ALTER TABLE files ADD COLUMN checked INTEGER NOT NULL DEFAULT -1;
ALTER TABLE files ADD COLUMN state TEXT NOT NULL DEFAULT 'indexed';
ALTER TABLE files ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE origins ADD COLUMN run INTEGER NOT NULL DEFAULT 0;
UPDATE files SET refused = json_array_length(refusals);
UPDATE files SET state = 'failed' WHERE refused > 0 AND path NOT IN (SELECT path FROM origins);
ALTER TABLE articles ADD COLUMN seal TEXT NOT NULL DEFAULT '';
INSERT INTO facts VALUES ('identity', lower(hex(randomblob(16))));
INSERT INTO facts SELECT 'dimension', length(vector) / 2 FROM passages LIMIT 1;
CREATE INDEX files_by_digest ON files (digest);
CREATE TABLE withdrawn (article_id TEXT PRIMARY KEY, digest TEXT NOT NULL, day TEXT NOT NULL);
CREATE TABLE departures (number INTEGER PRIMARY KEY AUTOINCREMENT, passage_id INTEGER NOT NULL);
CREATE TRIGGER passages_depart AFTER DELETE ON passages
BEGIN INSERT INTO departures (passage_id) VALUES (OLD.id); END;
""",
    # What filters and ranking look at lies in an index: in the table it stands behind the text, page after page of it.
    # A sketch is kept of every article, with the story it belongs to, and its bands to find it by.
    """
ALTER TABLE articles ADD COLUMN section TEXT NOT NULL DEFAULT '';
ALTER TABLE articles ADD COLUMN language TEXT NOT NULL DEFAULT '';
CREATE INDEX articles_in_brief ON articles (id, source, date, section, language, authors);
CREATE TABLE sketches (
    id INTEGER PRIMARY KEY, article_id TEXT NOT NULL REFERENCES articles ON DELETE CASCADE,
    story TEXT NOT NULL, runs INTEGER NOT NULL, day INTEGER NOT NULL, minima BLOB NOT NULL
);
CREATE INDEX sketches_by_article ON sketches (article_id, story);
CREATE INDEX sketches_by_story ON sketches (story);
CREATE TABLE bands (
    key INTEGER NOT NULL, sketch INTEGER NOT NULL REFERENCES sketches ON DELETE CASCADE, PRIMARY KEY (key, sketch)
) WITHOUT ROWID;
CREATE INDEX bands_by_sketch ON bands (sketch);
""",
)
VERSION = len(MIGRATIONS)


class Database:
    """A SQLite file behind one connection; reading and writing are safe from several threads."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._folder = path.parent
        self._lock = threading.RLock()
        self._read_only = read_only or not _is_writable(path)
        self._seen: State | None = None
        with self._told():
            self._connection = self._connect()

    @classmethod
    def open(cls, path: Path, *, new: bool = False) -> Database:
        """Open a file, brought to the version of today, or make a new one.

        Raises `ArchiveMismatch` where a later version made it and `ArchiveDamaged` where it is no such file.
        """
        try:
            return cls._opened(path, new=new)
        except ArchiveError as error:
            # On a disk without any room SQLite cannot make what it needs beside the file, but it can read the file.
            if new or type(error) is not ArchiveError:
                raise
            return cls._opened(path, read_only=True)

    @classmethod
    def _opened(cls, path: Path, *, new: bool = False, read_only: bool = False) -> Database:
        database = cls(path, read_only=read_only)
        try:
            database._prepare(new=new)
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close the file; it cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    def read(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Give all rows of a query. Raises `ArchiveError` where the file cannot be read."""
        with self._lock, self._told():
            try:
                return self._followed().execute(query, values).fetchall()
            except sqlite3.DatabaseError:
                if not self._read_only:
                    raise
                self._seen = None  # somebody may have written just while we read
                return self._followed().execute(query, values).fetchall()

    def stream(self, query: str, values: Sequence[object] = (), batch: int = 1000) -> Iterator[list[Any]]:
        """Yield the rows of a query in batches, all of one state of the file, while others read and write on."""
        with self._told(), closing(self._connect()) as connection:
            rows = connection.execute(query, values)
            while chunk := rows.fetchmany(batch):
                yield chunk

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all changes inside it permanent together, or none of them; one inside another is part of it."""
        with self._lock, self._told():
            if self._connection.in_transaction:
                yield
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.commit()
            except sqlite3.OperationalError as error:
                self._connection.rollback()
                raise self._unwritable(error) from error
            except BaseException:
                self._connection.rollback()
                raise

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run one statement of a transaction; give how many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def change_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement of a transaction for each row of values."""
        self._connection.executemany(statement, rows)

    def _prepare(self, *, new: bool) -> None:
        if self._read_only:
            self._check_version(self._version())
            return
        if new:
            # Readers go on while a writer works; SQLite remembers this in the file.
            self.read("PRAGMA journal_mode = WAL")
        self.read("PRAGMA synchronous = FULL")
        self.read("PRAGMA foreign_keys = ON")
        self.read("PRAGMA secure_delete = ON")  # what was removed leaves no bytes behind
        self.read("PRAGMA cache_size = -16000")  # in the 2 MB that are usual, a ranking's look-ups push each other out
        version = self._version()
        if new or 0 < version < VERSION:
            self._migrate()
        self._check_version(self._version())

    def _migrate(self) -> None:
        with self.transaction():
            for script in MIGRATIONS[self._version() :]:
                for statement in _statements(script):
                    self.change(statement)
            # A newer version is left as it is, for the check that follows to refuse.
            self.change(f"PRAGMA user_version = {max(VERSION, self._version())}")

    def _version(self) -> int:
        return int(self.read("PRAGMA user_version")[0][0])

    def _check_version(self, version: int) -> None:
        if version == VERSION:
            return
        if not version:
            raise ArchiveEmpty(
                f"The archive at {self._folder} was never finished and holds no articles. "
                f"Add articles with: onrecord index FOLDER --archive {self._folder}"
            )
        if version > VERSION:
            raise ArchiveMismatch(
                f"The archive at {self._folder} was made by a newer Onrecord (it has format {version}, this one reads "
                f"up to {VERSION}). Update Onrecord, or index the articles into another folder with --archive."
            )
        raise ArchiveMismatch(
            f"The archive at {self._folder} has format {version} of an older Onrecord and cannot be written here. "
            "Copy it to a place where you may write, and run: onrecord status --archive THERE"
        )

    def _connect(self) -> sqlite3.Connection:
        connect = partial(sqlite3.connect, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        if not self._read_only:
            return connect(self._path)
        # Without a log there is nothing that SQLite could have to write; it needs to be told.
        log = _log(self._path)
        mode = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
        return connect(f"{self._path.absolute().as_uri()}?{mode}", uri=True)

    def _followed(self) -> sqlite3.Connection:
        """Give the connection, made anew where we only read and another user has written: it would never notice."""
        if self._read_only and (state := _state(self._path)) != self._seen:
            self._connection.close()
            self._connection, self._seen = self._connect(), state
        return self._connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise ArchiveError(
                f"The archive at {self._folder} cannot be read ({error}; {self._free()} there). "
                "Check that you may read and write it, and that there is room for its log."
            ) from error
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # SQLite quotes what it cannot read
            raise ArchiveDamaged(
                f"The archive at {self._folder} is damaged ({error}). Put back a copy of {self._path.name}, or move "
                "the archive away and index the articles again: onrecord index FOLDER"
            ) from error

    def _unwritable(self, error: sqlite3.Error) -> ArchiveError:
        return ArchiveError(
            f"The archive at {self._folder} could not be written ({error}; {self._free()} there). "
            "What it held before is kept. Make room for it, then run this again."
        )

    def _free(self) -> str:
        try:
            return f"{shutil.disk_usage(self._folder).free / 1e6:,.0f} MB are free"
        except OSError:
            return "nothing is known of the disk"


State = tuple[tuple[int, int, int] | None, ...]


def findable(name: str) -> str:
    """Give a name that can be looked for: a command line may hold bytes that are no text."""
    return name.encode(errors="replace").decode()


def _is_writable(path: Path) -> bool:
    return os.access(path.parent, os.W_OK) and (os.access(path, os.W_OK) or not path.exists())


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _state(path: Path) -> State:
    """Give what changes whenever somebody writes to a file or to its log."""
    return tuple(_stamp(each) for each in (path, _log(path)))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
