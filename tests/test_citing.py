import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import Citation, Sentence
from rag.articles import Article
from rag.citing import declines, may_decline, quote, read_draft

TEXT = "Rates were held. The bank waited. Prices rose by 5% in March. “We watch,” she said."


def cited(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """The sentences, each with the names of the three passages it cites."""
    return [(draft.text, tuple(f"a{number}" for number in draft.citations)) for draft in read_draft(text, 3)]


def test_a_quotation_is_the_stored_characters() -> None:
    article = Article("a1", "Title", TEXT, "The Post", "2024-03-01", "https://post.example/1")
    assert quote(4, article, 17, 33) == Citation(
        4, "a1", "Title", "The Post", "2024-03-01", "https://post.example/1", 17, 33, "The bank waited."
    )


def test_sentences_keep_the_numbers_that_the_model_wrote() -> None:
    assert read_draft("The bank waited [2]. Rates were held [1]. Both [1][2].", 2) == (
        Sentence("The bank waited.", (2,)),
        Sentence("Rates were held.", (1,)),
        Sentence("Both.", (1, 2)),
    )


@pytest.mark.parametrize(
    ("marker", "ids"),
    [
        ("[1]", ("a1",)),
        ("[1][3]", ("a1", "a3")),
        ("[1] [3]", ("a1", "a3")),
        ("[1, 3]", ("a1", "a3")),
        ("[3;1]", ("a3", "a1")),
        ("[1-3]", ("a1", "a2", "a3")),
        ("[1–2]", ("a1", "a2")),
        ("【2】", ("a2",)),
        ("[[2]]", ("a2",)),
        ("([1][2])", ("a1", "a2")),
        ("[Passage 2]", ("a2",)),
        ("[1][1]", ("a1",)),
        ("[01]", ("a1",)),
        ("[0]", ()),
        ("[9]", ()),
        ("[2-9]", ("a2",)),
        ("[2019]", ()),
        (f"[{'9' * 5000}]", ()),
    ],
)
@pytest.mark.parametrize(
    "form", ["Rates were held {}.", "Rates were held{}.", "Rates were held. {}", "Rates were held.{}"]
)
def test_a_marker_leaves_the_sentence_and_no_space_behind(form: str, marker: str, ids: tuple[str, ...]) -> None:
    assert cited(f"{form.format(marker)} The bank waited.") == [("Rates were held.", ids), ("The bank waited.", ())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("[1]", []),
        ("Rates were held", [("Rates were held", ())]),
        ("It was [sic] held by [He].", [("It was [sic] held by [He].", ())]),
        ("Held.[1]Then it rose. [2]", [("Held.", ("a1",)), ("Then it rose.", ("a2",))]),
        ("Prices rose 5%[3], then fell [2]; he left.", [("Prices rose 5%, then fell; he left.", ("a3", "a2"))]),
        ("The U.S. [1] met Mr. Smith [2].", [("The U.S. met Mr. Smith.", ("a1", "a2"))]),
        ('"We wait. We see." [1] Then he left.', [('"We wait. We see."', ("a1",)), ("Then he left.", ())]),
        ("Rates were held.\n\n[1]", [("Rates were held.", ("a1",))]),
        ("[1] Held.\n[2] Waited.", [("Held.", ("a1",)), ("Waited.", ("a2",))]),
        ("Rates\nwere held [1].", [("Rates were held.", ("a1",))]),
        ("Rates were held\n[1]. Waited.", [("Rates were held.", ("a1",)), ("Waited.", ())]),
    ],
)
def test_sentences_are_split_and_keep_their_own_citations(
    text: str, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert cited(text) == expected


def test_signs_of_markdown_are_taken_off() -> None:
    text = "# Rates\n**Held** in March [1].\n- The bank waited [2]\n* Prices rose [3]\n1. Done"
    assert cited(text) == [
        ("Rates", ()),
        ("Held in March.", ("a1",)),
        ("The bank waited", ("a2",)),
        ("Prices rose", ("a3",)),
        ("Done", ()),
    ]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("![x](https://evil.example/?q=a(b)c) Held [1].", "Held."),
        ("![x][r] Held [1].\n[r]: https://evil.example/", "Held."),
        ("Held, says [the bank](https://evil.example) [1].", "Held, says the bank."),
        ("<img src=x onerror=alert(1)>Held<br/> [1].", "Held."),
        ("<script src=//evil.example>Held [1].", "Held."),
        ("Held <https://evil.example> at 5 < 6 [1].", "Held at 5 < 6."),
        ("Held <img src=x", "Held img src=x"),
        ("Held![1]", "Held!"),
        ("Held[[1]", "Held"),
        ("Held[[1].", "Held."),
        ("Held [\n\n[1]", "Held"),
    ],
)
def test_markup_is_taken_off(text: str, left: str) -> None:
    assert [sentence for sentence, _ in cited(text)] == [left]


