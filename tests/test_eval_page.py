import html
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.__main__ import main
from eval.page import OUTCOMES, Asked, GoldArticle, Page
from eval.paging import MOST_SLICES, NONE, REST, page_of, value_of
from eval.reporting import Report, report
from eval.runs import Run
from tests.made_runs import Made, make_run, question

RECORDS: list[dict[str, Any]] = [
    {
        "id": "cut",
        "question": "By how much was the cod quota on the Halven Bank cut?",
        "answers": ["35 percent"],
        "gold_articles": ["cod-2021-12-10-hna"],
        "kind": "number",
        "date": "2022-06-01",
    },
    {
        "id": "fine",
        "question": "What was the skipper Dag Merrow fined?",
        "answers": ["13,000 crowns"],
        "gold_articles": ["cod-2022-05-19-courier"],
        "kind": "number",
        "history": [{"role": "user", "text": "Who is Dag <b>Merrow</b>?"}],
        "rewrite": "What was the skipper Dag Merrow fined in 2022?",
    },
    {
        "id": "moon",
        "question": "Who walked on the moon first?",
        "answers": ["Armstrong"],
        "gold_articles": ["cod-2021-12-10-hna"],
    },
    {"id": "mars", "question": "Who walked on Mars first?", "answerable": False, "kind": "none"},
    {
        "id": "boats",
        "question": "How many boats blocked the harbour, and what fund ended the blockade?",
        "answerable": False,
        "kind": "none",
    },
    {
        "id": "truth",
        "question": "Was the cod quota on the Halven Bank cut?",
        "answers": ["yes"],
        "gold_articles": ["cod-2021-12-10-hna"],
    },
]


