from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.archive import Archive, Position
from rag.errors import ArchiveDamaged
from rag.publications import CURRENT, MANIFEST, Manifest, Publications, check_file, seal_of

DESCRIPTION = Manifest({"format": "1"}, {"model": "some-model"}, Position(), 0, {})


@pytest.fixture
def publications(tmp_path: Path) -> Publications:
    return Publications(tmp_path / "kind")


def publish(publications: Publications, text: str) -> None:
    def make(folder: Path) -> Manifest:
        (folder / "sub").mkdir()
        (folder / "sub" / "data").write_text(text)
        return DESCRIPTION

    publications.publish(make)


def read(publications: Publications) -> str:
    current = publications.current()
    assert current is not None
    for name, digest in Manifest.read(current).files.items():
        check_file(current / name, digest)
    return (current / "sub" / "data").read_text()


def test_what_is_published_is_read_until_the_next_one(publications: Publications) -> None:
    assert publications.current() is None
    publish(publications, "first")
    assert (read(publications), publications.is_named()) == ("first", True)
    publish(publications, "second")

    assert read(publications) == "second"
    assert sorted(path.name for path in publications.directory.iterdir()) == [CURRENT, "gen-000002"]


def test_what_fails_while_it_is_made_leaves_the_one_before(publications: Publications) -> None:
    publish(publications, "first")

    def fail(folder: Path) -> Manifest:
        (folder / "half").write_text("half")
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        publications.publish(fail)

    assert read(publications) == "first"
    assert sorted(path.name for path in publications.directory.iterdir()) == [CURRENT, "gen-000001"]


@pytest.mark.parametrize("content", [None, b"", b"gen-000009\n", b"../../etc", b"\xff\xfe", b"gen-000001/../..\n"])
def test_without_a_pointer_that_names_one_the_latest_is_read(publications: Publications, content: bytes | None) -> None:
    publish(publications, "first")
    pointer = publications.directory / CURRENT
    pointer.unlink() if content is None else pointer.write_bytes(content)

    assert (read(publications), publications.is_named()) == ("first", False)
    publish(publications, "second")
    assert (read(publications), publications.is_named()) == ("second", True)


@pytest.mark.parametrize("position", range(0, 500, 7))
def test_no_byte_of_a_manifest_changes_unseen(publications: Publications, position: int) -> None:
    publish(publications, "first")
    current = publications.current()
    assert current is not None
    stored = bytearray((current / MANIFEST).read_bytes())
    before = Manifest.read(current)
    stored[position % len(stored)] ^= 1
    (current / MANIFEST).write_bytes(stored)

    try:
        after = Manifest.read(current)
    except ArchiveDamaged:
        return
    assert after == before  # a space for a line break


@pytest.mark.parametrize("stored", [b"", b"{}", b"[]", b"null", b'{"digest": 1}', b'{"files": 3, "digest": ""}'])
def test_a_manifest_that_is_none_is_told(tmp_path: Path, stored: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(stored)

    with pytest.raises(ArchiveDamaged, match="manifest.json"):
        Manifest.read(tmp_path)


def test_files_that_are_known_are_not_hashed_again(publications: Publications) -> None:
    def make(folder: Path) -> Manifest:
        (folder / "known").write_text("known")
        return replace(DESCRIPTION, files={"known": "as it was"})

    publications.publish(make)

    current = publications.current()
    assert current is not None
    assert Manifest.read(current).files == {"known": "as it was"}


def test_a_file_that_changed_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("before")
    seal = seal_of(tmp_path / "data")
    check_file(tmp_path / "data", seal)
    (tmp_path / "data").write_text("after")

    with pytest.raises(ArchiveDamaged, match="data is not as it was published"):
        check_file(tmp_path / "data", seal)
    with (tmp_path / "data").open("wb") as file:
        file.truncate(1 << 42)
    with pytest.raises(ArchiveDamaged, match="data is not as it was published"):
        check_file(tmp_path / "data", seal)
    with pytest.raises(ArchiveDamaged, match="gone cannot be read"):
        check_file(tmp_path / "gone", seal)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive", {"model": "some-model"}) as created:
        yield created


def test_a_publication_belongs_to_one_archive(archive: Archive) -> None:
    DESCRIPTION.check(archive)

    with pytest.raises(ArchiveDamaged, match="another model"):
        replace(DESCRIPTION, facts={"model": "another"}).check(archive)
    with pytest.raises(ArchiveDamaged, match="a later state"):
        replace(DESCRIPTION, position=Position(1, 0)).check(archive)
