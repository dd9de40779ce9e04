from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Article, Chatbot, Settings
from rag.answers import Side
from rag.archive import Archive
from rag.composing import compose, set_beside
from rag.disagreeing import Contrary
from rag.embedding import Embedder
from rag.evidence import Evidence
from rag.indexing import index_articles
from rag.prompting import Prompt
from rag.questions import read_question
from rag.retrieval import Retriever
from rag.sentences import sentence_spans

HURT = "How many people were injured when the pier at Ferrow collapsed?"
LEDGER = Article(
    "ledger",
    "Pier collapses at Ferrow",
    "The old pier at Ferrow collapsed in a storm, and 12 people were injured, the harbor master said. "
    "The pier was built in 1911 and had been closed to carts since the spring.",
    "The Ledger",
    "2021-03-01",
)
WIRE = Article(
    "wire",
    "Ferrow pier collapse",
    "The hospital said 19 people were injured when the old pier at Ferrow collapsed in the storm. "
    "Mayor Ilse Brandt asked the county for money.",
    "County Wire",
    "2021-03-02",
)
CORRECTION = Article(
    "correction",
    "Correction: Ferrow pier",
    "The old pier at Ferrow collapsed in a storm, and 21 people were injured.",
    "County Wire",
    "2021-03-05",
)


class Writes:
    """A generator of the public protocol that writes one text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def generate(self, prompt: Prompt) -> Iterator[str]:
        assert HURT in prompt.user
        yield self.text


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("piers") / "archive"
    index_articles([LEDGER, WIRE, CORRECTION], path, Settings())
    return path


def weighed(*articles: Article) -> list[Evidence]:
    return [
        Evidence(article, start, end, 0.9 - 0.1 * place)
        for place, article in enumerate(articles)
        for start, end in sentence_spans(article.text)[:1]
    ]


def test_what_articles_say_differently_stands_side_by_side_with_the_newest_last(archive: Path) -> None:
    with Chatbot.open(archive, Settings()) as chatbot:
        answer = chatbot.ask(HURT)

    cited = {citation.number: citation for citation in answer.citations}
    assert [(side.value, side.kind, cited[side.citation].date) for side in answer.sides] == [
        ("12", "claim", "2021-03-01"),
        ("19", "claim", "2021-03-02"),
        ("21", "correction", "2021-03-05"),
    ]
    assert all(side.value in cited[side.citation].text for side in answer.sides)
    assert {side.citation for side in answer.sides} <= {each for one in answer.sentences for each in one.citations}


def test_where_articles_agree_there_are_no_sides(archive: Path) -> None:
    with Chatbot.open(archive, Settings()) as chatbot:
        assert chatbot.ask("When was the pier at Ferrow built?").sides == ()


def test_the_likeliest_side_answers_first() -> None:
    composed = compose(read_question(HURT), weighed(WIRE, LEDGER), [])

    assert [citation.article_id for citation in composed.citations] == ["wire", "ledger"]
    assert composed.sides == (Side("12", 2), Side("19", 1))


def test_a_correction_answers_before_what_it_corrects() -> None:
    composed = compose(read_question(HURT), weighed(WIRE, LEDGER, CORRECTION), [])

    assert [citation.article_id for citation in composed.citations] == ["correction", "wire", "ledger"]


def test_an_answer_of_a_model_has_the_sides_beside_it(archive: Path, embedder: Embedder) -> None:
    writes = Writes("The hospital said 19 people were injured when the old pier at Ferrow collapsed [1][2][3].")
    with Chatbot(Retriever(Archive.open(archive), embedder), writes) as chatbot:
        answer = chatbot.ask(HURT)

    cited = {citation.number: citation for citation in answer.citations}
    assert answer.sentences[0].text.startswith("The hospital said 19")
    assert [side.value for side in answer.sides] == ["12", "19", "21"]
    assert all(side.value in cited[side.citation].text for side in answer.sides)
    for citation in answer.citations:
        assert text_of(citation.article_id)[citation.start : citation.end] == citation.text


def text_of(article_id: str) -> str:
    return next(article.text for article in (LEDGER, WIRE, CORRECTION) if article.id == article_id)


@given(st.lists(st.sampled_from([LEDGER, WIRE, CORRECTION]), unique=True), st.integers(0, 3))
def test_every_side_has_a_citation_that_holds_it(articles: list[Article], shown: int) -> None:
    contrary = [Contrary(evidence, "") for evidence in weighed(*articles)]
    citations, _ = set_beside(contrary[:shown], (), [])

    cited, sides = set_beside(contrary, citations, [])

    assert cited[: len(citations)] == citations
    assert [each.number for each in cited] == list(range(1, len(articles) + 1))
    holding = {each.number: each for each in cited}
    assert [holding[side.citation].article_id for side in sides] == [article.id for article in articles]
