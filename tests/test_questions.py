from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import QuestionError
from rag.questions import MAXIMUM_CHARACTERS, read_question


@pytest.mark.parametrize("text", ["", "   \n", "?!…", "\u200b\u200d", "🦉", "\x00\x1b"])
def test_a_question_without_a_word_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(QuestionError, match="is empty. Ask one in words"):
        read_question(text)


def test_a_question_of_100_000_characters_is_refused_with_the_limit() -> None:
    with pytest.raises(QuestionError, match=r"100,000 characters, at most 2,000"):
        read_question("a" * 100_000)


def test_what_cannot_be_seen_is_taken_out_of_a_question() -> None:
    assert read_question("  What did\u200b Zarif\x00\u202e say?\n").text == "What did Zarif say?"


def test_the_subject_of_a_question_is_what_its_plain_words_leave() -> None:
    asked = read_question("What did Zarif say about the U.S. missiles in 2019?")

    assert [(word.text, word.capital) for word in asked.words] == [
        ("Zarif", True),
        ("U.S.", True),
        ("missiles", False),
        ("2019", True),
    ]


@given(st.text(max_size=MAXIMUM_CHARACTERS))
def test_any_text_is_either_refused_or_read_into_printable_words(text: str) -> None:
    try:
        asked = read_question(text)
    except QuestionError:
        return
    assert asked.text.isprintable()
    assert asked.text == asked.text.strip()
