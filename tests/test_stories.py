from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.archive import Archive, Entry
from rag.articles import Article
from rag.passages import Passage
from rag.stories import FEWEST_WORDS, any_missing, sketch_text

ROOT = Path(__file__).parent.parent
WORDS = [f"{first}{second}{third}" for first in "bdfgklmn" for second in "aeiou" for third in ("t", "ra", "no", "lis")]


def written(seed: int, words: int = 300) -> str:
    """Write a text of made-up words, another one for each seed."""
    chosen = random.Random(seed).choices(WORDS, k=words)
    return ". ".join(" ".join(chosen[start : start + 12]).capitalize() for start in range(0, words, 12)) + "."


def edited(text: str, share: float, seed: int = 1) -> str:
    """Put another word for some share of the words."""
    words, chance = text.split(" "), random.Random(seed)
    for place in chance.sample(range(len(words)), round(share * len(words))):
        words[place] = chance.choice(WORDS)
    return " ".join(words)


def cut(text: str, share: float) -> str:
    return text[: text.index(".", round(share * len(text))) + 1]


def entry(article_id: str, text: str, date: str = "2022-06-14") -> Entry:
    passage = Passage(article_id, 0, len(text), text)
    return Entry(Article(article_id, "T", text, date=date), (passage,), np.ones((1, 4), dtype=np.float32))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive", {"model": "some-model"}) as created:
        yield created


def groups(archive: Archive) -> set[frozenset[str]]:
    rows = archive.database.read("SELECT story, article_id FROM sketches")
    labels = {label for label, _ in rows}
    return {frozenset(article_id for label, article_id in rows if label == each) for each in labels}


def grouped(*names: str) -> set[frozenset[str]]:
    """Give groups for names of one letter: "ab", "c" are two groups."""
    return {frozenset(name) for name in names}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.upper().replace(".", " —"),
        lambda text: edited(text, 0.02),
        lambda text: edited(text, 0.1),
        lambda text: written(7, 24) + " " + text,
        lambda text: cut(text, 0.5),
        lambda text: edited(cut(text, 0.5), 0.05),
        lambda text: cut(text, 0.35),
    ],
    ids=["copy", "other marks", "2 % edited", "10 % edited", "other lead", "half", "half, edited", "a third"],
)
def test_copies_and_versions_are_one_story(archive: Archive, change: object) -> None:
    assert callable(change)
    for seed in range(10):
        archive.put([entry(f"a{seed}", written(seed)), entry(f"b{seed}", change(written(seed)))])

    assert groups(archive) == {frozenset({f"a{seed}", f"b{seed}"}) for seed in range(10)}


def test_texts_that_only_share_their_subject_or_their_frame_are_not(archive: Archive) -> None:
    frame = written(99, 60)
    archive.put(entry(str(seed), frame + " " + written(seed)) for seed in range(10))
    archive.put(entry(f"rewritten {seed}", edited(written(seed), 0.4)) for seed in range(10))

    assert len(groups(archive)) == 20


def test_what_is_alike_and_came_at_another_time_is_a_story_of_its_own(archive: Archive) -> None:
    text = written(1)
    archive.put([entry("a", text), entry("b", edited(text, 0.1, 2), "2022-06-16")])
    archive.put([entry("c", edited(text, 0.1, 3), "2022-08-01"), entry("d", edited(text, 0.01, 4), "2022-09-01")])

    assert groups(archive) == grouped("abd", "c")


def test_short_texts_must_be_equal(archive: Archive) -> None:
    text = written(1, FEWEST_WORDS - 4)
    archive.put([entry("a", text), entry("b", text.upper()), entry("c", edited(text, 0.03))])
    archive.put([entry("d", "…"), entry("e", "…"), entry("f", "!")])

    assert groups(archive) == grouped("ab", "c", "de", "f")


def test_scripts_without_spaces_are_compared_by_their_characters(archive: Archive) -> None:
    chance = random.Random(1)
    signs = [chr(0x4E00 + chance.randrange(3000)) for _ in range(400)]
    changed = [sign if chance.random() > 0.05 else "水" for sign in signs]
    archive.put([entry("a", "".join(signs)), entry("b", "".join(changed)), entry("c", "".join(sorted(signs)))])

    assert groups(archive) == grouped("ab", "c")


def test_an_article_that_bridges_two_stories_makes_them_one(archive: Archive) -> None:
    text = written(1)
    archive.put([entry("a", edited(text, 0.1, 1)), entry("b", edited(text, 0.1, 2))])
    assert groups(archive) == grouped("a", "b")

    archive.put([entry("c", text)])

    assert groups(archive) == grouped("abc")
    assert len({filing.story for filing in archive.filings([1, 2, 3]).values()}) == 1


