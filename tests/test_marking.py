from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.marking import fits, mark


def marked(question: str, sentence: str) -> list[str]:
    return [sentence[start:end] for start, end in mark(question, sentence)]


COUNTED = "Dr. Ines Valko counted three barn owls at the old mill on Monday."


@pytest.mark.parametrize(
    ("question", "sentence", "answer"),
    [
        ("Who counted the owls?", COUNTED, "Ines Valko"),
        ("How many barn owls were counted?", COUNTED, "three"),
        ("When were the owls counted?", COUNTED, "Monday"),
        ("Where did the owls nest?", "Three barn owls have nested in the old mill at Ferrow.", "Ferrow"),
        ("How much will the repairs cost?", "The repairs will cost $2.4 million, the county said.", "$2.4 million"),
        ("What share of the town voted?", "About 38 % of the town voted on Sunday.", "38 %"),
        ("Which company runs the ferry?", "The ferry is run by Halden Lines, a firm from Orrin.", "Halden Lines"),
        (
            "Why did the birds come back?",
            "She said the birds had come back because the meadow is no longer mown.",
            "the meadow is no longer mown",
        ),
        ("What did the mayor say?", "“We will rebuild the pier,” the mayor said.", "We will rebuild the pier"),
        ("When will the bridge close?", "The bridge will close on Aug. 1, 2022, the county said.", "Aug. 1, 2022"),
    ],
)
def test_the_words_that_answer_are_marked(question: str, sentence: str, answer: str) -> None:
    assert [span.removeprefix("Dr. ") for span in marked(question, sentence)] == [answer]


def test_a_name_of_the_question_is_no_answer() -> None:
    assert marked("Whom did Valko thank?", "Valko thanked Tomas Reed for his help.") == ["Tomas Reed"]
    assert marked("Who thanked Tomas Reed?", "Valko thanked Tomas Reed for his help.") == ["Valko"]


def test_the_place_from_which_a_story_was_sent_is_not_who_did_it() -> None:
    assert marked("Who closed the pier?", "ORRIN (County Wire) -- The harbor master Ana Brandt closed the pier.") != [
        "ORRIN"
    ]


def test_nothing_is_marked_where_the_answer_cannot_be_told() -> None:
    assert marked("When was the mill built?", "The old mill stands at Ferrow.") == []
    assert marked("Who came?", "Ana Brandt, Tomas Reed, Ines Valko and Per Holm were there.") == []
    assert mark("Who?", "") == ()


def test_a_sentence_with_what_is_asked_fits_better_than_one_without() -> None:
    plain = "The owls were counted at the old mill."

    assert fits("Who counted the owls?", COUNTED) > fits("Who counted the owls?", plain)
    assert fits("When were the owls counted?", COUNTED) > fits("When were the owls counted?", plain)
    assert fits("How many owls were counted?", COUNTED) > fits("How many owls were counted?", plain)
    assert fits("How much did the owls cost?", plain) < 0.2


SENTENCES = st.lists(
    st.sampled_from(
        [
            "Ferrow",
            "owls",
            "the",
            "of",
            "three",
            "$2.4 million",
            "May 3, 2021",
            "because",
            "“",
            "”",
            ",",
            "Dr.",
            "Ana",
            "38 %",
        ]
    ),
    max_size=30,
).map(" ".join)


@given(st.sampled_from(["Who saw owls?", "How many?", "When?", "Why?", "What did Ana say?", "Which town?"]), SENTENCES)
def test_marks_are_words_of_the_sentence_and_a_fit_is_a_share(question: str, sentence: str) -> None:
    assert 0 <= fits(question, sentence) <= 1
    for start, end in mark(question, sentence):
        assert 0 <= start < end <= len(sentence)
        assert sentence[start:end] == sentence[start:end].strip()


@given(st.text(max_size=200), st.text(max_size=300))
def test_any_two_texts_can_be_held_against_each_other(question: str, sentence: str) -> None:
    assert all(0 <= start < end <= len(sentence) for start, end in mark(question, sentence))


@pytest.mark.parametrize("piece", ["A ", "1,", '"', "one ", "because ", "A. ", "Jan 1 ", "a", "the of ", "("])
def test_a_long_sentence_is_read_quickly(piece: str) -> None:
    begun = time.process_time()

    mark("Why did one of the 40 go to Ferrow in Jan 1999?", piece * (50_000 // len(piece)))

    assert time.process_time() - begun < 1
