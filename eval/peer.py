"""The peers: other systems that find passages, each as its own documentation has it, over our articles and our model.

What differs between them is the pipeline alone: how texts are cut, stored and searched.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rag.articles import Article
from rag.embedding import Embedder

from .errors import EvalError

# What goes through a peer in one piece: Chroma refuses more than some 5,400 records, and memory is to stay bounded.
ARTICLES_AT_ONCE = 50
CHUNKS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that a peer found, with its text as the peer gives it; the greater the score, the better.

    Scores are on each peer's own scale.
    """

    article_id: str
    text: str
    score: float


class Peer(Protocol):
    """Another system, open over the chunks in one folder."""

    def add(self, articles: Iterable[Article]) -> int:
        """Cut, embed and store articles that are not there yet, and give the number of their chunks."""

    def search(self, question: str, k: int) -> list[Found]:
        """Give at most `k` chunks, best first; several may be of one article."""

    def close(self) -> None:
        """Release the files; the peer cannot be used afterwards."""


@dataclass(frozen=True, slots=True)
class KnownPeer:
    """A peer that can be opened by its name, and the distributions without which it cannot."""

    name: str
    title: str
    words: str
    distributions: tuple[str, ...]
    module: str
    kind: str

    def versions(self) -> dict[str, str]:
        """Give the version of every distribution that is installed, without importing any."""
        found = {name: _version(name) for name in self.distributions}
        return {name: version for name, version in found.items() if version}

    def missing(self) -> list[str]:
        """Name the distributions that are not installed."""
        installed = self.versions()
        return [name for name in self.distributions if name not in installed]


KNOWN_PEERS = (
    KnownPeer(
        "llamaindex",
        "LlamaIndex",
        "VectorStoreIndex over Chroma, SentenceSplitter of 256 tokens, title, source and date embedded with each chunk",
        ("llama-index-core", "llama-index-vector-stores-chroma", "chromadb"),
        "peer_llamaindex",
        "LlamaIndexPeer",
    ),
    KnownPeer(
        "langchain",
        "LangChain",
        "Chroma vector store, RecursiveCharacterTextSplitter of 256 tokens",
        ("langchain-core", "langchain-chroma", "langchain-text-splitters", "chromadb"),
        "peer_langchain",
        "LangChainPeer",
    ),
    KnownPeer(
        "haystack",
        "Haystack",
        "ChromaDocumentStore, DocumentSplitter of 200 words",
        ("haystack-ai", "chroma-haystack", "chromadb"),
        "peer_haystack",
        "HaystackPeer",
    ),
    KnownPeer(
        "txtai",
        "txtai",
        "Embeddings with content over Faiss and SQLite, Segmentation into paragraphs",
        ("txtai", "faiss-cpu"),
        "peer_txtai",
        "TxtaiPeer",
    ),
)


def installed_peers() -> list[KnownPeer]:
    """Give the peers that can be opened here."""
    return [known for known in KNOWN_PEERS if not known.missing()]


def open_peer(name: str, folder: Path, embedder: Embedder) -> Peer:
    """Open what a peer has stored in a folder, or begin anew there. Raises `EvalError` where it is not installed."""
    known = _known(name)
    if missing := " and ".join(known.missing()):
        raise EvalError(f'{known.title} needs {missing}. Install it with: pip install "onrecord[peers]"')
    folder.mkdir(parents=True, exist_ok=True)
    module = importlib.import_module(f".{known.module}", __package__)
    peer: Peer = getattr(module, known.kind)(folder, embedder)
    return peer


def text_of(article: Article) -> str:
    """Give what every peer reads of an article: its title, a blank line and its text."""
    return f"{article.title}\n\n{article.text}" if article.title else article.text


def metadata_of(article: Article) -> dict[str, str]:
    """Give what a peer stores beside each chunk of an article."""
    return {"article_id": article.id, "title": article.title, "source": article.source, "date": article.date}


def _known(name: str) -> KnownPeer:
    for known in KNOWN_PEERS:
        if known.name == name:
            return known
    raise EvalError(f"There is no peer {name!r}. Choose from {', '.join(known.name for known in KNOWN_PEERS)}.")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
