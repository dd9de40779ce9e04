"""The stock retriever of LlamaIndex over the passages of an archive: `python -m eval.stock_search PHASE FOLDER MODEL`.

The archive's own texts and vectors are put into its Chroma, so that both sides search the same. Prints its result as
JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chromadb
import chromadb.config
from llama_index.core import VectorStoreIndex
from llama_index.core.schema import TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore

from rag.archive import Archive

from .turns import answer_turns
from .workspace import Workspace

K = 10
NODES_AT_ONCE = 2000


def build(workspace: Workspace, model: str) -> dict[str, Any]:  # noqa: ARG001 # one form for all phases
    """Put all passages with their vectors into the store, as LlamaIndex does."""
    store = _store(workspace)
    with Archive.open(workspace.ours) as archive:
        for nodes in _nodes(archive):
            store.add(nodes)
    return {"rows": store.client.count()}


def turns(workspace: Workspace, model: str) -> dict[str, Any]:
    """Answer in turn with another side."""
    embedding = HuggingFaceEmbedding(model_name=model)
    index = VectorStoreIndex.from_vector_store(_store(workspace), embed_model=embedding)
    answer_turns(index.as_retriever(similarity_top_k=K).retrieve)
    return {}


def _nodes(archive: Archive) -> Iterator[list[TextNode]]:
    batches = zip(archive.passages_after(0, NODES_AT_ONCE), archive.vectors(batch=NODES_AT_ONCE), strict=True)
    for found, (_, matrix) in batches:
        yield [
            TextNode(
                id_=str(number),
                text=passage.text,
                metadata={"title": article.title, "source": article.source, "date": article.date},
                embedding=vector.tolist(),
            )
            for (number, passage, article), vector in zip(found, matrix, strict=True)
        ]


def _store(workspace: Workspace) -> ChromaVectorStore:
    client = chromadb.PersistentClient(str(workspace.stock), chromadb.config.Settings(anonymized_telemetry=False))
    return ChromaVectorStore(chroma_collection=client.get_or_create_collection("articles"))


PHASES: dict[str, Callable[[Workspace, str], dict[str, Any]]] = {"build": build, "turns": turns}


def main(phase: str, folder: str, model: str) -> None:
    """Run one phase."""
    print(json.dumps(PHASES[phase](Workspace(Path(folder)), model)))


if __name__ == "__main__":
    main(*sys.argv[1:])
