import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from eval.__main__ import main
from eval.answered import Answered
from eval.comparing import compare, print_comparison
from eval.errors import EvalError
from eval.glossary import CHAPTERS, TERMS
from eval.questions import Turn
from eval.reporting import NONE_ANSWERABLE, NONE_UNANSWERABLE, NOTHING, ONE_CLUSTER
from eval.running import Plan, run
from eval.runs import Run
from eval.sets import read_set
from eval.systems import Choice, chosen, turns_of
from eval.trec import qrels_lines, read_qrels, read_run, run_lines
from rag import conversation
from rag.archive import Archive
from rag.lexical import WORDS
from rag.models import ModelFacts
from tests.conftest import ROOT

RECORDS: list[dict[str, Any]] = [
    {
        "id": "quota",
        "question": "By how much was the cod quota on the Halven Bank cut?",
        "answers": ["35 percent"],
        "gold_articles": ["cod-2021-12-10-hna"],
        "kind": "number",
    },
    {
        "id": "two sources",
        "question": "How many boats blocked the harbour, and what fund ended the blockade?",
        "answers": ["18 million crowns"],
        "gold_articles": ["cod-2022-01-13-courier", "cod-2022-03-04-hna"],
        "kind": "two",
    },
    {
        "id": "fine",
        "question": "What was the skipper Dag Merrow fined?",
        "answers": ["12,000 crowns"],
        "gold_articles": ["cod-2022-05-19-courier"],
        "kind": "number",
    },
    {"id": "moon", "question": "Who walked on the moon first?", "answerable": False, "kind": "none"},
]
FOLLOW_UPS: list[dict[str, Any]] = [
    {
        "id": "how much",
        "question": "How much was it?",
        "rewrite": "By how much was the cod quota on the Halven Bank cut?",
        "history": [{"role": "user", "text": "What happened to the cod quota?"}],
        "gold_articles": ["cod-2021-12-10-hna"],
    },
    {
        "id": "what else",
        "question": "And what was he fined?",
        "rewrite": "What was the skipper Dag Merrow fined?",
        "history": [{"role": "user", "text": "Who is Dag Merrow?"}],
        "gold_articles": ["cod-2022-05-19-courier"],
    },
]
LINES = ("passages.jsonl", "answers.jsonl")
COLUMNS = ["question_id", "cluster", "seconds", "RR@10", "Success@1", "Success@4", "Success@10", "R@10", "R@100"]


def write_questions(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def answers_of(run: Run) -> dict[str, Answered]:
    """Give all that was answered but how long it took, which no two runs share."""
    assert len({one.question_id for one in run.answered}) == len(run.answered)
    return {one.question_id: replace(one, seconds=0) for one in run.answered}


def figures_of(run: Run) -> tuple[object, object, dict[str, float]]:
    """Give all numbers of a run but its times."""
    scores = run.scores()
    means = {name: value for name, value in scores.means().items() if TERMS[name].unit != "ms"}
    return scores.measured, scores.others, means


def terms_of(*titles: str) -> set[str]:
    """Name the measures of some chapters of the glossary."""
    return {term.name for chapter in CHAPTERS if chapter.title in titles for term in chapter.terms}


def call(*arguments: object) -> int:
    """Run the command as `python -m eval` does; give its exit code."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_questions(tmp_path_factory.mktemp("asked") / "cod.jsonl", RECORDS)


@pytest.fixture(scope="module")
def folder(questions: Path, sample_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over the sample archive."""
    out = tmp_path_factory.mktemp("runs")
    assert call("run", "--questions", questions, "--archive", sample_archive, "--out", out, "--name", "first") == 0
    return out / "first"


# The folder


def test_a_run_leaves_what_is_needed_to_measure_it_again(folder: Path, questions: Path, sample_archive: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())

    assert {path.name for path in folder.iterdir()} == {
        "manifest.json",
        "questions.jsonl",
        "passages.jsonl",
        "answers.jsonl",
        "articles.jsonl",
        "run.trec",
        "qrels.trec",
        "per_question.csv",
        "report.html",
    }
    with Archive.open(sample_archive) as archive:
        assert manifest["identity"]["archive"]["fingerprint"] == archive.fingerprint()
        assert manifest["identity"]["archive"]["model_sha256"] == archive.facts["model_sha256"]
    assert manifest["identity"]["questions"]["count"] == 4
    assert manifest["finished"] >= manifest["started"]
    assert (manifest["sessions"], manifest["missing_gold"], manifest["seed"]) == (1, 0, 0)


def test_the_gold_articles_of_plain_questions_are_found(folder: Path) -> None:
    scores = Run.open(folder).scores()

    assert scores.measured["Success@4"] == {"quota": 1, "two sources": 1, "fine": 1}
    assert scores.measured["Answer@10"] == {"quota": 1, "two sources": 1, "fine": 1}
    assert scores.clusters == [0, 1, 2, 3]


def test_every_question_has_its_answer_with_citations_of_the_archive(folder: Path, sample_archive: Path) -> None:
    run = Run.open(folder)
    states = {one.question_id: one.state for one in run.answered}

    assert states == {"quota": "answered", "two sources": "answered", "fine": "answered", "moon": "not_in_archive"}
    with Archive.open(sample_archive) as archive:
        for one in run.answered:
            for shown in (one.shown, *one.others.values()):
                for cited in shown.citations:
                    assert archive.article(cited.article_id).text[cited.start : cited.end] == cited.text
                    assert cited.is_verbatim
    cited_or_gold = {gold for question in run.questions for gold in question.gold_articles}
    for one in run.answered:
        cited_or_gold |= {cited.article_id for shown in (one.shown, *one.others.values()) for cited in shown.citations}
    assert run.articles().keys() == cited_or_gold
    assert run.articles()["cod-2021-12-10-hna"]["date"] == "2021-12-10"


def test_a_run_is_read_back_as_it_was_written(folder: Path) -> None:
    written = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]

    assert [json.loads(json.dumps(one.to_dict())) for one in Run.open(folder).answered] == written
    assert [record["question_id"] for record in written] == [record["id"] for record in RECORDS]


