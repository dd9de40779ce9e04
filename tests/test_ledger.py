from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag import Article, Passage
from rag.archive import Archive, Entry
from rag.ledger import DOUBTFUL_NANOSECONDS, FileRecord, Ledger, Stamp

READ = FileRecord("/news/a.txt", "/news", "digest", Stamp(10, 1_000, 7), 5 * DOUBTFUL_NANOSECONDS, "indexed")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive", {"model": "some-model"}) as created:
        created.put(
            Entry(Article(name, "T", "Text."), (Passage(name, 0, 5, "Text."),), np.ones((1, 4), dtype=np.float32))
            for name in "abc"
        )
        yield created


@pytest.fixture
def ledger(archive: Archive) -> Ledger:
    return Ledger(archive.database)


def test_a_file_is_known_as_it_was_noted(ledger: Ledger) -> None:
    refused = replace(READ, path="/news/b.jsonl", state="failed", refused=2, reasons=("line 2: bad", "line 5: worse"))
    ledger.note(READ)
    ledger.note(refused)

    assert (ledger.find("/news/a.txt"), ledger.find("/news/b.jsonl")) == (READ, refused)
    assert ledger.find("/news/c.txt") is None
    assert ledger.refused() == [refused]
    assert ledger.states() == {"failed": 1, "indexed": 1}


def test_no_more_than_a_hundred_reasons_are_kept(ledger: Ledger) -> None:
    ledger.note(replace(READ, refused=250, reasons=tuple(f"line {n}" for n in range(250))))

    [kept] = ledger.refused()
    assert (kept.refused, len(kept.reasons)) == (250, 100)


@pytest.mark.parametrize(
    ("stamp", "still"),
    [
        (Stamp(10, 1_000, 7), True),
        (Stamp(11, 1_000, 7), False),
        (Stamp(10, 1_001, 7), False),
        (Stamp(10, 1_000, 8), False),
    ],
)
def test_size_time_and_inode_tell_whether_a_file_changed(stamp: Stamp, still: bool) -> None:
    assert READ.is_still(stamp) is still


def test_a_file_written_just_before_it_was_read_is_doubtful() -> None:
    fresh = replace(READ, checked=READ.stamp.changed + DOUBTFUL_NANOSECONDS)

    assert not fresh.is_still(READ.stamp)


def test_an_article_stays_until_the_last_file_that_holds_it_is_gone(ledger: Ledger) -> None:
    ledger.add_origins("/news/one.txt", ["a"], 1)
    ledger.add_origins("/news/two.txt", ["a"], 1)

    assert ledger.origins("a") == ["/news/one.txt", "/news/two.txt"]
    assert ledger.other_origin("a", "/news/one.txt") == "/news/two.txt"
    assert ledger.orphans() == ["b", "c"]
    ledger.forget("/news/one.txt")
    assert ledger.orphans() == ["b", "c"]
    ledger.forget("/news/two.txt")
    assert ledger.orphans() == ["a", "b", "c"]


def test_a_file_read_again_loses_what_it_no_longer_holds(ledger: Ledger) -> None:
    ledger.add_origins("/news/a.jsonl", ["a", "b"], 1)
    ledger.add_origins("/news/a.jsonl", ["b", "c"], 2)

    assert ledger.holds("/news/a.jsonl", "b", 2)
    assert not ledger.holds("/news/a.jsonl", "a", 2)
    ledger.drop_origins("/news/a.jsonl", but_of=2)
    assert ledger.articles_of("/news/a.jsonl") == ["b", "c"]
    assert ledger.orphans() == ["a"]


def test_a_twin_has_the_same_bytes_and_the_same_kind(ledger: Ledger) -> None:
    ledger.note(READ)
    ledger.note(replace(READ, path="/news/half.txt", digest="other", refused=1, reasons=("line 2: bad",)))

    assert ledger.twin("/news/z.txt", "digest", ".txt") == READ
    assert ledger.twin("/news/z.md", "digest", ".md") is None
    assert ledger.twin("/news/a.txt", "digest", ".txt") is None
    assert ledger.twin("/news/z.txt", "other", ".txt") is None


def test_what_a_run_has_not_seen_is_told_of_its_own_folder_alone(ledger: Ledger) -> None:
    paths = ["/news/a.txt", "/news/b.txt", "/news/sub/c.txt", "/News/d.txt", "/news_1/e.txt", "/newspaper/f.txt"]
    for path in paths:
        ledger.note(replace(READ, path=path, folder=path.rpartition("/")[0]))
    ledger.add_origins("/news/half-read.jsonl", ["a"], 1)
    ledger.begin_run()
    ledger.see(["/news/a.txt"])

    assert ledger.unseen("/news") == ["/news/b.txt", "/news/half-read.jsonl", "/news/sub/c.txt"]
    ledger.begin_run()
    assert "/news/a.txt" in ledger.unseen("/news")


def test_an_article_that_was_taken_out_is_remembered_until_it_changes(ledger: Ledger) -> None:
    ledger.withdraw("a", "digest", "2019-07-16")

    assert ledger.withdrawn("a", "digest") == "2019-07-16"
    assert ledger.withdrawn("a", "another digest") is None
    ledger.readmit("a")
    assert ledger.withdrawn("a", "digest") is None


def test_the_last_day_of_an_id_is_known_and_half_a_character_is_no_id(ledger: Ledger) -> None:
    ledger.withdraw("a", "digest", "2019-07-16")

    assert [ledger.last_withdrawn(name) for name in ("a", "b", "\udcff\udcfe")] == ["2019-07-16", "", ""]
