"""LlamaIndex as a peer: `VectorStoreIndex` over Chroma, as its quickstart has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import chromadb
import chromadb.config
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import BaseNode
from llama_index.core.utils import get_tokenizer
from llama_index.vector_stores.chroma import ChromaVectorStore

from rag.articles import Article
from rag.embedding import Embedder
from rag.indexing import batched

from .peer import CHUNKS_AT_ONCE, Found, metadata_of, text_of

CHUNK_TOKENS = 256
OVERLAP_TOKENS = 20
# LlamaIndex takes the metadata off the size of each chunk, and stops at an article where nothing is left.
METADATA_TOKENS = CHUNK_TOKENS // 2


class LlamaIndexPeer:
    """A `VectorStoreIndex` in a Chroma of its own."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        settings = chromadb.config.Settings(_env_file=None, anonymized_telemetry=False)  # type: ignore[call-arg]
        self._client = chromadb.PersistentClient(str(folder), settings)
        self._splitter = SentenceSplitter(chunk_size=CHUNK_TOKENS, chunk_overlap=OVERLAP_TOKENS)
        self._index = VectorStoreIndex.from_vector_store(
            ChromaVectorStore(chroma_collection=self._client.get_or_create_collection("articles")),
            embed_model=_OurEmbedding(embedder),
        )

    def add(self, articles: Iterable[Article]) -> int:
        """Cut, embed and store articles, and give the number of their chunks."""
        count = 0
        for nodes in batched(self._cut(articles), CHUNKS_AT_ONCE):
            self._index.insert_nodes(nodes)
            count += len(nodes)
        return count

    def search(self, question: str, k: int) -> list[Found]:
        """Give at most `k` chunks, best first."""
        found = self._index.as_retriever(similarity_top_k=k).retrieve(question)
        return [Found(each.node.ref_doc_id, each.node.get_content(), each.score) for each in found]

    def close(self) -> None:
        """Release the files."""
        self._client.close()  # type: ignore[attr-defined] # the class that is returned has it

    def _cut(self, articles: Iterable[Article]) -> Iterator[BaseNode]:
        for article in articles:
            yield from self._splitter.get_nodes_from_documents([_document(article)])


class _OurEmbedding(BaseEmbedding):  # type: ignore[misc] # the types of llama-index are not followed
    """Our model in LlamaIndex's terms."""

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(model_name="onrecord", embed_batch_size=CHUNKS_AT_ONCE)
        self._embedder = embedder

    def _get_query_embedding(self, query: str) -> list[float]:
        vector: list[float] = self._embedder.embed_question(query).tolist()
        return vector

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed_passages(texts).tolist()
        return vectors


def _document(article: Article) -> Document:
    # LlamaIndex embeds the metadata with every chunk; the id has a place of its own, where it is not.
    known = {name: value for name, value in metadata_of(article).items() if value and name != "article_id"}
    document = Document(id_=article.id, text=text_of(article), metadata=known)
    if len(get_tokenizer()(document.get_metadata_str())) > METADATA_TOKENS:
        document.metadata = {}
    return document
