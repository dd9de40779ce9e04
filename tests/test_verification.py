import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.status import fingerprint
from index.upkeep import rebuild
from index.verification import covers, verify, write_verification
from rag import Article, Settings
from rag.archive import FILE_NAME, WRITER_NAME
from rag.chunking import split_article
from rag.indexing import locked

COPY = f"Put back a copy of {FILE_NAME}, or move "
FETCH = "Take them out and read their files again: onrecord remove ID --archive "
EMBED = "Cut and embed all articles anew: onrecord rebuild --embed --archive "
REBUILD = "Make it afresh: onrecord rebuild --archive "
Damage = Callable[[Path], object]


@pytest.fixture
def archive(small_archive: Path, tmp_path: Path) -> Path:
    """A copy of the archive of two articles, which a test may damage."""
    return shutil.copytree(small_archive, tmp_path / "archive")


def by(statement: str, *values: object) -> Damage:
    """Damage an archive by a statement of SQL."""

    def damage(archive: Path) -> None:
        with closing(sqlite3.connect(archive / FILE_NAME)) as database, database:
            database.execute(statement, values)

    return damage


def overwriting(pattern: str, at: int, data: bytes) -> Damage:
    """Damage a file of an archive by writing other bytes into it."""

    def damage(archive: Path) -> None:
        path = next(archive.glob(pattern))
        whole = path.read_bytes()
        path.write_bytes(whole[:at] + data + whole[at + len(data) :])

    return damage


def vector(*numbers: float) -> bytes:
    return np.array([*numbers, *[0.0] * (384 - len(numbers))], dtype=np.float16).tobytes()


def test_nothing_is_wrong_with_an_archive_that_was_just_made(sample_archive: Path) -> None:
    found = verify(sample_archive)

    assert found.to_dict() == {
        "archive": str(sample_archive),
        "articles": 56,
        "passages": found.passages,
        "fingerprint": fingerprint(sample_archive),
        "findings": (),
    }
    assert write_verification(found) == (
        f"Nothing is wrong with {sample_archive}: 56 articles, {found.passages} passages and both indexes were checked."
    )


CONTENT: dict[str, tuple[Damage, str, str]] = {
    "another text": (
        by("UPDATE articles SET text = replace(text, 'Three', 'Seven')"),
        "Articles are not as they came in (1: owl)",
        FETCH,
    ),
    "another author": (
        by("UPDATE articles SET authors = '[]' WHERE id = 'owl'"),
        "Articles are not as they came in (1: owl)",
        FETCH,
    ),
    "another section": (
        by("UPDATE articles SET section = 'Nature' WHERE id = 'owl'"),
        "Articles are not as they came in (1: owl)",
        FETCH,
    ),
    "broken authors": (
        by("UPDATE articles SET authors = '[' WHERE id = 'bridge'"),
        "Articles cannot be read (1: bridge)",
        FETCH,
    ),
    "no passages": (
        by("UPDATE passages SET article_id = 'owl', first = 300, last = 400 WHERE article_id = 'bridge'"),
        "Passages do not cover their articles in order (2: bridge, owl)",
        EMBED,
    ),
    "a passage cut off": (
        by("UPDATE passages SET last = last - 5 WHERE article_id = 'owl'"),
        "Passages do not cover their articles in order (1: owl)",
        EMBED,
    ),
    "a zero vector": (
        by("UPDATE passages SET vector = zeroblob(768) WHERE article_id = 'owl'"),
        "Vectors are not of unit length and the right dimension (1: owl)",
        EMBED,
    ),
    "a short vector": (
        by("UPDATE passages SET vector = ? WHERE article_id = 'owl'", vector(1)[:-2]),
        "Vectors are not of unit length and the right dimension (1: owl)",
        EMBED,
    ),
    "a long vector": (
        by("UPDATE passages SET vector = ?", vector(1, 0.1)),
        "Vectors are not of unit length and the right dimension (2: bridge, owl)",
        EMBED,
    ),
    "another vector": (
        by("UPDATE passages SET vector = ? WHERE article_id = 'owl'", vector(1)),
        "Passages or vectors are not as they were stored (1: owl)",
        EMBED,
    ),
    "not a number": (
        by("UPDATE passages SET vector = ? WHERE article_id = 'owl'", vector(1, float("nan"))),
        "Vectors are not of unit length and the right dimension (1: owl)",
        EMBED,
    ),
    "origins of nothing": (
        by("INSERT INTO origins VALUES ('a.txt', 'gone', 0)"),
        "Rows belong to no article (1: row 3 of origins)",
        COPY,
    ),
    "a text that is none": (
        by("UPDATE articles SET text = CAST(x'ff41' AS TEXT) WHERE id = 'owl'"),
        "The archive at {archive} cannot be read (Could not decode to UTF-8",
        COPY,
    ),
}
FILES: dict[str, tuple[Damage, str, str]] = {
    "an empty file": (
        lambda archive: (archive / FILE_NAME).write_bytes(b""),
        "The archive at {archive} was never finished",
        "",
    ),
    "another file": (
        lambda archive: (archive / FILE_NAME).write_bytes(b"no database at all" * 100),
        "The archive at {archive} is damaged (file is not a database)",
        COPY,
    ),
    "a page of zeros": (
        overwriting(FILE_NAME, 4096, bytes(4096)),
        "The archive at {archive} is damaged (database disk image is malformed)",
        COPY,
    ),
    "half a file": (
        lambda archive: (archive / FILE_NAME).write_bytes((archive / FILE_NAME).read_bytes()[:20480]),
        "The archive at {archive} is damaged (database disk image is malformed)",
        COPY,
    ),
    "no archive": (shutil.rmtree, "No archive at {archive}", "Make one with: onrecord index FOLDER --archive "),
}
INDEXES: dict[str, tuple[Damage, str, str]] = {
    "a byte of the graph": (
        overwriting("vectors/gen-*/chroma/*/data_level0.bin", 100, b"\xff"),
        "The vector index is not as it should be: gen-000001: ",
        REBUILD,
    ),
    "no vectors": (
        lambda archive: shutil.rmtree(archive / "vectors"),
        "The vector index is not as it should be: no generation is published",
        REBUILD,
    ),
    "a lost pointer": (
        lambda archive: (archive / "vectors" / "CURRENT").unlink(),
        "The vector index is not as it should be: CURRENT does not name ",
        REBUILD,
    ),
    "a byte of the words": (
        overwriting("words/gen-*/meta.json", 5, b"~"),
        "The word index is not as it should be: ",
        REBUILD,
    ),
    "no words": (
        lambda archive: shutil.rmtree(archive / "words"),
        "The word index is not as it should be: there is no word index",
        REBUILD,
    ),
}
DAMAGES = CONTENT | FILES | INDEXES


