from dataclasses import replace
from fractions import Fraction
from random import Random
from statistics import mean

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eval.questions import Question
from eval.scores import Outcome, Scores, controls, score
from eval.statistics import Numbers
from eval.whole_measures import (
    area_under_risk,
    auroc,
    calibration_bins,
    calibration_error,
    coverage_at_precision,
    gap_closed,
    quantile,
    rejection_at,
    risk_coverage,
    whole_of,
)
from tests.made_runs import Made, answered, question, retrieved

quick = settings(max_examples=60, deadline=None)
# Few likelihoods, so that many are equal.
rows = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=60)
MEASURES = (
    *(auroc, rejection_at(0.05), rejection_at(0.1), coverage_at_precision, area_under_risk),
    *(calibration_error, quantile(0.5)),
)

Pairs = list[tuple[float, bool]]


def table(pairs: Pairs) -> Numbers:
    return np.array(pairs, dtype=float).reshape(len(pairs), 2)


def both_kinds(pairs: Pairs) -> bool:
    return len({positive for _, positive in pairs}) == 2


@quick
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_the_questions_does_not_matter(pairs: Pairs, random: Random) -> None:
    mixed = [*pairs]
    random.shuffle(mixed)

    for measure in MEASURES:
        assert measure(table(mixed)) == pytest.approx(measure(table(pairs)), nan_ok=True)


# Refusing


@quick
@given(rows.filter(both_kinds))
def test_auroc_is_that_of_scikit_learn(pairs: Pairs) -> None:
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

    likelihoods, answerable = zip(*pairs, strict=True)

    assert auroc(table(pairs)) == pytest.approx(roc_auc_score(answerable, likelihoods))


@quick
@given(rows.filter(both_kinds), st.sampled_from([Fraction(5, 100), Fraction(10, 100), Fraction(1, 2)]))
def test_rejection_is_the_best_that_any_threshold_gives(pairs: Pairs, share: Fraction) -> None:
    there, missing = ([likely for likely, positive in pairs if positive is wanted] for wanted in (True, False))
    reached = []
    for threshold in [likely for likely, _ in pairs]:
        refused = sum(likely < threshold for likely in there)
        if Fraction(refused, len(there)) <= share:
            reached.append(sum(likely < threshold for likely in missing) / len(missing))

    assert rejection_at(float(share))(table(pairs)) == pytest.approx(max(reached))


def test_what_needs_both_kinds_of_questions_has_no_value_without_them() -> None:
    for pairs in ([(0.5, True), (0.6, True)], [(0.5, False)]):
        assert np.isnan([auroc(table(pairs)), rejection_at(0.05)(table(pairs))]).all()


def test_refusing_by_hand() -> None:
    pairs = [(0.9, True), (0.8, True), (0.8, False), (0.4, True), (0.3, False), (0.1, False)]

    assert auroc(table(pairs)) == pytest.approx((3 + 2.5 + 2) / 9)
    assert rejection_at(0.05)(table(pairs)) == pytest.approx(2 / 3)
    assert rejection_at(0.1)(table([(at / 10, True) for at in range(10)] + [(0.05, False), (0.1, False)])) == 0.5


# Answering only what is likely


@quick
@given(rows)
def test_coverage_is_the_best_that_any_threshold_gives(pairs: Pairs) -> None:
    pairs = [*pairs, *[(0.95, True)] * 30]  # or 95 % would never be reached
    reached = [0.0]
    for threshold in {likely for likely, _ in pairs}:
        shown = [right for likely, right in pairs if likely >= threshold]
        if Fraction(sum(shown), len(shown)) >= Fraction(95, 100):
            reached.append(len(shown) / len(pairs))

    assert coverage_at_precision(table(pairs)) == pytest.approx(max(reached))


def test_nineteen_right_of_twenty_are_95_percent() -> None:
    assert coverage_at_precision(table([(0.9, True)] * 19 + [(0.9, False)] + [(0.1, False)] * 20)) == 0.5
    assert coverage_at_precision(table([(0.9, True)] * 18 + [(0.9, False)] + [(0.1, False)] * 20)) == 0


@quick
@given(rows)
def test_the_area_under_risk_lies_between_that_of_the_best_order_and_of_the_worst(pairs: Pairs) -> None:
    ordered = sorted(right for _, right in pairs)
    best = [(float(at), right) for at, right in enumerate(ordered)]
    worst = [(float(-at), right) for at, right in enumerate(ordered)]

    least, own, most = (area_under_risk(table(each)) for each in (best, pairs, worst))

    assert 0 <= least <= own + 1e-9
    assert own <= most + 1e-9 <= 1 + 2e-9


def test_risk_and_coverage_by_hand() -> None:
    pairs = [(0.2, False), (0.9, True), (0.5, False), (0.5, True)]

    assert np.array(risk_coverage(table(pairs))) == pytest.approx(np.array([(0.25, 0), (0.75, 1 / 3), (1, 0.5)]))
    assert area_under_risk(table(pairs)) == pytest.approx(0.5 / 3 + 0.25 / 2)
    assert area_under_risk(table([(0.3, True), (0.2, True)])) == 0
    assert area_under_risk(table([(0.3, False), (0.2, False)])) == 1
    assert risk_coverage(table([])) == []


# Calibration


