from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.verification import verify
from rag import ArchiveDamaged, ArchiveError, ArchiveMismatch, Article, Passage
from rag.archive import FILE_NAME, Archive, Entry
from rag.database import MIGRATIONS, VERSION
from rag.embedding import Embedder
from rag.generations import VECTORS, current_name, damage, publish, tidy
from rag.ledger import Ledger
from rag.publications import CURRENT, MANIFEST, Manifest, seal_of
from rag.retrieval import Retriever
from rag.vectors import faults
from tests.killing import BY_MEANING, StoredVectors, check_search, stored_vectors

FACTS = {"model": "some-model", "model_sha256": "0" * 64, "dimension": "384", "splitter": "some-splitter"}
FILES = ("chroma.sqlite3", "data_level0.bin", "header.bin", "index_metadata.pickle", "length.bin", "link_lists.bin")
MENDING = "onrecord rebuild --archive"

Harm = Callable[[Path], object]


def entries(last: int) -> list[Entry]:
    vectors = np.random.default_rng(7).standard_normal((last, 2, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    return [entry(f"a{n}", pair) for n, pair in enumerate(vectors)]


def entry(name: str, vectors: Any) -> Entry:
    text = f"Article {name} is about goats.\n\nIt says what they ate, in {name} and elsewhere."
    places = [(0, text.index("\n")), (text.index("It"), len(text))]
    passages = tuple(Passage(name, start, end, text[start:end]) for start, end in places)
    return Entry(Article(name, f"Goats {name}", text, "Ferrow Herald", "2022-06-14"), passages, vectors)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of 400 passages, with its generation."""
    directory = tmp_path_factory.mktemp("damage") / "archive"
    with Archive.create(directory, FACTS) as archive:
        archive.put(entries(200))
        publish(archive)
    return directory


@pytest.fixture
def archive(published: Path, tmp_path: Path) -> Iterator[Archive]:
    """A copy of it."""
    with Archive.open(Path(shutil.copytree(published, tmp_path / "archive"))) as opened:
        yield opened


def generation(archive: Archive) -> Path:
    return archive.directory / VECTORS / current_name(archive.directory)


def found_in(archive: Archive, name: str) -> Path:
    [path] = generation(archive).rglob(name)
    return path


def mended(archive: Archive) -> bool:
    """Do what the warning asks for."""
    tidy(archive)
    publish(archive)
    return damage(archive) == []


# What can happen to a file


def delete(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def grow(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"garbage" * 1000)


def flip(path: Path, start: int, length: int = 20) -> None:
    """Turn bytes over in place, as a disk does, whoever has the file open or linked."""
    with path.open("r+b") as stream:
        stream.seek(start)
        turned = bytes(byte ^ 0xFF for byte in stream.read(length))
        stream.seek(start)
        stream.write(turned)


def flip_start(path: Path) -> None:
    flip(path, 0)


def flip_middle(path: Path) -> None:
    flip(path, path.stat().st_size // 2)


def flip_end(path: Path) -> None:
    flip(path, max(0, path.stat().st_size - 20))


def make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_elsewhere(path: Path) -> None:
    path.unlink()
    other = path.with_name("other")
    other.write_bytes(b"something else")
    path.symlink_to(other)


def link_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


HARMS: tuple[Harm, ...] = (
    delete,
    empty,
    halve,
    grow,
    flip_start,
    flip_middle,
    flip_end,
    make_directory,
    link_elsewhere,
    link_nowhere,
)


def name_of(harm: Harm | str) -> str:
    return harm if isinstance(harm, str) else harm.__name__


@pytest.mark.parametrize("harm", HARMS, ids=name_of)
@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_damaged_file_is_found_and_the_stored_vectors_answer(
    archive: Archive, name: str, harm: Harm, caplog: pytest.LogCaptureFixture
) -> None:
    harm(found_in(archive, name))

    assert damage(archive) != []
    check_search(archive)
    assert MENDING in caplog.text


@pytest.mark.parametrize("harm", HARMS, ids=name_of)
def test_a_damaged_generation_is_mended_by_the_next_one(archive: Archive, harm: Harm) -> None:
    for name in ("data_level0.bin", MANIFEST):
        harm(found_in(archive, name))

    assert mended(archive)
    check_search(archive)


@pytest.mark.parametrize("harm", [flip_start, flip_middle, flip_end, halve, delete, grow], ids=name_of)
def test_damage_does_not_reach_who_has_the_generation_open(archive: Archive, harm: Harm) -> None:
    numbers, matrix = stored_vectors(archive)
    with closing(
        Retriever(Archive.open(archive.directory), Embedder(StoredVectors(numbers, matrix)), BY_MEANING)
    ) as retriever:
        before = [retriever.retrieve(str(number), k=5) for number in numbers[::40]]
        for name in (*FILES, MANIFEST):
            harm(found_in(archive, name))

        assert [retriever.retrieve(str(number), k=5) for number in numbers[::40]] == before
    assert damage(archive) != []


def remove_segment(archive: Archive) -> None:
    shutil.rmtree(found_in(archive, "header.bin").parent)


def remove_generation(archive: Archive) -> None:
    shutil.rmtree(generation(archive))


def remove_its_files(archive: Archive) -> None:
    shutil.rmtree(generation(archive) / "chroma")


def replace_by_a_file(archive: Archive) -> None:
    folder = generation(archive)
    shutil.rmtree(folder)
    folder.write_text("in the way")


@pytest.mark.parametrize("harm", [remove_segment, remove_generation, remove_its_files, replace_by_a_file])
def test_a_missing_folder_is_found_and_the_stored_vectors_answer(
    archive: Archive, harm: Callable[[Archive], None], caplog: pytest.LogCaptureFixture
) -> None:
    harm(archive)

    assert damage(archive) != []
    check_search(archive)
    assert MENDING in caplog.text
    assert mended(archive)


@pytest.mark.parametrize(
    "change",
    [
        {"made_by": {"format": "99"}},
        {"facts": FACTS | {"model_sha256": "1" * 64}},
        {"files": {"../../archive.sqlite3": "0" * 64}},
        {"files": {"chroma/../../../archive.sqlite3": "0" * 64}},
        {"files": {"/etc/hostname": "0" * 64}},
        {"files": {}},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
def test_a_manifest_that_does_not_fit_is_found_and_the_stored_vectors_answer(
    archive: Archive, change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    replace(Manifest.read(generation(archive)), **change).write(generation(archive))

    assert damage(archive) != []
    check_search(archive)
    assert MENDING in caplog.text


@pytest.mark.parametrize("written", [b"[]", b"null", b"{}", b"{", b"\xff\xfe", b"[" * 100_000, b'"\\ud800"', b"1e999"])
def test_a_manifest_of_garbage_is_found_and_the_stored_vectors_answer(
    archive: Archive, written: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (generation(archive) / MANIFEST).write_bytes(written)

    assert damage(archive) != []
    check_search(archive)
    assert MENDING in caplog.text


@pytest.mark.parametrize(
    "written", [b"", b"\n", b"garbage", b"\xff\0\xfe", b"gen-000099\n", b"../..\n", b"/etc\n", b"gen-000001/..", b"gen"]
)
def test_a_current_that_names_nothing_is_found_and_the_newest_answers(archive: Archive, written: bytes) -> None:
    (archive.directory / VECTORS / CURRENT).write_bytes(written)

    assert damage(archive) == ["CURRENT does not name gen-000001"]
    check_search(archive)
    tidy(archive)
    assert damage(archive) == []


@pytest.mark.parametrize("harm", [delete, make_directory, link_nowhere], ids=name_of)
def test_a_current_that_is_no_file_is_found_and_the_newest_answers(archive: Archive, harm: Harm) -> None:
    harm(archive.directory / VECTORS / CURRENT)

    assert damage(archive) == ["CURRENT does not name gen-000001"]
    check_search(archive)
    assert mended(archive)


def test_an_index_that_was_torn_before_it_was_described_is_found_by_a_child(archive: Archive) -> None:
    """Its files are as the manifest says; to open such an index has been seen to crash a process."""
    cases: list[tuple[str, Harm]] = [
        ("data_level0.bin", halve),
        ("data_level0.bin", flip_middle),
        ("data_level0.bin", empty),
        ("header.bin", flip_start),
        ("index_metadata.pickle", halve),
        ("chroma.sqlite3", flip_start),
        ("chroma.sqlite3", halve),
    ]
    folder = generation(archive)
    missed = []
    for name, harm in cases:
        whole = shutil.copytree(folder, archive.directory / "whole")
        path = found_in(archive, name)
        harm(path)
        manifest = Manifest.read(folder)
        files = manifest.files | {path.relative_to(folder).as_posix(): seal_of(path)}
        replace(manifest, files=files).write(folder)
        missed += [] if damage(archive) else [(name, name_of(harm))]
        shutil.rmtree(folder)
        whole.rename(folder)

    assert missed == []


def test_an_index_that_claims_terabytes_is_found_before_it_is_opened(archive: Archive) -> None:
    os.truncate(found_in(archive, "link_lists.bin"), 10**12)

    assert faults(generation(archive) / "chroma", 400, []) == ["link_lists.bin is far too large"]


# The archive itself


def read_all(archive: Path) -> list[object]:
    """Read everything in an archive, as the commands do."""
    with Archive.open(archive) as opened:
        ledger = Ledger(opened.database)
        names = [article.id for article in opened.newest(10_000)]
        return [
            opened.facts,
            opened.count(),
            [opened.article(name) for name in names],
            [row for batch in opened.passages_after(0) for row in batch],
            [(numbers, matrix.tolist()) for numbers, matrix in opened.vectors()],
            opened.searched(),
            opened.digests(names),
            [ledger.origins(name) for name in names],
            ledger.refused(),
            ledger.states(),
        ]


def zero_page(number: int) -> Harm:
    def harm(path: Path) -> None:
        with path.open("r+b") as stream:
            stream.seek(4096 * number)
            stream.write(bytes(4096))

    return harm


def flip_at(start: int) -> Harm:
    return lambda path: flip(path, start, 16)


SERIOUS = {
    "halved": halve,
    "header turned over": flip_start,
    "header zeroed": lambda path: flip(path, 0, 100),
    "garbage": lambda path: path.write_bytes(b"garbage" * 5000),
    "directory": make_directory,
}


@pytest.mark.parametrize("harm", SERIOUS.values(), ids=SERIOUS)
def test_an_archive_that_cannot_be_read_is_one_clear_error(archive: Archive, harm: Harm) -> None:
    archive.close()
    harm(archive.directory / FILE_NAME)

    with pytest.raises(ArchiveError) as raised:
        read_all(archive.directory)

    assert str(archive.directory) in str(raised.value)
    assert verify_quietly(archive.directory) != []


def verify_quietly(directory: Path) -> list[str]:
    with suppress(ArchiveError):
        return [finding.problem for finding in verify(directory).findings]
    return ["it cannot be opened"]


def test_no_damage_to_an_archive_is_silent(published: Path, tmp_path: Path) -> None:
    """Damage all over the file leaves what can be read as it was, or is an error of ours, or is seen by verify."""
    expected = read_all(published)
    size = (published / FILE_NAME).stat().st_size
    chance = np.random.default_rng(7)
    harms = {f"page {number} zeroed": zero_page(number) for number in range(1, size // 4096, 3)}
    harms |= {f"flipped at {start}": flip_at(start) for start in sorted(chance.integers(100, size, 60).tolist())}
    silent, raised = [], 0

    for name, harm in harms.items():
        directory = tmp_path / "archive"
        directory.mkdir()
        shutil.copy(published / FILE_NAME, directory)
        harm(directory / FILE_NAME)
        try:
            if read_all(directory) != expected and not verify_quietly(directory):
                silent.append(name)
        except ArchiveError:
            raised += 1
        shutil.rmtree(directory)

    assert silent == []
    assert raised > 10


def test_an_emptied_archive_holds_nothing_and_says_so(archive: Archive) -> None:
    archive.close()
    for path in archive.directory.glob(f"{FILE_NAME}-*"):
        path.unlink()
    empty(archive.directory / FILE_NAME)

    with pytest.raises(ArchiveError) as raised:
        read_all(archive.directory)

    assert "older Onrecord" not in str(raised.value)


def test_an_archive_of_a_newer_version_is_refused(archive: Archive) -> None:
    archive.database.read("PRAGMA user_version = 99")

    with pytest.raises(ArchiveMismatch, match="made by a newer Onrecord"):
        Archive.open(archive.directory)
    with pytest.raises(ArchiveMismatch, match="made by a newer Onrecord"):
        Archive.create(archive.directory, FACTS)
    assert archive.database.read("PRAGMA user_version") == [(99,)]


def test_an_archive_of_the_first_version_keeps_all_it_holds(tmp_path: Path) -> None:
    article = Article("owl", "Owls return", "Three barn owls.", "Ferrow Herald", "2022-06-14", "", ("Tomas Reed",))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as first:
        first.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
        fields = [article.id, article.title, article.text, article.source, article.date, article.url]
        row = [*fields, json.dumps(article.authors), article.digest()]
        vector = np.full(8, 0.25, dtype=np.float16)
        first.execute("INSERT INTO facts VALUES ('model', 'some-model')")
        first.execute("INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        first.execute("INSERT INTO origins VALUES ('/news/owls.txt', 'owl')")
        first.execute("INSERT INTO passages VALUES (7, 'owl', 0, 16, ?)", [vector.tobytes()])
        first.execute("INSERT INTO files VALUES ('/news/owls.txt', '/news', 'abc', '[\"line 2: bad\"]')")
        first.commit()

    with Archive.open(tmp_path) as migrated:
        ledger = Ledger(migrated.database)
        known = ledger.find("/news/owls.txt")
        assert migrated.database.read("PRAGMA user_version") == [(VERSION,)]
        assert migrated.article("owl") == article
        assert migrated.passages([7]) == {7: (Passage("owl", 0, 16, "Three barn owls."), article)}
        assert [(numbers, matrix.tolist()) for numbers, matrix in migrated.vectors()] == [([7], [[0.25] * 8])]
        assert ledger.origins("owl") == ["/news/owls.txt"]
        assert known is not None
        assert (known.digest, known.state, known.refused, known.reasons) == ("abc", "indexed", 1, ("line 2: bad",))
        assert migrated.facts["model"] == "some-model"


def test_an_error_of_the_archive_is_no_error_of_sqlite(archive: Archive) -> None:
    flip(archive.directory / FILE_NAME, 4096, 4096 * 20)

    with pytest.raises(ArchiveDamaged) as raised:
        read_all(archive.directory)

    assert isinstance(raised.value.__cause__, sqlite3.DatabaseError)
