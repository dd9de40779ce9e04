import contextlib
import importlib.metadata
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.bench import PEERS, Report, print_table, run_bench
from eval.children import BenchError, run_phase
from eval.measures import Measure, Target, agreement, percentile
from eval.ours import cut_text
from eval.workspace import ADDED_SENTENCE, Workspace, change_articles, disk_megabytes, pick_questions, write_articles
from rag import Article
from tests.conftest import ROOT

NAMES = [
    "build",
    "build, IngestionPipeline",
    "rows",
    "peak memory",
    "size on disk",
    "size on disk, IngestionPipeline",
    "nothing changed",
    "nothing changed, IngestionPipeline",
    "rows then, times those before",
    "rows then, IngestionPipeline",
    "1 % changed, IngestionPipeline",
    "first answer from process start",
    "warm search p50",
    "warm search p95",
    "embedding",
    "top-10 agreement of the embeddings",
]
INSTALLED = {distribution.name for distribution in importlib.metadata.distributions()}
needs_peers = pytest.mark.skipif(not set(PEERS) <= INSTALLED, reason="the other side of the benchmark is not installed")
FOUR_TIMES = Target("ratio", 4)


def article(number: int, sentences: int = 1) -> Article:
    text = " ".join(f"Keeper {number * 100 + at} lit the lamp of Ferrow again." for at in range(sentences))
    return Article(id=f"lamp-{number}", title=f"Lamp {number} of Ferrow is lit", text=text)


def workspace_of(folder: Path, articles: Sequence[Article]) -> Workspace:
    folder.mkdir(exist_ok=True)
    workspace = Workspace(folder)
    write_articles(workspace, articles)
    return workspace


def count_words(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


# Arithmetic


@pytest.mark.parametrize(
    ("measure", "ratio", "reached"),
    [
        (Measure("build", "s", 20, 4), 5, None),
        (Measure("build", "s", 20, 4, target=FOUR_TIMES), 5, True),
        (Measure("build", "s", 4, 20, target=FOUR_TIMES), 0.2, False),
        (Measure("speed", "tokens/s", 100, 400, "more", FOUR_TIMES), 4, True),
        (Measure("speed", "tokens/s", 100, 399, "more", FOUR_TIMES), 3.99, False),
        (Measure("rows", "", 2, 1, "neither", Target("at most", 1)), None, True),
        (Measure("rows", "", 1, 1.01, "neither", Target("at most", 1)), None, False),
        (Measure("agreement", "", 1, 0.99, "neither", Target("at least", 0.99)), None, True),
        (Measure("agreement", "", 1, 0.98, "neither", Target("at least", 0.99)), None, False),
    ],
)
def test_a_ratio_says_how_many_times_better_ours_is(measure: Measure, ratio: float | None, reached: bool) -> None:
    assert measure.ratio == pytest.approx(ratio) if ratio else measure.ratio is None
    assert measure.reached is reached


def test_a_measure_is_written_with_its_unit_and_its_target() -> None:
    speed = Measure("embedding", "tokens/s", 3000, 16500.4, "more", Target("ratio", 4.5))
    rows = Measure("rows then", "", 2, 1, "neither", Target("at most", 1))

    assert speed.cells() == ("embedding", "3,000 tokens/s", "16,500 tokens/s", "5.50x", "≥ 4.5x", "yes")
    assert rows.cells() == ("rows then", "2.000", "1.000", "", "≤ 1", "yes")
    assert Measure("disk", "MB", 124.9, 8, target=None).cells() == ("disk", "124.9 MB", "8.0 MB", "15.6x", "", "")


def test_a_ratio_just_under_its_target_does_not_look_like_it() -> None:
    assert Measure("build", "s", 4.49, 1, target=Target("ratio", 4.5)).cells()[3:] == ("4.49x", "≥ 4.5x", "no")


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(100, 0, -1)]

    assert [percentile(values, share) for share in (0.5, 0.95, 1)] == [50, 95, 100]
    assert percentile([7.0], 0.95) == 7


def test_agreement_is_the_share_of_nearest_texts_in_common(tmp_path: Path) -> None:
    texts = np.eye(4)
    np.savez(tmp_path / "stock.npz", texts=texts, questions=np.array([[4, 3, 2, 1], [4, 3, 2, 1]]))
    np.savez(tmp_path / "ours.npz", texts=5 * texts, questions=np.array([[8, 6, 4, 2], [4, 1, 2, 3]]))

    assert agreement(tmp_path / "stock.npz", tmp_path / "ours.npz", k=2) == pytest.approx(0.75)
    assert agreement(tmp_path / "stock.npz", tmp_path / "ours.npz", k=10) == 1


# The texts


def test_texts_are_cut_between_words_and_filled() -> None:
    pieces = list(cut_text("aaa bb\nc dddd toolong ee", count_words, maximum_tokens=6))

    assert pieces == [("aaa bb c", 6), ("dddd ee", 6)]