def test_likelihoods_that_come_true_as_often_as_they_say_have_no_error() -> None:
    pairs = [(part / 20, at < part) for part in range(1, 16) for at in range(20)]

    assert calibration_error(table(pairs)) == pytest.approx(0)
    assert [count for _, _, count in calibration_bins(table(pairs))] == [20] * 15


@quick
@given(st.lists(st.booleans(), min_size=1, max_size=80), st.floats(0, 1))
def test_a_constant_likelihood_errs_by_its_distance_from_the_share_that_is_right(
    right: list[bool], likely: float
) -> None:
    assert calibration_error(table([(likely, each) for each in right])) == pytest.approx(abs(likely - mean(right)))


@quick
@given(rows)
def test_every_question_is_in_one_bin(pairs: Pairs) -> None:
    bins = calibration_bins(table(pairs))

    assert sum(count for _, _, count in bins) == len(pairs)
    assert sum(right * count for _, right, count in bins) == pytest.approx(sum(right for _, right in pairs))
    assert [likely for likely, _, _ in bins] == pytest.approx(sorted(likely for likely, _, _ in bins))
    assert max(count for _, _, count in bins) - min(count for _, _, count in bins) <= 1
    assert 0 <= calibration_error(table(pairs)) <= 1


# Follow-ups and time

columns = st.lists(st.floats(0, 1), min_size=3, max_size=20)


@quick
@given(columns, columns, st.floats(0, 1))
def test_the_gap_is_closed_by_the_share_of_the_way_that_was_gone(
    last: list[float], rewrite: list[float], way: float
) -> None:
    last, rewrite = ([*each][: min(len(last), len(rewrite))] for each in (last, rewrite))
    assume(abs(mean(rewrite) - mean(last)) > 1e-3)
    gone = [one + way * (other - one) for one, other in zip(last, rewrite, strict=True)]

    assert whole_of([last, last, rewrite], gap_closed).value() == 0
    assert whole_of([rewrite, last, rewrite], gap_closed).value() == 1
    assert whole_of([gone, last, rewrite], gap_closed).value() == pytest.approx(way)


def test_where_there_is_no_gap_none_is_closed() -> None:
    assert np.isnan(whole_of([[0.5, 1], [0.5, 0.5], [0.5, 0.5]], gap_closed).value())


@quick
@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.sampled_from([0.5, 0.95]))
def test_a_quantile_is_the_smallest_time_that_so_many_do_not_exceed(times: list[float], share: float) -> None:
    found = quantile(share)(np.array(times)[:, None])

    assert found in times
    assert sum(each <= found for each in times) >= share * len(times) - 1e-9
    assert sum(each < found for each in times) < share * len(times)


# Of a whole run


def scored(came: list[tuple[Question, Made]]) -> tuple[Scores, list[Scores]]:
    """Give the scores of made-up questions, and those by shuffled labels."""
    questions = [asked for asked, _ in came]
    found = [retrieved(*each) for each in came]
    rankings = {one.question_id: one.articles for one in found}
    judgements = {asked.id: asked.relevance for asked in questions if asked.relevance}
    outcome = Outcome(rankings, judgements, found, [answered(*each) for each in came], 8)
    return score(questions, outcome), controls(questions, outcome)


def test_shuffled_labels_tell_nothing_of_what_is_answerable() -> None:
    generator = np.random.default_rng(11)
    asked = [question(number, answerable=number % 3 > 0) for number in range(300)]
    came = [(one, Made(1, "right", float(generator.normal(one.answerable)))) for one in asked]

    own, chance = scored(came)

    assert own.means()["AUROC"] == pytest.approx(0.76, abs=0.06)  # of two normal distributions 1 apart
    assert len(chance) == 10
    assert mean(each.means()["AUROC"] for each in chance) == pytest.approx(0.5, abs=0.05)
    assert all(each.means()["RR@10"] == 0 for each in chance)


def test_the_whole_measures_of_a_run_by_hand() -> None:
    came = [
        (question(0), Made(1, "right", 0.9, seconds=0.1)),
        (question(1), Made(None, "", 0.2, seconds=0.2)),
        (question(2, answerable=False), Made(None, "wrong", 0.5, seconds=0.3)),
        (question(3, answerable=False), Made(None, "", 0.1, seconds=0.4)),
    ]

    own, _ = scored(came)

    means = own.means()
    assert {name: means[name] for name in own.wholes} == pytest.approx(
        {
            "AUROC": 0.75,
            "Rejection@5FR": 0.5,
            "Rejection@10FR": 0.5,
            "Coverage@95P": 0.25,
            "AURC": (0 + 1 / 2 + 2 / 3 + 3 / 4) / 4,
            "ECE": (0.1 + 0.2 + 0.5 + 0.1) / 4,
            "search p50": 200,
            "search p95": 400,
            "answer p50": 200,
            "answer p95": 400,
        }
    )
    assert (means["Rejection"], means["FalseRefusal"], means["Utility"]) == (0.5, 0.5, 0)


def test_without_likelihoods_nothing_is_said_of_them() -> None:
    asked, made = question(0), Made(1, "right", 0.5)
    silent = replace(answered(asked, made), likelihood=None)

    measured = score([asked], Outcome({"0": ["gold 0"]}, {"0": asked.relevance}, [retrieved(asked, made)], [silent], 8))

    assert list(measured.wholes) == ["search p50", "search p95", "answer p50", "answer p95"]