def test_every_article_is_ranked_once_where_its_first_passage_is(folder: Path) -> None:
    run = Run.open(folder)

    assert list(run.rankings()) == [question.id for question in run.questions]
    for found in run.retrieved:
        ranking = run.rankings()[found.question_id]
        assert len(found.passages) == 10
        assert ranking == found.articles
        assert len(ranking) == len(set(ranking)) > 10


def test_a_table_has_every_measure_of_every_question(folder: Path) -> None:
    with (folder / "per_question.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    scores = Run.open(folder).scores()
    assert list(rows[0])[:9] == COLUMNS
    assert [row["question_id"] for row in rows] == ["quota", "two sources", "fine", "moon"]
    for name in scores.measures:
        assert [float(row[name]) if row[name] else None for row in rows] == [
            scores.measured[name].get(row["question_id"]) for row in rows
        ]
    assert {name for name in scores.measures if rows[3][name]} == {"F1", "Rejection", "Utility"}


def test_another_tool_gives_our_numbers(folder: Path) -> None:
    from pytrec_eval import RelevanceEvaluator

    run: dict[str, dict[str, float]] = {}
    for line in (folder / "run.trec").read_text().splitlines():
        question_id, _, article_id, _, score, _ = line.split()
        run.setdefault(question_id, {})[article_id] = float(score)
    qrels: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.trec").read_text().splitlines():
        question_id, _, article_id, grade = line.split()
        qrels.setdefault(question_id, {})[article_id] = int(grade)
    names = {"ndcg_cut_10": "nDCG@10", "map": "AP", "recall_10": "R@10", "recall_100": "R@100"}
    names |= {f"success_{n}": f"Success@{n}" for n in (1, 4, 10)} | {"recip_rank": "RR@10"}
    theirs = RelevanceEvaluator(qrels, {"ndcg_cut", "map", "recall", "success.1,4,10", "recip_rank"}).evaluate(run)

    ours = Run.open(folder).scores().measured
    assert all(ours["Success@10"].values())  # so that their reciprocal rank needs no cutoff
    for name, own in names.items():
        given = {question_id.replace("%20", " "): values[name] for question_id, values in theirs.items()}
        assert ours[own] == pytest.approx(given, abs=1e-4)


def test_ids_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    rankings = {"a question": ["https://x.example/a%20b?c=d", "tab\tand\u00a0more", "plain"], "é": ["Ж"]}
    (tmp_path / "run").write_text("".join(run_lines(rankings, "a name")))
    (tmp_path / "qrels").write_text("".join(qrels_lines({"a question": {"tab\tand\u00a0more": 2}})))

    assert read_run(tmp_path / "run") == rankings
    assert read_qrels(tmp_path / "qrels") == {"a question": {"tab\tand\u00a0more": 2}}


# A run that was stopped


@pytest.fixture
def stopped(folder: Path, tmp_path: Path) -> Path:
    """A copy of the run as it was while it went on."""
    copy = tmp_path / "first"
    copy.mkdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"finished": "", "seconds": 0}))
    for name in ("questions.jsonl", "passages.jsonl", "answers.jsonl"):
        (copy / name).write_bytes((folder / name).read_bytes())
    return copy


