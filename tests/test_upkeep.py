import gzip
import json
import os
import shutil
import sqlite3
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.command import run
from index.export import export, export_to
from index.status import fingerprint, read_status
from index.sync import synchronise
from index.upkeep import Removed, rebuild, remove, write_rebuilt, write_removed
from index.verification import verify
from rag import (
    ArchiveDamaged,
    ArchiveMismatch,
    ArchiveNotFound,
    Article,
    ArticleNotFound,
    Chatbot,
    SettingError,
    Settings,
    index_articles,
)
from rag.archive import FILE_NAME, Archive
from rag.errors import ArchiveLocked
from rag.indexing import locked
from rag.records import Unreadable, article_of
from tests.conftest import CORPUS

OWLS = "Three barn owls have nested in the old mill at Ferrow."
HENS = "Eleven hens live behind the inn at Ferrow."
LINES = '{"id": "hens", "title": "Hens", "text": "%s"}\n{"id": "cats", "title": "Cats", "text": "There are no cats."}\n'


@pytest.fixture
def archive(small_archive: Path, tmp_path: Path) -> Path:
    """A copy of the archive of two articles, which a test may change."""
    return shutil.copytree(small_archive, tmp_path / "archive")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an article in one file and two in another, and its archive."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "news").mkdir()
    (folder / "news" / "owls.txt").write_text(OWLS)
    (folder / "news" / "two.jsonl").write_text(LINES % HENS)
    assert run([folder / "news"], Settings(archive=folder / "archive")) == 0
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    """The same, for a test to change: the files are where they were indexed, the archive is a copy."""
    shutil.copytree(kept / "archive", tmp_path / "archive")
    return tmp_path


class Silent:
    """Is told how far the work is."""

    def announce(self, step: str) -> None: ...

    def expect(self, articles: int) -> None: ...

    def advance(self, articles: int) -> None: ...


def ids(archive: Path) -> list[str]:
    with Archive.open(archive) as opened:
        return [article.id for article in opened.articles()]


def rows(archive: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(archive / FILE_NAME)) as database:
        return database.execute(query).fetchall()


def holding(archive: Path, text: str) -> set[str]:
    """Give the parts of an archive that hold a text in their bytes."""
    found = (path for path in archive.rglob("*") if path.is_file() and text.encode() in path.read_bytes())
    return {path.relative_to(archive).parts[0] for path in found}


# Rebuilding


def test_the_indexes_are_made_afresh(archive: Path) -> None:
    shutil.rmtree(archive / "words")
    vectors = rows(archive, "SELECT id, vector FROM passages")

    rebuilt = rebuild(Settings(archive=archive))

    found = read_status(archive)
    assert found.vectors is not None
    assert found.vectors.name == "gen-000002"
    assert found.words is not None
    assert rows(archive, "SELECT id, vector FROM passages") == vectors
    assert write_rebuilt(rebuilt, Settings(archive=archive)) == (
        f"Made the indexes of {archive} afresh in {rebuilt.seconds:.1f} s: 2 articles in 2 passages."
    )


def test_vectors_of_another_model_are_made_anew_only_when_asked(archive: Path) -> None:
    with Archive.open(archive) as opened:
        opened.note("model", "other")
        opened.note("model_sha256", "0" * 64)
    chosen = Settings(archive=archive)

    told = f"onrecord rebuild --embed --archive {archive} --model all-MiniLM-L6-v2"
    with pytest.raises(ArchiveMismatch, match=told):
        Chatbot.open(archive, chosen)
    rebuild(chosen)
    assert (read_status(archive).model, verify(archive).findings) == ("other", ())
    rebuilt = rebuild(chosen, embed=True)

    assert write_rebuilt(rebuilt, chosen).endswith("2 passages, all embedded anew with all-MiniLM-L6-v2.")
    assert read_status(archive).model == "all-MiniLM-L6-v2"
    assert rows(archive, "SELECT min(id), max(id) FROM passages") == [(3, 4)]


def test_an_archive_without_articles_can_be_rebuilt(tmp_path: Path) -> None:
    index_articles([], tmp_path, Settings())

    assert rebuild(Settings(archive=tmp_path)).passages == 0


