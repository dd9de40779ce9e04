from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.children import BenchError
from eval.measures import Target
from eval.searching import share_as_good
from eval.speed import Figure, Report, print_table, run_speed
from eval.synthetic import Sentences, dated_filter, moved, name_of, outlet_of, rare_filters
from eval.turns import Side, take_turns
from eval.workspace import Workspace
from rag.archive import Archive
from tests.conftest import ROOT

PASSAGES = 300


# The texts and the vectors


def test_sentences_are_those_of_the_texts_with_made_up_names_in_some_places() -> None:
    text = "The lighthouse keeper of Ferrow painted the railing green before Monday morning."
    known = set(text.split())

    given = [Sentences.of([text], seed).sentence().split() for seed in range(20)]

    assert all(len(words) == len(text.split()) for words in given)
    assert 0 < sum(word not in known for words in given for word in words) < 20 * len(known) / 2
    assert Sentences.of([text], 1).question() == Sentences.of([text], 1).question()


def test_texts_without_a_sentence_are_refused() -> None:
    with pytest.raises(BenchError, match="No sentence was found"):
        Sentences.of(["Too short."], 1)


def test_names_are_different_and_those_of_small_numbers_short() -> None:
    assert len({name_of(number) for number in range(5000)}) == 5000
    assert len(name_of(3)) < len(name_of(100_000))


def test_moved_vectors_are_of_length_one_and_near_to_known_ones() -> None:
    drawn = np.random.default_rng(1)
    known = drawn.normal(size=(50, 16)).astype(np.float32)
    known /= np.linalg.norm(known, axis=1, keepdims=True)

    found = moved(known, 200, drawn)

    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    assert float(np.median((found @ known.T).max(axis=1))) > 0.7


def test_as_good_as_the_best_is_what_has_their_scores() -> None:
    assert share_as_good([0.9, 0.8, 0.7], [0.9, 0.8, 0.7]) == 1
    assert share_as_good([0.9, 0.7, 0.6], [0.9, 0.8, 0.7]) == pytest.approx(2 / 3)
    assert share_as_good([0.9], [0.9, 0.8]) == 0.5
    assert share_as_good([], []) == 1
    assert share_as_good([0.9], []) == 0


# The processes


def side_of(folder: Path, script: str) -> Side:
    (folder / "side_of_test.py").write_text(script)
    return Side("test", ["side_of_test"], {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"})


def test_two_sides_take_turns(tmp_path: Path) -> None:
    script = "from eval.turns import answer_turns; import time; answer_turns(lambda question: time.sleep(.01))"

    with side_of(tmp_path, script) as one, side_of(tmp_path, script) as other:
        found = take_turns([one, other], ["Who?", "Where?"])

    assert [len(times) for times in found] == [2, 2]
    assert all(time > 9 for times in found for time in times)


def test_a_side_that_ends_says_its_last_line(tmp_path: Path) -> None:
    with (
        side_of(tmp_path, "raise ValueError('the disk is full')") as side,
        pytest.raises(BenchError, match="The side 'test' ended: ValueError: the disk is full"),
    ):
        side.ask("Who?")


# The whole


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("speed"))


@pytest.fixture(scope="module")
def report(kept: Workspace) -> Iterator[Report]:
    with contextlib.chdir(ROOT):
        yield run_speed(PASSAGES, None, kept, peer=False, questions=10)


def value(report: Report, name: str) -> float:
    return next(figure.value for figure in report.figures if figure.name == name)


def test_the_archive_is_of_the_size_that_was_asked_for(report: Report, kept: Workspace) -> None:
    with Archive.open(kept.ours) as archive:
        assert archive.count_passages() == PASSAGES
        assert outlet_of(0) in archive.outlets()
        rare = [len(archive.filed(filters)) for filters in rare_filters().values()]
        half = len(archive.filed(dated_filter(0.5)))
        for batch in archive.passages_after(0):
            assert all(article.text[passage.start : passage.end] == passage.text for _, passage, article in batch)

    assert all(0 < count < PASSAGES / 5 for count in rare)
    assert PASSAGES / 3 < half < PASSAGES / 1.5


def test_search_is_exact_with_and_without_a_filter(report: Report) -> None:
    assert value(report, "agreement at 10 with exact search") == pytest.approx(1, abs=0.01)
    assert value(report, "least agreement behind 1 % by outlet") == 1
    assert value(report, "least agreement behind 1 % by dates") == 1


def test_every_figure_is_measured_and_has_a_row_in_the_table(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    print_table(report)

    out = capsys.readouterr().out
    assert all(figure.value > 0 and figure.name in out for figure in report.figures)
    assert len(report.figures) == 25
    assert json.loads(json.dumps(report.to_dict()))["passages"] == PASSAGES


def test_a_kept_archive_is_used_again_for_the_same_size_only(report: Report, kept: Workspace) -> None:
    assert kept.read("made")["passages"] == PASSAGES

    with pytest.raises(BenchError, match="lies another archive"):
        run_speed(PASSAGES + 1, None, kept, peer=False)


def test_a_figure_says_whether_it_meets_its_limit() -> None:
    figure = Figure("warm search p50", "ms", 14.96, Target("at most", 15))

    assert figure.cells() == ("warm search p50", "15.0 ms", "≤ 15", "yes")
    assert replace(figure, value=15.1).cells()[3] == "no"
    assert Figure("so many times faster", "", 2.9, Target("ratio", 3)).cells() == (
        "so many times faster",
        "2.9000",
        "≥ 3x",
        "no",
    )
    assert Figure("memory", "MB", 1234.5).cells() == ("memory", "1,234.5 MB", "", "")


def test_what_cannot_be_measured_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    command = [sys.executable, "-m", "eval", "speed", "--alone", "--keep", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert (
        done.stderr
        == f"eval: The folder {tmp_path} holds something else. Give a new one to --keep, or one it was given.\n"
    )
