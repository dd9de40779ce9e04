from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from rag import ArchiveError
from rag.archive import FILE_NAME, Archive
from rag.articles import Article
from rag.database import MIGRATIONS, VERSION, Database
from rag.filings import Filing
from rag.filters import Filters


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "some.sqlite3", new=True)) as opened:
        yield opened


def note(database: Database, name: str) -> None:
    database.change("INSERT INTO facts VALUES (?, '')", [name])


def names(database: Database) -> list[str]:
    return [name for (name,) in database.read("SELECT name FROM facts WHERE value = '' ORDER BY name")]


def test_a_new_file_has_the_version_of_today_and_loses_nothing_that_was_committed(database: Database) -> None:
    pragmas = [database.read(f"PRAGMA {name}")[0][0] for name in ("user_version", "journal_mode", "synchronous")]

    assert pragmas == [VERSION, "wal", 2]
    assert [database.read(f"PRAGMA {name}")[0][0] for name in ("foreign_keys", "secure_delete")] == [1, 1]


def test_a_transaction_within_another_is_part_of_it(database: Database) -> None:
    def fail() -> None:
        with database.transaction():
            note(database, "outer")
            with database.transaction():
                note(database, "inner")
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()

    assert names(database) == []
    with database.transaction(), database.transaction():
        note(database, "kept")
    assert names(database) == ["kept"]


def test_a_stream_shows_one_state_while_others_write(database: Database) -> None:
    with database.transaction():
        for n in range(10):
            note(database, f"n{n}")
    stream = database.stream("SELECT name FROM facts WHERE name LIKE 'n%' ORDER BY name", batch=4)
    first = next(stream)
    with database.transaction():
        database.change("DELETE FROM facts WHERE name LIKE 'n%'")

    assert [len(first), *map(len, stream)] == [4, 4, 2]
    assert names(database) == []


def test_many_threads_write_and_read_through_one_connection(database: Database) -> None:
    def write(n: int) -> int:
        with database.transaction():
            note(database, f"n{n}")
        return len(names(database))

    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(write, range(40)))

    assert len(names(database)) == 40
    assert max(counted) == 40


def test_a_second_process_waits_for_its_turn_and_sees_what_the_first_one_wrote(database: Database) -> None:
    path = Path(database.read("PRAGMA database_list")[0][2])
    with closing(sqlite3.connect(path)) as other:
        other.execute("INSERT INTO facts VALUES ('theirs', '')")
        other.commit()
    with database.transaction():
        note(database, "ours")

    assert names(database) == ["ours", "theirs"]


def test_a_query_that_cannot_be_run_is_an_error_of_ours(database: Database) -> None:
    with pytest.raises(ArchiveError, match="cannot be read .*no such table"):
        database.read("SELECT * FROM nothing_like_it")


def test_who_may_only_read_sees_what_another_user_writes(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite3"
    with closing(Database._opened(path, read_only=True)) as reader:
        for n in range(30):
            with database.transaction():
                note(database, f"n{n:02d}")
                database.change("UPDATE facts SET value = ? WHERE name = 'identity'", ["x" * (1 + 5000 * (n % 7))])
            assert len(names(reader)) == n + 1
        database.close()
        assert len(names(reader)) == 30
        with pytest.raises(ArchiveError, match="could not be written .*readonly"), reader.transaction():
            note(reader, "mine")


def test_an_archive_of_the_second_version_learns_sections_filings_and_stories(tmp_path: Path) -> None:
    text = " ".join(f"word{n}" for n in range(60))
    articles = [
        Article("a", "T", text, "Écho", "2022-06-14", "https://x.example/", ("Bo Li",)),
        Article("b", "T", f"{text} more", "Wire", "2022-06-15"),
    ]
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as second:
        second.executescript(f"{MIGRATIONS[0]} {MIGRATIONS[1]} PRAGMA user_version = 2;")
        for number, article in enumerate(articles, start=1):
            fields = [article.id, article.title, article.text, article.source, article.date, article.url]
            row = [*fields, json.dumps(article.authors), article.digest()]
            second.execute("INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')", row)
            second.execute("INSERT INTO passages VALUES (?, ?, 0, 9, zeroblob(8))", [number, article.id])
        second.commit()

    with Archive.open(tmp_path) as migrated:
        assert migrated.database.read("PRAGMA user_version") == [(VERSION,)]
        assert list(migrated.articles()) == articles
        assert migrated.digests("ab") == {article.id: article.digest() for article in articles}
        assert migrated.filings([1]) == {1: Filing("a", "Écho", "2022-06-14", "")}
        assert migrated.filed(Filters(outlets=("écho",), authors=("bo li",))).tolist() == [1]
        migrated.catch_up()
        [(story, copies)] = migrated.copies([migrated.filings([1])[1].story]).items()
        assert [copy.article_id for copy in copies] == ["b", "a"]
        assert {filing.story for filing in migrated.filings([1, 2]).values()} == {story}
