import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.wording import covered, is_named, negates, substitutes, wording

HELD = "The bank held rates at three percent in March, Governor Ana Weiss said."


def names(text: str) -> set[str]:
    return set(wording(text).names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The bank in Ferrow waited for Ana Weiss.", {"ferrow", "ana", "weiss"}),
        ("Weiss waited, and so did Governor Lind’s aides.", {"weiss", "lind"}),
        ("Ana Weiss waited.", {"ana", "weiss"}),
        ("Prices rose. Officials waited. Suddenly it was over.", set()),
        ("She said: “Nothing is over.”", set()),
        ("In March the U.S. waited, I think.", {"us"}),
    ],
)
def test_names_are_known_by_their_capitals_but_not_where_a_sentence_begins(text: str, expected: set[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("iran", "the Iranians"),
        ("iranian", "in Iran"),
        ("wto", "the World Trade Organization"),
        ("us", "the United States"),
        ("eu", "European Union ministers"),
        ("weiss", "Ana Weiss’s aides"),
    ],
)
def test_a_name_stands_in_its_other_forms(name: str, text: str) -> None:
    assert is_named(name, wording(text).keys)


@pytest.mark.parametrize(("name", "text"), [("nigeria", "in Niger"), ("lind", "Linden"), ("ana", "Anatolia")])
def test_a_name_does_not_stand_in_one_that_only_begins_like_it(name: str, text: str) -> None:
    assert not is_named(name, wording(text).keys)


def test_numbers_that_count_who_is_known_need_not_stand() -> None:
    assert wording("The two men, one of them old, met three others.").numbers == (frozenset({"3"}),)


def test_a_text_is_covered_by_other_forms_of_its_words_and_numbers() -> None:
    units = wording("Governors hold rates at 3%").units
    held = wording(HELD)
    assert {unit for place, unit in enumerate(units) if place in covered(units, held, held.values)} == {
        "governor",
        "rate",
        "percent",
        frozenset({"3"}),
    }


@pytest.mark.parametrize(
    ("text", "is_other"),
    [
        ("The bank held rates at three percent in March, Governor Ana Weiss said.", False),
        ("The bank held rates at 3% in March, she said.", False),
        ("The bank raised rates at three percent in March, Governor Ana Weiss said.", True),
        ("The bank held rates at four percent in March, Governor Ana Weiss said.", True),
        ("The bank held rates at three percent in March, Governor Ana Lind said.", True),
        ("Nobody expected what came in April.", False),
    ],
)
def test_a_word_in_the_place_of_another_is_noticed(text: str, is_other: bool) -> None:
    assert substitutes(wording(text), wording(HELD)) is is_other


def test_a_name_in_the_place_of_a_pronoun_says_the_same() -> None:
    assert not substitutes(wording("Weiss held rates in March."), wording("She held rates in March."))


@pytest.mark.parametrize(
    ("one", "other", "denied"),
    [
        ("Weiss resigned.", "Weiss did not resign.", True),
        ("Weiss will never resign.", "Weiss will resign.", True),
        ("Weiss resigned.", "Weiss denied that she had resigned.", True),
        ("Weiss did not resign.", "Weiss didn’t resign on Monday.", False),
        ("The meadow is no longer mown.", "The meadow is not mown.", False),
        ("Weiss not only resigned, she left.", "Weiss resigned and left.", False),
    ],
)
def test_a_denial_is_noticed_on_either_side(one: str, other: str, denied: bool) -> None:
    assert negates(wording(one), wording(other)) is negates(wording(other), wording(one)) is denied


@given(st.text())
def test_any_text_says_what_it_says_itself(text: str) -> None:
    said = wording(text)
    assert len(covered(said.units, said, said.values)) == len(said.units)
    assert not substitutes(said, said)
    assert not negates(said, said)


@pytest.mark.parametrize("text", ["Aa ", "Aa of ", "not ", "1 ", "a.", "U.S. ", "one ", "x-", "deny "])
def test_hostile_text_is_read_in_linear_time(text: str) -> None:
    hostile = text * (50_000 // len(text))
    started = time.process_time()
    wording(hostile)
    assert time.process_time() - started < 3
