from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Article
from rag.evidence import Evidence
from rag.extraction import LONGEST_EXCERPT, MAXIMUM_SENTENCES, extract
from rag.leaning import leans_back
from rag.sentences import sentence_spans

TEXT = (
    "Mrs. Dysart became harbour master in May. She had been a pilot for nine years. The harbour has two moles.\n\n"
    "It was built in 1871. A storm broke the east mole in 1902. Nobody was hurt in that storm of 1902. "
    "The town paid 40,000 crowns for its repair."
)
ARTICLE = Article("harbour", "The harbour", TEXT)
SPANS = sentence_spans(TEXT)


def evidence(place: int, likelihood: float = 0.9, article: Article = ARTICLE) -> Evidence:
    start, end = sentence_spans(article.text)[place]
    return Evidence(article, start, end, likelihood)


def texts(*ranked: Evidence) -> list[str]:
    return [excerpt.text for excerpt in extract(ranked)]


def test_the_best_sentence_comes_first_word_for_word() -> None:
    assert texts(evidence(6), evidence(0, 0.8)) == [
        "The town paid 40,000 crowns for its repair.",
        "Mrs. Dysart became harbour master in May.",
    ]


def test_a_sentence_that_begins_with_a_bare_pronoun_comes_with_the_one_before_it() -> None:
    assert texts(evidence(1)) == ["Mrs. Dysart became harbour master in May. She had been a pilot for nine years."]


def test_the_sentence_before_may_stand_in_the_paragraph_before() -> None:
    assert texts(evidence(3)) == ["The harbour has two moles.\n\nIt was built in 1871."]


def test_a_chain_of_pronouns_is_followed_to_the_name() -> None:
    chain = Article("chain", "T", "It rained. Ann Lee runs the port. She opened it in May. She closed it in June.")

    assert texts(evidence(3, article=chain)) == ["Ann Lee runs the port. She opened it in May. She closed it in June."]


def test_a_pronoun_follows_the_sentence_that_explains_it_and_no_other() -> None:
    assert texts(evidence(0), evidence(6, 0.8), evidence(1, 0.7)) == [
        "Mrs. Dysart became harbour master in May. She had been a pilot for nine years.",
        "The town paid 40,000 crowns for its repair.",
    ]


def test_a_sentence_that_nearly_repeats_another_is_left_out() -> None:
    copy = Article("copy", "Elsewhere", "A storm broke the east mole in 1902, it said.")

    assert texts(evidence(4), evidence(0, 0.8, copy)) == ["A storm broke the east mole in 1902."]


def test_a_sentence_that_is_far_less_likely_than_the_best_is_left_out() -> None:
    assert texts(evidence(6), evidence(0, 0.1)) == ["The town paid 40,000 crowns for its repair."]


def test_no_evidence_gives_no_excerpt() -> None:
    assert extract([]) == []


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("He said so.", True),
        ("But they left.", True),
        ("This was new.", True),
        ("This week the council met.", False),
        ("“It is over,” Mr. Roe said.", False),
        ("Its walls are thick.", True),
        ("His spokesman said that Mr. Zarif had been misread.", False),
        ("Hers was the first house.", False),
        ("Items were sold.", False),
    ],
)
def test_only_a_pronoun_that_nothing_explains_leans_back(sentence: str, expected: bool) -> None:
    assert leans_back(sentence) is expected


@given(
    st.lists(st.tuples(st.integers(0, len(SPANS) - 1), st.floats(0.03, 1)), max_size=10),
    st.integers(LONGEST_EXCERPT, 12),
)
def test_an_answer_has_at_most_so_many_sentences_and_none_of_them_twice(
    picks: list[tuple[int, float]], most: int
) -> None:
    ranked = sorted((evidence(place, likelihood) for place, likelihood in picks), key=lambda item: -item.likelihood)

    excerpts = extract(ranked, most=most)

    shown = [span for excerpt in excerpts for span in SPANS if excerpt.start <= span[0] and span[1] <= excerpt.end]
    assert len(shown) == len(set(shown)) == sum(excerpt.sentences for excerpt in excerpts) <= most


def test_an_answer_is_as_long_as_is_asked_for() -> None:
    ranked = [evidence(place) for place in (6, 0, 2, 4, 5)]

    assert [len(extract(ranked, most=most)) for most in (1, 2)] == [1, 2]
    assert extract(ranked) == extract(ranked, most=MAXIMUM_SENTENCES)
    assert len(extract(ranked, most=12)) == len(ranked)
