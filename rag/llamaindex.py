"""Retrieval for LlamaIndex: the passages of an archive as nodes, for any of its query and chat engines."""

from __future__ import annotations

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeRelationship, NodeWithScore, ObjectType, QueryBundle, RelatedNodeInfo, TextNode

from rag.filters import Day, Filters
from rag.metadata import metadata_of, passage_id
from rag.passages import ScoredPassage
from rag.retrieval import Retriever

SHOWN = ("title", "source", "date", "authors")  # what a model reads beside the text; numbers and ids would mislead it


class OnrecordRetriever(BaseRetriever):  # type: ignore[misc] # the types of llama-index are not followed
    """A LlamaIndex retriever over an archive: `OnrecordRetriever(Retriever.open("archive"), k=5)`.

    One may serve many threads and event loops. It is cheap to make, so make one for each reader whose filters or day
    (`as_of`) differ; they share the `Retriever`, which stays yours to close. Its errors come through as they are:
    `QuestionError`, `FilterError` and the other kinds of `RagError`.
    """

    def __init__(self, retriever: Retriever, *, k: int = 10, filters: Filters | None = None, as_of: Day = None) -> None:
        super().__init__()
        self._retriever = retriever
        self._k = k
        self._filters = filters
        self._as_of = as_of

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        question = query_bundle.query_str
        return _nodes(self._retriever.retrieve(question, k=self._k, filters=self._filters, as_of=self._as_of))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        question = query_bundle.query_str
        return _nodes(await self._retriever.aretrieve(question, k=self._k, filters=self._filters, as_of=self._as_of))


def _nodes(passages: list[ScoredPassage]) -> list[NodeWithScore]:
    return [NodeWithScore(node=_node(found), score=found.score) for found in passages]


def _node(found: ScoredPassage) -> TextNode:
    metadata = metadata_of(found)
    hidden = [name for name, value in metadata.items() if name not in SHOWN or not value]
    return TextNode(
        id_=passage_id(found.passage),
        text=found.passage.text,
        start_char_idx=found.passage.start,
        end_char_idx=found.passage.end,
        metadata=metadata,
        excluded_llm_metadata_keys=hidden,
        excluded_embed_metadata_keys=hidden,
        relationships={
            NodeRelationship.SOURCE: RelatedNodeInfo(node_id=found.article.id, node_type=ObjectType.DOCUMENT)
        },
    )
