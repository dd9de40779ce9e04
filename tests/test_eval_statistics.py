from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.statistics import (
    WAYS,
    Estimate,
    Numbers,
    Whole,
    difference_of_wholes,
    draws_of,
    estimate,
    estimate_whole,
    holm,
    randomisation,
    wins_ties_losses,
)
from eval.whole_measures import auroc, gap_closed, quantile

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
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_one_way_is_half_of_both_where_all_signs_are_tried(differences: list[int]) -> None:
    values = column([float(each) for each in differences])
    clusters = range(len(differences))
    (both,), (up,), (down,) = (randomisation(values, clusters, way=way) for way in ("both", "up", "down"))

    assert both == pytest.approx(min(1, 2 * min(up, down)))
    assert up + down >= 1
    assert (up < down) is (sum(differences) > 0)


@quick
@given(st.lists(st.floats(-1, 1, width=32), min_size=20, max_size=40))
def test_one_way_is_the_other_way_of_the_runs_exchanged(differences: list[float]) -> None:
    values, clusters = column(differences), range(len(differences))

    assert randomisation(values, clusters, way="up") == randomisation(-values, clusters, way="down")
    ((both,), (up,), (down,)) = (randomisation(values, clusters, way=way) for way in ("both", "up", "down"))
    assert both == pytest.approx(min(1, 2 * min(up, down)), abs=0.03)


def test_chance_alone_goes_one_way_as_seldom_as_it_should() -> None:
    differences = np.random.default_rng(6).normal(size=(80, 400))

    for way in WAYS[1:]:
        significant = [p <= 0.05 for p in randomisation(differences, range(80), way=way)]
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


# Measures of all questions together


def mean_of(rows: Numbers) -> float:
    return float(rows[:, 0].mean())


def likelihoods(generator: np.random.Generator, apart: float, questions: int = 80) -> Whole:
    """Make the rows of an AUROC; every second question is answerable, by so much likelier than the others."""
    answerable = np.arange(questions) % 2
    return Whole(np.column_stack([generator.normal(apart * answerable), answerable]), auroc)


@pytest.mark.parametrize("compute", [auroc, mean_of, gap_closed, quantile(0.95)])
def test_a_whole_does_not_differ_from_itself(compute: Callable[[Numbers], float]) -> None:
    rows = np.random.default_rng(12).random((30, 3)) > 0.5
    one = Whole(rows.astype(float), compute)
    clusters = [at // 2 for at in range(30)]

    found = difference_of_wholes(one, one, clusters, draws_of(clusters))

    assert found == (Estimate(0, 0, 0, 30, 15), 1, 1, 1)


def test_a_whole_that_is_a_mean_differs_as_means_do() -> None:
    generator = np.random.default_rng(13)
    a, b = generator.random((60, 1)), generator.random((60, 1)) + 0.08
    clusters = range(60)

    found = difference_of_wholes(Whole(a, mean_of), Whole(b, mean_of), clusters, draws_of(clusters))

    assert found is not None
    whole, *chances = found
    (alone,) = estimate(b - a, clusters, share=False)
    assert (whole.questions, whole.clusters) == (60, 60)
    assert [whole.mean, whole.low, whole.high] == pytest.approx([alone.mean, alone.low, alone.high], abs=0.02)
    assert chances == pytest.approx([randomisation(b - a, clusters, way=way)[0] for way in WAYS], abs=0.04)


def test_a_better_whole_is_told_from_chance_and_a_like_one_is_not() -> None:
    clusters = range(80)

    def compared(seed: int, better: float) -> tuple[float, float, float]:
        generator = np.random.default_rng(seed)
        a, b = likelihoods(generator, 0.3), likelihoods(generator, 0.3 + better)
        found = difference_of_wholes(a, b, clusters, draws_of(clusters)[:2])
        assert found is not None
        return found[1:]

    both, down, up = compared(14, 2)
    assert max(both, up) < 0.01 < 0.99 < down
    alike = [compared(seed, 0)[1] for seed in range(10)]
    assert 0.2 <= np.mean(alike) <= 0.8  # uniform between 0 and 1
    assert sum(p <= 0.05 for p in alike) <= 3


def test_the_interval_of_a_whole_covers_the_truth_about_as_often_as_it_says() -> None:
    generator, clusters = np.random.default_rng(15), range(80)
    truth = NormalDist().cdf(1 / 2**0.5)
    draws = draws_of(clusters)[:200]

    found = [estimate_whole(likelihoods(generator, 1), clusters, draws) for _ in range(80)]

    covered = [one for one in found if one and one.low is not None and one.low <= truth <= (one.high or 0)]
    assert 69 <= len(covered) <= 79


def test_a_whole_draws_clusters_together() -> None:
    rows = np.repeat(np.random.default_rng(16).random(25), 4)[:, None]
    clusters = [at // 4 for at in range(100)]

    alone, clustered = (
        estimate_whole(Whole(rows, mean_of), each, draws_of(each)) for each in (list(range(100)), clusters)
    )

    assert alone is not None
    assert clustered is not None
    assert width(clustered) == pytest.approx(2 * width(alone), rel=0.15)
    assert (alone.clusters, clustered.clusters) == (100, 25)
    assert all(
        sorted(np.bincount(draw, minlength=100).reshape(25, 4).std(axis=1)) == [0] * 25
        for draw in draws_of(clusters)[:20]
    )


def test_a_whole_is_of_the_questions_that_have_a_part_in_it() -> None:
    rows = np.array([[1, np.nan], [0.2, 0], [np.nan, 1], [0.9, 1]])

    assert estimate_whole(Whole(rows, auroc), [0, 1, 2, 3], []) == Estimate(1, None, None, 2, 2)
    assert estimate_whole(Whole(rows[:3], auroc), [0, 1, 2], []) is None
    assert difference_of_wholes(Whole(rows, auroc), Whole(rows[[0, 1, 2, 2]], auroc), range(4), []) is None
