from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.articles import Article
from rag.disagreeing import Contrary, disagreements
from rag.evidence import Evidence
from rag.questions import read_question
from rag.sentences import sentence_spans

LEDGER = Article(
    "ledger",
    "Pier collapses at Ferrow",
    "The old pier at Ferrow collapsed in a storm, and 12 people were injured, the harbor master said.",
    "The Ledger",
    "2021-03-01",
)
WIRE = Article(
    "wire",
    "Ferrow pier collapse",
    "The hospital said 19 people were injured when the old pier at Ferrow collapsed in the storm.",
    "County Wire",
    "2021-03-02",
)


def weighed(*articles: Article) -> list[Evidence]:
    """Give the sentences of the articles as equally likely evidence, in the order of the articles."""
    return [Evidence(article, start, end, 0.5) for article in articles for start, end in sentence_spans(article.text)]


def shown(question: str, *articles: Article) -> list[tuple[str, str, str]]:
    sides = disagreements(read_question(question), weighed(*articles))
    return [(side.evidence.article.id, side.value, side.kind) for side in sides]


HURT = "How many people were injured when the pier at Ferrow collapsed?"


def test_different_values_stand_side_by_side_with_the_newest_last() -> None:
    assert shown(HURT, WIRE, LEDGER) == [("ledger", "12", "claim"), ("wire", "19", "claim")]
    assert shown(HURT, LEDGER, WIRE) == [("ledger", "12", "claim"), ("wire", "19", "claim")]


def test_a_side_is_the_very_sentence_of_the_article() -> None:
    [first, second] = disagreements(read_question(HURT), weighed(WIRE, LEDGER))

    assert first == Contrary(weighed(LEDGER)[0], "12")
    assert second.evidence in weighed(WIRE)


@pytest.mark.parametrize("count", ["12", "twelve", "about 12", "dozens of"])
def test_the_same_value_in_other_words_is_no_disagreement(count: str) -> None:
    text = f"The hospital said {count} people were injured when the old pier at Ferrow collapsed in the storm."

    assert shown(HURT, LEDGER, Article("post", "Ferrow", text, "Post", "2021-03-02")) == []


def test_one_article_does_not_disagree_with_itself() -> None:
    assert shown(HURT, Article("both", "Ferrow", f"{LEDGER.text} {WIRE.text}", "Post", "2021-03-02")) == []


def test_another_number_of_another_thing_is_no_disagreement() -> None:
    text = "When the old pier at Ferrow collapsed in the storm, 19 boats were injured beyond repair."

    assert shown(HURT, LEDGER, Article("boats", "Ferrow", text, "Post", "2021-03-02")) == []


def test_another_place_is_another_matter() -> None:
    text = "The hospital said 19 people were injured when the old pier at Orrin collapsed in the storm."

    assert shown(HURT, LEDGER, Article("orrin", "Orrin", text, "Post", "2021-03-02")) == []


def test_a_sentence_with_both_values_is_no_other_side() -> None:
    text = "Not 12 but 19 people were injured when the old pier at Ferrow collapsed in the storm."

    assert shown(HURT, LEDGER, Article("both", "Ferrow", text, "Post", "2021-03-02")) == []


def test_a_correction_says_so_and_not_what_it_corrects() -> None:
    text = (
        "It said that 12 people were injured when the old pier at Ferrow collapsed in the storm. "
        "The harbor master said 19 people were injured when the pier collapsed in the storm."
    )
    correction = Article("correction", "Correction: Pier collapse at Ferrow", text, "The Ledger", "2021-03-03")

    assert shown(HURT, correction, LEDGER) == [("ledger", "12", "claim"), ("correction", "19", "correction")]


def test_a_denial_stands_beside_the_claim() -> None:
    claim = Article(
        "claim",
        "Ferrow pier",
        "The mayor of Ferrow was ready to sell the pier, the minister said.",
        "Post",
        "2021-04-01",
    )
    denial = Article(
        "denial", "Ferrow pier", "The mayor of Ferrow denied that she was ready to sell the pier.", "Wire", "2021-04-02"
    )

    assert shown("Will the mayor of Ferrow sell the pier?", denial, claim) == [
        ("claim", "", "claim"),
        ("denial", "", "denial"),
    ]


def test_sentences_that_are_alike_but_for_the_answer_disagree() -> None:
    one, other = (
        Article(
            name, "", f"Pier {year} ... {winner} wins the Ferrow regatta for the third time ...", name, "2021-05-01"
        )
        for name, year, winner in (("a", "news", "Ana Brandt"), ("b", "news", "Tomas Reed"))
    )

    assert shown("Who won the Ferrow regatta?", one, other) == []  # "won" stands in neither
    assert shown("Who wins the Ferrow regatta?", one, other) == [
        ("a", "Ana Brandt", "claim"),
        ("b", "Tomas Reed", "claim"),
    ]


def test_what_is_much_less_likely_is_not_heard() -> None:
    weak = [Evidence(one.article, one.start, one.end, 0.01) for one in weighed(WIRE)]

    assert disagreements(read_question(HURT), [*weighed(LEDGER), *weak]) == ()


def test_a_question_about_nothing_in_particular_has_no_sides() -> None:
    assert shown("How many were injured?", LEDGER, WIRE) == []
    assert disagreements(read_question(HURT), []) == ()


@given(
    st.lists(
        st.sampled_from([LEDGER, WIRE, Article("x", "", "Ferrow. 7 people were injured at the pier.")]), max_size=5
    )
)
def test_there_are_no_sides_or_at_least_two_of_different_articles(articles: list[Article]) -> None:
    sides = disagreements(read_question(HURT), weighed(*articles))

    assert len(sides) != 1
    assert len({side.evidence.article.id for side in sides}) == len(sides)
    assert [side.evidence.article.date for side in sides] == sorted(side.evidence.article.date for side in sides)


def test_long_sentences_are_compared_quickly() -> None:
    pieces = ("12 people injured Ferrow pier ", "\n", "Correction ", "about ", "denied ")
    articles = [Article(f"{at}", "Ferrow", (piece * 50_000)[:50_000]) for at, piece in enumerate(pieces)]
    evidence = [Evidence(article, 0, len(article.text), 0.5) for article in articles]
    begun = time.process_time()

    disagreements(read_question(HURT), evidence)

    assert time.process_time() - begun < 2
