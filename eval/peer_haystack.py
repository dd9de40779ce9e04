"""Haystack as a peer: a pipeline that indexes into its Chroma store, and one that retrieves from it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path

# Read once, when Haystack is imported: without it, every run of a pipeline is reported to a server.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from haystack import Document, Pipeline, component
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.writers import DocumentWriter
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.components.retrievers.chroma import ChromaEmbeddingRetriever
from haystack_integrations.document_stores.chroma import ChromaDocumentStore

from rag.articles import Article
from rag.embedding import Embedder
from rag.indexing import batched

from .peer import ARTICLES_AT_ONCE, Found, metadata_of, text_of

CHUNK_WORDS = 200


class HaystackPeer:
    """Two Haystack pipelines over one `ChromaDocumentStore`."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        settings = {"_env_file": None, "anonymized_telemetry": False}
        self._store = ChromaDocumentStore(persist_path=str(folder), client_settings=settings)
        self._indexing = _indexing(self._store, embedder)
        self._querying = _querying(self._store, embedder)

    def add(self, articles: Iterable[Article]) -> int:
        """Cut, embed and store articles, and give the number of their chunks."""
        return sum(self._put(batch) for batch in batched(articles, ARTICLES_AT_ONCE))

    def search(self, question: str, k: int) -> list[Found]:
        """Give at most `k` chunks, best first; the score is the cosine."""
        run = self._querying.run({"embedder": {"text": question}, "retriever": {"top_k": k}})
        found: list[Document] = run["retriever"]["documents"]
        # Chroma gives the squared distance of unit vectors.
        return [Found(each.meta["article_id"], each.content or "", 1 - (each.score or 0) / 2) for each in found]

    def close(self) -> None:
        """Release the files."""
        self._store.close()

    def _put(self, articles: list[Article]) -> int:
        documents = [Document(content=text_of(article), meta=metadata_of(article)) for article in articles]
        return int(self._indexing.run({"splitter": {"documents": documents}})["writer"]["documents_written"])


@component
class _PassageEmbedder:
    """Our model as a component that embeds documents."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, list[Document]]:
        vectors = self._embedder.embed_passages([document.content or "" for document in documents]).tolist()
        pairs = zip(documents, vectors, strict=True)
        return {"documents": [dataclasses.replace(document, embedding=vector) for document, vector in pairs]}


@component
class _QuestionEmbedder:
    """Our model as a component that embeds a question."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @component.output_types(embedding=list[float])
    def run(self, text: str) -> dict[str, list[float]]:
        return {"embedding": self._embedder.embed_question(text).tolist()}


def _indexing(store: ChromaDocumentStore, embedder: Embedder) -> Pipeline:
    pipeline = Pipeline()
    pipeline.add_component("splitter", DocumentSplitter(split_by="word", split_length=CHUNK_WORDS))
    pipeline.add_component("embedder", _PassageEmbedder(embedder))
    pipeline.add_component("writer", DocumentWriter(store, DuplicatePolicy.OVERWRITE))
    pipeline.connect("splitter.documents", "embedder.documents")
    pipeline.connect("embedder.documents", "writer.documents")
    return pipeline


def _querying(store: ChromaDocumentStore, embedder: Embedder) -> Pipeline:
    pipeline = Pipeline()
    pipeline.add_component("embedder", _QuestionEmbedder(embedder))
    pipeline.add_component("retriever", ChromaEmbeddingRetriever(store))
    pipeline.connect("embedder.embedding", "retriever.query_embedding")
    return pipeline
