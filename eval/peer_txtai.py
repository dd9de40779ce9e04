"""txtai as a peer: an `Embeddings` database with content, over texts that its `Segmentation` parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

# txtai imports ONNX Runtime, which tells a server of Microsoft so unless this is set before.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from txtai.embeddings import Embeddings
from txtai.pipeline import Segmentation

from rag.articles import Article
from rag.embedding import Embedder
from rag.inference import Vectors

from .peer import Found, metadata_of, text_of

INDEX = "index"
QUERY = "select article_id, text, score from txtai where similar(:question)"


class TxtaiPeer:
    """An `Embeddings` database: vectors in Faiss, content in SQLite."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._embedder = embedder
        self._path = str(folder / INDEX)
        self._segmentation = Segmentation(paragraphs=True)
        external = {"method": "external", "transform": _transform(embedder)}
        self._embeddings = Embeddings(**external, content=True)
        if self._embeddings.exists(self._path):
            self._embeddings.load(self._path, config=external)

    def add(self, articles: Iterable[Article]) -> int:
        """Cut, embed and store articles, and give the number of their chunks."""
        before = self._count()
        # All in one call: the cells of the vector index are made for the chunks of the first one.
        self._embeddings.upsert(self._cut(articles))
        self._embeddings.save(self._path)
        return self._count() - before

    def search(self, question: str, k: int) -> list[Found]:
        """Give at most `k` chunks, best first; the score is the cosine, and txtai leaves out what has none above 0."""
        if not self._count():  # txtai refuses to search what is empty
            return []
        # A vector is taken as it is, so that a question is embedded as one.
        vector = self._embedder.embed_question(question)
        rows = self._embeddings.search(QUERY, limit=k, parameters={"question": vector})
        return [Found(row["article_id"], row["text"], row["score"]) for row in rows]

    def close(self) -> None:
        """Release the files."""
        self._embeddings.close()

    def _count(self) -> int:
        return int(self._embeddings.count() or 0)

    def _cut(self, articles: Iterable[Article]) -> Iterator[dict[str, Any]]:
        for article in articles:
            for text in self._segmentation(text_of(article)):
                yield {"text": text, **metadata_of(article)}


def _transform(embedder: Embedder) -> Callable[[list[str]], Vectors]:
    # txtai would call anything but a plain function to get one.
    def embed(texts: list[str]) -> Vectors:
        return embedder.embed_passages(texts)

    return embed
