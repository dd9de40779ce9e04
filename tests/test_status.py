import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from index.command import run
from index.status import Index, Refused, fingerprint, read_status, write_status
from rag import ArchiveNotFound, Article, Settings, index_articles
from rag.archive import FILE_NAME, WRITER_NAME, Archive
from rag.indexing import locked
from rag.reading import FORMATS

HEAVY = {"chromadb", "onnxruntime", "openvino", "sentence_transformers", "tantivy", "torch"}
LOADED = "import sys; from rag.cli import main\ntry: main(['status'])\nexcept SystemExit: print(*sys.modules)"
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all")
MILL = Article("mill", "The mill", "The old mill at Ferrow will be a museum.", "Ferrow Herald", "2022-07-09")


@pytest.fixture
def archive(small_archive: Path, tmp_path: Path) -> Path:
    """A copy of the archive of two articles, which a test may change."""
    return shutil.copytree(small_archive, tmp_path / "archive")


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_says_what_is_in_an_archive_and_changes_nothing(archive: Path) -> None:
    before = snapshot(archive)

    found = read_status(archive).to_dict()

    assert snapshot(archive) == before
    assert found.pop("bytes").keys() == {"archive", "vectors", "words", "total"}
    assert len(found.pop("model_sha256")) == 64
    assert re.match("OpenVINO|ONNX Runtime|PyTorch", found.pop("runtime"))
    assert json.loads(json.dumps(found)) == {
        "archive": str(archive),
        "articles": 2,
        "stories": 2,
        "passages": 2,
        "first_date": "2022-06-14",
        "last_date": "2022-07-02",
        "outlets": {"County Wire": 1, "Ferrow Herald": 1},
        "months": {"2022-07": 1, "2022-06": 1},
        "synchronised": "",
        "model": "all-MiniLM-L6-v2",
        "dimension": 384,
        "splitter": "sentences-256",
        "vectors": {"name": "gen-000001", "passages": 2, "came": 0, "left": 0},
        "words": {"name": "gen-000001", "passages": 2, "came": 0, "left": 0},
        "files": {},
        "refused": [],
        "writer": None,
    }


def test_the_sizes_are_those_of_the_files(archive: Path) -> None:
    sizes = read_status(archive).bytes

    assert sizes["archive"] == (archive / FILE_NAME).stat().st_size
    assert sizes["total"] == sum(path.stat().st_size for path in archive.rglob("*") if path.is_file())
    assert sizes["archive"] + sizes["vectors"] + sizes["words"] <= sizes["total"]
    assert min(sizes.values()) > 0


def test_it_says_how_far_the_indexes_follow(archive: Path) -> None:
    index_articles([MILL], archive, Settings())
    with Archive.open(archive) as opened:
        opened.drop(["owl"])

    found = read_status(archive)

    assert found.articles == 2
    assert found.outlets == {"County Wire": 1, "Ferrow Herald": 1}
    assert found.vectors == Index("gen-000001", 2, came=1, left=1)
    assert found.words == Index("gen-000002", 3, came=0, left=1)


@pytest.mark.parametrize("folder", ["vectors", "words"])
def test_an_index_that_cannot_be_used_is_said(archive: Path, folder: str) -> None:
    next((archive / folder).glob("gen-*/manifest.json")).write_text("{")

    found = read_status(archive)

    assert (found.vectors is None, found.words is None) == (folder == "vectors", folder == "words")
    assert "none that can be used; make it with: onrecord rebuild" in write_status(found)


def test_it_says_what_became_of_the_files(archive: Path, tmp_path: Path) -> None:
    news = tmp_path / "news"
    news.mkdir()
    (news / "mill.txt").write_text(MILL.text)
    (news / "again.txt").write_text(MILL.text)
    (news / "page\x1b[2J.pdf").touch()
    (news / "lines.jsonl").write_text('{"text": "The bridge at Ferrow is closed."}\n' + "{}\n" * 103)
    assert run([news], Settings(archive=archive)) == 3

    found = read_status(archive)

    assert found.files == {"duplicate": 1, "indexed": 2, "skipped": 1}
    lines, pdf = found.refused
    assert (lines.path, lines.state, lines.parts, len(lines.reasons)) == (
        str(news / "lines.jsonl"),
        "indexed",
        103,
        100,
    )
    assert lines.reasons[0] == "line 2: field text is missing"
    assert pdf == Refused(f"{news}/page\\x1b[2J.pdf", "skipped", 1, (f"a PDF file; {FORMATS}",))
    assert abs(time.mktime(time.strptime(found.synchronised, "%Y-%m-%d %H:%M:%S")) - time.time()) < 60
    written = write_status(found).splitlines()
    assert f"Refused    indexed  {news}/lines.jsonl: line 2: field text is missing" in written
    assert written[-2] == "           and 82 more"


def test_for_a_person_long_lists_are_cut(archive: Path) -> None:
    months = {f"20{year}-01": year for year in range(30, 10, -1)}

    written = write_status(replace(read_status(archive), months=months, outlets={"": 1200, "Ferrow Herald": 3}))

    assert "Outlets    1,200  (not known)\n               3  Ferrow Herald\n" in written
    assert "           19  2019-01\n           and 8 more\nModel " in written


def test_a_writer_at_work_is_named(archive: Path) -> None:
    with locked(archive):
        during = read_status(archive)
    # One that was killed leaves its note behind.
    (archive / WRITER_NAME).write_text(json.dumps({"pid": os.getpid(), "since": "2022-07-02 10:00:00"}))
    after = read_status(archive)

    assert during.writer is not None
    assert during.writer.pid == os.getpid()
    assert f"Writer     process {os.getpid()}, since {during.writer.since}" in write_status(during)
    assert after.writer is None
    assert write_status(after).endswith("Writer     none at work")


def test_an_empty_archive_has_a_status_too(tmp_path: Path) -> None:
    Archive.create(tmp_path, {"model": "m", "dimension": "2", "splitter": "s"}).close()

    found = read_status(tmp_path)

    assert (found.articles, found.vectors, found.words, found.first_date) == (0, None, None, "")
    assert "Vectors    none yet" in write_status(found)


def test_nothing_is_made_where_no_archive_is(tmp_path: Path) -> None:
    with pytest.raises(ArchiveNotFound):
        read_status(tmp_path / "missing")

    assert list(tmp_path.iterdir()) == []


def test_nothing_heavy_is_loaded(archive: Path) -> None:
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, cwd=archive.parent, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("Archive ")
    assert not HEAVY & {*done.stdout.splitlines()[-1].split()}


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write everything")
def test_an_archive_that_can_only_be_read_has_a_status(archive: Path) -> None:
    for path in [*archive.rglob("*"), archive]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    words = (*(WITHOUT_RIGHTS if os.geteuid() == 0 else ()), sys.executable, "-m", "rag", "status", "--json")

    done = subprocess.run([*words, "--archive", archive], capture_output=True, text=True, check=False)
    for path in [archive, *archive.rglob("*")]:
        path.chmod(0o755)

    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found == json.loads(json.dumps(read_status(archive).to_dict())) | {"fingerprint": fingerprint(archive)}


def test_the_fingerprint_tells_archives_apart_by_what_they_hold(archive: Path, small_archive: Path) -> None:
    before = fingerprint(archive)
    index_articles([MILL], archive, Settings())

    assert before == fingerprint(small_archive) != fingerprint(archive)
