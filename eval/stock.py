"""The stock LlamaIndex pipeline, one phase in one process: `python -m eval.stock PHASE FOLDER MODEL`.

Both of its ways are here as LlamaIndex's documentation shows them: the quickstart (`VectorStoreIndex.from_documents`)
and the `IngestionPipeline` with a document store, which knows what it has read before. Prints its result as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chromadb
import chromadb.config
from llama_index.core import Document, SimpleDirectoryReader, StorageContext, VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore

from .timing import time_embedding, time_searches
from .workspace import Workspace

DOCUMENTS_AT_ONCE = 500

CHUNK_TOKENS = 256
OVERLAP_TOKENS = 20
K = 10


def build(workspace: Workspace, model: str) -> dict[str, Any]:
    """Index all articles as the quickstart does; run again, it does all of it again."""
    collection = _collection(workspace.stock)
    VectorStoreIndex.from_documents(
        _documents(workspace),
        storage_context=StorageContext.from_defaults(vector_store=_store(collection)),
        transformations=[_splitter()],
        embed_model=HuggingFaceEmbedding(model_name=model),
    )
    return {"rows": collection.count()}


def ingest(workspace: Workspace, model: str) -> dict[str, Any]:
    """Bring the index in step with the articles, by what the document store remembers of them."""
    collection = _collection(workspace.ingestion / "chroma")
    storage = workspace.ingestion / "storage"
    pipeline = IngestionPipeline(
        transformations=[_splitter(), HuggingFaceEmbedding(model_name=model)],
        vector_store=_store(collection),
        docstore=SimpleDocumentStore(),
        docstore_strategy=DocstoreStrategy.UPSERTS,
    )
    if storage.is_dir():
        pipeline.load(str(storage))
    documents = _documents(workspace)
    # All at once is more than Chroma takes in one call, and the pipeline does not part it.
    for start in range(0, len(documents), DOCUMENTS_AT_ONCE):
        pipeline.run(documents=documents[start : start + DOCUMENTS_AT_ONCE])
    pipeline.persist(str(storage))
    return {"rows": collection.count()}


def answer(workspace: Workspace, model: str) -> dict[str, Any]:
    """Open what the quickstart built and retrieve for one question."""
    found = _retriever(workspace, HuggingFaceEmbedding(model_name=model)).retrieve(workspace.read("questions")[0])
    return {"passages": [node.get_content() for node in found]}


def warm(workspace: Workspace, model: str) -> dict[str, Any]:
    """Time many questions to what the quickstart built, and the embedding of the cut texts."""
    embedding = HuggingFaceEmbedding(model_name=model)
    searches = time_searches(workspace, _retriever(workspace, embedding).retrieve)
    texts, question = embedding.get_text_embedding_batch, embedding.get_query_embedding
    return searches | time_embedding(workspace, "stock", texts, question)


PHASES: dict[str, Callable[[Workspace, str], dict[str, Any]]] = {
    "build": build,
    "ingest": ingest,
    "answer": answer,
    "warm": warm,
}


def _documents(workspace: Workspace) -> list[Document]:
    # By a relative path, as one writes it: it is embedded with every chunk, and a long one would make more of them.
    folder = workspace.articles.relative_to(workspace.folder)
    documents: list[Document] = SimpleDirectoryReader(str(folder), filename_as_id=True).load_data()
    return documents


def _splitter() -> SentenceSplitter:
    return SentenceSplitter(chunk_size=CHUNK_TOKENS, chunk_overlap=OVERLAP_TOKENS)


def _collection(directory: Path) -> chromadb.Collection:
    client = chromadb.PersistentClient(str(directory), chromadb.config.Settings(anonymized_telemetry=False))
    return client.get_or_create_collection("articles")


def _store(collection: chromadb.Collection) -> ChromaVectorStore:
    return ChromaVectorStore(chroma_collection=collection)


def _retriever(workspace: Workspace, embedding: HuggingFaceEmbedding) -> BaseRetriever:
    index = VectorStoreIndex.from_vector_store(_store(_collection(workspace.stock)), embed_model=embedding)
    return index.as_retriever(similarity_top_k=K)


def main(phase: str, folder: str, model: str) -> None:
    """Run one phase."""
    os.chdir(folder)
    print(json.dumps(PHASES[phase](Workspace(Path(folder)), model)))


if __name__ == "__main__":
    main(*sys.argv[1:])
