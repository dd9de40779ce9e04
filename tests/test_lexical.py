from __future__ import annotations

import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import ArchiveError, Article, Passage
from rag.archive import Archive, Entry, Position
from rag.errors import ArchiveDamaged
from rag.lexical import FORMAT, WORDS, WordIndex, check, commits, rebuild, tidy, update
from rag.publications import Manifest

ROOT = Path(__file__).parent.parent


def article(name: str, text: str, title: str = "A title", source: str = "Some outlet") -> Article:
    return Article(name, title, text, source)


OWL = article("owl", "Three barn owls have nested. Dr. Ines Valko counted them.", "Birds at the mill", "Ferrow Herald")
BRIDGE = article("bridge", "The stone bridge at Ferrow will close for repairs.", "Works begin", "County Wire")
VALKO = article("valko", "Valko Motors, said Ines Brandt, builds a Citroën for the U.S. market.", "Cars", "County Wire")


def entry(article: Article) -> Entry:
    """Make two passages of an article, its halves."""
    cut = len(article.text) // 2
    passages = tuple(
        Passage(article.id, first, last, article.text[first:last])
        for first, last in ((0, cut), (cut, len(article.text)))
    )
    return Entry(article, passages, np.ones((2, 4), dtype=np.float32))


def whole(article: Article) -> Entry:
    passage = Passage(article.id, 0, len(article.text), article.text)
    return Entry(article, (passage,), np.ones((1, 4), dtype=np.float32))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive", {"model": "some-model"}) as created:
        created.put([whole(OWL), whole(BRIDGE), whole(VALKO)])
        yield created


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Three articles with their index, that no test changes."""
    with Archive.create(tmp_path_factory.mktemp("indexed") / "archive", {"model": "some-model"}) as created:
        created.put([whole(OWL), whole(BRIDGE), whole(VALKO)])
        update(created)
        yield created


def found(archive: Archive, question: str, k: int = 10) -> list[str]:
    """Give the ids of the articles that a question finds, best first."""
    index = WordIndex.open(archive.directory)
    passages = archive.passages([number for number, _ in index.search(question, k)])
    return [passages[number][1].id for number, _ in index.search(question, k)]


# Searching


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("Who counted the owl?", "owl"),
        ("nesting", "owl"),
        ("What did the mill's birds do?", "owl"),
        ("repair of bridges", "bridge"),
        ("CITROEN", "valko"),
        ("citroën", "valko"),
        ("citroe\u0308n", "valko"),
        ("What did the Ferrow Herald say?", "owl"),
        ("the U.S. market", "valko"),
        ("Ines Valko", "owl"),
        ('Who wrote "Valko Motors"?', "valko"),
        ("Who wrote “ines valko counted”?", "owl"),
    ],
)
def test_a_question_finds_its_passage(indexed: Archive, question: str, best: str) -> None:
    assert found(indexed, question)[0] == best


def test_a_title_weighs_more_than_a_body_and_a_body_more_than_an_outlet(archive: Archive) -> None:
    archive.put(
        [whole(article("body", "zebra here", "none", "none")), whole(article("title", "none here", "zebra", "none"))]
    )
    archive.put([whole(article("outlet", "none here", "none", "zebra"))])
    update(archive)

    assert found(archive, "zebra") == ["title", "body", "outlet"]


def test_what_is_quoted_lifts_the_passage_that_says_it_but_is_not_required(archive: Archive) -> None:
    archive.put([whole(article("apart", "White roses, a house that is white, and white roses of the house."))])
    archive.put(
        [whole(article("together", "It was the White House, far from all that one could call a town of roses."))]
    )
    update(archive)

    assert found(archive, "what of a white and rosy house") == ["apart", "together"]
    assert found(archive, 'what of a "white house" and roses') == ["together", "apart"]


def test_at_most_k_are_given_with_falling_scores(indexed: Archive) -> None:
    index = WordIndex.open(indexed.directory)

    pairs = index.search("Ines Valko of Ferrow", 2)

    assert len(pairs) == 2
    assert pairs[0][1] > pairs[1][1] > 0
    assert index.search("Valko", 0) == []
    assert len(index.search("Ines Valko of Ferrow", 10**12)) == 3


@pytest.mark.parametrize("question", ["", "?", "🦉", "zyxwvut", "\ud800", '""', "\x00"])
def test_a_question_without_a_known_word_finds_nothing(indexed: Archive, question: str) -> None:
    assert WordIndex.open(indexed.directory).search(question, 5) == []


@pytest.mark.parametrize(
    "question",
    [
        "what happened? (really owl",
        'owl "x',
        "owl AND NOT owl",
        "-owl",
        "title:owl",
        "owl\ud800",
        "owl " * 500,
        "ow*l owl [a TO b]",
    ],
)
def test_nothing_in_a_question_is_an_operator(indexed: Archive, question: str) -> None:
    assert found(indexed, question)[0] == "owl"


def test_any_text_is_a_question(indexed: Archive) -> None:
    index = WordIndex.open(indexed.directory)

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.one_of(st.text(st.characters(), max_size=2000), st.text('owl "“”()[]{}:^~*?+-\\/&|!ANDOR\n', max_size=200))
    )
    def ask(question: str) -> None:
        assert len(index.search(question, 5)) <= 5

    ask()


def test_a_question_of_stop_words_alone_is_searched_all_the_same(indexed: Archive) -> None:
    assert found(indexed, "will have them")


def test_many_threads_find_the_same(indexed: Archive) -> None:
    index = WordIndex.open(indexed.directory)
    expected = index.search("Ines Valko of Ferrow", 5)
    answers: list[list[tuple[int, float]]] = []

    def ask() -> None:
        answers.extend(index.search("Ines Valko of Ferrow", 5) for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [expected] * 400


# Upkeep


def test_an_index_holds_every_passage_once_and_says_how_far_it_is(archive: Archive) -> None:
    update(archive)

    index = WordIndex.open(archive.directory)
    assert (index.count, index.position, check(archive)) == (3, archive.position, [])


def test_what_comes_is_replaced_or_leaves_is_followed(archive: Archive) -> None:
    update(archive)

    archive.put(
        [entry(article("new", "A walrus was seen.")), entry(article("owl", "No more birds at the lighthouse."))]
    )
    archive.drop(["bridge"])
    update(archive)

    assert check(archive) == []
    assert WordIndex.open(archive.directory).count == 5
    assert [set(found(archive, word)) for word in ("walrus", "lighthouse", "nested", "stone")] == [
        {"new"},
        {"owl"},
        set(),
        set(),
    ]


def test_an_archive_that_did_not_change_leaves_the_index_untouched(archive: Archive) -> None:
    update(archive)
    before = state_of(archive.directory / WORDS)

    update(archive)

    assert state_of(archive.directory / WORDS) == before


def test_many_small_changes_end_where_one_great_one_does(archive: Archive) -> None:
    chance = random.Random(5)
    for turn in range(24):
        archive.put([entry(article(f"n{chance.randrange(20)}", f"A word{turn}, and another of round{turn}."))])
        archive.drop([f"n{chance.randrange(20)}"])
        update(archive)
    followed = [found(archive, f"word{turn}") for turn in range(24)]

    assert check(archive) == []
    rebuild(archive)
    assert [found(archive, f"word{turn}") for turn in range(24)] == followed
    assert 5 < sum(map(len, followed)) < 20


def test_an_empty_archive_has_an_index_of_nothing(archive: Archive) -> None:
    archive.drop(["owl", "bridge", "valko"])
    assert check(archive) == []

    update(archive)

    assert check(archive) == []
    assert found(archive, "owl") == []


def test_an_open_index_goes_over_to_a_later_commit(archive: Archive) -> None:
    update(archive)
    index = WordIndex.open(archive.directory)
    archive.put([whole(article("new", "A walrus was seen."))])
    update(archive)

    before = index.search("walrus owl", 5)
    index.reload()
    after = index.search("walrus owl", 5)
    index.close()

    assert (len(before), len(after)) == (1, 2)
    with pytest.raises(ArchiveError, match="was closed"):
        index.search("walrus", 5)


def test_reading_writes_nothing(archive: Archive) -> None:
    update(archive)
    before = state_of(archive.directory / WORDS)
    for path in [*(archive.directory / WORDS).rglob("*"), archive.directory / WORDS]:
        path.chmod(0o555)

    assert found(archive, "owl") == ["owl"]
    assert check(archive) == []
    assert state_of(archive.directory / WORDS) == before


def test_departed_words_leave_no_trace_after_a_rebuild(archive: Archive) -> None:
    archive.put([whole(article("secret", "The name was Quixolnar.", "Quixolnar", "Quixolnar"))])
    update(archive)
    archive.drop(["secret"])
    update(archive)
    assert terms(archive, "quix") == {"quixolnar"}
    before = {path.name for path in files_of(archive) if path.suffix != ".json"}

    rebuild(archive)

    assert terms(archive, "quix") == set()
    assert terms(archive, "brid") == {"bridg"}
    assert not before & {path.name for path in files_of(archive)}


def terms(archive: Archive, prefix: str) -> set[str]:
    """Give the words of any field that stand in the files of the index, also those of deleted passages."""
    searcher = WordIndex.open(archive.directory)._commit.searcher
    return {word for field in ("title", "source", "body") for word, _ in searcher.terms_with_prefix(field, prefix)}


def test_no_text_is_stored_only_indexed(indexed: Archive) -> None:
    everything = b"".join(path.read_bytes() for path in (indexed.directory / WORDS).rglob("*") if path.is_file())

    assert b"barn owls" not in everything
    assert b"County Wire" not in everything


def state_of(directory: Path) -> dict[str, tuple[int, int]]:
    """Give when each file and folder was last changed; a file that comes and goes shows in its folder."""
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in [directory, *directory.rglob("*")]}


# An archive that was replaced


def test_an_index_of_a_later_state_than_the_archive_is_made_afresh(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    copied = shutil.copytree(archive.directory, archive.directory.parent / "backup")
    archive.put([whole(article("later", "A walrus was seen."))])
    update(archive)
    with Archive.open(copied) as backup:
        shutil.copytree(archive.directory / WORDS, backup.directory / WORDS)

        assert check(backup) == ["the word index is not in step with the archive"]
        update(backup)

        assert "made afresh: it is of a later state" in caplog.text
        assert check(backup) == []
        assert found(backup, "walrus") == []


def test_an_index_of_a_later_state_is_dropped_before_the_archive_seems_to_have_reached_it(archive: Archive) -> None:
    copied = shutil.copytree(archive.directory, archive.directory.parent / "backup")
    archive.put([whole(article("later", "A walrus was seen."))])
    update(archive)
    with Archive.open(copied) as backup:
        shutil.copytree(archive.directory / WORDS, backup.directory / WORDS)

        tidy(backup)
        backup.put([whole(article("other", "A seal was heard."))])
        update(backup)

        assert [found(backup, word) for word in ("walrus", "seal")] == [[], ["other"]]


def test_an_index_of_another_archive_of_the_same_length_is_made_afresh(archive: Archive) -> None:
    update(archive)
    with Archive.create(archive.directory.parent / "other", {"model": "some-model"}) as other:
        other.put([whole(OWL), whole(BRIDGE), whole(article("new", "A walrus was seen."))])
        shutil.copytree(archive.directory / WORDS, other.directory / WORDS)

        update(other)

        assert check(other) == []
        assert found(other, "walrus") == ["new"]


# Damage

Damage = Callable[[Path], object]


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def files_of(archive: Archive) -> list[Path]:
    """Give the files of the one commit."""
    return sorted(path for path in (archive.directory / WORDS).glob("*/*") if path.is_file())


DAMAGES: dict[str, Damage] = {
    "emptied": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "deleted": lambda path: path.unlink(),
    "flipped": lambda path: path.write_bytes(flipped(path.read_bytes())),
    "a folder": replaced_by_a_folder,
}


@pytest.fixture
def followed(archive: Archive) -> Archive:
    """An index of two segments, one of them with a deletion."""
    update(archive)
    archive.put([entry(OWL)])
    update(archive)
    assert {path.suffix or path.name for path in files_of(archive)} >= {
        ".json",
        ".del",
        ".idx",
        ".term",
        ".pos",
        ".fast",
    }
    return archive


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_each_damage_of_each_file_is_told_and_mended(
    followed: Archive, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    words = followed.directory / WORDS
    kept = shutil.copytree(words, followed.directory / "kept")
    for name in [path.relative_to(words) for path in files_of(followed)]:
        shutil.rmtree(words)
        shutil.copytree(kept, words)
        damage(words / name)
        caplog.clear()

        assert name.name in " ".join(check(followed))
        with pytest.raises(ArchiveDamaged, match=f"{name.name}.*Make it afresh with: onrecord rebuild"):
            WordIndex.open(followed.directory)
        update(followed)

        assert "made afresh" in caplog.text
        assert check(followed) == []
    assert found(followed, "walrus owl") == ["owl"]


def test_what_tantivy_cannot_open_is_damage_although_its_bytes_are_as_written(archive: Archive) -> None:
    commits(archive.directory).publish(lambda _: Manifest({"format": FORMAT}, {}, archive.position, 3, {}))

    [told] = check(archive)
    assert "it cannot be opened" in told
    with pytest.raises(ArchiveDamaged, match="it cannot be opened"):
        WordIndex.open(archive.directory)


def test_a_missing_index_is_told_and_made(archive: Archive) -> None:
    assert check(archive) == ["there is no word index"]
    with pytest.raises(ArchiveDamaged, match="there is none. Make it afresh with: onrecord rebuild --archive"):
        WordIndex.open(archive.directory)

    (archive.directory / WORDS).write_text("a file in its place")
    update(archive)

    assert check(archive) == []


def test_an_index_of_another_release_is_made_afresh_quietly(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    update(archive)
    commit = files_of(archive)[0].parent
    replace(Manifest.read(commit), made_by={"format": "0"}).write(commit)

    update(archive)

    assert Manifest.read(files_of(archive)[0].parent).made_by != {"format": "0"}
    assert caplog.records == []
    assert check(archive) == []


# Kills and full disks

CHILD = """
import os, signal, sys, time
from pathlib import Path
from rag.archive import Archive
from rag.lexical import update
import tantivy.tantivy, tempfile, unicodedata

