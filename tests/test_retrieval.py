from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from rag import Article, Chatbot, Settings, index_articles
from rag.archive import Archive
from rag.embedding import Embedder
from rag.generations import VECTORS
from rag.retrieval import Retriever


@pytest.fixture
def copied(small_archive: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_archive, tmp_path / "copied"))


def test_the_nearest_passage_comes_first_with_its_article(small_archive: Path, articles: list[Article]) -> None:
    with closing(Retriever.open(small_archive, Settings())) as retriever:
        found = retriever.retrieve("birds in a mill", k=5)

    assert [hit.rank for hit in found] == [1, 2]
    assert found[0].article == articles[0]
    assert found[0].passage.text == articles[0].text
    assert found[0].score > found[1].score


def test_no_more_passages_come_than_were_asked_for(small_archive: Path) -> None:
    with closing(Retriever.open(small_archive, Settings())) as retriever:
        assert len(retriever.retrieve("Ferrow", k=1)) == 1


def test_without_a_generation_the_stored_vectors_are_searched(copied: Path, embedder: Embedder) -> None:
    with closing(Retriever(Archive.open(copied), embedder)) as retriever:
        expected = retriever.retrieve("owls", k=2)
    shutil.rmtree(copied / VECTORS)

    with closing(Retriever(Archive.open(copied), embedder)) as retriever:
        found = retriever.retrieve("owls", k=2)

    assert [hit.passage for hit in found] == [hit.passage for hit in expected]
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-5)
    assert not (copied / VECTORS).exists()


def test_an_article_that_left_is_not_found_although_the_index_still_has_it(copied: Path, embedder: Embedder) -> None:
    with closing(Retriever(Archive.open(copied), embedder)) as retriever:
        assert retriever.retrieve("owls", k=1)[0].article.id == "owl"

        with Archive.open(copied) as archive:
            archive.drop([article.id for article in archive.newest(10)])

        assert retriever.retrieve("owls", k=5) == []


def test_a_running_retriever_finds_what_another_writer_published(copied: Path, embedder: Embedder) -> None:
    with closing(Retriever(Archive.open(copied), embedder)) as retriever:
        assert retriever.retrieve("trains", k=1)[0].article.id != "train"

        index_articles([Article("train", "Night train", "A night train runs to Ferrow again.")], copied, Settings())

        assert retriever.retrieve("trains", k=1)[0].article.id == "train"


def test_many_threads_get_the_same_answers_as_one(chatbot: Chatbot) -> None:
    questions = ["What did Zarif say about missiles?", "Why did Marlach resign?", "Who was elected mayor?"] * 8
    alone = {question: chatbot.search(question, 3) for question in set(questions)}

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda question: chatbot.search(question, 3), questions))

    assert together == [alone[question] for question in questions]
