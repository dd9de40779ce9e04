from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.words import matches, stem, subject_words, words


def test_abbreviations_and_numbers_stay_whole() -> None:
    assert [word.text for word in words("The U.S. paid 112,000 rials, Mr. Roe’s share.")] == [
        "The",
        "U.S.",
        "paid",
        "112,000",
        "rials",
        "Mr",
        "Roe",
        "s",
        "share",
    ]


@pytest.mark.parametrize(
    ("one", "other"), [("missile", "missiles"), ("negotiate", "negotiating"), ("U.S.", "American")]
)
def test_forms_of_a_word_meet_in_its_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_the_pronoun_us_is_not_the_country() -> None:
    assert [word.text for word in subject_words("Tell us about the US")] == ["US"]


@pytest.mark.parametrize(
    ("word", "other", "expected"),
    [("Iran", "Iranians", True), ("Yemen", "Yemeni", True), ("cat", "category", False), ("2019", "20190", False)],
)
def test_a_name_matches_what_is_derived_from_it(word: str, other: str, expected: bool) -> None:
    assert matches(stem(word), frozenset({stem(other)})) is expected


@given(st.text())
def test_every_word_stands_where_it_says(text: str) -> None:
    assert all(text[word.start : word.start + len(word.text)] == word.text for word in words(text))


def test_stemming_is_the_same_in_many_threads() -> None:
    forms = [f"negotiat{ending}" for ending in ("e", "ed", "ing", "ion", "ions", "or")] * 200
    alone = [stem.__wrapped__(form) for form in forms]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(stem.__wrapped__, forms)) == alone
