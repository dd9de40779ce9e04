import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eval.__main__ import main
from eval.comparing import Difference, compare
from eval.errors import EvalError
from eval.gating import Judgement, Rule, Verdict, hold, judge
from eval.runs import Run
from eval.statistics import Estimate, Numbers, randomisation
from tests.made_runs import Made, make_run, question

QUESTIONS = [question(number, answerable=number % 5 > 0) for number in range(60)]
RULES = ("RR@10 >= baseline", "AnswerShown >= baseline - 0", "Utility >= baseline * 1", "Rejection >= baseline")
RIGHT, LOST = Made(1, "right", 0.9), Made(None, "wrong", 0.9)
SLOW = Made(1, "right", 0.9, seconds=0.4)


def call(*arguments: object) -> int:
    """Run the command as `python -m eval` does; give its exit code."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


def came(number: int) -> Made:
    return RIGHT if QUESTIONS[number].answerable else Made(None, "", 0.1)


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that finds and answers everything, and refuses what it should."""
    return make_run(tmp_path_factory.mktemp("gate") / "baseline", QUESTIONS, [came(at) for at in range(60)])


@pytest.fixture(scope="module")
def worse(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same with a third of the questions lost."""
    lost = [LOST if at % 3 == 0 and QUESTIONS[at].answerable else came(at) for at in range(60)]
    return make_run(tmp_path_factory.mktemp("gate") / "worse", QUESTIONS, lost)


@pytest.fixture(scope="module")
def slightly_worse(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same with two questions lost, and slow."""
    lost = [LOST if at in {1, 2} else SLOW if QUESTIONS[at].answerable else came(at) for at in range(60)]
    return make_run(tmp_path_factory.mktemp("gate") / "slightly", QUESTIONS, lost)


# Rules


@pytest.mark.parametrize(
    ("written", "rule", "limit"),
    [
        ("RR@10 >= baseline", Rule("RR@10 >= baseline", "RR@10", True, 0, "+"), 0.8),
        ("RR@10 >= baseline - 0.01", Rule("RR@10 >= baseline - 0.01", "RR@10", True, 0.01, "-"), 0.79),
        (" RR@10>=baseline-.01 ", Rule("RR@10>=baseline-.01", "RR@10", True, 0.01, "-"), 0.79),
        ("RR@10 >= baseline + 1", Rule("RR@10 >= baseline + 1", "RR@10", True, 1, "+"), 1.8),
        ("search p95 <= baseline * 1.5", Rule("search p95 <= baseline * 1.5", "search p95", False, 1.5, "*"), 1.2),
        ("R@1k tokens >= 0.5", Rule("R@1k tokens >= 0.5", "R@1k tokens", True, 0.5), 0.5),
        ("GapClosed nDCG@10 >= .5", Rule("GapClosed nDCG@10 >= .5", "GapClosed nDCG@10", True, 0.5), 0.5),
        ("Utility >= -1", Rule("Utility >= -1", "Utility", True, -1), -1),
        ("Violations <= 0", Rule("Violations <= 0", "Violations", False, 0), 0),
    ],
)
def test_a_rule_is_read_as_it_is_written(written: str, rule: Rule, limit: float) -> None:
    assert Rule.read(written) == rule
    assert rule.limit(0.8) == pytest.approx(limit)


@pytest.mark.parametrize(
    "written",
    [
        *("", "RR@10", "RR@10 >=", ">= 0.5", "RR@10 > 0.5", "RR@10 = 0.5", "RR@10 => 0.5", "RR@10 >= half"),
        *(
            "RR@10 >= 50%",
            "RR@10 >= 1e-3",
            "RR@10 >= baseline 0.01",
            "RR@10 >= baseline / 2",
            "RR@10 >= 0.5 - baseline",
        ),
        *("RR@10 >= baseline - -0.01", "RR@10 >= baseline -", "RR@10 >= Baseline", "RR@10 >= 0.5\nRR@10 >= 0.6 x"),
    ],
)
def test_a_rule_of_another_form_is_told_with_an_example(written: str) -> None:
    with pytest.raises(EvalError, match='is not understood. Write it like "RR@10 >= baseline - 0.01" or "Violations'):
        Rule.read(written)


@pytest.mark.parametrize(
    ("written", "near"),
    [("rr@10 >= 0.5", "RR@10"), ("nDCG >= baseline", "nDCG@10"), ("RR@10 >= 0.5 <= 0.6", "RR@10"), ("x <= 1", "RR@10")],
)
def test_a_rule_of_no_measure_is_told_with_those_that_are_near(written: str, near: str) -> None:
    with pytest.raises(EvalError, match=f"Did you mean .*\\b{near}\\b.*has them all") as told:
        Rule.read(written)

    assert str(told.value).startswith(f"The rule {written!r} names no measure. ")


def test_a_rule_is_kept_at_its_very_limit() -> None:
    least, most = Rule.read("RR@10 >= 0.3"), Rule.read("ECE <= 0.3")

    assert [least.is_kept(value, 0.3) for value in (0.1 + 0.2, 0.3, 0.2999)] == [True, True, False]
    assert [most.is_kept(value, 0.3) for value in (0.1 + 0.2, 0.3, 0.3001)] == [True, True, False]


# The command


def test_a_run_passes_beside_itself(baseline: Run, capsys: pytest.CaptureFixture[str]) -> None:
    rules = [*(word for rule in RULES for word in ("--rule", rule)), "--rule", "AUROC >= baseline"]

    assert call("gate", baseline.folder, "--baseline", baseline.folder, *rules, "--strict") == 0
    assert "The run passes." in capsys.readouterr().out
    assert call("gate", baseline.folder, "--baseline", baseline.folder, *rules, "--json") == 0

    given = json.loads(capsys.readouterr().out)
    assert given["passes"] is True
    assert [(one["rule"], one["p"], one["outcome"]) for one in given["rules"]] == [
        (rule, 1, "kept") for rule in (*RULES, "AUROC >= baseline")
    ]


def test_a_run_that_lost_a_third_is_stopped(baseline: Run, worse: Run, capsys: pytest.CaptureFixture[str]) -> None:
    rules = ("--rule", "RR@10 >= baseline - 0.01", "--rule", "Rejection >= baseline")

    assert call("gate", worse.folder, "--baseline", baseline.folder, *rules, "--json") == 1
    given = json.loads(capsys.readouterr().out)
    assert call("gate", worse.folder, "--baseline", baseline.folder, *rules) == 1
    table = capsys.readouterr().out

    assert given["passes"] is False
    assert [one["outcome"] for one in given["rules"]] == ["missed", "kept"]
    assert given["rules"][0]["value"] == pytest.approx(2 / 3)
    assert given["rules"][0]["limit"] == pytest.approx(0.99)
    assert (given["rules"][0]["baseline"], given["rules"][0]["p"] < 0.001) == (1, True)
    assert "RR@10 >= baseline - 0.01 0.667 0.990 1.000 < 0.001 missed" in " ".join(table.split())
    assert "The run does not pass." in table


def test_what_chance_may_explain_passes_unless_it_is_strict(
    baseline: Run, slightly_worse: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    options = (slightly_worse.folder, "--baseline", baseline.folder, "--rule", "RR@10 >= baseline - 0.01")

    assert call("gate", *options) == 0
    assert "missed by chance" in capsys.readouterr().out
    assert call("gate", *options, "--strict") == 1
    assert "missed by chance" not in capsys.readouterr().out.replace("A rule beside the baseline", "")


def test_a_rule_that_asks_for_a_gain_is_not_kept_by_an_equal_run(baseline: Run) -> None:
    found = judge(baseline, baseline, [Rule.read("RR@10 >= baseline + 0.001"), Rule.read("RR@10 >= baseline")])

    assert [(one.outcome, one.p) for one in found.judgements] == [("missed", None), ("kept", 1)]


def test_a_better_run_passes_and_a_slower_one_does_not(baseline: Run, worse: Run, slightly_worse: Run) -> None:
    assert judge(baseline, worse, [Rule.read("RR@10 >= baseline")], strict=True).passes
    slower = judge(slightly_worse, baseline, [Rule.read("answer p50 <= baseline * 1.5")])
    assert [(one.value, one.limit, one.outcome) for one in slower.judgements] == [(400, 150, "missed")]
    assert judge(baseline, slightly_worse, [Rule.read("answer p50 <= baseline * 1.5")]).passes


def test_a_rule_with_a_number_needs_no_baseline_and_forgives_nothing(baseline: Run, worse: Run) -> None:
    rules = [Rule.read(written) for written in ("Success@10 >= 0.999", "Violations <= 0", "ECE <= 1")]

    assert [one.outcome for one in judge(baseline, None, rules).judgements] == ["kept", "kept", "kept"]
    missed, kept, _ = judge(worse, None, rules).judgements
    assert missed == Judgement("Success@10 >= 0.999", 32 / 48, 0.999, None, None, "missed")
    assert kept == Judgement("Violations <= 0", 0, 0, None, None, "kept")
    assert call("gate", worse.folder, "--rule", "Success@10 >= 0.999") == 1
    assert call("gate", worse.folder, "--rule", "Success@10 >= 0.6") == 0


def test_a_number_is_held_against_all_questions_of_the_run(worse: Run, tmp_path: Path) -> None:
    few = make_run(tmp_path / "few", QUESTIONS[:10], [came(at) for at in range(10)])
    relative, absolute = Rule.read("RR@10 >= baseline"), Rule.read("RR@10 >= 0.6")

    found = judge(worse, few, [relative, absolute]).judgements

    assert [one.value for one in found] == pytest.approx([5 / 8, 2 / 3])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "There is no rule to keep. Give one with --rule."),
        (("--rule", "RR@10 is good"), "The rule 'RR@10 is good' is not understood."),
        (("--rule", "MRR >= 0.5"), "The rule 'MRR >= 0.5' names no measure."),
        (("--rule", "RR@10 >= baseline"), "The rule 'RR@10 >= baseline' needs a baseline."),
        (("--rule", "GapClosed R@10 >= 0.5"), "GapClosed R@10 is not there in the run."),
        (("--rule", "RR@10 >= 0.1", "--baseline", "nowhere"), "There is no run in nowhere."),
    ],
)
def test_what_cannot_be_judged_is_an_error(
    baseline: Run, options: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", baseline.folder, *options) == 2

    given = capsys.readouterr()
    assert given.out == ""
    assert given.err.startswith(f"eval: {told}")


def test_a_measure_that_only_one_of_both_has_is_an_error(baseline: Run, tmp_path: Path) -> None:
    answerable = [number for number in range(60) if QUESTIONS[number].answerable]
    few = make_run(tmp_path / "few", [QUESTIONS[at] for at in answerable], [came(at) for at in answerable])

    with pytest.raises(EvalError, match="AUROC is not there in both runs. Give a rule on a measure that both have."):
        judge(few, baseline, [Rule.read("AUROC >= baseline")])
    with pytest.raises(EvalError, match="have no such question in common"):
        judge(make_run(tmp_path / "other", [question(99)], [RIGHT]), baseline, [Rule.read("RR@10 >= baseline")])


# Noise


def verdicts(a: Numbers, b: Numbers, names: tuple[str, ...], *, strict: bool = False) -> Iterator[Verdict]:
    """Judge many pairs of runs at once: a and b have a row a question, and for each pair a column a measure."""
    rules = [Rule.read(f"{name} >= baseline") for name in names]
    chances = randomisation(b - a, range(len(a)), way="down")
    means = zip(a.mean(axis=0).tolist(), b.mean(axis=0).tolist(), chances, strict=True)
    found = [Difference("", one, other, Estimate(0, None, None, 0, 0), 1, p, 1) for one, other, p in means]
    for first in range(0, len(found), len(names)):
        yield hold(rules, {}, dict(zip(names, found[first : first + len(names)], strict=True)), strict=strict)


def noisy(generator: np.random.Generator, questions: int, lost: float = 0) -> tuple[Numbers, Numbers]:
    """Make 200 pairs of runs of one configuration whose answers vary; in the second a share is lost.

    A question is hard or easy for all measures and both runs, which therefore depend on each other.
    """
    easy = generator.random((questions, 200, 1))
    a, b = ((generator.random((questions, 200, 4)) < easy).reshape(questions, 800).astype(float) for _ in range(2))
    b[generator.random(questions) < lost] = 0
    return a, b


MEANS = ("RR@10", "nDCG@10", "AnswerShown", "Utility")


def test_two_runs_of_one_configuration_pass_95_times_in_100() -> None:
    a, b = noisy(np.random.default_rng(21), 60)

    passed = [verdict.passes for verdict in verdicts(a, b, MEANS)]
    strictly = [verdict.passes for verdict in verdicts(a, b, MEANS, strict=True)]

    assert len(passed) == 200
    assert 190 <= sum(passed) < 200
    assert sum(strictly) < 60  # so noise would have stopped most of them


def test_a_run_that_lost_a_third_is_stopped_nearly_always() -> None:
    a, b = noisy(np.random.default_rng(22), 150, lost=1 / 3)

    assert sum(not verdict.passes for verdict in verdicts(a, b, MEANS)) >= 190


def test_two_noisy_runs_pass_from_their_folders_on(tmp_path: Path) -> None:
    generator = np.random.default_rng(23)

    def noisy_run(name: str) -> Run:
        made = [
            Made(int(generator.integers(1, 5)), "right" if generator.random() < 0.7 else "", float(generator.random()))
            for _ in QUESTIONS
        ]
        return make_run(tmp_path / name, QUESTIONS, made)

    runs = [noisy_run(str(at)) for at in range(6)]
    rules = [Rule.read(rule) for rule in (*RULES, "AUROC >= baseline", "FalseRefusal <= baseline")]

    found = [judge(b, a, rules) for a, b in zip(runs[::2], runs[1::2], strict=True)]

    assert [verdict.passes for verdict in found] == [True] * 3
    assert {one.outcome for verdict in found for one in verdict.judgements} == {"kept", "missed by chance"}


def test_the_p_of_a_rule_is_that_of_the_way_that_it_forbids(baseline: Run, slightly_worse: Run) -> None:
    names = ("AnswerShown", "FalseRefusal")
    found = {one.measure: one for one in compare(baseline, slightly_worse, measures=names).differences}

    shown, refused = judge(
        slightly_worse, baseline, [Rule.read("AnswerShown >= baseline"), Rule.read("FalseRefusal <= baseline")]
    ).judgements

    assert (shown.p, refused.p) == (found["AnswerShown"].p_down, found["FalseRefusal"].p_up)
    assert (shown.p, refused.p) == (0.25, 1)
