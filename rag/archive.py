"""The archive on disk: articles, their passages and vectors in one SQLite file, which is the truth."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from rag import filings, stories
from rag.answers import Searched
from rag.articles import Article, Copy
from rag.database import Database, findable
from rag.errors import ArchiveDamaged, ArchiveEmpty, ArchiveError, ArchiveMismatch, ArchiveNotFound, ArticleNotFound
from rag.filings import Filing, Holdings
from rag.filters import Field, Filters
from rag.passages import Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE_NAME = "archive.sqlite3"
LOCK_NAME, WRITER_NAME = "writer.lock", "writer.json"

# What the vectors of an archive depend on, and what tells it from every other archive.
MADE_WITH = ("identity", "model", "model_sha256", "dimension", "splitter")

SKETCHED_AT_ONCE = 500

_ARTICLE = "SELECT id, title, text, source, date, url, authors, section, language FROM articles"
_PASSAGES = """
SELECT passages.id, first, last, articles.id, title, text, source, date, url, authors, section, language
FROM passages JOIN articles ON articles.id = article_id
"""

P = ParamSpec("P")
T = TypeVar("T")
Found = tuple[Passage, Article]


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as it goes into the archive, with its passages and their vectors, shape (passages, dimension)."""

    article: Article
    passages: tuple[Passage, ...]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Position:
    """How far an index has followed an archive: the last passage that came in, and the last departure."""

    passages: int = 0
    departures: int = 0