def test_questions_are_different_headlines_from_all_over() -> None:
    articles = [article(number // 2) for number in range(1000)]

    questions = pick_questions(articles)

    assert len(questions) == len(set(questions)) == 200
    assert questions[0] == "Lamp 0 of Ferrow is lit"
    assert questions[-1] == "Lamp 497 of Ferrow is lit"


def test_an_article_without_a_headline_is_asked_by_its_first_words() -> None:
    assert pick_questions([replace(article(1), title=""), replace(article(2), title="", text="...")]) == [
        article(1).text
    ]


def test_one_file_in_a_hundred_is_changed_and_at_least_one(tmp_path: Path) -> None:
    many = workspace_of(tmp_path / "many", [article(number) for number in range(250)])
    few = workspace_of(tmp_path / "few", [article(1)])

    assert (change_articles(many), change_articles(few)) == (2, 1)
    changed = [path for path in many.articles.iterdir() if ADDED_SENTENCE in path.read_text(encoding="utf-8")]
    assert len(changed) == 2
    (only,) = few.articles.iterdir()
    assert only.read_text(encoding="utf-8").startswith("Lamp 1 of Ferrow is lit\n\nKeeper 100 lit the lamp")


def test_size_on_disk_counts_all_files_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(os.urandom(1_000_000))

    assert disk_megabytes(tmp_path) == pytest.approx(1, abs=0.1)


# The processes


def test_a_phase_is_measured(tmp_path: Path) -> None:
    script = "import json, time; print('talk'); print(json.dumps(len(b'x' * 300_000_000))); time.sleep(.5)"
    (tmp_path / "phase_of_test.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONUNBUFFERED": "1"}

    finished = run_phase("a phase", ["phase_of_test"], environment)

    assert finished.result() == 300_000_000
    assert finished.peak_megabytes > 300
    assert 0 < finished.seconds_to_output < finished.seconds - 0.4


def test_a_phase_that_fails_says_its_last_line(tmp_path: Path) -> None:
    (tmp_path / "phase_of_test.py").write_text("raise ValueError('the disk is full')")

    with pytest.raises(
        BenchError, match=r"^The phase 'a phase' failed with exit code 1: ValueError: the disk is full$"
    ):
        run_phase("a phase", ["phase_of_test"], {**os.environ, "PYTHONPATH": str(tmp_path)})


# The command


def evaluate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eval", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@needs_peers
def test_what_cannot_be_measured_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()

    missing = evaluate("bench", tmp_path / "none.jsonl")
    empty = evaluate("bench", tmp_path / "empty.jsonl")
    occupied = evaluate("bench", tmp_path / "none.jsonl", "--keep", tmp_path)

    assert [done.returncode for done in (missing, empty, occupied)] == [2, 2, 2]
    assert missing.stderr.startswith(f"eval: There is no file {tmp_path / 'none.jsonl'}. Give one")
    assert empty.stderr.startswith(f"eval: No article could be read from {tmp_path / 'empty.jsonl'}. Give")
    assert occupied.stderr.startswith(f"eval: The folder {tmp_path} is not empty. Give")
    assert all(done.stderr.count("\n") == 1 for done in (missing, empty, occupied))


def test_without_the_other_side_it_says_how_to_install_it(tmp_path: Path) -> None:
    for installed in Path(sysconfig.get_path("purelib")).iterdir():
        if not installed.name.startswith("llama_index_vector_stores_chroma"):
            (tmp_path / installed.name).symlink_to(installed)

    # With -S, Python looks for libraries in that folder alone.
    command = [sys.executable, "-S", "-m", "eval", "bench", "none.jsonl"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == (
        "eval: The benchmark needs llama-index-vector-stores-chroma, which is not installed. "
        'Install it with: pip install "onrecord[bench]"\n'
    )


# The whole


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def report(kept: Workspace, pytestconfig: pytest.Config) -> Iterator[Report]:
    """A benchmark of six articles."""
    if not pytestconfig.getoption("--bench"):
        pytest.skip("the benchmark takes two minutes: pytest tests/test_bench.py --bench")
    file = kept.folder / "articles.jsonl"
    records = [
        {"title": one.title, "text": one.text} for one in (article(number, 12 * number) for number in range(1, 8))
    ]
    file.write_text("\n".join(map(json.dumps, records)))
    with contextlib.chdir(ROOT):
        yield run_bench(file, 6, kept, first_answers=1)


def found(report: Report, name: str) -> Measure:
    return next(measure for measure in report.measures if measure.name == name)


@needs_peers
def test_every_measure_has_a_figure_of_both_sides(report: Report) -> None:
    assert [measure.name for measure in report.measures] == NAMES
    assert all(measure.stock > 0 and measure.ours > 0 for measure in report.measures)
    assert (report.articles, report.changed) == (6, 1)
    assert report.texts >= 6


@needs_peers
def test_the_stock_pipeline_doubles_its_rows_and_ours_does_not(report: Report) -> None:
    doubled = found(report, "rows then, times those before")

    assert (doubled.stock, doubled.ours, doubled.reached) == (2, 1, True)
    assert found(report, "rows then, IngestionPipeline").stock == 1


@needs_peers
def test_both_sides_find_the_same_texts(report: Report) -> None:
    assert found(report, "top-10 agreement of the embeddings").ours > 0.95


@needs_peers
def test_our_archive_is_in_step_with_the_files_afterwards(report: Report, kept: Workspace) -> None:
    command = [sys.executable, "-m", "rag", "index", str(kept.articles), "--archive", str(kept.ours), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout)["unchanged_files"] == report.articles


@needs_peers
def test_the_table_has_a_row_for_every_measure(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    print_table(report)

    out = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    assert [tuple(row) for row in rows] == [measure.cells() for measure in report.measures]
    assert "6 articles, 1 changed" in out
    assert "llama-index-core " in out


@needs_peers
def test_json_holds_all_that_the_table_does(report: Report) -> None:
    given: dict[str, Any] = json.loads(json.dumps(report.to_dict(), allow_nan=False))

    assert set(given) == {"articles", "changed", "texts", "cpus", "versions", "note", "measures"}
    assert {"python", "onrecord", "chromadb", "llama-index-core"} <= set(given["versions"])
    assert set(given["measures"][0]) == {"name", "unit", "stock", "ours", "ratio", "target", "reached"}
    assert given["measures"][0]["target"] == {"of": "ratio", "value": 4.5}