def cut(path: Path, lines: float) -> list[bytes]:
    """Leave so many lines of a file, which may end in half a line; give the whole ones."""
    whole = path.read_bytes().splitlines(keepends=True)
    half = whole[int(lines)][: len(whole[int(lines)]) // 2] if lines % 1 else b""
    path.write_bytes(b"".join(whole[: int(lines)]) + half)
    return whole[: int(lines)]


# A machine that lost its power may have kept more of either file.
@pytest.mark.parametrize(("passages", "answers"), [(0, 0), (1.5, 1), (3, 1.5), (2.5, 4), (4, 4)])
def test_a_run_that_was_stopped_is_gone_on_with(
    folder: Path, stopped: Path, questions: Path, sample_archive: Path, passages: float, answers: float
) -> None:
    kept = {name: cut(stopped / name, lines) for name, lines in zip(LINES, (passages, answers), strict=True)}
    with pytest.raises(EvalError, match="is not finished. Run the same command again, and it goes on"):
        Run.open(stopped)

    assert run(Plan(read_set(questions), Choice.of(sample_archive, ())), stopped.parent, "first") == stopped

    again = Run.open(stopped)
    assert (again.manifest.sessions, len(again.retrieved)) == (2, 4)
    assert figures_of(again) == figures_of(Run.open(folder))
    assert answers_of(again) == answers_of(Run.open(folder))
    for name in ("run.trec", "qrels.trec", "questions.jsonl", "articles.jsonl"):
        assert (stopped / name).read_bytes() == (folder / name).read_bytes()
    for name, lines in kept.items():
        assert (stopped / name).read_bytes().splitlines(keepends=True)[: len(lines)] == lines


def test_a_run_whose_process_is_killed_ends_as_one_that_was_left_alone(
    folder: Path, tmp_path: Path, questions: Path, sample_archive: Path
) -> None:
    options = ["--questions", str(questions), "--archive", str(sample_archive), "--out", str(tmp_path)]
    command = [sys.executable, "-m", "eval", "run", *options, "--name", "first"]
    killed = tmp_path / "first"
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and lines_in(killed / "answers.jsonl") < 2:
            time.sleep(0.005)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert 2 <= lines_in(killed / "answers.jsonl") < 4

    assert call("run", *options, "--name", "first") == 0

    assert Run.open(killed).manifest.sessions == 2
    assert answers_of(Run.open(killed)) == answers_of(Run.open(folder))
    for name in ("run.trec", "qrels.trec", "articles.jsonl"):
        assert (killed / name).read_bytes() == (folder / name).read_bytes()


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.parametrize("name", LINES)
def test_a_line_that_was_changed_is_named(stopped: Path, folder: Path, name: str) -> None:
    shutil.copy(folder / "manifest.json", stopped)
    lines = (stopped / name).read_text().splitlines(keepends=True)
    (stopped / name).write_text("".join([lines[0], lines[1].replace('"question_id"', '"id"'), *lines[2:]]))

    with pytest.raises(EvalError, match=f"{name}, line 2: it is damaged. Remove {stopped}, run it again."):
        Run.open(stopped)


def test_a_finished_run_is_left_as_it_is(folder: Path, questions: Path, sample_archive: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    options = ("--questions", questions, "--archive", sample_archive, "--out", folder.parent, "--name", "first")
    assert call("run", *options) == 0

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_run_of_other_questions_or_articles_is_not_mixed_in(
    folder: Path, questions: Path, sample_archive: Path, small_archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--archive", sample_archive, "--out", folder.parent, "--name", "first", "--questions", questions)

    assert call("run", *options, "--where", "kind=two") == 2
    assert f"The run in {folder} has other questions. Give this one another --name." in capsys.readouterr().err
    with FileLock(folder.parent / ".first.lock"):
        assert call("run", *options) == 2
    assert "Another process writes the run" in capsys.readouterr().err
    assert call("run", *options, "--archive", small_archive) == 2
    assert "holds no gold article of these questions" in capsys.readouterr().err


def test_a_folder_of_something_else_is_left_alone(
    tmp_path: Path, questions: Path, sample_archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").touch()

    assert call("run", "--questions", questions, "--archive", sample_archive, "--out", tmp_path, "--name", "notes") == 2

    assert f"The folder {tmp_path / 'notes'} is no run and not empty." in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["mine.txt"]


# The commands


def test_a_report_has_every_measure_with_its_interval(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("report", folder, "--json") == 0
    (given,) = json.loads(capsys.readouterr().out)
    assert call("report", folder) == 0
    table = capsys.readouterr().out

    found = given["measures"]["Success@4"]
    assert found == {"mean": 1.0, "low": 0.0, "high": 1.0, "questions": 3, "clusters": 3}
    assert given["measures"]["AUROC"]["questions"] == given["measures"]["answer p95"]["clusters"] == 4
    for timed in ("search", "answer"):
        assert 0 < given["measures"][f"{timed} p50"]["mean"] <= given["measures"][f"{timed} p95"]["mean"]
    assert all(name in table for name in given["measures"])
    assert "first: 4 questions of cod, worded as the question" in table
    others = ["always answer", "lead sentences", "random passage", "always refuse", "shuffled"]
    assert list(given["others"]) == others
    assert all(name in table for name in others)
    assert given["verbatim"]["violations"] == 0 < given["verbatim"]["citations"]
    assert f"All {given['verbatim']['citations']} citations are verbatim" in table


def test_a_report_can_be_of_some_questions_and_of_several_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("report", folder, folder, "--where", "kind=two", "--json") == 0

    first, second = json.loads(capsys.readouterr().out)
    assert first == second
    assert first["measures"]["AP"]["questions"] == 1
    assert first["measures"]["AP"]["low"] is None


def test_a_run_does_not_differ_from_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("compare", folder, folder, "--json") == 0

    found = json.loads(capsys.readouterr().out)
    wholes = Run.open(folder).scores().wholes.keys()
    assert found["changes"] == found["notes"] == []
    assert wholes < {one["measure"] for one in found["differences"]}
    for one in found["differences"]:
        assert (one["difference"]["mean"], one["p"], one["p_holm"]) == (0, 1, 1)
        counts = (None, None, None) if one["measure"] in wholes else (0, one["difference"]["questions"], 0)
        assert (one["wins"], one["ties"], one["losses"]) == counts


def test_the_questions_that_changed_are_shown_with_their_ranks(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worse = shutil.copytree(folder, tmp_path / "worse")
    rankings = read_run(folder / "run.trec")
    rankings["quota"].remove("cod-2021-12-10-hna")
    (worse / "run.trec").write_text("".join(run_lines(rankings, "worse")))

    compared = compare(Run.open(folder), Run.open(worse))
    found = compared.to_dict()
    print_comparison(compared)
    table = capsys.readouterr().out

    (change,) = found["changes"]
    assert (change["question_id"], change["rank_b"]) == ("quota", None)
    (recall,) = [one for one in found["differences"] if one["measure"] == "R@100"]
    assert recall["difference"]["mean"] == pytest.approx(-1 / 3)
    assert (recall["wins"], recall["ties"], recall["losses"]) == (0, 2, 1)
    assert "By how much was the cod quota on the Halven Bank cut?" in table


def test_an_answer_that_was_lost_is_shown_beside_what_was_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worse = shutil.copytree(folder, tmp_path / "worse")
    quota, *others = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    refusal = quota | {"state": "not_in_archive", "shown": {"sentences": [], "citations": []}}
    write_questions(worse / "answers.jsonl", [refusal, *others])

    compared = compare(Run.open(folder), Run.open(worse))
    found = compared.to_dict()
    print_comparison(compared)
    table = capsys.readouterr().out

    (change,) = found["changes"]
    said = " ".join(sentence["text"] for sentence in quota["shown"]["sentences"])
    assert (change["question_id"], change["answer_a"], change["answer_b"]) == ("quota", said, "")
    moved = {one["measure"]: one["difference"]["mean"] for one in found["differences"] if one["difference"]["mean"]}
    assert moved["FalseRefusal"] == pytest.approx(1 / 3)
    assert "RR@10" not in moved
    assert "B  not in the archive" in table


def test_a_question_alone_has_no_interval(
    tmp_path: Path, sample_archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_questions(tmp_path / "one.jsonl", RECORDS[:1])
    options = ("--questions", path, "--archive", sample_archive, "--out", tmp_path / "runs", "--name", "one")

    assert call("run", *options) == 0
    table = capsys.readouterr().out
    assert call("run", *options, "--json") == 0
    (given,) = json.loads(capsys.readouterr().out)

    assert all(note in " ".join(table.split()) for note in (ONE_CLUSTER, NONE_UNANSWERABLE))
    assert all((one["low"], one["high"]) == (None, None) for one in given["measures"].values())
    assert not given["measures"].keys() & {"Rejection", "AUROC"}
    assert given["others"]["shuffled"] == {}


def test_one_unanswerable_question_alone_is_handled(
    tmp_path: Path, sample_archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_questions(tmp_path / "one.jsonl", RECORDS[3:])
    options = ("--questions", path, "--archive", sample_archive, "--out", tmp_path / "runs")

    assert call("run", *options, "--name", "one") == 0
    table = " ".join(capsys.readouterr().out.split())
    assert all(note in table for note in (NONE_ANSWERABLE, ONE_CLUSTER))
    assert call("compare", tmp_path / "runs" / "one", tmp_path / "runs" / "one") == 0
    assert "Rejection 1.000 1.000 +0.000" in " ".join(capsys.readouterr().out.split())

    assert call("run", *options, "--name", "searched", "--search-only") == 0
    assert NOTHING in " ".join(capsys.readouterr().out.split())
    assert call("compare", tmp_path / "runs" / "searched", tmp_path / "runs" / "searched") == 2
    assert "No question of both runs has a gold article or an answer." in capsys.readouterr().err


def test_a_run_that_only_searches_answers_nothing(folder: Path, tmp_path: Path, sample_archive: Path) -> None:
    options = ("--questions", folder / "questions.jsonl", "--archive", sample_archive, "--out", tmp_path)

    assert call("run", *options, "--name", "searched", "--search-only") == 0

    searched, whole = Run.open(tmp_path / "searched"), Run.open(folder)
    assert not (tmp_path / "searched" / "answers.jsonl").exists()
    assert searched.rankings() == whole.rankings()
    scores = searched.scores()
    assert not scores.means().keys() & {*terms_of("Answering", "Citing", "Refusing"), "answer p50"}
    assert scores.others == {}
    assert {name: scores.measured[name] for name in terms_of("Finding")} == {
        name: whole.scores().measured[name] for name in terms_of("Finding")
    }


def test_questions_asked_at_once_find_and_answer_the_same(
    folder: Path, tmp_path: Path, questions: Path, sample_archive: Path
) -> None:
    options = ("--questions", questions, "--archive", sample_archive, "--out", tmp_path, "--name", "first")

    assert call("run", *options, "--jobs", 2) == 0

    run = Run.open(tmp_path / "first")
    assert (tmp_path / "first" / "run.trec").read_bytes() == (folder / "run.trec").read_bytes()
    assert list(answers_of(run).items()) == list(answers_of(Run.open(folder)).items())
    assert run.manifest.identity == Run.open(folder).manifest.identity
    assert run.manifest.machine["at_once"] == 2


@pytest.mark.parametrize(("wording", "least"), [("question", 0.5), ("rewrite", 1)])
def test_a_follow_up_is_measured_between_its_last_turn_and_a_persons_rewrite(
    tmp_path: Path, sample_archive: Path, wording: str, least: float
) -> None:
    path = write_questions(tmp_path / "talk.jsonl", FOLLOW_UPS)
    options = ("--questions", path, "--archive", sample_archive, "--out", tmp_path, "--name", "talk", "--search-only")

    assert call("run", *options, "--wording", wording) == 0

    means = Run.open(tmp_path / "talk").scores().means()
    assert (least <= means["GapClosed nDCG@10"] <= 1, means["GapClosed R@10"]) == (True, 1)
    rankings = {each: read_run(tmp_path / "talk" / f"{each}.trec") for each in ("last-turn", "rewrite", "run")}
    assert rankings["last-turn"].keys() == rankings["rewrite"].keys() == {"how much", "what else"}
    assert rankings["run"] != rankings["last-turn"]
    assert (rankings["run"] == rankings["rewrite"]) == (wording == "rewrite")


def test_what_was_said_before_is_read_as_questions_with_their_answers() -> None:
    said = [("assistant", "Hello."), ("user", "Who won?"), ("agent", "Town."), ("agent", "By 2:1."), ("user", "When?")]

    turns = turns_of([Turn(*each) for each in said])

    assert turns == [conversation.Turn("Who won?", "Town. By 2:1."), conversation.Turn("When?")]


def test_a_gold_article_that_is_not_there_is_told_and_counts_as_not_found(
    tmp_path: Path, sample_archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_questions(tmp_path / "q.jsonl", [*RECORDS[:1], {**RECORDS[2], "gold_articles": ["gone"]}])
    options = ("--questions", path, "--archive", sample_archive, "--out", tmp_path / "runs", "--name", "gone")

    assert call("run", *options, "--json") == 0

    told = capsys.readouterr()
    assert "Of 2 gold articles 1 are not in the archive" in told.err
    (given,) = json.loads(told.out)
    assert given["measures"]["R@100"]["mean"] == 0.5
    assert given["manifest"]["missing_gold"] == 1


def test_what_cannot_be_used_is_told_in_one_line(
    tmp_path: Path, questions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    none = tmp_path / "none"

    assert call("run", "--questions", none, "--archive", tmp_path) == 2
    assert call("run", "--questions", questions, "--archive", none, "--out", tmp_path / "runs") == 2
    assert call("run", "--questions", questions, "--archive", tmp_path, "--setting", "colour=red") == 2
    assert call("report", tmp_path) == 2

    told = capsys.readouterr().err.splitlines()
    assert len(told) == 4
    assert told[0].startswith(f"eval: {none} cannot be read (No such file or directory).")
    assert told[1].startswith(f"eval: No archive at {none}.")
    assert told[2].startswith("eval: There is no setting 'colour'. Choose from ")
    assert told[3].startswith(f"eval: There is no run in {tmp_path}.")


@pytest.mark.parametrize("name", ["../../x", "..", ".", "", " ", "/tmp/x", "a/b", "a\\b", "a\n"])
def test_a_run_stays_in_the_folder_of_runs(
    tmp_path: Path, questions: Path, sample_archive: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--questions", questions, "--archive", sample_archive, "--out", tmp_path / "a" / "b")

    assert call("run", *options, "--name", name) == 2
    assert (
        capsys.readouterr().err
        == f"eval: A run cannot be named {name!r}. Give another --name, of letters and numbers.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_only_one_channel_found_is_no_run_of_both(
    tmp_path: Path, questions: Path, sample_archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = shutil.copytree(sample_archive, tmp_path / "archive")
    shutil.rmtree(archive / WORDS)
    options = ("--questions", questions, "--archive", archive, "--out", tmp_path / "runs", "--search-only")

    assert call("run", *options) == 2
    assert "Question 'quota' could not be asked: " in capsys.readouterr().err
    assert call("run", *options, "--setting", "channels=meaning") == 0


def test_it_runs_as_a_module(folder: Path) -> None:
    command = [sys.executable, "-m", "eval", "report", str(folder)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert "nDCG@10" in done.stdout
    assert done.stderr == ""


def test_articles_of_a_beir_folder_are_printed_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "1", "title": "Owls", "text": "They nest."}\n')

    assert call("articles", tmp_path) == 0

    assert capsys.readouterr().out == '{"id": "1", "title": "Owls", "text": "They nest."}\n'


# Settings


def test_a_setting_is_read_in_the_type_it_has() -> None:
    assert chosen(ModelFacts, {"name": "a", "sha256": "b", "dimension": "3"}) == ModelFacts("a", "b", 3)
    with pytest.raises(EvalError, match="The setting dimension is 'long', not a number"):
        chosen(ModelFacts, {"name": "a", "sha256": "b", "dimension": "long"})
    with pytest.raises(EvalError, match="There is no setting 'size'. Choose from dimension, name, sha256"):
        chosen(ModelFacts, {"size": "3"})
    choice = Choice.of(Path("archive"), ["channels=words", "depth=50", "words=0.5"])
    assert (choice.ranking.channels, choice.ranking.depth, choice.ranking.words) == (("words",), 50, 0.5)
    assert choice.to_dict()["channels"] == ["words"]
    with pytest.raises(EvalError, match="The setting fusion is 'luck'. Choose from scores, ranks"):
        Choice.of(Path("archive"), ["fusion=luck"])
    with pytest.raises(EvalError, match="depth and a number of passages"):
        Choice.of(Path("archive"), ["depth=0"])
    with pytest.raises(EvalError, match="The setting 'model' is not understood. Write it as key=value"):
        Choice.of(Path("archive"), ["model"])