@pytest.mark.parametrize(
    "end", ["[", "[1", "[1,", "[1, 3", "[1-", " [ 1 ", "【1", "[1][", "([1", "[[1", "[passage 1", "*"]
)
def test_an_unfinished_marker_is_not_shown(end: str) -> None:
    assert [text for text, _ in cited(f"Rates were held {end}")] == ["Rates were held"]


WORDS = ["Rates were held", "U.S.", "“We wait,” she said", "[sic]", "1.", "٣", "\ud800"]
MARKERS = ["[1]", "[2][3]", "[1, 3]", "[1-3]", "【2】", "[0]", "[44]"]
SIGNS = ["[", "]", "(", ")", ".", "?", ". ", " ", "\n", "\n\n", "- ", "# ", "**", "-", "–"]
PROSE = st.lists(st.sampled_from(WORDS + MARKERS + SIGNS) | st.text(max_size=8), max_size=30).map("".join)


@settings(deadline=None)
@given(PROSE, st.integers(0, 5))
def test_only_numbers_of_passages_are_cited_and_each_once_a_sentence(text: str, count: int) -> None:
    for end in range(len(text) + 1):
        for draft in read_draft(text[:end], count):
            assert len(set(draft.citations)) == len(draft.citations)
            assert set(draft.citations) <= set(range(1, count + 1))


@settings(deadline=None)
@given(PROSE)
def test_no_marker_is_left_in_a_sentence(text: str) -> None:
    for sentence in read_draft(text, 3):
        assert not re.search(r"\[[0-9]+\]|\[[0-9]*$", sentence.text)
        assert sentence.text == " ".join(sentence.text.split())
        assert any(map(str.isalnum, sentence.text))


@pytest.mark.parametrize(
    "pattern",
    [
        "[",
        "[1",
        "[1]",
        "[1],",
        "([1]",
        "(",
        "**a ",
        "[1-3]",
        "[1,",
        "1,",
        "- ",
        "\n",
        " ",
        "[1]\n\n",
        'a.\n[1] "b',
        "a. [1] ",
        "![a ",
        "[a](",
        "![a](b(",
        "<a ",
        "[a]: b\n",
    ],
)
def test_hostile_text_is_read_in_linear_time(pattern: str) -> None:
    started = time.process_time()
    read_draft("x " + pattern * (100_000 // len(pattern)) + "x", 3)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    "text",
    [
        "NOT IN THE ARCHIVE",
        "not in the archive.",
        ' "NOT IN THE ARCHIVE"\n',
        "**NOT IN THE ARCHIVE**",
        "“Not in the archive.”",
        "NOT IN THE ARCHIVE. The passages are about rates.",
        "NOT IN THE ARCHIVE [1]",
        "NOT IN THE ARCHIVE\nSorry.",
    ],
)
def test_the_agreed_words_decline(text: str) -> None:
    assert declines(text)
    assert all(may_decline(text[:end]) for end in range(len(text) + 1))


@pytest.mark.parametrize(
    "text", ["Rates were held.", "Not in the archive of the bank but at home.", "It is not in the archive"]
)
def test_other_words_do_not_decline(text: str) -> None:
    assert not declines(text)
    assert not may_decline(text)


def test_nothing_yet_may_still_decline() -> None:
    assert may_decline("")
    assert not declines("")
    assert not may_decline("Note")
