from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import MetadataMode, NodeWithScore

from rag import Article, Copy, FilterError, Filters, Passage, QuestionError, Retriever, ScoredPassage, Settings
from rag.llamaindex import OnrecordRetriever
from rag.metadata import metadata_of

QUESTIONS = ["Why could Ward 7 reopen at night?", "What did Zarif say about missiles?", "Who was elected mayor?"]


@pytest.fixture(scope="module")
def retriever(sample_archive: Path) -> Iterator[Retriever]:
    with Retriever.open(sample_archive, Settings()) as opened:
        yield opened


def ids(nodes: list[NodeWithScore]) -> list[str]:
    return [node.node_id for node in nodes]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_nodes_are_the_passages_of_the_retriever_in_its_order(retriever: Retriever, question: str) -> None:
    passages = retriever.retrieve(question, k=7)

    nodes = OnrecordRetriever(retriever, k=7).retrieve(question)

    assert len(nodes) == 7
    assert [(node.text, node.score) for node in nodes] == [(each.passage.text, each.score) for each in passages]
    assert [(each.node.ref_doc_id, each.node.start_char_idx, each.node.end_char_idx) for each in nodes] == [
        (each.article.id, each.passage.start, each.passage.end) for each in passages
    ]


def test_a_node_says_where_it_comes_from_and_why(retriever: Retriever) -> None:
    found = retriever.retrieve(QUESTIONS[0], k=1)[0]
    assert found.meaning
    assert found.words

    node = OnrecordRetriever(retriever, k=1).retrieve(QUESTIONS[0])[0]

    assert node.node_id == f"{found.article.id}:{found.passage.start}-{found.passage.end}"
    assert json.loads(json.dumps(node.metadata)) == {
        "article_id": found.article.id,
        "title": "Ward 7 open at night again after seven months",
        "source": "The Halvenmouth Courier",
        "date": "2023-09-05",
        "url": found.article.url,
        "authors": ", ".join(found.article.authors),
        "section": found.article.section,
        "language": found.article.language,
        "start": found.passage.start,
        "end": found.passage.end,
        "rank": 1,
        "score": found.score,
        "meaning_rank": found.meaning.rank,
        "meaning_score": found.meaning.score,
        "words_rank": found.words.rank,
        "words_score": found.words.score,
        "also_in": [copy.article_id for copy in found.also_in],
    }


def test_copies_of_the_story_and_several_authors_are_named() -> None:
    article = Article("first", "Ferry stops", "The ferry stops.", authors=("Ada Lind", "Bo Reed"))
    copies = tuple(Copy(name, "Ferry stops", "", "", "") for name in ("copy", "later, with a comma"))

    metadata = metadata_of(ScoredPassage(Passage("first", 0, 16, article.text), article, 1, 0.5, also_in=copies))

    assert metadata["authors"] == "Ada Lind, Bo Reed"
    assert metadata["also_in"] == ["copy", "later, with a comma"]
    assert metadata["words_rank"] is None


def test_a_model_reads_the_text_with_its_title_outlet_and_date_only(retriever: Retriever) -> None:
    node = OnrecordRetriever(retriever, k=1).retrieve("Why could Ward 7 reopen at night?")[0].node

    shown = node.get_metadata_str(MetadataMode.LLM).splitlines()

    assert shown[:3] == [
        "title: Ward 7 open at night again after seven months",
        "source: The Halvenmouth Courier",
        "date: 2023-09-05",
    ]
    assert {line.partition(":")[0] for line in shown} <= {"title", "source", "date", "authors"}
    assert node.get_metadata_str(MetadataMode.EMBED).splitlines() == shown


def test_the_number_the_filters_and_the_day_are_passed_on(retriever: Retriever) -> None:
    filters = Filters(outlets=("Radio Halven",))
    passages = retriever.retrieve(QUESTIONS[0], k=4, filters=filters, as_of="2023-04-30")

    nodes = OnrecordRetriever(retriever, k=4, filters=filters, as_of="30 April 2023").retrieve(QUESTIONS[0])

    assert [node.text for node in nodes] == [each.passage.text for each in passages]
    assert len(nodes) == 4
    assert {node.metadata["source"] for node in nodes} == {"Radio Halven"}
    assert max(node.metadata["date"] for node in nodes) <= "2023-04-30"


def test_an_event_loop_gets_the_same_many_at_once(retriever: Retriever) -> None:
    adapter = OnrecordRetriever(retriever, k=5)

    async def ask() -> list[list[NodeWithScore]]:
        return list(await asyncio.gather(*(adapter.aretrieve(question) for question in QUESTIONS * 4)))

    assert asyncio.run(ask()) == [adapter.retrieve(question) for question in QUESTIONS] * 4


def test_many_threads_get_the_same_as_one(retriever: Retriever) -> None:
    adapter = OnrecordRetriever(retriever, k=5)

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(adapter.retrieve, QUESTIONS * 8))

    assert together == [adapter.retrieve(question) for question in QUESTIONS] * 8


def test_errors_come_through_as_they_are(retriever: Retriever) -> None:
    with pytest.raises(QuestionError, match="The question is empty. Ask one in words"):
        OnrecordRetriever(retriever).retrieve(" ")
    with pytest.raises(QuestionError, match="The question is empty. Ask one in words"):
        asyncio.run(OnrecordRetriever(retriever).aretrieve(" "))
    with pytest.raises(FilterError, match="'someday' is not one certain day. Write it like 2019-07-16."):
        OnrecordRetriever(retriever, as_of="someday").retrieve("ferry")


def test_a_query_engine_puts_the_passages_before_its_model(retriever: Retriever) -> None:
    engine = RetrieverQueryEngine.from_args(OnrecordRetriever(retriever, k=2), llm=MockLLM())

    answer = engine.query(QUESTIONS[0])  # the mock repeats what it was asked

    passages = retriever.retrieve(QUESTIONS[0], k=2)
    assert all(each.passage.text in answer.response for each in passages)
    assert "source: The Halvenmouth Courier" in answer.response
    assert "score" not in answer.response
    assert ids(answer.source_nodes) == ids(OnrecordRetriever(retriever, k=2).retrieve(QUESTIONS[0]))