def test_nothing_is_kept_where_no_archive_is_or_another_writes(archive: Path, tmp_path: Path) -> None:
    missing = Settings(archive=tmp_path / "missing")

    with pytest.raises(ArchiveNotFound):
        rebuild(missing)
    with pytest.raises(ArchiveNotFound):
        remove(["owl"], missing)
    with locked(archive), pytest.raises(ArchiveLocked, match=rf"\({os.getpid()}, since "):
        remove(["owl"], Settings(archive=archive))

    assert not missing.archive.exists()
    assert ids(archive) == ["bridge", "owl"]


# Removing


def test_what_is_removed_is_gone_from_the_bytes(archive: Path) -> None:
    assert holding(archive, "river meadow") == {FILE_NAME}

    removed = remove(["owl"], Settings(archive=archive))

    assert removed.settled
    assert ids(archive) == ["bridge"]
    assert holding(archive, "river meadow") == set()
    assert holding(archive, "nested") == set()
    assert holding(archive, "weeks") >= {FILE_NAME}
    assert write_removed(removed, Settings(archive=archive)) == (
        f"Removed 1 article from {archive}:\n  owl  Owls return to the old mill"
    )


def test_what_is_removed_is_gone_from_the_words(archive: Path) -> None:
    # Tantivy packs words so that no search of its bytes finds them: not one file that knew them may stay.
    before = {path.name for path in (archive / "words").glob("gen-*/*.*")}

    remove(["owl"], Settings(archive=archive))

    after = {path.name for path in (archive / "words").glob("gen-*/*.*")}
    assert len(after) > 5
    assert before & after == {"meta.json", ".managed.json", "manifest.json"}
    assert verify(archive).findings == ()


