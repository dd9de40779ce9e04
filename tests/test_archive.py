from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rag import (
    ArchiveDamaged,
    ArchiveEmpty,
    ArchiveError,
    ArchiveMismatch,
    ArchiveNotFound,
    Article,
    Passage,
    Searched,
)
from rag.archive import FILE_NAME, Archive, Entry, Position

FACTS = {"model": "some-model", "splitter": "some-splitter"}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive", FACTS) as created:
        yield created


def entry(article: Article, value: float = 1.0) -> Entry:
    passage = Passage(article.id, 0, len(article.text), article.text)
    return Entry(article, (passage,), np.full((1, 4), value, dtype=np.float32))


def test_an_article_comes_back_as_it_went_in(archive: Archive) -> None:
    known = ("Outlet", "2019-07-16", "https://x.example/", ("A", "B"), "Wörld", "es")
    article = Article("a-1", "Títle “x”", "Text.\n\nMore 🦉.", *known)

    archive.put([entry(article)])

    assert archive.article("a-1") == article


def test_its_passages_and_vectors_come_with_it(archive: Archive) -> None:
    article = Article("a", "T", "Some text.")

    archive.put([entry(article, 0.5)])

    [([number], matrix)] = archive.vectors()
    assert matrix.tolist() == [[0.5] * 4]
    assert archive.passages([number]) == {number: (Passage("a", 0, 10, "Some text."), article)}


def test_the_vectors_of_given_passages_come_in_order_without_those_that_are_gone(archive: Archive) -> None:
    archive.put(
        [entry(Article(name, "T", f"{name}."), value) for name, value in zip("abc", (0.25, 0.5, 1), strict=True)]
    )
    archive.drop(["b"])

    numbers, matrix = archive.vectors_of([3, 1, 2, 99])

    assert (numbers, matrix.tolist()) == ([1, 3], [[0.25] * 4, [1.0] * 4])
    assert matrix.dtype == np.float32
    assert archive.vectors_of([])[0] == []


def test_a_replaced_article_takes_its_old_passages_along(archive: Archive) -> None:
    archive.put([entry(Article("a", "T", "Old text."))])
    [([old], _)] = archive.vectors()

    archive.put([entry(Article("a", "T", "New text."))])

    [([new], _)] = archive.vectors()
    assert new != old
    assert archive.passages([old, new]) == {new: (Passage("a", 0, 9, "New text."), Article("a", "T", "New text."))}


def test_every_change_of_what_can_be_found_moves_the_revision(archive: Archive) -> None:
    revisions = [archive.revision]
    archive.put([entry(Article("a", "T", "A."))])
    revisions.append(archive.revision)
    archive.note("synchronised", "2019-07-16 12:00:00")
    revisions.append(archive.revision)
    archive.drop(["a"])
    revisions.append(archive.revision)
    archive.drop(["a"])
    revisions.append(archive.revision)

    assert revisions == [0, 1, 1, 2, 2]


def test_departures_are_on_record_until_they_are_forgotten(archive: Archive) -> None:
    archive.put([entry(Article("a", "T", "A.")), entry(Article("b", "T", "B."))])
    before = archive.position
    archive.put([entry(Article("a", "T", "A new text."))])
    archive.drop(["b"])

    assert (before, archive.position) == (Position(2, 0), Position(3, 2))
    assert (archive.departed(0), archive.departed(1)) == ([1, 2], [2])
    archive.forget_departures(1)
    assert (archive.departed(0), archive.position) == ([2], Position(3, 2))


def test_what_came_after_a_passage_comes_in_order(archive: Archive) -> None:
    archive.put([entry(Article(name, "T", f"{name}.")) for name in "abc"])

    assert [article.id for batch in archive.passages_after(1, batch=1) for _, _, article in batch] == ["b", "c"]
    assert [numbers for numbers, _ in archive.vectors(after=1, batch=1)] == [[2], [3]]
    assert [archive.count_passages(after=after) for after in range(4)] == [3, 2, 1, 0]


def test_a_sample_of_the_vectors_is_spread_over_all(archive: Archive) -> None:
    archive.put([entry(Article(str(n), "T", "A."), n / 8) for n in range(100)])
    archive.drop(str(n) for n in range(30, 60))

    sample = [number for number, _ in archive.sampled_vectors(10, until=90)]

    assert sample == [1, 10, 19, 28, 61, 62, 63, 64, 73, 82]


def test_a_failure_inside_a_transaction_leaves_nothing_behind(archive: Archive) -> None:
    good = entry(Article("a", "T", "A."))
    broken = Entry(Article("b", "T", "B."), good.passages, np.zeros((2, 4), dtype=np.float32))

    with pytest.raises(ValueError, match="zip"):
        archive.put([good, broken])

    assert (archive.count(), archive.revision) == (0, 0)


def test_a_full_disk_is_told_and_leaves_the_archive_as_it_was(archive: Archive) -> None:
    archive.put([entry(Article("a", "T", "A."))])
    pages = archive.database.read("PRAGMA page_count")[0][0]
    archive.database.read(f"PRAGMA max_page_count = {pages}")  # SQLite then answers as on a full disk

    with pytest.raises(ArchiveError, match="could not be written .*full.*. What it held before is kept"):
        archive.put([entry(Article("b", "T", "long text " * 10_000))])

    assert (archive.count(), archive.revision) == (1, 1)


def test_what_is_searched_names_outlets_and_dates_that_are_known(archive: Archive) -> None:
    archive.put(
        [
            entry(Article("a", "T", "A.", "Wire", "2019-07-16")),
            entry(Article("b", "T", "B.", "Courier", "2018-01-02")),
            entry(Article("c", "T", "C.")),
        ]
    )

    assert archive.searched() == Searched(3, ("Courier", "Wire"), "2018-01-02", "2019-07-16")


def test_an_empty_archive_says_how_to_fill_it(archive: Archive) -> None:
    with pytest.raises(ArchiveEmpty, match="is empty. Add articles with: onrecord index FOLDER"):
        archive.searched()


def test_a_missing_archive_says_how_to_make_one_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ArchiveNotFound, match="Make one with: onrecord index FOLDER --archive"):
        Archive.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_an_archive_of_another_model_is_refused(archive: Archive) -> None:
    archive.put([entry(Article("a", "T", "A."))])

    with pytest.raises(ArchiveMismatch, match="made with model 'some-model', not 'other'"):
        Archive.create(archive.directory, FACTS | {"model": "other"})


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_damaged_file_is_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)

    with pytest.raises(ArchiveDamaged, match="damaged"):
        Archive.open(tmp_path)


def test_an_archive_of_a_later_onrecord_is_refused(archive: Archive) -> None:
    archive.close()
    with sqlite3.connect(archive.directory / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(ArchiveMismatch, match="made by a newer Onrecord \\(it has format 99"):
        Archive.open(archive.directory)


def test_an_address_of_halves_of_characters_is_of_no_article(archive: Archive) -> None:
    archive.put([entry(Article("a", "T", "A.", url="https://x.example/"))])

    assert archive.article_at("\udcff\udcfe") is None
    assert archive.article_at("https://x.example/") == archive.article("a")


def test_reading_from_many_threads_opens_no_more_files(archive: Archive) -> None:
    archive.put([entry(Article("a", "T", "A."))])
    before = len(list(Path("/dev/fd").iterdir()))

    for _ in range(50):
        thread = threading.Thread(target=archive.article, args=["a"])
        thread.start()
        thread.join()

    assert len(list(Path("/dev/fd").iterdir())) <= before
