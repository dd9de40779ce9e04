from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import ConfigurableField
from langsmith.utils import tracing_is_enabled
from pydantic import ValidationError

from rag import FilterError, Filters, QuestionError, Retriever, Settings
from rag.langchain import OnrecordRetriever
from tests.test_shape import ROOT

QUESTIONS = ["Why could Ward 7 reopen at night?", "What did Zarif say about missiles?", "Who was elected mayor?"]
# First LangChain is not there, then a library that it needs.
WITHOUT = """
import sys
from rag import RagError

class Missing:
    def __init__(self, library):
        self.library = library
    def find_spec(self, name, path=None, target=None):
        if name == self.library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for library in ("langchain_core", "langsmith"):
    sys.meta_path.insert(0, Missing(library))
    try:
        import rag.langchain
    except ImportError as error:
        print(isinstance(error, RagError), error)
    del sys.meta_path[0]
"""


@pytest.fixture(autouse=True)
def _no_tracing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("LANGSMITH_", "LANGCHAIN_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def retriever(sample_archive: Path) -> Iterator[Retriever]:
    with Retriever.open(sample_archive, Settings()) as opened:
        yield opened


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_documents_are_the_passages_of_the_retriever_in_its_order(retriever: Retriever, question: str) -> None:
    passages = retriever.retrieve(question, k=7)

    documents = OnrecordRetriever(retriever, k=7).invoke(question)

    assert len(documents) == 7
    assert [document.page_content for document in documents] == [each.passage.text for each in passages]
    assert [document.id for document in documents] == [
        f"{each.article.id}:{each.passage.start}-{each.passage.end}" for each in passages
    ]
    assert [document.metadata["score"] for document in documents] == [each.score for each in passages]


def test_a_document_says_where_it_comes_from_and_why(retriever: Retriever) -> None:
    found = retriever.retrieve(QUESTIONS[0], k=1)[0]

    (document,) = OnrecordRetriever(retriever, k=1).invoke(QUESTIONS[0])

    about = document.metadata
    assert (about["title"], about["source"], about["date"], about["rank"]) == (
        "Ward 7 open at night again after seven months",
        "The Halvenmouth Courier",
        "2023-09-05",
        1,
    )
    assert found.article.text[about["start"] : about["end"]] == document.page_content
    assert Document.model_validate_json(document.model_dump_json()) == document


def test_the_number_the_filters_and_the_day_are_passed_on(retriever: Retriever) -> None:
    filters = Filters(outlets=("Radio Halven",))
    passages = retriever.retrieve(QUESTIONS[0], k=4, filters=filters, as_of="2023-04-30")

    documents = OnrecordRetriever(retriever, k=4, filters=filters, as_of="30 April 2023").invoke(QUESTIONS[0])

    assert [document.page_content for document in documents] == [each.passage.text for each in passages]
    assert len(documents) == 4
    assert {document.metadata["source"] for document in documents} == {"Radio Halven"}
    assert max(document.metadata["date"] for document in documents) <= "2023-04-30"


def test_one_chain_serves_readers_with_filters_of_their_own(retriever: Retriever) -> None:
    shared = OnrecordRetriever(retriever, k=3).configurable_fields(filters=ConfigurableField(id="filters"))
    filters = Filters(outlets=("Radio Halven",))

    documents = shared.invoke(QUESTIONS[0], {"configurable": {"filters": filters}})

    assert documents == OnrecordRetriever(retriever, k=3, filters=filters).invoke(QUESTIONS[0])
    assert shared.invoke(QUESTIONS[0]) == OnrecordRetriever(retriever, k=3).invoke(QUESTIONS[0])


def test_an_event_loop_gets_the_same_many_at_once(retriever: Retriever) -> None:
    adapter = OnrecordRetriever(retriever, k=5)

    assert asyncio.run(adapter.abatch(QUESTIONS * 4)) == [adapter.invoke(question) for question in QUESTIONS] * 4


def test_many_threads_get_the_same_as_one(retriever: Retriever) -> None:
    adapter = OnrecordRetriever(retriever, k=5)

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(adapter.invoke, QUESTIONS * 8))

    assert together == [adapter.invoke(question) for question in QUESTIONS] * 8


def test_errors_come_through_as_they_are(retriever: Retriever) -> None:
    with pytest.raises(QuestionError, match="The question is empty. Ask one in words"):
        OnrecordRetriever(retriever).invoke(" ")
    with pytest.raises(QuestionError, match="The question is empty. Ask one in words"):
        asyncio.run(OnrecordRetriever(retriever).ainvoke(" "))
    with pytest.raises(FilterError, match="'someday' is not one certain day. Write it like 2019-07-16."):
        OnrecordRetriever(retriever, as_of="someday").invoke("ferry")


def test_an_option_that_there_is_not_is_refused(retriever: Retriever) -> None:
    assert OnrecordRetriever(retriever, tags=["news"]).tags == ["news"]
    with pytest.raises(ValidationError, match="filter\n  Extra inputs are not permitted"):
        OnrecordRetriever(retriever, filter=Filters())


def test_nothing_is_traced_unless_somebody_asks_for_it(retriever: Retriever) -> None:
    OnrecordRetriever(retriever).invoke("ferry")

    assert tracing_is_enabled() is False


def test_only_where_langchain_is_missing_the_error_says_how_to_install_it() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, check=True)

    missing, broken = done.stdout.splitlines()
    assert missing == "True This retriever needs LangChain. Install it with: pip install 'onrecord[langchain]'"
    assert broken.startswith("False ")
    assert "No module named 'langsmith'" in broken
