from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import QuestionError
from rag.excerpts import MAXIMUM_CHARACTERS, MAXIMUM_WORDS, read_excerpt


def test_an_excerpt_is_one_line_without_what_nobody_sees() -> None:
    read = read_excerpt("  The\tcaf&eacute;&nbsp;at\n\nFerrow\u200b &amp; Lund\ud800 ")

    assert read.text == "The café at Ferrow & Lund"
    assert read.words.words == ("the", "café", "at", "ferrow", "lund")


def test_brackets_and_dots_are_gaps_and_not_the_words_of_the_article() -> None:
    read = read_excerpt("“[He] counted … them on [a wet] Monday [...] and left . . .”")

    assert read.own.words == ("counted", "them", "on", "monday", "and", "left")
    assert read.gaps == {0, 1, 3, 4, 6}
    assert [read.text[start:end] for start, end in read.own.spans] == ["counted", "them", "on", "Monday", "and", "left"]
    assert "wet" in read.words.words


def test_what_stands_in_brackets_alone_is_the_excerpt() -> None:
    read = read_excerpt("[applause]")

    assert (read.own, read.gaps) == (read.words, frozenset())


def test_the_longer_words_that_a_text_lacks_are_counted() -> None:
    read = read_excerpt("NATO said the ﬁne bridge would close")

    assert read.lacking("The N.A.T.O. bridge would be closed, said a fine man.") == 0
    assert read.lacking("A bridge.") == 5


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "The excerpt is empty"),
        (" … “”\n\ud800", "The excerpt is empty"),
        ("word " * MAXIMUM_WORDS + "word", "3,001 words"),
        ("x" * (MAXIMUM_CHARACTERS + 1), "50,001 characters"),
    ],
)
def test_an_excerpt_is_refused_with_what_to_do(given: str, told: str) -> None:
    with pytest.raises(QuestionError, match=rf"{told}.*\. Give .*\.$"):
        read_excerpt(given)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = read_excerpt(text)
    except QuestionError:
        return
    assert read.words.words
    assert all(0 <= gap <= len(read.own.words) for gap in read.gaps)


@pytest.mark.parametrize("sign", ["[", "[a", ".", ". ", "&#9", "&a", "…", "\ud800", "[a]", "’"])
def test_a_hostile_excerpt_is_read_in_no_time(sign: str) -> None:
    text = (sign * MAXIMUM_CHARACTERS)[: MAXIMUM_CHARACTERS - 4] + " end"
    started = time.process_time()
    with suppress(QuestionError):  # of too many words
        read_excerpt(text)
    assert time.process_time() - started < 0.3
