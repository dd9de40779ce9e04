"""Retrieval for LangChain: the passages of an archive as documents, for any of its chains and agents.

LangChain is an extra: `pip install 'onrecord[langchain]'`. It sends what it runs to LangSmith where the environment of
the host says so (`LANGSMITH_TRACING=true`), else nowhere.
"""

from __future__ import annotations

from typing import Any

from rag.errors import RagError
from rag.filters import Day, Filters
from rag.metadata import metadata_of, passage_id
from rag.passages import ScoredPassage
from rag.retrieval import Retriever


class LangChainMissing(RagError, ImportError):
    """LangChain is not installed."""


try:
    from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
except ModuleNotFoundError as error:
    if error.name != "langchain_core":  # it is there, and something in it is broken
        raise
    needed = "This retriever needs LangChain. Install it with: pip install 'onrecord[langchain]'"
    raise LangChainMissing(needed, name=error.name) from error


class OnrecordRetriever(BaseRetriever, extra="forbid"):
    """A LangChain retriever over an archive: `OnrecordRetriever(Retriever.open("archive"), k=5)`.

    One may serve many threads and event loops. It is cheap to make, so make one for each reader whose filters or day
    (`as_of`) differ, or name these as `configurable_fields`; the `Retriever` is shared, and stays yours to close. Its
    errors come through as they are: `QuestionError`, `FilterError` and the other kinds of `RagError`.
    """

    retriever: Retriever
    k: int
    filters: Filters | None
    as_of: Day

    def __init__(
        self, retriever: Retriever, *, k: int = 10, filters: Filters | None = None, as_of: Day = None, **others: Any
    ) -> None:
        """Take the options of a search; `others` are those of every LangChain retriever, such as `tags`."""
        super().__init__(retriever=retriever, k=k, filters=filters, as_of=as_of, **others)  # type: ignore[call-arg] # pydantic's

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 # LangChain's signature
    ) -> list[Document]:
        return _documents(self.retriever.retrieve(query, k=self.k, filters=self.filters, as_of=self.as_of))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002 # LangChain's signature
    ) -> list[Document]:
        return _documents(await self.retriever.aretrieve(query, k=self.k, filters=self.filters, as_of=self.as_of))


def _documents(passages: list[ScoredPassage]) -> list[Document]:
    return [
        Document(found.passage.text, id=passage_id(found.passage), metadata=metadata_of(found)) for found in passages
    ]