@pytest.mark.parametrize(("damage", "problem", "remedy"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_found_with_what_mends_it(archive: Path, damage: Damage, problem: str, remedy: str) -> None:
    damage(archive)

    finding, *others = verify(archive).findings

    line = finding.write()
    assert line.startswith(problem.format(archive=archive))
    assert remedy in line
    assert others == []


@pytest.mark.parametrize("name", ["a passage cut off", "a byte of the graph"])
def test_the_remedy_mends_it(archive: Path, name: str) -> None:
    damage, _, remedy = DAMAGES[name]
    damage(archive)

    rebuild(Settings(archive=archive), embed=remedy == EMBED)

    assert verify(archive).findings == ()


def test_findings_are_counted_and_some_places_named(archive: Path) -> None:
    statement = "INSERT INTO origins SELECT value, 'gone\x1b[2J' || value, 0 FROM json_each(?)"
    by(statement, json.dumps(list(range(1000))))(archive)

    written = write_verification(verify(archive)).splitlines()

    rows = ", ".join(f"row {number} of origins" for number in range(3, 8))
    assert written[0].startswith(f"wrong  Rows belong to no article (1,000: {rows}, ...). {COPY}{archive} away")
    assert written[1:] == [f"1 finding in {archive}. Once that is mended, verify again."]


def test_while_somebody_writes_the_indexes_may_be_behind(archive: Path) -> None:
    shutil.rmtree(archive / "words")

    with locked(archive):
        [finding] = verify(archive).findings

    assert finding.remedy.endswith(" is writing to the archive; verify it again when that has finished")
    assert not (archive / WRITER_NAME).exists()


PIECES = st.lists(st.text(max_size=40) | st.sampled_from(["He left. ", "\n\n", "x" * 300, "word " * 90]), max_size=12)


@given(PIECES)
@settings(max_examples=300)
def test_the_passages_of_any_text_cover_it(pieces: list[str]) -> None:
    article = Article("a", "", "".join(pieces))
    passages = split_article(article, lambda texts: [len(text.split()) for text in texts], 64)

    assert covers(article.text, [(passage.start, passage.end) for passage in passages])


@pytest.mark.parametrize(
    "spans", [[], [(0, 3)], [(0, 2), (3, 9)], [(3, 7), (0, 3)], [(0, 5), (3, 7)], [(0, 0), (0, 7)]]
)
def test_what_does_not_cover_a_text_is_seen(spans: list[tuple[int, int]]) -> None:
    assert covers("one two", [(0, 3), (4, 7)])
    assert not covers("one two", spans)
