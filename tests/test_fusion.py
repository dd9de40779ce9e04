from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Ranking, SettingError
from rag.fusion import Candidate, Ranked, give_slots, rank, shares
from rag.hints import Hints

SCORES = st.dictionaries(st.integers(1, 50), st.floats(-5, 100, allow_nan=False), max_size=20)
NO_HINTS = Hints()


def candidate(number: int, article: str, share: float, **fields: str) -> Candidate:
    return Candidate(
        number=number,
        article_id=article,
        story=fields.get("story", article),
        source=fields.get("source", ""),
        day=fields.get("day", ""),
        signals={"meaning": share, "words": share},
    )


def numbers(ranked: list[Ranked]) -> list[int]:
    return [each.candidate.number for each in ranked]


@st.composite
def ranked_lists(draw: st.DrawFn) -> list[Ranked]:
    size = draw(st.integers(0, 25))
    articles = st.integers(0, 6)
    given_articles = [draw(articles) for _ in range(size)]
    days = draw(st.lists(st.sampled_from(["", "2020-01-01", "2021-05-05"]), min_size=7, max_size=7))
    stories = draw(st.lists(st.sampled_from("xyz"), min_size=7, max_size=7))
    outlets = draw(st.lists(st.sampled_from(["A", "B"]), min_size=7, max_size=7))
    made = [
        candidate(n, f"a{a}", draw(st.floats(0, 1)), story=stories[a], source=outlets[a], day=days[a])
        for n, a in enumerate(given_articles)
    ]
    return rank(made, NO_HINTS, Ranking())


@given(SCORES)
def test_a_share_is_of_the_best_and_keeps_the_order(scores: dict[int, float]) -> None:
    found = shares(scores)

    assert all(0 <= share <= 1 for share in found.values())
    for one, two in itertools.combinations(scores, 2):
        assert (scores[one] - scores[two]) * (found[one] - found[two]) >= 0


@given(SCORES)
def test_a_share_by_rank_depends_on_the_order_only(scores: dict[int, float]) -> None:
    assert shares(scores, "ranks") == shares({number: score * 0.5 for number, score in scores.items()}, "ranks")


def test_the_shares_by_rank_are_those_of_reciprocal_rank_fusion() -> None:
    assert shares({7: 3.0, 8: 1.0, 9: 2.0}, "ranks") == pytest.approx({7: 1.0, 9: 61 / 62, 8: 61 / 63})


def test_a_score_is_the_weighed_mean_of_the_signals() -> None:
    ranking = Ranking(meaning=3, words=1)
    [found] = rank([Candidate(1, "a", "a", "", "", {"meaning": 0.5, "words": 1.0})], NO_HINTS, ranking)

    assert found.score == pytest.approx((3 * 0.5 + 1 * 1.0) / 4)


def test_what_the_question_names_rises_and_says_so() -> None:
    hints = Hints(outlets=("The Ledger",), since="2019-07-01", until="2019-07-31")
    ranking = Ranking(outlet=0.5, period=0.3)
    found = rank(
        [
            candidate(1, "plain", 0.9, source="Wire", day="2018-01-01"),
            candidate(2, "outlet", 0.5, source="The Ledger", day="2018-01-01"),
            candidate(3, "period", 0.5, source="Wire", day="2019-07-31"),
            candidate(4, "undated", 0.5, source="Wire"),
        ],
        hints,
        ranking,
    )

    assert {each.candidate.number: round(each.score, 3) for each in found} == {2: 1.0, 1: 0.9, 3: 0.8, 4: 0.5}
    assert found[0].raised == ("the question names The Ledger",)
    assert found[2].raised == ("published 2019-07-31, in the time that the question names",)


def test_the_latest_rises_only_where_it_is_asked_for() -> None:
    old, new = candidate(1, "old", 0.52, day="2019-01-01"), candidate(2, "new", 0.5, day="2020-01-01")

    assert numbers(rank([old, new], Hints(latest=True), Ranking())) == [2, 1]
    assert numbers(rank([old, new], NO_HINTS, Ranking())) == [1, 2]


def test_of_equals_the_newest_comes_first() -> None:
    days = ["2019-01-01", "", "2020-01-01"]
    found = rank([candidate(n, str(n), 0.5, day=day) for n, day in enumerate(days)], NO_HINTS, Ranking())

    assert numbers(found) == [2, 0, 1]


def test_the_newest_version_stands_for_its_story() -> None:
    first = candidate(1, "first", 0.80, story="fire", day="2020-01-01")
    update = candidate(2, "update", 0.78, story="fire", day="2020-01-02")
    far = candidate(3, "far", 0.40, story="fire", day="2020-01-03")
    other = candidate(4, "other", 0.30)

    found = give_slots(rank([first, update, far, other], NO_HINTS, Ranking()), 10, Ranking())

    assert numbers(found) == [2, 4]


def test_what_stands_for_a_story_is_near_its_best_however_many_versions_there_are() -> None:
    versions = [candidate(n, str(n), 1 - 0.09 * n, story="fire", day=f"2020-01-0{n + 1}") for n in range(4)]

    assert numbers(give_slots(rank(versions, NO_HINTS, Ranking()), 1, Ranking())) == [1]


def test_fewer_than_one_slot_are_none() -> None:
    ranked = rank([candidate(1, "a", 0.5)], NO_HINTS, Ranking())

    assert give_slots(ranked, 0, Ranking()) == give_slots(ranked, -1, Ranking()) == []
    assert give_slots(ranked, -1, Ranking(), compares=True) == []


@given(ranked_lists(), st.integers(1, 12), st.booleans())
def test_slots_hold_one_article_a_story_and_few_passages_an_article(
    ranked: list[Ranked], k: int, compares: bool
) -> None:
    ranking = Ranking(per_article=2)
    found = give_slots(ranked, k, ranking, compares=compares)
    by_story: dict[str, set[str]] = {}
    for each in found:
        by_story.setdefault(each.candidate.story, set()).add(each.candidate.article_id)
    most = 1 if compares else 2

    assert len(found) <= k
    assert len(set(numbers(found))) == len(found)
    assert all(len(articles) == 1 for articles in by_story.values())
    assert all(numbers_of <= most for numbers_of in _counts(found).values())


@given(ranked_lists())
def test_every_story_that_was_found_has_a_slot_where_there_is_room(ranked: list[Ranked]) -> None:
    found = give_slots(ranked, 100, Ranking())

    assert {each.candidate.story for each in found} == {each.candidate.story for each in ranked}


def test_outlets_take_turns_where_the_question_compares() -> None:
    given_list = [candidate(n, str(n), 1 - n / 100, source="A" if n < 3 else "B") for n in range(6)]
    ranked = rank(given_list, NO_HINTS, Ranking())

    assert numbers(give_slots(ranked, 4, Ranking(variety=0.1), compares=True)) == [0, 3, 1, 4]
    assert numbers(give_slots(ranked, 4, Ranking(variety=0.1))) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"channels": ()}, "channels"),
        ({"channels": ("magic",)}, "channels"),
        ({"fusion": "votes"}, "fusion"),
        ({"depth": 0}, "depth"),
        ({"per_article": 0}, "per article"),
        ({"words": -1.0}, "negative"),
        ({"wording": -1.0}, "negative"),
    ],
)
def test_a_ranking_by_nothing_is_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Ranking(**wrong)  # type: ignore[arg-type]


def _counts(found: list[Ranked]) -> dict[str, int]:
    names = [each.candidate.article_id for each in found]
    return {name: names.count(name) for name in names}
