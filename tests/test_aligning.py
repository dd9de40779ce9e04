from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.aligning import Alignment, Block, align, fewest_changes, places, read_words, words_of

TEXT = "The U.S. Navy said on Monday that 1,200 sailors, who’d left $2.4 million in a five-year plan, were home."
WORDS = words_of(TEXT)

few_words = st.lists(st.sampled_from("abcde"), max_size=12)


def changes(excerpt: str, gaps: frozenset[int] = frozenset()) -> list[tuple[str, str]]:
    """Give what of the excerpt differs from the text, in words of both."""
    own = words_of(excerpt)
    blocks = align(own, WORDS, gaps).blocks
    return [
        (" ".join(own[block.first : block.last]), " ".join(WORDS[block.start : block.end]))
        for block in blocks
        if block.kind == "differs"
    ]


def distance(excerpt: Sequence[str], text: Sequence[str]) -> int:
    """Count the fewest changes by the book, one cell after the other."""
    row = [0] * (len(text) + 1)
    for count, word in enumerate(excerpt, start=1):
        above, row = row, [count]
        for column, other in enumerate(text, start=1):
            row.append(min(above[column - 1] + (word != other), above[column] + 1, row[-1] + 1))
    return min(row)


def test_words_are_compared_without_case_points_and_the_form_of_apostrophes() -> None:
    assert WORDS[:12] == ("the", "us", "navy", "said", "on", "monday", "that", "1200", "sailors", "who'd", "left", "$")
    assert words_of("US USA U.S.A. DON'T don´t don’t ﬁve 5.5 5,5 10:30 5th") == (
        *("us", "usa", "usa", "don't", "don't", "don't", "five", "5.5", "5,5", "10:30", "5th"),
    )


def test_every_word_has_its_characters() -> None:
    found = read_words(TEXT)

    assert [TEXT[start:end] for start, end in found.spans][:10] == (
        ["The", "U.S", "Navy", "said", "on", "Monday", "that", "1,200", "sailors", "who’d"]
    )
    assert TEXT[slice(*found.characters(7, 9))] == "1,200 sailors"
    assert found.characters(8, 8) == (found.spans[8][0], found.spans[8][0])
    assert found.characters(len(WORDS), len(WORDS)) == (len(TEXT) - 1, len(TEXT) - 1)


@given(st.text())
def test_any_text_has_words_without_white_space_and_as_many_spans(text: str) -> None:
    found = read_words(text)

    assert len(found.words) == len(found.spans)
    assert not any(word == "" or " " in word for word in found.words)


def test_an_excerpt_is_found_in_every_place() -> None:
    assert list(places(words_of("to be"), words_of("To be or not to be: to beat"))) == [0, 4]
    assert list(places(words_of("a a"), words_of("a a a"))) == [0, 1]
    assert list(places(words_of("navy sailors"), WORDS)) == []


@pytest.mark.parametrize(
    ("excerpt", "told"),
    [
        ("US Navy said on Tuesday that 1200 sailors", [("tuesday", "monday")]),
        ("Tuesday that 1200 sailors who'd left $2.4 million", [("tuesday", "monday")]),
        ("Navy said on Friday", [("friday", "monday")]),
        ("Navy on Monday", [("", "said")]),
        ("Navy said on that 1200", [("", "monday")]),
        ("Navy said on very Monday that", [("very", "")]),
        ("left €2.4 million", [("€", "$")]),
        ("left $2.5 million in a ten year plan", [("2.5", "2.4"), ("ten", "five")]),
    ],
)
def test_what_was_changed_is_told(excerpt: str, told: list[tuple[str, str]]) -> None:
    assert changes(excerpt) == told
    assert fewest_changes(words_of(excerpt), WORDS) == len(told)


def test_what_a_gap_leaves_out_is_no_change() -> None:
    own = words_of("navy said were home")

    assert align(own, WORDS, {2}) == Alignment(
        (Block("same", 0, 2, 2, 4), Block("omitted", 2, 2, 4, 19), Block("same", 2, 4, 19, 21))
    )
    assert fewest_changes(own, WORDS, {2}) == 0
    assert fewest_changes(own, WORDS) == 2
    assert changes("navy said were away", frozenset({2})) == [("away", "home")]


@given(few_words, few_words)
def test_the_changes_are_the_fewest_there_can_be(excerpt: list[str], text: list[str]) -> None:
    assert fewest_changes(excerpt, text) == distance(excerpt, text)


@given(few_words.filter(bool), few_words, st.frozensets(st.integers(0, 12)))
def test_an_alignment_takes_every_word_of_the_excerpt_once_and_in_order(
    excerpt: list[str], text: list[str], gaps: frozenset[int]
) -> None:
    alignment = align(excerpt, text, gaps)

    taken = [excerpt[block.first : block.last] for block in alignment.blocks]
    assert [word for words in taken for word in words] == excerpt
    beside = [text[block.start : block.end] for block in alignment.blocks]
    assert [word for words in beside for word in words] == text[alignment.start : alignment.end]
    assert all(
        mine == theirs
        for mine, theirs, block in zip(taken, beside, alignment.blocks, strict=True)
        if block.kind == "same"
    )
    assert alignment.cost == fewest_changes(excerpt, text, gaps)


@pytest.mark.parametrize("text", ["a." * 25_000, "'a" * 25_000, "1," * 25_000, "a" * 50_000, "’" * 50_000])
def test_words_of_hostile_texts_are_found_in_no_time(text: str) -> None:
    started = time.process_time()
    read_words(text)
    assert time.process_time() - started < 0.3
