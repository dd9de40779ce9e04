"""The archive on disk: articles, their passages and vectors in one SQLite file, which is the truth."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rag.answers import Searched
from rag.articles import Article
from rag.errors import ArchiveEmpty, ArchiveError, ArchiveMismatch, ArchiveNotFound, ArticleNotFound
from rag.passages import Passage

FILE_NAME = "archive.sqlite3"
SCHEMA_VERSION = 1
BUSY_SECONDS = 30.0
_SCHEMA = """
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
"""
_ARTICLE = "SELECT id, title, text, source, date, url, authors FROM articles WHERE id = ?"
_NEWEST = "SELECT id, title, text, source, date, url, authors FROM articles ORDER BY date DESC, id LIMIT ?"
_PASSAGES = """
SELECT passages.id, first, last, articles.id, title, text, source, date, url, authors
FROM passages JOIN articles ON articles.id = article_id WHERE passages.id IN (SELECT value FROM json_each(?))
"""
_DIGESTS = "SELECT id, digest FROM articles WHERE id IN (SELECT value FROM json_each(?))"

Row = tuple[str, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as it goes into the archive, with its passages and their vectors, shape (passages, dimension)."""

    article: Article
    passages: tuple[Passage, ...]
    vectors: NDArray[np.float32]


class Archive:
    """One archive; every change is one transaction, and each moves `revision` on. Safe to read from several threads."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = threading.RLock()
        self._connection = _connect(directory / FILE_NAME)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @classmethod
    def open(cls, directory: Path) -> Archive:
        """Open an archive that is there.

        Raises `ArchiveNotFound` where there is none and `ArchiveMismatch` where another version of Onrecord made it.
        """
        if not (directory / FILE_NAME).is_file():
            raise ArchiveNotFound(
                f"No archive at {directory}. Make one with: onrecord index FOLDER --archive {directory}"
            )
        archive = cls(directory)
        with closed_on_failure(archive):
            archive._prepare()
        return archive

    @classmethod
    def create(cls, directory: Path, facts: dict[str, str]) -> Archive:
        """Open an archive, made first where there is none, for vectors that are described by `facts`.

        Raises `ArchiveMismatch` where it holds vectors of another description.
        """
        directory.mkdir(parents=True, exist_ok=True)
        archive = cls(directory)
        with closed_on_failure(archive):
            archive._make_tables()
            archive._prepare()
            archive._describe(facts)
            archive.check_facts(facts)
        return archive

    def check_facts(self, facts: dict[str, str]) -> None:
        """Raise `ArchiveMismatch` unless the archive was made with these facts (model, splitter)."""
        for name, value in facts.items():
            if (stored := self._fact(name)) != value:
                raise ArchiveMismatch(
                    f"The archive at {self.directory} was made with {name} {stored!r}, not {value!r}. "
                    f"Use that {name}, or index the articles into a new archive: "
                    "onrecord index FOLDER --archive NEW_FOLDER"
                )

    def close(self) -> None:
        """Close the file; the archive cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    # Reading

    @property
    def revision(self) -> int:
        """A number that grows with every change of articles or passages."""
        return int(self._fact("revision"))

    def count(self) -> int:
        """Count the articles."""
        return int(self._read("SELECT count(*) FROM articles", [])[0][0])

    def article(self, article_id: str) -> Article:
        """Give one article. Raises `ArticleNotFound`."""
        known = article_id.encode(errors="replace").decode()  # a command line may hold bytes that are no text
        rows = self._read(_ARTICLE, [known])
        if not rows:
            raise ArticleNotFound(
                f"The archive at {self.directory} holds no article {article_id!r}. "
                "The ids are in the citations that `onrecord ask --json` prints."
            )
        return _as_article(rows[0])

    def newest(self, most: int) -> list[Article]:
        """Give the articles of the latest dates, newest first."""
        return [_as_article(row) for row in self._read(_NEWEST, [most])]

    def passages(self, passage_ids: Sequence[int]) -> dict[int, tuple[Passage, Article]]:
        """Give those of the passages that are in the archive, each with its article."""
        rows = self._read(_PASSAGES, [json.dumps(list(passage_ids))])
        found = ((number, first, last, _as_article(tuple(rest))) for number, first, last, *rest in rows)
        return {
            number: (Passage(article.id, first, last, article.text[first:last]), article)
            for number, first, last, article in found
        }

    def vectors(self, batch: int = 1000) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Yield the ids of all passages with their vectors, in batches of shape (batch, dimension)."""
        # A connection of its own sees one state of the archive to the end, and keeps nobody waiting.
        with closing(_connect(self.directory / FILE_NAME)) as connection:
            rows = connection.execute("SELECT id, vector FROM passages ORDER BY id")
            while chunk := rows.fetchmany(batch):
                matrix = np.frombuffer(b"".join(vector for _, vector in chunk), dtype=np.float16)
                yield [number for number, _ in chunk], matrix.reshape(len(chunk), -1).astype(np.float32)

    def searched(self) -> Searched:
        """Say what there is to search. Raises `ArchiveEmpty` where there is nothing."""
        [(count, first, last)] = self._read(
            "SELECT count(*), min(nullif(date, '')), max(nullif(date, '')) FROM articles", []
        )
        if not count:
            raise ArchiveEmpty(
                f"The archive at {self.directory} is empty. "
                f"Add articles with: onrecord index FOLDER --archive {self.directory}"
            )
        outlets = self._read("SELECT DISTINCT source FROM articles WHERE source <> '' ORDER BY source", [])
        return Searched(count, tuple(name for (name,) in outlets), first or "", last or "")

    def digests(self, article_ids: Sequence[str]) -> dict[str, str]:
        """Give the digest of those of the articles that are in the archive."""
        return dict(self._read(_DIGESTS, [json.dumps(list(article_ids))]))

    def other_origin(self, article_id: str, path: str) -> str | None:
        """Give a file other than `path` that holds the article, if there is one."""
        query = "SELECT path FROM origins WHERE article_id = ? AND path <> ? LIMIT 1"
        rows = self._read(query, [article_id, path])
        return str(rows[0][0]) if rows else None

    def file(self, path: str) -> tuple[str, list[str]] | None:
        """Give the digest of a file that was read to its end, and what was refused in it."""
        rows = self._read("SELECT digest, refusals FROM files WHERE path = ?", [path])
        return (rows[0][0], json.loads(rows[0][1])) if rows else None

    def files_below(self, folder: str) -> list[str]:
        """Give the files that came into the archive when this folder was indexed."""
        # LIKE would take "News" for "news".
        below = "SELECT path FROM origins WHERE substr(path, 1, length(?1)) = ?1"
        query = f"SELECT path FROM files WHERE folder = ?2 UNION {below}"  # noqa: S608 # no value is in it
        return [path for (path,) in self._read(query, [f"{folder}/", folder])]

    # Writing

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Make all changes inside it permanent together, or none of them."""
        with self._lock:
            connection = self._connection
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.commit()
            except sqlite3.OperationalError as error:
                connection.rollback()
                raise ArchiveError(
                    f"The archive at {self.directory} could not be written ({error}). "
                    "What it held before is kept. Make room for it, then run this again."
                ) from error
            except BaseException:
                connection.rollback()
                raise

    def put(self, entries: Iterable[Entry], origin: str) -> None:
        """Add articles, or replace those of the same id, with all that belongs to them, as found in file `origin`."""
        with self.transaction() as connection:
            for entry in entries:
                _put_entry(connection, entry)
                connection.execute("INSERT OR IGNORE INTO origins VALUES (?, ?)", [origin, entry.article.id])
            _move_revision(connection)

    def also_from(self, article_ids: Iterable[str], origin: str) -> None:
        """Note that articles which the archive holds are in this file too."""
        with self.transaction() as connection:
            rows = [(origin, article_id) for article_id in article_ids]
            connection.executemany("INSERT OR IGNORE INTO origins VALUES (?, ?)", rows)

    def finish_file(self, path: str, folder: str, digest: str, kept: Iterable[str], refusals: Sequence[str]) -> int:
        """Note that a file was read to its end and drop what it no longer holds; give how many articles left."""
        with self.transaction() as connection:
            removed = _drop_origins(connection, path, set(kept))
            row = [path, folder, digest, json.dumps(list(refusals))]
            connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", row)
            return removed

    def forget_file(self, path: str) -> int:
        """Drop a file and all articles that no other file holds; give how many articles left."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM files WHERE path = ?", [path])
            return _drop_origins(connection, path, set())

    def _make_tables(self) -> None:
        # Readers go on while a writer works; SQLite remembers this in the file.
        self._read("PRAGMA journal_mode = WAL", [])
        with self.transaction() as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    connection.execute(statement)
                connection.execute("INSERT INTO facts VALUES ('revision', '0')")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _describe(self, facts: dict[str, str]) -> None:
        with self.transaction() as connection:
            # Without articles there are no vectors yet that other facts could contradict.
            if connection.execute("SELECT 1 FROM articles LIMIT 1").fetchone() is None:
                connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", list(facts.items()))

    def _prepare(self) -> None:
        self._read("PRAGMA synchronous = FULL", [])
        self._read("PRAGMA foreign_keys = ON", [])
        version = self._read("PRAGMA user_version", [])[0][0]
        if version != SCHEMA_VERSION:
            raise ArchiveMismatch(
                f"The archive at {self.directory} has format {version}, this Onrecord reads format {SCHEMA_VERSION}. "
                "Index the articles into a new archive: onrecord index FOLDER --archive NEW_FOLDER"
            )

    def _fact(self, name: str) -> str:
        rows = self._read("SELECT value FROM facts WHERE name = ?", [name])
        return str(rows[0][0]) if rows else ""

    def _read(self, query: str, values: Sequence[object]) -> list[Any]:
        try:
            with self._lock:
                return self._connection.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            raise ArchiveError(
                f"The archive at {self.directory} cannot be read ({error}). Check that you may read and write it."
            ) from error
        except sqlite3.DatabaseError as error:
            raise ArchiveMismatch(
                f"The archive at {self.directory} is damaged ({error}). "
                "Move it away and index the articles again: onrecord index FOLDER"
            ) from error


@contextmanager
def closed_on_failure(archive: Archive) -> Iterator[Archive]:
    """Close an archive if what follows fails; else it is for the caller to close."""
    try:
        yield archive
    except BaseException:
        archive.close()
        raise


def _connect(path: Path) -> sqlite3.Connection:
    # The lock of the archive keeps the threads apart that share a connection.
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _put_entry(connection: sqlite3.Connection, entry: Entry) -> None:
    article = entry.article
    row = [article.id, article.title, article.text, article.source, article.date, article.url]
    # An update in place would keep the passages of the old text; deleting the article takes them along.
    origins = connection.execute("SELECT path, article_id FROM origins WHERE article_id = ?", [article.id]).fetchall()
    connection.execute("DELETE FROM articles WHERE id = ?", [article.id])
    connection.execute(
        "INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [*row, json.dumps(article.authors), article.digest()],
    )
    connection.executemany("INSERT INTO origins VALUES (?, ?)", origins)
    connection.executemany(
        "INSERT INTO passages (article_id, first, last, vector) VALUES (?, ?, ?, ?)",
        [
            (article.id, passage.start, passage.end, vector.astype(np.float16).tobytes())
            for passage, vector in zip(entry.passages, entry.vectors, strict=True)
        ],
    )


def _drop_origins(connection: sqlite3.Connection, path: str, kept: set[str]) -> int:
    rows = connection.execute("SELECT article_id FROM origins WHERE path = ?", [path]).fetchall()
    gone = [article_id for (article_id,) in rows if article_id not in kept]
    connection.executemany("DELETE FROM origins WHERE path = ? AND article_id = ?", [(path, name) for name in gone])
    orphans = "DELETE FROM articles WHERE id = ? AND id NOT IN (SELECT article_id FROM origins)"
    removed = sum(connection.execute(orphans, [name]).rowcount for name in gone)
    if removed:
        _move_revision(connection)
    return removed


def _move_revision(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE facts SET value = value + 1 WHERE name = 'revision'")


def _as_article(row: Row) -> Article:
    article_id, title, text, source, date, url, authors = row
    return Article(article_id, title, text, source, date, url, tuple(json.loads(authors)))
