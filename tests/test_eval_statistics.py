from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.statistics import Estimate, Numbers, estimate, holm, randomisation, wins_ties_losses

quick = settings(max_examples=15, deadline=None)
shares = st.lists(st.floats(0, 1, width=32), min_size=2, max_size=40)
probabilities = st.lists(st.floats(1e-4, 1), min_size=1, max_size=20)


def column(values: list[float]) -> Numbers:
    return np.array(values, dtype=float)[:, None]


# Intervals


@quick
@given(shares, st.integers(1, 5))
def test_an_interval_contains_its_mean_and_lies_between_the_least_and_the_most(values: list[float], size: int) -> None:
    clusters = [at // size for at in range(len(values))]

    (found,) = estimate(column(values), clusters, share=False)

    assert found.mean == pytest.approx(np.mean(values))
    assert (found.questions, found.clusters) == (len(values), len(set(clusters)))
    if found.clusters > 1:
        assert found.low is not None
        assert found.high is not None
        assert min(values) - 1e-9 <= found.low <= found.mean <= found.high <= max(values) + 1e-9


def test_an_interval_is_that_of_the_normal_distribution_where_there_are_many_questions() -> None:
    values = np.random.default_rng(1).random(1000) < 0.5

    (found,) = estimate(column(values.tolist()), range(1000))

    assert found.low == pytest.approx(found.mean - 1.96 * 0.0158, abs=0.002)
    assert found.high == pytest.approx(found.mean + 1.96 * 0.0158, abs=0.002)


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(2).random((100, 400)) < 0.3

    covered = [one.low <= 0.3 <= one.high for one in estimate(drawn.astype(float), range(100)) if one.low and one.high]

    assert 0.91 <= sum(covered) / 400 <= 0.98


def test_questions_that_depend_on_each_other_give_a_wider_interval() -> None:
    values = np.repeat(np.random.default_rng(3).random(50), 10)

    (alone,) = estimate(column(values.tolist()), range(500))
    (clustered,) = estimate(column(values.tolist()), [at // 10 for at in range(500)])

    assert width(clustered) == pytest.approx(width(alone) * 10**0.5, rel=0.1)


def width(found: Estimate) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def test_a_single_question_has_no_interval() -> None:
    assert estimate(column([0.5]), [7]) == [Estimate(0.5, None, None, 1, 1)]


def test_never_and_always_are_not_certain() -> None:
    assert estimate(np.array([[0, 1]] * 30, dtype=float), range(30)) == [
        Estimate(0, 0, 0.1, 30, 30),
        Estimate(1, 0.9, 1, 30, 30),
    ]


def test_questions_for_which_a_measure_is_not_defined_count_for_nothing() -> None:
    values = [[1, np.nan], [0, 0.5], [np.nan, np.nan], [1, 0.7]]

    first, second = estimate(np.array(values), [0, 1, 2, 3])

    assert (first.questions, first.clusters, second.questions, second.clusters) == (3, 3, 2, 2)
    assert [first.mean, second.mean] == pytest.approx([2 / 3, 0.6])


def test_the_same_numbers_give_the_same_interval() -> None:
    values = np.random.default_rng(4).random((60, 3))

    assert estimate(values, range(60)) == estimate(values, range(60))
    assert estimate(values, range(60), seed=1) != estimate(values, range(60), seed=2)


# Tests


@quick
@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40))
def test_a_p_is_above_0_and_the_same_whichever_run_comes_first(differences: list[float]) -> None:
    (p,) = randomisation(column(differences), range(len(differences)))
    (reverse,) = randomisation(-column(differences), range(len(differences)))

    assert 0 < p <= 1
    assert reverse == pytest.approx(p, abs=0.02)


@quick
@given(st.integers(1, 100), st.integers(1, 4))
def test_runs_that_do_not_differ_have_a_p_of_1_and_no_difference(questions: int, size: int) -> None:
    nothing = np.zeros((questions, 2))
    clusters = [at // size for at in range(questions)]

    assert randomisation(nothing, clusters) == [1, 1]
    assert all((one.mean, one.low or 0, one.high or 0) == (0, 0, 0) for one in estimate(nothing, clusters, share=False))
    assert wins_ties_losses(nothing[:, 0]) == (0, questions, 0)


def test_few_questions_are_tested_exactly() -> None:
    assert randomisation(column([1, 1, 1, 1, 0, 0]), range(6)) == [2 / 16]
    assert randomisation(column([1, 1, 1, -1]), range(4)) == [10 / 16]
    # The four of one article are one observation.
    assert randomisation(column([1, 1, 1, 1]), [0, 0, 0, 0]) == [1]


def test_many_questions_are_tested_as_the_normal_distribution_says() -> None:
    differences = np.random.default_rng(5).normal(0.1, 1, 300)
    z = differences.sum() / np.sqrt((differences**2).sum())

    (p,) = randomisation(column(differences.tolist()), range(300))

    assert p == pytest.approx(2 * (1 - NormalDist().cdf(abs(z))), abs=0.02)


def test_chance_alone_is_found_significant_as_seldom_as_it_should() -> None:
    differences = np.random.default_rng(6).normal(size=(80, 400))

    significant = [p <= 0.05 for p in randomisation(differences, range(80))]

    assert 0.02 <= sum(significant) / 400 <= 0.08


@quick
@given(probabilities)
def test_holm_only_raises_and_keeps_the_order(values: list[float]) -> None:
    adjusted = holm(values)

    assert all(p <= raised <= 1 for p, raised in zip(values, adjusted, strict=True))
    order = sorted(range(len(values)), key=lambda at: values[at])
    assert [adjusted[at] for at in order] == sorted(adjusted)
    assert min(adjusted) == pytest.approx(min(1, len(values) * min(values)))


def test_holm_as_in_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_wins_ties_and_losses_are_counted() -> None:
    assert wins_ties_losses(np.array([0.5, 1e-12, 0, -0.1, np.nan, 1])) == (2, 2, 1)
