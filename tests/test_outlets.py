from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.outlets import OutletNames

ARCHIVE = (
    "CNN",
    "Cnbc | World Business News Leader",
    "Evening Courier",
    "Fortune",
    "Hacker Courier",
    "News",
    "Polygon",
    "Reader's Digest",
    "TechCrunch",
    "The Age",
    "The Guardian",
    "The Independent",
    "The Independent - Life and Style",
    "The New York Times",
    "The Verge",
    "The Week",
    "Time",
    "Times",
    "U.S. News & World Report",
    "CBSSports.com",
    "usatoday.com",
    "www.nfl.com",
)
NAMES = OutletNames(ARCHIVE)
INDEPENDENT = ("The Independent", "The Independent - Life and Style")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What happened, according to The Verge?", ("The Verge",)),
        ("What did the Verge report about it?", ("The Verge",)),
        ("What was announced by TechCrunch?", ("TechCrunch",)),
        ("Who is named in The New York Times's report?", ("The New York Times",)),
        ("Who is named in a New York Times article?", ("The New York Times",)),
        ("who won according to the new york times", ("The New York Times",)),
        ("Why does a Guardian article call it a failure?", ("The Guardian",)),
        ("What do CNN’s reporters say?", ("CNN",)),
        ("who won according to cnn", ("CNN",)),
        ("Is a CNBC article about it?", ("Cnbc | World Business News Leader",)),
        ("What does a Cnbc | World Business News Leader story say?", ("Cnbc | World Business News Leader",)),
        ("Who was praised, according to 'Fortune', and who by “The Age”?", ("Fortune", "The Age")),
        ("What does the \"Polygon\" piece say, and the 'Time' article?", ("Polygon", "Time")),
        ("Who was a saint in Fortune and a fraud according to TechCrunch?", ("Fortune", "TechCrunch")),
        ("Do both Polygon and Fortune agree?", ("Polygon", "Fortune")),
        ("Do articles from Time, Fortune and The Verge agree?", ("Time", "Fortune", "The Verge")),
        ("What did The Week write?", ("The Week",)),
        ("Time reported it. Who denied it?", ("Time",)),
        ("What was reported by both CBSSports.com and USA TODAY?", ("CBSSports.com", "usatoday.com")),
        ("What did CBS Sports report?", ("CBSSports.com",)),
        ("what is on usatoday.com about it?", ("usatoday.com",)),
        ("Who fell, according to U.S. News and World Report?", ("U.S. News & World Report",)),
        ("What does a Reader’s Digest article say?", ("Reader's Digest",)),
        ("What did The Independent report?", INDEPENDENT),
        ("What did The Independent - Life and Style report?", INDEPENDENT[1:]),
        ("Does The Verge's article agree with The Verge's later one?", ("The Verge",)),
    ],
)
def test_a_question_names_the_outlets_of_the_archive(question: str, expected: tuple[str, ...]) -> None:
    assert NAMES.named_in(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "Who made a fortune in the week of the vote?",
        "What was the verge of war in time of the age?",
        "Time will tell who wins, but who leads?",
        "Fortune favours whom?",
        "The week began with which strike?",
        "The Age of Innocence was written by whom?",
        "Which Fortune 500 company fell, reported by whom?",
        "What did Time Warner report?",
        "Who lives in Times Square?",
        "What did the Los Angeles Times report?",
        "What was reported by The Sunday News?",
        "Who was interviewed by Jane Fortune?",
        "Which teams left the NFL?",
        "What was decided by the NFL?",
        "What did a report on The Verge's lawsuit say?",
        "What is alleged in the lawsuit against The New York Times?",
        "WHAT DID FORTUNE DO IN TIME?",
        "What was said in time by the independent guardian?",
        "",
    ],
)
def test_common_words_and_longer_names_are_no_outlets(question: str) -> None:
    assert NAMES.named_in(question) == ()


def test_a_question_word_is_not_the_outlet_of_that_name() -> None:
    names = OutletNames(["who.int", "Now"])

    assert names.named_in("Who said so? Now what?") == ()
    assert names.named_in("What was said, according to WHO?") == ("who.int",)


@given(st.text(), st.sets(st.text(max_size=20), max_size=8))
def test_what_is_named_is_in_the_archive(question: str, outlets: set[str]) -> None:
    named = OutletNames(outlets).named_in(question)

    assert set(named) <= outlets
    assert len(set(named)) == len(named)


@given(st.lists(st.sampled_from([*ARCHIVE, "The", "the", "and", "by", "in", "article", "'s", ",", "'", ".", "says"])))
def test_names_in_any_surroundings_are_of_the_archive(words: list[str]) -> None:
    assert set(NAMES.named_in(" ".join(words))) <= set(ARCHIVE)


@given(st.sampled_from(ARCHIVE))
def test_every_outlet_is_found_by_its_own_name(outlet: str) -> None:
    assert outlet in NAMES.named_in(f"Who won, according to {outlet}?")