def test_an_old_state_that_is_still_read_is_told(archive: Path) -> None:
    with closing(sqlite3.connect(archive / FILE_NAME)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM articles").fetchall()
        with Archive.open(archive) as opened:
            opened.database.read("PRAGMA busy_timeout = 10")
            opened.drop(["owl"])
            settled = opened.settle()
    removed = Removed((), (), settled)

    assert not settled
    assert "Another process still reads the archive as it was." in write_removed(removed, Settings(archive=archive))


def test_a_file_is_removed_with_all_its_articles(folder: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kept)

    removed = remove(["news/two.jsonl"], Settings(archive=folder / "archive"))

    assert [article.id for article in removed.articles] == ["cats", "hens"]
    assert len(ids(folder / "archive")) == 1
    assert write_removed(removed, Settings(archive=folder / "archive")).splitlines()[3:] == [
        "What left stays out, though files that hold it are still there. To bring it back:",
        f"  onrecord index {kept}/news/two.jsonl --archive {folder}/archive",
    ]


def test_what_was_removed_stays_out_when_its_folder_is_indexed(folder: Path, kept: Path) -> None:
    chosen = Settings(archive=folder / "archive")
    remove(["hens"], chosen)

    synchronise([kept / "news"], chosen, Silent())

    assert "hens" not in ids(chosen.archive)
    assert len(ids(chosen.archive)) == 2


def test_what_was_removed_comes_back_when_its_file_is_named(folder: Path, kept: Path) -> None:
    chosen = Settings(archive=folder / "archive")
    removed = remove(["hens"], chosen)
    assert removed.files == (str(kept / "news" / "two.jsonl"),)

    again = synchronise([kept / "news"], chosen, Silent())
    assert (again.added, again.refusals) == (0, [])
    assert "hens" not in ids(chosen.archive)

    synchronise([Path(file) for file in removed.files], chosen, Silent())
    assert "hens" in ids(chosen.archive)


def test_nothing_is_removed_unless_all_names_are_known(archive: Path) -> None:
    with pytest.raises(ArticleNotFound, match=r"file 'brigde', so nothing was removed\. Did you mean bridge\?"):
        remove(["owl", "brigde"], Settings(archive=archive))
    with pytest.raises(ArticleNotFound, match=r"'\\udcff', so nothing was removed"):
        remove(["\udcff"], Settings(archive=archive))

    assert ids(archive) == ["bridge", "owl"]


def test_a_name_that_is_part_of_others_finds_them(folder: Path, kept: Path) -> None:
    with pytest.raises(ArticleNotFound, match=rf"Did you mean {kept}/news/two.jsonl\?"):
        remove(["two.json"], Settings(archive=folder / "archive"))


# Exporting


def exported(archive: Path) -> bytes:
    file = BytesIO()
    export(archive, file)
    return file.getvalue()


def test_an_export_is_one_article_a_line_in_the_order_of_ids(archive: Path, articles: list[Article]) -> None:
    lines = exported(archive).decode().splitlines()

    assert [json.loads(line) for line in lines] == [article.to_dict() for article in reversed(articles)]


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_a_file_is_written_whole_in_place_of_another(archive: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / name).write_text("old")

    counts = [export_to(archive, folder / name) for _ in range(2)]

    assert counts == [2, 2]
    data = (folder / name).read_bytes()
    assert (gzip.decompress(data) if name.endswith(".gz") else data) == exported(archive)
    assert [path.name for path in folder.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("out.json", "is not named as an export. Name it so that it ends in .jsonl or .jsonl.gz."),
        ("nowhere/out.jsonl", "cannot be written (No such file or directory). Export to another place,"),
        ("folder.jsonl", "cannot be written (Is a directory). Export to another place,"),
        ("file/out.jsonl", "cannot be written (Not a directory). Export to another place,"),
    ],
)
def test_where_nothing_can_be_written_is_told(archive: Path, tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(SettingError) as told:
        export_to(archive, tmp_path / name)

    assert str(told.value).startswith(f"{tmp_path / name} {reason}")
    assert sorted(tmp_path.rglob("*")) == before


def test_an_export_that_fails_leaves_what_was_there(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("old")
    with closing(sqlite3.connect(archive / FILE_NAME)) as database, database:
        database.execute("UPDATE articles SET authors = '[' WHERE id = 'owl'")

    with pytest.raises(ArchiveDamaged):
        export_to(archive, tmp_path / "out.jsonl")
    with pytest.raises(ArchiveNotFound):
        export_to(tmp_path / "missing", tmp_path / "out.jsonl")

    assert (tmp_path / "out.jsonl").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "out.jsonl"]


PASSAGES = "SELECT article_id, first, last FROM passages ORDER BY article_id, id"


def check_reads_back(archive: Path, folder: Path) -> None:
    """Check that an export makes an archive of the same articles, cut into the same passages."""
    export_to(archive, folder / "all.jsonl.gz")
    assert run([folder / "all.jsonl.gz"], Settings(archive=folder / "again")) == 0

    assert fingerprint(folder / "again") == fingerprint(archive)
    assert exported(folder / "again") == exported(archive)
    assert rows(folder / "again", PASSAGES) == rows(archive, PASSAGES)


def test_the_sample_reads_back(sample_archive: Path, tmp_path: Path) -> None:
    assert len(exported(sample_archive).splitlines()) == 56
    assert CORPUS.is_dir()

    check_reads_back(sample_archive, tmp_path)


PIECES = [
    "The head of the union, Ana Quispe, said\n\nAnn Lee,\n\nthe head of it, would\n",
    "\x1b[2J\u202e\u200d\u00ad\ud800\ufffe\x00\x85\u2028\u2029\r",
    "Read More",
    "Leave a Reply",
    "© 2019 The Lima Post. All rights reserved.",
    '"quoted" \\ / \\u0041 {"text": 1}',
    "e\u0301\u0344 Å ﬁ ½ \u1100\u1161",
    "  \t spaces  \n\n\n\n",
    "By ",
    "; and ",
    "2019-07-16",
    "pt-BR",
    "https://example.org/a?b=c#d",
    "x" * 400,
    "😀 مرحبا 東京。",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=30), max_size=8).map("".join)
RECORDS = st.fixed_dictionaries(
    {"text": TEXTS},
    optional=dict.fromkeys(("id", "title", "source", "date", "url", "section", "language"), TEXTS)
    | {"authors": TEXTS | st.lists(TEXTS, max_size=3)},
)


@given(RECORDS)
@settings(max_examples=300, deadline=None)
def test_an_exported_article_reads_back_as_it_was(record: dict[str, Any]) -> None:
    try:
        article = article_of(record)
    except Unreadable:
        return
    line = json.dumps(article.to_dict(), ensure_ascii=False).encode()

    assert article_of(json.loads(line)) == article


@given(st.lists(RECORDS, min_size=60, max_size=80))
@settings(max_examples=1, deadline=None)
def test_an_archive_of_any_articles_reads_back(records: list[dict[str, Any]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        articles = []
        for record in [*records, {"text": "At least one article."}]:
            try:
                articles.append(article_of(record))
            except Unreadable:
                continue
        index_articles(articles, Path(name) / "archive", Settings())

        check_reads_back(Path(name) / "archive", Path(name))
