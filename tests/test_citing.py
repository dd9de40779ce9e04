import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import Citation, Sentence
from rag.articles import Article
from rag.citing import cite, declines, may_decline, quote
from rag.passages import Passage, ScoredPassage

TEXT = "Rates were held. The bank waited. Prices rose by 5% in March. “We watch,” she said."


def passage(number: int, start: int = 0, end: int = len(TEXT)) -> ScoredPassage:
    article = Article(f"a{number}", f"Title {number}", TEXT, "The Post", "2024-03-01", f"https://post.example/{number}")
    return ScoredPassage(Passage(article.id, start, end, TEXT[start:end]), article, number, 1 / number)


THREE = [passage(1), passage(2, 17, 33), passage(3, 34, 61)]


def cited(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """The sentences, each with the ids of the articles it cites."""
    sentences, citations = cite(text, THREE)
    ids = {citation.number: citation.article_id for citation in citations}
    return [(sentence.text, tuple(ids[number] for number in sentence.citations)) for sentence in sentences]


def test_a_quotation_is_the_stored_characters() -> None:
    article = THREE[0].article
    assert quote(4, article, 17, 33) == Citation(
        4, "a1", "Title 1", "The Post", "2024-03-01", "https://post.example/1", 17, 33, "The bank waited."
    )


def test_citations_are_numbered_by_first_use_and_are_whole_passages() -> None:
    sentences, citations = cite("The bank waited [2]. Rates were held [1]. Both [1][2].", THREE)
    assert sentences == (
        Sentence("The bank waited.", (1,)),
        Sentence("Rates were held.", (2,)),
        Sentence("Both.", (2, 1)),
    )
    assert [(c.number, c.article_id, c.start, c.end, c.text) for c in citations] == [
        (1, "a2", 17, 33, "The bank waited."),
        (2, "a1", 0, len(TEXT), TEXT),
    ]


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
    "end", ["[", "[1", "[1,", "[1, 3", "[1-", " [ 1 ", "【1", "[1][", "([1", "[[1", "[passage 1", "*"]
)
def test_an_unfinished_marker_is_not_shown(end: str) -> None:
    assert [text for text, _ in cited(f"Rates were held {end}")] == ["Rates were held"]


WORDS = ["Rates were held", "U.S.", "“We wait,” she said", "[sic]", "1.", "٣", "\ud800"]
MARKERS = ["[1]", "[2][3]", "[1, 3]", "[1-3]", "【2】", "[0]", "[44]"]
SIGNS = ["[", "]", "(", ")", ".", "?", ". ", " ", "\n", "\n\n", "- ", "# ", "**", "-", "–"]
PROSE = st.lists(st.sampled_from(WORDS + MARKERS + SIGNS) | st.text(max_size=8), max_size=30).map("".join)


@st.composite
def found(draw: st.DrawFn) -> ScoredPassage:
    start = draw(st.integers(0, len(TEXT)))
    return passage(draw(st.integers(1, 99)), start, draw(st.integers(start, len(TEXT))))


@settings(deadline=None)
@given(PROSE, st.lists(found(), max_size=5))
def test_sentences_and_citations_always_belong_together(text: str, passages: list[ScoredPassage]) -> None:
    spans = {(hit.article.id, hit.passage.start, hit.passage.end) for hit in passages}
    for end in range(len(text) + 1):
        sentences, citations = cite(text[:end], passages)
        used = [number for sentence in sentences for number in sentence.citations]
        assert [citation.number for citation in citations] == list(range(1, len(citations) + 1))
        assert list(dict.fromkeys(used)) == list(range(1, len(citations) + 1))
        assert all(len(set(sentence.citations)) == len(sentence.citations) for sentence in sentences)
        assert all(citation.text == TEXT[citation.start : citation.end] for citation in citations)
        assert all((citation.article_id, citation.start, citation.end) in spans for citation in citations)
    assert cite(text, passages) == (sentences, citations)


@settings(deadline=None)
@given(PROSE)
def test_no_marker_is_left_in_a_sentence(text: str) -> None:
    for sentence in cite(text, THREE)[0]:
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
    ],
)
def test_hostile_text_is_read_in_linear_time(pattern: str) -> None:
    started = time.process_time()
    cite("x " + pattern * (100_000 // len(pattern)) + "x", THREE)
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
