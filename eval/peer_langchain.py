"""LangChain as a peer: its Chroma vector store and its recursive text splitter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import chromadb
import chromadb.config
from langchain_chroma import Chroma
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag.articles import Article
from rag.embedding import Embedder
from rag.indexing import batched

from .peer import CHUNKS_AT_ONCE, Found, metadata_of, text_of

CHUNK_TOKENS = 256
OVERLAP_TOKENS = 20


class LangChainPeer:
    """A `Chroma` vector store; called without a chain, it has nothing that LangSmith could trace."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        settings = chromadb.config.Settings(_env_file=None, anonymized_telemetry=False)  # type: ignore[call-arg]
        self._client = chromadb.PersistentClient(str(folder), settings)
        self._store = Chroma(client=self._client, embedding_function=_OurEmbeddings(embedder))
        self._splitter = RecursiveCharacterTextSplitter(
            chunk_size=CHUNK_TOKENS,
            chunk_overlap=OVERLAP_TOKENS,
            length_function=lambda text: embedder.count_tokens([text])[0],
        )

    def add(self, articles: Iterable[Article]) -> int:
        """Cut, embed and store articles, and give the number of their chunks."""
        return sum(len(self._store.add_documents(chunks)) for chunks in batched(self._cut(articles), CHUNKS_AT_ONCE))

    def search(self, question: str, k: int) -> list[Found]:
        """Give at most `k` chunks, best first; the score is the cosine."""
        found = self._store.similarity_search_with_score(question, k=k)
        # Chroma gives the squared distance of unit vectors.
        return [Found(chunk.metadata["article_id"], chunk.page_content, 1 - distance / 2) for chunk, distance in found]

    def close(self) -> None:
        """Release the files."""
        self._client.close()  # type: ignore[attr-defined] # the class that is returned has it

    def _cut(self, articles: Iterable[Article]) -> Iterator[Document]:
        for article in articles:
            yield from self._splitter.split_documents([Document(text_of(article), metadata=metadata_of(article))])


class _OurEmbeddings(Embeddings):
    """Our model in LangChain's terms."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed_passages(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        vector: list[float] = self._embedder.embed_question(text).tolist()
        return vector