def call(*arguments: object) -> int:
    """Run the command as `python -m eval` does; give its exit code."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_archive: Path) -> Path:
    """A run whose questions come to every outcome."""
    out = tmp_path_factory.mktemp("page")
    (out / "cod.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    options = ("--questions", out / "cod.jsonl", "--archive", sample_archive, "--out", out, "--name", "paged")
    assert call("run", *options) == 0
    return out / "paged"


@pytest.fixture(scope="module")
def measured(folder: Path) -> Report:
    return report(Run.open(folder))


@pytest.fixture(scope="module")
def page(measured: Report) -> Page:
    return page_of(measured)


def asked(page: Page, name: str) -> Asked:
    (found,) = [one for one in page.questions if one.id == name]
    return found


# Questions


def test_every_question_has_its_outcome(page: Page) -> None:
    assert {one.id: one.outcome for one in page.questions} == {
        "cut": "right",
        "fine": "wrong",
        "moon": "refused wrongly",
        "mars": "refused rightly",
        "boats": "answered wrongly",
        "truth": "not judged",
    }
    assert {*OUTCOMES} == {one.outcome for one in page.questions}


def test_a_question_shows_what_was_asked_and_what_was_wanted(page: Page) -> None:
    cut, fine = asked(page, "cut"), asked(page, "fine")

    (gold,) = cut.gold
    assert (gold.article_id, gold.source, gold.date) == ("cod-2021-12-10-hna", "Harbour News Agency", "2021-12-10")
    assert (cut.answers, cut.rank, cut.date, cut.kind) == (("35 percent",), 1, "2022-06-01", "number")
    assert cut.measures["RR@10"] == cut.measures["Utility"] == 1
    assert (fine.history, fine.rewrite) == ((("user", "Who is Dag <b>Merrow</b>?"),), RECORDS[1]["rewrite"])
    assert fine.measures["Utility"] == -1
    assert (asked(page, "mars").gold, asked(page, "mars").rank, asked(page, "mars").measures["Utility"]) == (
        (),
        None,
        0,
    )


def test_an_answer_shows_its_citations_and_which_of_them_are_gold(page: Page, folder: Path) -> None:
    answers = {one.question_id: one for one in Run.open(folder).answered}

    for one in page.questions:
        kept = answers[one.id]
        assert [said.text for said in one.sentences] == [said.text for said in kept.shown.sentences]
        assert [cited.text for cited in one.citations] == [cited.text for cited in kept.shown.citations]
        assert all(cited.is_verbatim and cited.title and cited.source and cited.date for cited in one.citations)
        assert (one.likelihood, one.milliseconds) == (kept.likelihood, 1000 * kept.seconds)
    assert any(cited.is_gold for cited in asked(page, "cut").citations)
    assert not any(cited.is_gold for cited in asked(page, "boats").citations)


def test_a_refusal_shows_what_came_nearest_and_an_answer_does_not(page: Page) -> None:
    for one in page.questions:
        assert bool(one.nearest) is one.outcome.startswith("refused")
        assert bool(one.sentences) is not one.outcome.startswith("refused")


# Figures


def test_the_groups_have_every_figure_once_with_those_beside_it(page: Page, measured: Report) -> None:
    rows = {row.name: row for group in page.groups for row in group.rows}

    assert Counter(row.name for group in page.groups for row in group.rows) == dict.fromkeys(measured.estimates, 1)
    assert rows["Utility"].value == value_of(measured.estimates["Utility"])
    assert rows["Utility"].beside.keys() == measured.others.keys()
    assert rows["Utility"].beside["always refuse"] == 0
    assert rows["RR@10"].beside == {"shuffled": measured.others["shuffled"]["RR@10"]}
    titles = [group.title for group in page.groups]
    assert titles == [
        "Finding",
        "Answering",
        "Citing",
        "Refusing",
        "Speed",
    ]  # of the one follow-up both wordings find the same
    assert {row.name: row for row in page.headline}.items() <= rows.items()


def test_the_losses_follow_the_answer_to_its_first_sentence(page: Page, measured: Report) -> None:
    means = measured.scores.means()

    assert page.losses == (
        ("in the passages read", means["AnswerRead"]),
        ("in the sentences chosen", means["AnswerSelected"]),
        ("in the answer shown", means["AnswerShown"]),
        ("in its first sentence", means["AnswerFirst"]),
    )
    assert means["AnswerRead"] >= means["AnswerSelected"] >= means["AnswerShown"] >= means["AnswerFirst"] > 0


def test_risk_and_coverage_are_of_the_judged_questions(page: Page) -> None:
    by_likelihood, by_lot = page.risk_coverage
    judged = [one for one in page.questions if one.outcome != "not judged"]

    assert by_likelihood.name == "by likelihood"
    coverages = [coverage for coverage, _ in by_likelihood.points]
    assert coverages == sorted(coverages)
    assert len(coverages) == len({one.likelihood for one in judged})
    assert by_likelihood.points[-1] == pytest.approx((1, 4 / 5))  # of all that come near one is right
    assert by_lot.points == ((0.0, 0.8), (1.0, 0.8))
    assert page.operating_point == pytest.approx((3 / 5, 2 / 3))
    assert sum(one.count for one in page.calibration) == 5


def test_the_histograms_part_the_likelihoods_and_hold_every_time(page: Page, measured: Report) -> None:
    likelihoods, searches, answers = page.histograms

    known = {one.id: one.likelihood for one in page.questions if one.likelihood is not None}
    assert {name: sorted(values) for name, values in likelihoods.series.items()} == {
        "right": [known["cut"]],
        "wrong": sorted([known["fine"], known["moon"]]),
        "unanswerable": sorted([known["mars"], known["boats"]]),
    }
    assert list(answers.series["answer"]) == [one.milliseconds for one in page.questions]
    assert len(searches.series["search"]) == 6
    for name, each in (("search", searches), ("answer", answers)):
        assert each.marks == {share: measured.estimates[f"{name} {share}"].mean for share in ("p50", "p95")}


def test_the_slices_part_all_questions(page: Page, measured: Report) -> None:
    slices = {each.dimension: {one.value: one for one in each.rows} for each in page.slices}

    assert {dimension: {value: one.n for value, one in rows.items()} for dimension, rows in slices.items()} == {
        "kind": {"none": 4, "number": 2},
        "outlet": {"none": 2, "The Halvenmouth Courier": 1, "Harbour News Agency": 3},
        "month": {"2021-12": 3, "2022-05": 1, "none": 2},
    }
    number = slices["kind"]["number"].values
    assert (number["Utility"].mean, number["Utility"].n) == (0, 2)
    assert "RR@10" not in slices["outlet"][NONE].values
    utility = [one.values["Utility"] for one in slices["month"].values()]
    whole = sum(value.mean * value.n for value in utility) / sum(value.n for value in utility)
    assert whole == pytest.approx(measured.estimates["Utility"].mean)


def test_the_smallest_slices_are_taken_together(tmp_path: Path) -> None:
    kinds = [f"kind {at}" for at in range(MOST_SLICES + 3) for _ in range(1 + (at < 4))]
    questions = [replace(question(at), kind=kind) for at, kind in enumerate(kinds)]
    run = make_run(tmp_path / "kinds", questions, [Made(1, "right", 0.5)] * len(kinds))

    (by_kind,) = page_of(report(run)).slices

    assert [(one.value, one.n) for one in by_kind.rows][:4] == [(f"kind {at}", 2) for at in range(4)]
    assert len(by_kind.rows) == MOST_SLICES + 1
    assert (by_kind.rows[-1].value, by_kind.rows[-1].n) == (REST, 3)
    assert sum(one.n for one in by_kind.rows) == len(kinds)


def test_a_run_that_only_searched_has_a_page_without_answers(folder: Path, sample_archive: Path) -> None:
    options = ("--questions", folder / "questions.jsonl", "--archive", sample_archive, "--out", folder.parent)
    assert call("run", *options, "--name", "searched", "--search-only") == 0

    page = page_of(report(Run.open(folder.parent / "searched")))

    assert {one.outcome for one in page.questions} == {"not judged"}
    assert (page.losses, page.risk_coverage, page.operating_point, page.calibration) == ((), (), None, ())
    assert {row.name for row in page.headline} == {"nDCG@10", "Success@10"}
    assert asked(page, "cut").gold == (GoldArticle(*_gold_of(folder, "cod-2021-12-10-hna")),)


def _gold_of(folder: Path, name: str) -> list[str]:
    about = Run.open(folder).articles()[name]
    return [about[each] for each in ("id", "title", "source", "date", "url")]


def test_what_was_run_stands_on_the_page(page: Page, measured: Report) -> None:
    facts, identity = dict(page.facts), measured.run.manifest.identity

    assert identity["archive"]["fingerprint"] in facts["Archive"]
    assert identity["questions"]["sha256"] in facts["Questions"]
    assert identity["archive"]["model_sha256"] in facts["Model"]
    assert identity["code"] in facts["Code"]
    assert facts["Seed"] == "0"
    assert page.title == "cod: paged"


# The file


def test_a_report_is_written_as_a_page(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("report", folder, "--html", tmp_path / "page.html") == 0

    assert f"The report is in {tmp_path / 'page.html'}" in capsys.readouterr().err
    written = (tmp_path / "page.html").read_text()
    assert written == (folder / "report.html").read_text()
    assert "<b>Merrow</b>" not in written
    assert all(html.escape(name) in written for name in ("AnswerShown", "lead sentences", "The Halvenmouth Courier"))
    assert list(tmp_path.iterdir()) == [tmp_path / "page.html"]


def test_a_page_of_some_questions_shows_those(folder: Path, tmp_path: Path) -> None:
    assert call("report", folder, "--where", "kind=none", "--html", tmp_path / "page.html") == 0

    page = page_of(report(Run.open(folder), ["kind=none"]))
    assert [one.id for one in page.questions] == ["mars", "boats"]
    assert page.operating_point == (0.5, 1.0)
    searches, answers = page.histograms[-2:]
    assert [len(values) for each in (searches, answers) for values in each.series.values()] == [2, 2]
    assert "Dag Merrow" not in (tmp_path / "page.html").read_text()


def test_a_page_is_of_one_run(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("report", folder, folder, "--html", tmp_path / "page.html") == 2

    assert "A page shows one run." in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_a_likelihood_that_is_no_number_is_left_out(tmp_path: Path) -> None:
    run = make_run(tmp_path / "one", [question(0), question(1)], [Made(1, "right", 0.5), Made(2, "", float("nan"))])

    page = page_of(report(run))

    assert np.isfinite([value for curve in page.risk_coverage for point in curve.points for value in point]).all()