until, seconds, calls = int(sys.argv[2]), float(sys.argv[3]), 0

def count(frame, event, argument):
    global calls
    calls += event in ("call", "c_call", "c_return")
    if calls == until:
        os.kill(os.getpid(), signal.SIGKILL)

with Archive.open(Path(sys.argv[1])) as archive:
    signal.setitimer(signal.ITIMER_REAL, seconds)  # which ends the process also while it is inside of Tantivy
    sys.setprofile(count)
    began = time.perf_counter()
    update(archive)
    took = time.perf_counter() - began
    sys.setprofile(None)
print(calls, took)
"""


def run_child(archive: Path, *, until: int = 0, seconds: float = 0.0) -> subprocess.CompletedProcess[str]:
    """Update an archive's index in a process that dies at a call, Tantivy's own functions among them, or at a time."""
    command = [sys.executable, "-c", CHILD, str(archive), str(until), str(seconds)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def unfollowed(archive: Archive) -> Archive:
    """An archive whose index is behind it in all three ways."""
    update(archive)
    archive.put([entry(OWL), entry(article("new", "A walrus was seen."))])
    archive.drop(["bridge"])
    return archive


def state_after(archive: Archive, *, until: int = 0, seconds: float = 0.0) -> Position:
    """Give where the index of a copy stands after a child has died, or was quicker; then it is completed."""
    copy = shutil.copytree(archive.directory, archive.directory.parent / "copy")
    assert run_child(copy, until=until, seconds=seconds).returncode in {-signal.SIGKILL, -signal.SIGALRM, 0}
    index = WordIndex.open(copy)
    assert index.count == {Position(3, 0): 3, archive.position: 5}[index.position]
    with Archive.open(copy) as killed:
        tidy(killed)
        update(killed)
        assert check(killed) == []
        assert found(killed, "walrus") == ["new"]
    assert len(list((copy / WORDS).iterdir())) == 2
    shutil.rmtree(copy)
    return index.position


def finished(archive: Archive) -> tuple[int, float]:
    copy = shutil.copytree(archive.directory, archive.directory.parent / "finished")
    calls, took = run_child(copy).stdout.split()
    return int(calls), float(took)


def test_a_kill_at_any_call_leaves_the_commit_before_and_the_next_update_completes_it(unfollowed: Archive) -> None:
    calls, chance = finished(unfollowed)[0], random.Random(11)
    moments = [*(chance.randrange(1, calls) for _ in range(5)), *range(calls - 180, calls, 20)]

    states = {state_after(unfollowed, until=moment) for moment in moments}

    assert states == {Position(3, 0), unfollowed.position}


def test_a_kill_at_any_time_leaves_the_commit_before_and_the_next_update_completes_it(unfollowed: Archive) -> None:
    took, chance = finished(unfollowed)[1], random.Random(7)

    for _ in range(6):
        assert state_after(unfollowed, seconds=chance.uniform(0.05, 0.8) * took) in {
            Position(3, 0),
            unfollowed.position,
        }


def test_a_full_disk_is_told_and_leaves_the_commit_before(archive: Archive) -> None:
    update(archive)
    letters = random.Random(3)
    words = " ".join("".join(letters.choices("abcdefghij", k=12)) for _ in range(20_000))
    archive.put([whole(article("long", words))])

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, limits[1]))
    try:
        with pytest.raises(ArchiveError, match="could not be written .* MB are free there.*onrecord rebuild"):
            update(archive)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert found(archive, "owl") == ["owl"]
    assert len(list((archive.directory / WORDS).iterdir())) == 2
    update(archive)
    assert check(archive) == []