class Archive:
    """One archive; every change is one transaction, and each moves `revision` on. Safe to read from several threads."""

    def __init__(self, directory: Path, database: Database) -> None:
        self.directory = directory
        self.database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @classmethod
    def open(cls, directory: Path) -> Archive:
        """Open an archive that is there.

        Raises `ArchiveNotFound` where there is none, `ArchiveMismatch` where a newer Onrecord made it and
        `ArchiveDamaged` where the file is no archive.
        """
        if not is_archive(directory):
            raise ArchiveNotFound(
                f"No archive at {directory}. Make one with: onrecord index FOLDER --archive {directory}"
            )
        return cls(directory, Database.open(directory / FILE_NAME))

    @classmethod
    def create(cls, directory: Path, facts: dict[str, str]) -> Archive:
        """Open an archive, made first where there is none, for vectors that are described by `facts`.

        Raises `ArchiveMismatch` where it holds vectors of another description.
        """
        directory.mkdir(parents=True, exist_ok=True)
        archive = cls(directory, Database.open(directory / FILE_NAME, new=True))
        with closed_on_failure(archive):
            archive.describe(facts)
            archive.check_facts(facts)
        return archive

    def close(self) -> None:
        """Close the file; the archive cannot be used afterwards."""
        self.database.close()

    # What the vectors were made with

    @property
    def facts(self) -> dict[str, str]:
        """What is noted about the archive as a whole: its model, its splitter, its revision."""
        return dict(self.database.read("SELECT name, value FROM facts"))

    def check_facts(self, facts: dict[str, str]) -> None:
        """Raise `ArchiveMismatch` unless the vectors were made with these facts (model, splitter)."""
        stored = self.facts
        differing = [name for name, value in facts.items() if stored.get(name, value) != value]
        # The same weights under another name or path give the same vectors.
        if "model_sha256" in stored.keys() & facts.keys() and differing == ["model"]:
            return
        for name in differing:
            raise ArchiveMismatch(
                f"The archive at {self.directory} was made with {name} {stored[name]!r}, not {facts[name]!r}. "
                f"Use that {name}, or embed its articles anew: onrecord rebuild --embed --archive {self.directory}"
                f"{_model_option(facts)}"
            )

    def describe(self, facts: dict[str, str], *, anew: bool = False) -> None:
        """Note what the vectors are made with, where that is not noted yet; `anew` where all of them are replaced."""
        replace = anew or not self.count()  # without articles there are no vectors that other facts could contradict
        statement = (
            "INSERT OR REPLACE INTO facts VALUES (?, ?)" if replace else "INSERT OR IGNORE INTO facts VALUES (?, ?)"
        )
        known = self.facts
        if any(known.get(name) != value for name, value in facts.items()):
            with self.database.transaction():
                self.database.change_many(statement, facts.items())

    # Reading

    @property
    def revision(self) -> int:
        """A number that grows with every change of articles or passages."""
        return int(self.database.read("SELECT value FROM facts WHERE name = 'revision'")[0][0])

    @property
    def position(self) -> Position:
        """Where an index stands that has followed the archive to its present state."""
        numbers = dict(self.database.read("SELECT name, seq FROM sqlite_sequence"))
        return Position(numbers.get("passages", 0), numbers.get("departures", 0))

    def count(self) -> int:
        """Count the articles."""
        return int(self.database.read("SELECT count(*) FROM articles")[0][0])

    def count_passages(self, after: int = 0) -> int:
        """Count the passages that came in after the given one."""
        return int(self.database.read("SELECT count(*) FROM passages WHERE id > ?", [after])[0][0])

    def article(self, article_id: str) -> Article:
        """Give one article. Raises `ArticleNotFound`."""
        rows = self.database.read(f"{_ARTICLE} WHERE id = ?", [findable(article_id)])
        if not rows:
            raise ArticleNotFound(
                f"The archive at {self.directory} holds no article {article_id!r}. "
                "The ids are in the citations that `onrecord ask --json` prints."
            )
        return _as_article(rows[0])

    def article_at(self, url: str) -> Article | None:
        """Give the newest article of an address, if there is one."""
        among = "WHERE url = ? AND url <> '' ORDER BY date DESC LIMIT 1"
        rows = self.database.read(f"{_ARTICLE} {among}", [findable(url)])
        return _as_article(rows[0]) if rows else None

    def first_passages(self, article_ids: Iterable[str]) -> dict[str, int]:
        """Give the id of the first passage of each of the articles."""
        return dict(self.database.read(_FIRST_PASSAGES, [json.dumps(list(article_ids))]))

    def passages_of(self, article_id: str) -> list[int]:
        """Give the ids of the passages of an article."""
        rows = self.database.read("SELECT id FROM passages WHERE article_id = ? ORDER BY id", [article_id])
        return [number for (number,) in rows]

    def articles(self) -> Iterator[Article]:
        """Yield all articles of one state of the archive, in the order of their ids."""
        for rows in self.database.stream(f"{_ARTICLE} ORDER BY id", batch=100):
            yield from map(_as_article, rows)

    def newest(self, most: int) -> list[Article]:
        """Give the articles of the latest dates, newest first."""
        rows = self.database.read(f"{_ARTICLE} ORDER BY date DESC, id LIMIT ?", [most])
        return [_as_article(row) for row in rows]

    def passages(self, passage_ids: Sequence[int]) -> dict[int, Found]:
        """Give those of the passages that are in the archive, each with its article."""
        among = "WHERE passages.id IN (SELECT value FROM json_each(?))"
        return dict(map(_as_found, self.database.read(f"{_PASSAGES} {among}", [json.dumps(list(passage_ids))])))

    def passages_after(self, number: int, batch: int = 1000) -> Iterator[list[tuple[int, Passage, Article]]]:
        """Yield the passages that came in after the given one, in that order, each with its id and its article."""
        for rows in self.database.stream(f"{_PASSAGES} WHERE passages.id > ? ORDER BY passages.id", [number], batch):
            yield [(found, *pair) for found, pair in map(_as_found, rows)]

    def vectors(self, after: int = 0, batch: int = 1000) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Yield the ids of the passages after the given one with their vectors, batches of shape (batch, dimension)."""
        for rows in self.database.stream("SELECT id, vector FROM passages WHERE id > ? ORDER BY id", [after], batch):
            yield [number for number, _ in rows], _as_matrix([vector for _, vector in rows])

    def vectors_of(self, passage_ids: Sequence[int]) -> tuple[list[int], NDArray[np.float32]]:
        """Give those of the passages that are in the archive, in order, with their vectors (passages, dimension)."""
        rows = self.database.read(_VECTORS_OF, [json.dumps(list(map(int, passage_ids)))])
        if not rows:
            import numpy as np

            return [], np.empty((0, int(self.facts.get("dimension", 0))), dtype=np.float32)
        return [number for number, _ in rows], _as_matrix([vector for _, vector in rows])

    def sampled_vectors(self, most: int, until: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield at most so many passages with their vectors, spread evenly up to the given one."""
        last = 0
        for step in range(most):
            between = [max(last, until * step // most) + 1, until]
            for last, vector in self.database.read(_NEXT_VECTOR, between):
                yield last, _as_matrix([vector])[0]

    def departed(self, after: int) -> list[int]:
        """Give the ids of the passages that left after the given departure and are still on record."""
        return [number for (number,) in self.database.read(_DEPARTED, [after])]

    def searched(self, filters: Filters | None = None) -> Searched:
        """Say what there is to search behind the filters. Raises `ArchiveEmpty` where there is nothing at all."""
        found = filings.searched(self.database, filters or Filters())
        if not found.articles and not self.count():
            raise ArchiveEmpty(
                f"The archive at {self.directory} is empty. "
                f"Add articles with: onrecord index FOLDER --archive {self.directory}"
            )
        return found

    # Filing

    def outlets(self) -> tuple[str, ...]:
        """Give the outlets of all articles, each once, in order."""
        return self.values("outlets")

    def values(self, field: Field) -> tuple[str, ...]:
        """Give all that filters of one kind could ask for ("authors", "sections", ...), each once, in order."""
        return filings.values(self.database, field)

    def filed(self, filters: Filters) -> NDArray[np.int64]:
        """Give the ids of the passages whose articles meet the filters, in order."""
        return filings.filed(self.database, filters)

    def filings(self, passage_ids: Sequence[int]) -> dict[int, Filing]:
        """Give the article, outlet, day and story of those of the passages that are in the archive; reads no text."""
        return filings.filings(self.database, passage_ids)

    def holdings(self) -> Holdings:
        """Count what there is, by outlet and by month."""
        return filings.holdings(self.database)

    def listed(self, filters: Filters | None = None, *, most: int = 50, skip: int = 0) -> list[Copy]:
        """Give at most so many of the articles that meet the filters, newest first, after those to skip."""
        return filings.listed(self.database, filters or Filters(), most, skip)

    # Stories

    def count_stories(self) -> int:
        """Count the stories; an article without copies is one."""
        query = "SELECT (SELECT count(*) FROM articles) - count(*) + count(DISTINCT story) FROM sketches"
        return int(self.database.read(query)[0][0])

    def copies(self, labels: Iterable[str], filters: Filters | None = None) -> dict[str, list[Copy]]:
        """Give the articles of the stories with these labels that meet the filters, newest first; reads no text."""
        return filings.copies(self.database, labels, filters or Filters())

    def catch_up(self) -> None:
        """Sort into stories the articles that came in before there were any; costs next to nothing where all are."""
        if not stories.any_missing(self.database):
            return
        last: str | None = ""
        while last is not None:
            with self.database.transaction():
                last = stories.place_missing(self.database, last, SKETCHED_AT_ONCE)
                self._move_revision()

    # Digests

    def digests(self, article_ids: Iterable[str]) -> dict[str, str]:
        """Give the digest of those of the articles that are in the archive."""
        return dict(self.database.read(_DIGESTS, [json.dumps(list(article_ids))]))

    def fingerprint(self) -> str:
        """Give one SHA-256 over the ids and digests of all articles, the same for archives that hold the same."""
        digest = hashlib.sha256()
        for rows in self.database.stream("SELECT id, digest FROM articles ORDER BY id"):
            for row in rows:
                digest.update(json.dumps(row).encode())
        return digest.hexdigest()

    # Writing

    def put(self, entries: Iterable[Entry]) -> None:
        """Add articles, or replace those of the same id, with all that belongs to them."""
        with self.database.transaction():
            for entry in entries:
                self._put_entry(entry)
            self._move_revision()

    def drop(self, article_ids: Iterable[str]) -> int:
        """Let articles leave with all that belongs to them; give how many were there."""
        with self.database.transaction():
            left = sum(self.database.change("DELETE FROM articles WHERE id = ?", [name]) for name in article_ids)
            if left:
                self._move_revision()
            return left

    def note(self, name: str, value: str) -> None:
        """Write down a fact about the archive as a whole."""
        with self.database.transaction():
            self.database.change("INSERT OR REPLACE INTO facts VALUES (?, ?)", [name, value])

    def settle(self) -> bool:
        """Leave no byte of what was removed in the file or its log; False while somebody still reads an older state."""
        [(busy, _, _)] = self.database.read("PRAGMA wal_checkpoint(TRUNCATE)")
        return not busy

    def forget_departures(self, until: int) -> None:
        """Drop the record of departures that every index has followed."""
        if self.database.read("SELECT 1 FROM departures WHERE number <= ? LIMIT 1", [until]):
            with self.database.transaction():
                self.database.change("DELETE FROM departures WHERE number <= ?", [until])

    def _put_entry(self, entry: Entry) -> None:
        article, change = entry.article, self.database.change
        origins = self.database.read("SELECT path, article_id, run FROM origins WHERE article_id = ?", [article.id])
        # An update in place would keep the passages of the old text; deleting the article takes them along.
        change("DELETE FROM articles WHERE id = ?", [article.id])
        pairs = zip(entry.passages, entry.vectors.astype("float16"), strict=True)
        rows = [(passage.start, passage.end, vector.tobytes()) for passage, vector in pairs]
        row = [article.id, article.title, article.text, article.source, article.date, article.url]
        row += [json.dumps(article.authors), article.section, article.language]
        change(_INSERT_ARTICLE, [*row, article.digest(), seal_of_passages(rows)])
        self.database.change_many("INSERT INTO origins VALUES (?, ?, ?)", origins)
        self.database.change_many(
            "INSERT INTO passages (article_id, first, last, vector) VALUES (?, ?, ?, ?)",
            ((article.id, *passage) for passage in rows),
        )
        stories.place(self.database, article.id, article.title, article.text, article.date)

    def _move_revision(self) -> None:
        self.database.change("UPDATE facts SET value = value + 1 WHERE name = 'revision'")


_INSERT_ARTICLE = """
INSERT INTO articles (id, title, text, source, date, url, authors, section, language, digest, seal)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_FIRST_PASSAGES = """
SELECT article_id, min(id) FROM passages WHERE article_id IN (SELECT value FROM json_each(?)) GROUP BY article_id
"""
_VECTORS_OF = "SELECT id, vector FROM passages WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
_NEXT_VECTOR = "SELECT id, vector FROM passages WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1"
_DIGESTS = "SELECT id, digest FROM articles WHERE id IN (SELECT value FROM json_each(?))"
_DEPARTED = "SELECT passage_id FROM departures WHERE number > ? ORDER BY number"


def _model_option(facts: dict[str, str]) -> str:
    return f" --model {facts['model']}" if "model" in facts else ""


def seal_of_passages(rows: Iterable[tuple[int, int, bytes]]) -> str:
    """Give the SHA-256 of an article's passages and vectors, as they are stored, in their order."""
    seal = hashlib.sha256()
    for first, last, vector in rows:
        seal.update(f"{first} {last} {len(vector)} ".encode())
        seal.update(vector)
    return seal.hexdigest()


def is_archive(directory: Path) -> bool:
    """Say whether an archive lies in a folder. Raises `ArchiveError` where nobody may look into it."""
    try:
        return (directory / FILE_NAME).is_file()
    except PermissionError as error:
        raise ArchiveError(
            f"The folder {directory} cannot be looked into ({error.strerror}). See that you may read it."
        ) from error


@contextmanager
def closed_on_failure(archive: Archive) -> Iterator[Archive]:
    """Close an archive if what follows fails; else it is for the caller to close."""
    try:
        yield archive
    except BaseException:
        archive.close()
        raise


def _if_whole(read: Callable[P, T]) -> Callable[P, T]:
    """Tell of rows that no Onrecord wrote, whatever they make Python say."""

    @wraps(read)
    def told(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return read(*arguments, **named)
        except (TypeError, ValueError) as error:
            raise ArchiveDamaged(
                f"The archive holds a row that cannot be read ({type(error).__name__}). "
                "See what is damaged, and what to do, with: onrecord verify"
            ) from error

    return told


@_if_whole
def _as_matrix(stored: list[bytes]) -> NDArray[np.float32]:
    import numpy as np

    return np.frombuffer(b"".join(stored), dtype=np.float16).reshape(len(stored), -1).astype(np.float32)


@_if_whole
def _as_found(row: tuple[Any, ...]) -> tuple[int, Found]:
    number, first, last, *article_row = row
    article = _as_article(tuple(article_row))
    return number, (Passage(article.id, first, last, article.text[first:last]), article)


@_if_whole
def _as_article(row: tuple[Any, ...]) -> Article:
    article_id, title, text, source, date, url, authors, section, language = row
    return Article(article_id, title, text, source, date, url, tuple(json.loads(authors)), section, language)
