import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.quotations import pieces, plain, quotations, stands_in


def quoted(text: str) -> list[str]:
    return [text[start:end] for start, end in quotations(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“We wait,” she said, “and see.”", ["We wait,", "and see."]),
        ('"We wait," she said. "And see."', ["We wait,", "And see."]),
        ("„Wir warten“, sagte sie.", ["Wir warten"]),
        ("« Nous attendons », dit-elle.", [" Nous attendons "]),
        ("The union said 'we won't go' today.", ["we won't go"]),
        ("He’s ‘very sure’ of it.", ["very sure"]),
        ("“He said ‘no’ to me,” she said.", ["He said ‘no’ to me,"]),
        ("“The first of several paragraphs.", ["The first of several paragraphs."]),
        ("and the last of them,” she said.", ["and the last of them,"]),
        ('and the last of them," she said.', ["and the last of them,"]),
        ("the players' union in the '90s didn't", []),
        ("“Yes,” he said. No,” she said.", ["Yes,"]),
        ("No one was quoted.", []),
    ],
)
def test_quotations_are_found_whatever_their_marks(text: str, expected: list[str]) -> None:
    assert quoted(text) == expected


def test_marks_case_and_space_do_not_count() -> None:
    assert plain("It’s  “a\nnew—day”…") == plain("it's 'A new-day'...") == "its a new-day..."


@pytest.mark.parametrize("quotation", ["We wait,", "we  wait", "We … see", "We [will] wait"])
def test_the_words_of_an_article_stand_in_it(quotation: str) -> None:
    assert stands_in(pieces(quotation), plain("“We wait and we see.” "))


def test_words_need_no_space_where_their_script_has_none() -> None:
    assert stands_in(pieces("空"), plain("关于“空”的任何信息"))


@pytest.mark.parametrize("quotation", ["We waited", "e wait", "wait … We wait", "We watch", "see … wait"])
def test_other_words_do_not(quotation: str) -> None:
    assert not stands_in(pieces(quotation), plain("“We wait and we see.”"))


@given(st.text())
def test_quotations_never_overlap_and_lie_in_the_text(text: str) -> None:
    spans = [0, *(edge for span in quotations(text) for edge in span), len(text)]
    assert spans == sorted(spans)


@pytest.mark.parametrize("text", ['"', "'a", "“", "a' ", 'a"', "”", "[", "…", ". . ", "[a"])
def test_hostile_text_is_read_in_linear_time(text: str) -> None:
    hostile = text * (50_000 // len(text))
    started = time.process_time()
    list(quotations(hostile))
    stands_in(pieces(hostile), plain(hostile[:2_000]))
    assert time.process_time() - started < 1
