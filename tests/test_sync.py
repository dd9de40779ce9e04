import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from index.command import run
from index.sync import Report, synchronise
from rag import Chatbot, NothingReadable, SettingError, Settings
from rag.archive import FILE_NAME, Archive
from rag.embedding import Embedder
from rag.reading import FORMATS, Refusal
from rag.retrieval import Retriever

ROOT = Path(__file__).parent.parent
OWLS = "Three barn owls have nested in the old mill at Ferrow."
BRIDGE = "The stone bridge at Ferrow will close for eleven weeks."
PDF = f"a PDF file; {FORMATS}"
LOADING, PUBLISHING = "Loading the embedding model", "Publishing the index"
REMAINING = (
    "import sys; from rag.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit: print(sorted(sys.modules))"
)


class Notes:
    """Is told how far the work is, and writes it down."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def announce(self, step: str) -> None:
        self.steps.append(step)

    def expect(self, articles: int) -> None:
        self.articles = articles

    def advance(self, articles: int) -> None:
        self.articles -= articles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one article about owls and one about a bridge."""
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "owls.txt").write_text(OWLS)
    (folder / "bridge.txt").write_text(BRIDGE)
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Where an archive may be made."""
    return tmp_path / "archive"


def sync(archive: Path, *folders: Path) -> Report:
    return synchronise(folders, Settings(archive=archive), Notes())


def texts(archive: Path) -> list[str]:
    with closing(Archive.open(archive)) as opened:
        return sorted(article.text for article in opened.newest(1000))


def revision(archive: Path) -> int:
    with closing(Archive.open(archive)) as opened:
        return opened.revision


def ask(archive: Path, embedder: Embedder, question: str) -> list[str]:
    with Chatbot(Retriever(Archive.open(archive), embedder)) as chatbot:
        return [sentence.text for sentence in chatbot.ask(question).sentences]


def write_lines(path: Path, *records: dict[str, str] | str) -> Path:
    lines = (record if isinstance(record, str) else json.dumps(record) for record in records)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_new_files_come_in(folder: Path, archive: Path, embedder: Embedder) -> None:
    assert sync(archive, folder) == Report(added=2, articles=2)
    (folder / "mayor.txt").write_text("The mayor of Ferrow resigned on Friday.")

    assert sync(archive, folder) == Report(added=1, unchanged_files=2, articles=3)
    assert texts(archive) == ["The mayor of Ferrow resigned on Friday.", BRIDGE, OWLS]
    assert ask(archive, embedder, "Where have barn owls nested?") == [OWLS]


def test_an_unchanged_folder_is_left_alone(folder: Path, archive: Path) -> None:
    sync(archive, folder)
    before, notes = revision(archive), Notes()

    report = synchronise([folder], Settings(archive=archive), notes)

    assert report == Report(unchanged_files=2, articles=2)
    assert (revision(archive), notes.steps, notes.articles) == (before, [], 0)


def test_an_unchanged_folder_costs_no_model(folder: Path, archive: Path) -> None:
    sync(archive, folder)
    arguments = ["index", str(folder), "--archive", str(archive), "--json"]

    command = [sys.executable, "-c", REMAINING, *arguments]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    loaded = again.stdout.splitlines()[-1]
    assert "'rag.models'" in loaded
    heavy = ("chromadb", "numpy", "openvino", "onnxruntime", "sentence_transformers", "torch", "transformers")
    assert not [name for name in heavy if f"'{name}'" in loaded]


def test_a_changed_file_is_replaced(folder: Path, archive: Path, embedder: Embedder) -> None:
    sync(archive, folder)
    (folder / "owls.txt").write_text("Five barn owls have nested in the old mill at Ferrow.")

    assert sync(archive, folder) == Report(added=1, removed=1, unchanged_files=1, articles=2)
    assert ask(archive, embedder, "How many barn owls have nested?") == [
        "Five barn owls have nested in the old mill at Ferrow."
    ]


def test_a_vanished_file_leaves_the_answers_at_once(folder: Path, archive: Path, embedder: Embedder) -> None:
    sync(archive, folder)
    with Chatbot(Retriever(Archive.open(archive), embedder)) as chatbot:
        before = chatbot.ask("Where have barn owls nested?")
        (folder / "owls.txt").unlink()
        report = sync(archive, folder)
        after = chatbot.ask("Where have barn owls nested?")

    assert [citation.text for citation in before.citations] == [OWLS]
    assert report == Report(removed=1, unchanged_files=1, articles=1)
    assert (after.state, after.searched.articles) == ("not_in_archive", 1)


def test_an_article_in_two_files_stays_until_both_are_gone(folder: Path, archive: Path) -> None:
    (folder / "same.txt").write_text(OWLS)
    assert sync(archive, folder) == Report(added=2, duplicate_files=1, articles=2)

    (folder / "owls.txt").unlink()
    assert sync(archive, folder) == Report(unchanged_files=2, articles=2)
    (folder / "same.txt").unlink()
    assert sync(archive, folder) == Report(removed=1, unchanged_files=1, articles=1)


def test_a_moved_file_keeps_its_article_and_is_not_embedded_again(folder: Path, archive: Path) -> None:
    sync(archive, folder)
    before, notes = revision(archive), Notes()
    (folder / "june").mkdir()
    (folder / "owls.txt").rename(folder / "june" / "birds.txt")

    report = synchronise([folder], Settings(archive=archive), notes)

    assert report == Report(unchanged_files=1, moved_files=1, articles=2)
    assert (revision(archive), notes.steps) == (before, [])


def test_a_file_that_takes_the_name_of_one_that_moved_costs_one_embedding(folder: Path, archive: Path) -> None:
    (folder / "today.txt").write_text("The mayor of Ferrow resigned on Friday.")
    sync(archive, folder)
    (folder / "today.txt").rename(folder / "yesterday.txt")
    (folder / "today.txt").write_text("The mayor of Ferrow came back on Saturday.")

    report = sync(archive, folder)

    assert (report.added, report.removed, report.articles) == (1, 0, 4)


def test_a_whole_folder_that_was_renamed_is_followed(folder: Path, archive: Path) -> None:
    sync(archive, folder)
    before, notes = revision(archive), Notes()
    renamed = folder.rename(folder.with_name("renamed"))

    report = synchronise([renamed], Settings(archive=archive), notes)
    assert report == Report(moved_files=2, articles=2)
    assert (revision(archive), notes.steps) == (before, [])

    (renamed / "owls.txt").unlink()
    assert sync(archive, renamed) == Report(removed=1, unchanged_files=1, articles=1)


def test_a_renamed_folder_with_a_changed_file_leaves_nothing_of_the_old_one(folder: Path, archive: Path) -> None:
    sync(archive, folder)
    renamed = folder.rename(folder.with_name("renamed"))
    (renamed / "owls.txt").write_text("Five barn owls have nested in the old mill at Ferrow.")

    report = sync(archive, renamed)

    assert (report.added, report.removed, report.moved_files, report.refusals) == (1, 1, 1, [])
    assert texts(archive) == ["Five barn owls have nested in the old mill at Ferrow.", BRIDGE]


def test_a_file_that_is_gone_holds_no_article_up(folder: Path, tmp_path: Path, archive: Path) -> None:
    records = [{"id": "n1", "text": "The mayor resigned."}, {"id": "n2", "text": "The mill burned."}]
    day = write_lines(folder / "day.jsonl", *records)
    sync(archive, folder)
    done = tmp_path / "done"
    done.mkdir()
    day.unlink()
    write_lines(done / "day.jsonl", records[0] | {"text": "The mayor resigned on Friday."}, records[1])

    assert sync(archive, done).refusals == []
    assert sync(archive, folder).articles == 4
    assert texts(archive) == ["The mayor resigned on Friday.", "The mill burned.", BRIDGE, OWLS]


def test_one_folder_of_several_that_became_empty_keeps_its_articles(
    folder: Path, tmp_path: Path, archive: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "mayor.txt").write_text("The mayor of Ferrow resigned on Friday.")
    sync(archive, folder, other)
    for path in folder.iterdir():
        path.unlink()

    report = sync(archive, folder, other)

    assert (report.removed, report.articles) == (0, 3)
    [refusal] = report.refusals
    assert (refusal.path, refusal.reason.partition(";")[0]) == (folder, "nothing is there any more")
    (folder / "owls.txt").write_text(OWLS)
    assert sync(archive, folder, other).removed == 1


def test_a_clash_of_ids_costs_no_embedding(folder: Path, archive: Path) -> None:
    write_lines(folder / "a.jsonl", {"id": "n1", "text": "The mayor resigned."})
    write_lines(folder / "b.jsonl", {"id": "n1", "text": "The mayor stayed."})
    sync(archive, folder)
    notes = Notes()

    report = synchronise([folder], Settings(archive=archive), notes)

    assert (notes.steps, len(report.refusals)) == ([], 1)


def test_a_copy_of_a_file_is_a_duplicate_that_is_not_read(folder: Path, archive: Path) -> None:
    sync(archive, folder)
    shutil.copy(folder / "owls.txt", folder / "copy.txt")
    notes = Notes()

    report = synchronise([folder], Settings(archive=archive), notes)

    assert report == Report(unchanged_files=2, duplicate_files=1, articles=2)
    assert notes.steps == []


def test_two_folders_in_one_archive_leave_each_other_alone(folder: Path, tmp_path: Path, archive: Path) -> None:
    other = tmp_path / "newspaper"  # its name begins like that of the first
    other.mkdir()
    (other / "mayor.txt").write_text("The mayor of Ferrow resigned on Friday.")
    sync(archive, folder)

    assert sync(archive, other) == Report(added=1, articles=3)
    (folder / "owls.txt").unlink()
    assert sync(archive, folder) == Report(removed=1, unchanged_files=1, articles=2)
    assert sync(archive, folder, other) == Report(unchanged_files=2, articles=2)


def test_what_is_refused_is_told_each_time(folder: Path, archive: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "page.pdf").write_bytes(b"%PDF-1.7")
    (folder / "empty.txt").touch()
    refused = [
        f"refused  {folder / 'empty.txt'}: empty",
        f"refused  {folder / 'page.pdf'}: {PDF}",
    ]

    codes = [run([folder], Settings(archive=archive)) for _ in range(2)]

    out, err = capfd.readouterr()
    assert codes == [3, 3]
    assert [line for line in err.splitlines() if line.startswith("refused")] == refused * 2
    assert out.splitlines() == [
        f"2 articles in {archive}: 2 added, 0 removed, 0 files unchanged, 2 refused.",
        f"2 articles in {archive}: 0 added, 0 removed, 3 files unchanged, 2 refused.",
    ]


def test_the_exit_code_is_0_when_all_is_read(folder: Path, archive: Path) -> None:
    assert run([folder], Settings(archive=archive)) == 0


def test_the_report_is_json_for_other_programs(folder: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "page.pdf").touch()

    assert run([folder], Settings(archive=archive), as_json=True) == 3

    assert json.loads(capsys.readouterr().out) == {
        "added": 2,
        "removed": 0,
        "unchanged_files": 0,
        "moved_files": 0,
        "duplicate_files": 0,
        "articles": 2,
        "trouble": "",
        "refusals": [{"path": str(folder / "page.pdf"), "reason": PDF, "state": "skipped"}],
    }


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("page.pdf", " Refused was page.pdf: a PDF file; Onrecord reads .txt, .md, .html and .jsonl."),
        ("empty.txt", " Refused was empty.txt: empty."),
        ("README.md", ""),
    ],
)
def test_a_folder_with_nothing_readable_leaves_the_archive_as_it_was(
    folder: Path, archive: Path, name: str, refused: str
) -> None:
    sync(archive, folder)
    before = revision(archive)
    for path in folder.iterdir():
        path.unlink()
    (folder / name).touch()

    with pytest.raises(NothingReadable) as raised:
        sync(archive, folder)

    assert str(raised.value).startswith(f"No article could be read in {folder}.{refused} Give a folder with files of")
    assert (texts(archive), revision(archive)) == ([BRIDGE, OWLS], before)


def test_a_file_that_is_left_with_nothing_readable_does_not_empty_the_archive(folder: Path, archive: Path) -> None:
    (folder / "empty.txt").touch()
    sync(archive, folder)
    (folder / "owls.txt").unlink()
    (folder / "bridge.txt").unlink()

    with pytest.raises(NothingReadable):
        sync(archive, folder)

    assert texts(archive) == [BRIDGE, OWLS]


def test_a_missing_folder_is_told_before_anything_is_made(folder: Path, tmp_path: Path, archive: Path) -> None:
    missing = tmp_path / "nowhere"

    with pytest.raises(NothingReadable, match=f"There is no folder {missing}."):
        sync(archive, folder, missing)

    assert not archive.exists()


def test_an_id_that_two_files_use_stays_with_the_first(folder: Path, archive: Path) -> None:
    first = write_lines(folder / "a.jsonl", {"id": "n1", "text": "The mayor resigned."})
    second = write_lines(folder / "b.jsonl", {"id": "n1", "text": "The mayor stayed."})
    clash = Refusal(second, f"the id 'n1' belongs to another article, in {first}")

    assert sync(archive, folder) == Report(added=3, articles=3, refusals=[clash])
    assert sync(archive, folder) == Report(unchanged_files=3, articles=3, refusals=[clash])
    assert texts(archive) == ["The mayor resigned.", BRIDGE, OWLS]
    first.unlink()
    assert sync(archive, folder) == Report(added=1, removed=1, unchanged_files=2, articles=3)
    assert texts(archive) == ["The mayor stayed.", BRIDGE, OWLS]


def test_an_id_that_one_file_uses_twice_stays_with_the_first(folder: Path, archive: Path) -> None:
    lines = [{"id": "n1", "text": "The mayor resigned."}, {"id": "n1", "text": "The mayor stayed."}]
    path = write_lines(folder / "a.jsonl", *lines, lines[0])

    report = sync(archive, folder)

    assert report.refusals == [Refusal(path, "the id 'n1' belongs to another article in this file too")]
    assert texts(archive) == ["The mayor resigned.", BRIDGE, OWLS]


def test_an_article_that_is_changed_in_both_its_files_is_replaced(folder: Path, archive: Path) -> None:
    for text in ("The mayor resigned.", "The mayor resigned on Friday."):
        write_lines(folder / "a.jsonl", {"id": "n1", "text": text})
        write_lines(folder / "b.jsonl", {"id": "n1", "text": text})
        report = sync(archive, folder)

    assert report == Report(added=1, duplicate_files=1, unchanged_files=2, articles=3)
    assert texts(archive) == ["The mayor resigned on Friday.", BRIDGE, OWLS]


def test_a_file_that_is_moved_and_changed_is_replaced(folder: Path, archive: Path) -> None:
    moved = write_lines(folder / "z.jsonl", {"id": "n1", "text": "The mayor resigned."})
    sync(archive, folder)
    moved.unlink()
    write_lines(folder / "a.jsonl", {"id": "n1", "text": "The mayor resigned on Friday."})

    assert sync(archive, folder) == Report(added=1, removed=1, unchanged_files=2, articles=3)
    assert texts(archive) == ["The mayor resigned on Friday.", BRIDGE, OWLS]


def test_a_bad_line_does_not_stop_the_others(folder: Path, archive: Path) -> None:
    good = [{"text": "The mayor resigned."}, {"text": "The mill burned."}]
    path = write_lines(folder / "a.jsonl", good[0], "{broken", {"title": "No text"}, good[1])

    report = sync(archive, folder)

    assert [(refusal.path, refusal.reason.partition(":")[0]) for refusal in report.refusals] == [
        (path, "line 2"),
        (path, "line 3"),
    ]
    assert texts(archive) == ["The mayor resigned.", "The mill burned.", BRIDGE, OWLS]


def test_an_archive_inside_its_folder_is_not_read(folder: Path) -> None:
    archive = folder / "archive"

    assert sync(archive, folder) == Report(added=2, articles=2)
    assert sync(archive, folder) == Report(unchanged_files=2, articles=2)


def test_names_of_files_are_printed_harmlessly(folder: Path, archive: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "a\nb\x1b[2Jc\u202e.pdf").touch()
    write_lines(folder / "i\nd\x1b[2J.jsonl", {"id": "n1", "text": "The mayor resigned."})
    write_lines(folder / "j.jsonl", {"id": "n1", "text": "The mayor stayed."})

    run([folder], Settings(archive=archive))

    refused = [line for line in capfd.readouterr().err.splitlines() if line.startswith("refused")]
    assert refused == [
        rf"refused  {folder}/a\nb\x1b[2Jc\u202e.pdf: {PDF}",
        rf"refused  {folder}/j.jsonl: the id 'n1' belongs to another article, in {folder}/i\nd\x1b[2J.jsonl",
    ]


def test_a_file_may_have_a_name_that_is_not_utf_8(folder: Path, archive: Path) -> None:
    strange = folder / "caf\udce9.txt"
    strange.write_text("The café at Ferrow reopened.")

    assert sync(archive, folder) == Report(added=3, articles=3)
    assert sync(archive, folder) == Report(unchanged_files=3, articles=3)
    strange.unlink()
    assert sync(archive, folder) == Report(removed=1, unchanged_files=2, articles=2)


# Stopping


@pytest.fixture
def villages(tmp_path: Path) -> Path:
    """A folder with one file of 60 articles."""
    (tmp_path / "villages").mkdir()
    write_villages(tmp_path / "villages" / "v.jsonl", 60)
    return tmp_path / "villages"


def write_villages(path: Path, number: int) -> None:
    grazing = "They graze on the hill behind it from May, and nobody counts them."
    texts = (f"Village {n} has {3 * n} goats.\n\n{grazing} {grazing} {grazing}" for n in range(number))
    write_lines(path, *({"id": f"v{n}", "text": text} for n, text in enumerate(texts)))


def start(folder: Path, archive: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "index", str(folder), "--archive", str(archive)]
    # A shell lets what it starts in the background ignore SIGINT; a process inherits that unless it is heard here.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)


def count(archive: Path) -> int:
    """Count the articles without touching the archive."""
    try:
        with closing(sqlite3.connect(f"file:{archive / FILE_NAME}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM articles").fetchone()[0])
    except sqlite3.OperationalError:  # it is not made yet
        return 0


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition() and process.poll() is None:
        time.sleep(0.005)


def test_an_archive_survives_being_killed(villages: Path, archive: Path, embedder: Embedder) -> None:
    chance = random.Random(20190716)
    moments: list[Callable[[], bool]] = [
        lambda: True,
        lambda: count(archive) >= 16,
        lambda: count(archive) > 16,
        lambda: any(archive.glob("vectors/unfinished-*")),
    ]
    codes = []
    for moment in moments:
        with start(villages, archive) as process:
            wait_until(moment, process)
            time.sleep(chance.uniform(0, 0.3))
            process.kill()
        codes.append(process.returncode)
    assert run([villages], Settings(archive=archive)) == 0

    assert codes[0] == -signal.SIGKILL
    check_villages(archive, embedder)
    assert ask(archive, embedder, "How many goats has village 41?")[0].startswith("Village 41 has 123 goats.")


def check_villages(archive: Path, embedder: Embedder) -> None:
    opened = Archive.open(archive)
    with closing(Retriever(opened, embedder)) as retriever:
        found = retriever.retrieve("goats", k=1000)
    assert sorted(hit.article.id for hit in found) == sorted(f"v{n}" for n in range(60))
    assert all(hit.passage.text in hit.article.text and hit.passage.text for hit in found)


def test_an_interrupted_run_says_what_to_do(villages: Path, archive: Path) -> None:
    write_villages(villages / "more.jsonl", 500)
    with start(villages, archive) as process:
        wait_until(lambda: count(archive) > 0, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()

    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "Stopped. What was read so far is kept; run the same command to go on."
    assert "Traceback" not in err


def test_a_file_that_is_there_and_cannot_be_read_for_now_keeps_its_articles(folder: Path, archive: Path) -> None:
    sync(archive, folder)
    (folder / "bridge.txt").unlink()
    os.mkfifo(folder / "bridge.txt")

    report = sync(archive, folder)

    assert (report.removed, [refusal.path.name for refusal in report.refusals]) == (0, ["bridge.txt"])
    assert texts(archive) == sorted([OWLS, BRIDGE])


def test_the_folder_of_an_archive_is_not_read_as_articles(folder: Path, archive: Path) -> None:
    sync(archive, folder)

    for place in (archive, folder):
        with pytest.raises(SettingError, match="is where an archive lies"):
            synchronise([place], Settings(archive=place), Notes())


def test_a_folder_within_a_folder_is_read_once(folder: Path, archive: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.pdf").touch()

    assert len(sync(archive, folder, folder / "sub").refusals) == 1