def test_who_leaves_takes_its_sketch_along_and_the_others_keep_their_label(archive: Archive) -> None:
    text = written(1)
    archive.put([entry("a", text), entry("b", edited(text, 0.05)), entry("c", edited(text, 0.05, 2))])
    [story] = {filing.story for filing in archive.filings([1, 2, 3]).values()}

    archive.drop(["a"])
    archive.put([entry("b", written(2))])

    assert groups(archive) == grouped("b", "c")
    assert {filing.article_id: filing.story == story for filing in archive.filings([3, 4]).values()} == {
        "b": False,
        "c": True,
    }
    keys = len(sketch_text(written(2)).keys) + len(sketch_text(edited(text, 0.05, 2)).keys)
    assert archive.database.read("SELECT count(*) FROM bands") == [(keys,)]
    assert archive.database.read("PRAGMA foreign_key_check") == []


def test_the_copies_of_a_story_come_newest_first(archive: Archive) -> None:
    text = written(1)
    dates = {"a": "2022-06-14", "b": "", "c": "2022-06-16", "d": "2022-06-14"}
    archive.put(entry(name, text, date) for name, date in dates.items())
    archive.put([entry("e", written(2))])
    labels = [filing.story for filing in archive.filings([1, 5]).values()]

    copies = archive.copies(labels)

    assert {label: [article.id for article in found] for label, found in copies.items()} == {
        labels[0]: ["c", "a", "d", "b"],
        labels[1]: ["e"],
    }
    assert copies[labels[1]] == [archive.article("e")]
    assert (archive.copies(["no such story"]), archive.count_stories()) == ({}, 2)


VERSIONS = [
    *(
        edited(written(seed, 120), share, seed + version)
        for seed in (1, 2)
        for version, share in enumerate((0, 0.05, 0.12))
    ),
    cut(written(1, 120), 0.6),
    f"{written(1, 120)} {written(2, 120)}",
    "Ferry late.",
    "FERRY LATE",
    written(3, 120),
]


@given(st.permutations(range(len(VERSIONS))), st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_stories_are_the_same_whatever_order_articles_come_in(order: Sequence[int], batch: int) -> None:
    def labels(order: Sequence[int]) -> dict[str, str]:
        with TemporaryDirectory() as name, closing(Archive.create(Path(name), {"model": "some-model"})) as archive:
            for start in range(0, len(order), batch):
                archive.put(entry(str(number), VERSIONS[number]) for number in order[start : start + batch])
            return dict(archive.database.read("SELECT article_id, story FROM sketches"))

    assert labels(order) == labels(range(len(VERSIONS)))


def test_articles_without_a_sketch_are_caught_up_with(archive: Archive) -> None:
    texts = {"a": written(1), "b": edited(written(1), 0.05), "c": written(2)}
    archive.put(entry(name, text) for name, text in texts.items())
    stories = archive.filings([1, 2, 3])
    archive.database.read("DELETE FROM sketches WHERE article_id <> 'a'")
    assert [filing.story for filing in archive.filings([2, 3]).values()] == ["", ""]
    revision = archive.revision

    archive.catch_up()

    assert archive.filings([1, 2, 3]) == stories
    assert archive.revision > revision
    revision = archive.revision
    archive.catch_up()
    assert archive.revision == revision


def test_sketches_of_another_version_are_made_anew(archive: Archive) -> None:
    archive.put([entry("a", written(1)), entry("b", written(2))])
    archive.note("sketches", "of another library")
    assert any_missing(archive.database)

    archive.put([entry("c", edited(written(1), 0.05))])
    archive.catch_up()

    assert groups(archive) == grouped("ac", "b")
    assert not any_missing(archive.database)


def test_a_crowd_of_copies_is_one_story(archive: Archive) -> None:
    text = written(1, 60)
    archive.put(entry(str(number), edited(text, 0.02, number)) for number in range(300))

    assert archive.count_stories() == 1


def test_reading_an_archive_loads_nothing_that_only_writing_needs(archive: Archive) -> None:
    archive.put([entry("a", written(1))])
    script = (
        "import sys; from pathlib import Path; from rag.archive import Archive\n"
        "with Archive.open(Path(sys.argv[1])) as archive:\n"
        "    print([archive.copies([found.story]) for found in archive.filings([1]).values()])\n"
        "print('rensa' in sys.modules)"
    )

    printed = subprocess.run(
        [sys.executable, "-c", script, archive.directory], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed.startswith("[{'")
    assert printed.endswith("False\n")
