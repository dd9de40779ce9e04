from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag import Article, Passage
from rag.archive import Archive, Entry, Position
from rag.generations import (
    VECTORS,
    Generation,
    current_manifest,
    current_name,
    damage,
    open_current,
    publish,
    tidy,
)
from rag.leases import READERS
from rag.publications import CURRENT, Manifest

FACTS = {"model": "some-model", "model_sha256": "0" * 64, "dimension": "8", "splitter": "some-splitter"}


def entries(first: int, last: int) -> list[Entry]:
    chance = np.random.default_rng(first)
    vectors = chance.standard_normal((last - first, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        Entry(Article(f"a{n}", "T", "Text."), (Passage(f"a{n}", 0, 5, "Text."),), vector[None])
        for n, vector in zip(range(first, last), vectors, strict=True)
    ]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("published") / "archive"
    with Archive.create(directory, FACTS) as archive:
        archive.put(entries(0, 200))
        publish(archive)
    return directory


@pytest.fixture
def archive(published: Path, tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(Path(shutil.copytree(published, tmp_path / "archive"))) as opened:
        yield opened


def opened(archive: Archive) -> Generation:
    generation = open_current(archive)
    assert generation is not None
    return generation


def test_a_generation_finds_every_vector(archive: Archive) -> None:
    with closing(opened(archive)) as generation:
        [(numbers, matrix)] = archive.vectors()
        found = [generation.nearest(vector, 1)[0] for vector in matrix]

    assert [number for number, _ in found] == numbers
    assert [score for _, score in found] == pytest.approx([1.0] * 200, abs=1e-5)


def test_the_manifest_says_what_it_was_made_with_and_from(archive: Archive) -> None:
    manifest = current_manifest(archive)

    assert manifest is not None
    assert manifest.facts == FACTS | {"identity": archive.facts["identity"]}
    assert (manifest.passages, manifest.position) == (200, archive.position)
    assert manifest.made_by["chromadb"]
    files = (path for path in (archive.directory / VECTORS / current_name(archive.directory)).rglob("*"))
    assert sum(path.is_file() for path in files) == len(manifest.files) + 1


def test_reading_leaves_a_generation_as_it_was_published(archive: Archive) -> None:
    with closing(opened(archive)) as generation:
        generation.nearest(np.ones(8, dtype=np.float32), 5)

    assert damage(archive) == []
    assert list((archive.directory / READERS).iterdir()) == []


def test_the_next_generation_takes_the_place_of_the_one_before(archive: Archive) -> None:
    archive.put(entries(200, 210))

    publish(archive)

    manifest = current_manifest(archive)
    assert manifest is not None
    assert manifest.passages == 210
    assert sorted(path.name for path in (archive.directory / VECTORS).iterdir()) == [CURRENT, "gen-000002"]


def test_a_reader_keeps_its_generation_until_it_closes(archive: Archive) -> None:
    with closing(opened(archive)) as generation:
        publish(archive)

        assert current_name(archive.directory) == "gen-000002" != generation.name
        assert [len(generation.nearest(np.ones(8, dtype=np.float32), 5)) for _ in range(3)] == [5] * 3
        assert len(list((archive.directory / READERS).iterdir())) == 1
    assert list((archive.directory / READERS).iterdir()) == []


def test_what_was_never_finished_is_swept(archive: Archive) -> None:
    left = archive.directory / VECTORS / "unfinished"
    left.mkdir()
    (left / "data").write_bytes(b"half")
    dead = archive.directory / READERS / "dead"
    dead.mkdir(parents=True)

    tidy(archive)

    assert not left.exists()
    assert not dead.exists()
    assert damage(archive) == []


def test_nobody_else_can_read_what_a_reader_has_open(archive: Archive) -> None:
    with closing(opened(archive)):
        [lease] = (archive.directory / READERS).iterdir()

        assert lease.stat().st_mode & 0o077 == 0
        [link] = lease.rglob("data_level0.bin")
        assert link.stat().st_nlink == 2


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"made_by": {"format": "99"}}, "its format is 99, not 1"),
        ({"facts": FACTS | {"model_sha256": "1" * 64}}, "made with another model_sha256"),
        ({"facts": FACTS | {"identity": "1" * 32}}, "made with another identity"),
        ({"position": Position(900, 0)}, "of a later state than the archive"),
        ({"files": {"../../archive.sqlite3": "0" * 64}}, "not as it was published"),
        ({"files": {"/etc/hostname": "0" * 64}}, "not as it was published"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    archive: Archive, changed: dict[str, Any], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = archive.directory / VECTORS / "gen-000001"
    replace(Manifest.read(folder), **changed).write(folder)

    assert open_current(archive) is None
    assert told in caplog.text
    assert "onrecord rebuild --archive" in caplog.text
    assert told in damage(archive)[0]


def test_a_generation_of_a_later_state_is_dropped_before_the_archive_seems_to_have_reached_it(
    archive: Archive, published: Path
) -> None:
    archive.put(entries(200, 210))
    publish(archive)
    shutil.copytree(archive.directory / VECTORS, published.parent / "later")
    with Archive.open(Path(shutil.copytree(published, published.parent / "put-back"))) as put_back:
        shutil.rmtree(put_back.directory / VECTORS)
        shutil.copytree(published.parent / "later", put_back.directory / VECTORS)

        tidy(put_back)
        put_back.put(entries(300, 320))

        assert current_manifest(put_back) is None


def test_a_current_that_names_nothing_is_told_and_the_newest_is_read(archive: Archive) -> None:
    (archive.directory / VECTORS / CURRENT).write_text("gen-000007\n")

    with closing(opened(archive)) as generation:
        assert generation.name == "gen-000001"
    assert damage(archive) == ["CURRENT does not name gen-000001"]


def test_an_archive_without_a_generation_has_none_to_open(archive: Archive) -> None:
    shutil.rmtree(archive.directory / VECTORS)

    assert open_current(archive) is None
    assert damage(archive) == ["no generation is published"]


def test_an_archive_that_became_empty_has_no_generation(archive: Archive) -> None:
    archive.drop([f"a{n}" for n in range(200)])

    publish(archive)

    assert open_current(archive) is None
    assert damage(archive) == []


def test_a_host_may_stand_in_any_folder(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rag.py").write_text("raise SystemExit('this is not ours')")
    monkeypatch.chdir(tmp_path)

    publish(archive)

    assert current_name(archive.directory) == "gen-000002"
    assert list((archive.directory / READERS).iterdir()) == []
