"""Bringing articles into an archive: cut, embedded and stored together, then published for search."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from filelock import BaseFileLock, FileLock, Timeout

from rag import vectors
from rag.archive import Archive, Entry
from rag.articles import Article
from rag.chunking import MAXIMUM_TOKENS, SPLITTER, embedded_text, split_article
from rag.embedding import Embedder
from rag.errors import ArchiveError
from rag.settings import Settings, load_settings

BATCH_ARTICLES = 16
LOCK_NAME = "writer.lock"
VECTORS_NAME = "vectors"

T = TypeVar("T")
Announce = Callable[[str], None]


def _say_nothing(_: str) -> None:
    pass


def archive_facts(settings: Settings) -> dict[str, str]:
    """Say what an archive must have been made with to fit these settings."""
    return {"model": settings.model, "splitter": SPLITTER}


def index_articles(
    articles: Iterable[Article], archive: Path | None = None, settings: Settings | None = None, *, origin: str = "host"
) -> int:
    """Add articles from a host application to an archive, made first where there is none; give how many were new.

    An article that is there already is left alone, one of the same id with other content is replaced.
    """
    settings = settings or load_settings()
    with writing(archive or settings.archive, settings) as indexer:
        return sum(indexer.put(batch, origin) for batch in batched(articles, BATCH_ARTICLES))


@contextmanager
def writing(directory: Path, settings: Settings, announce: Announce = _say_nothing) -> Iterator[Indexer]:
    """Hold an archive for writing, made first where there is none, and publish it for search at the end.

    Raises `ArchiveError` where another process is writing to it.
    """
    lock = _lock(directory)
    try:
        archive = Archive.create(directory, archive_facts(settings))
        try:
            indexer = Indexer(archive, settings, announce)
            yield indexer
            indexer.publish()
        finally:
            archive.close()
    finally:
        lock.release()


def _lock(directory: Path) -> BaseFileLock:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory / LOCK_NAME)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ArchiveError(
            f"Another process is writing to the archive at {directory}. Wait for it to finish, then run this again."
        ) from error
    except OSError as error:
        raise ArchiveError(
            f"The archive at {directory} cannot be written ({error.strerror}). "
            "Choose another folder with --archive or ONRECORD_ARCHIVE."
        ) from error
    return lock


class Indexer:
    """Puts articles into one archive; the embedding model is loaded only when there is something to embed."""

    def __init__(self, archive: Archive, settings: Settings, announce: Announce) -> None:
        self.archive = archive
        self._announce = announce
        self._settings = settings
        self._embedder: Embedder | None = None

    def put(self, articles: Iterable[Article], origin: str) -> int:
        """Add the articles of one file in one transaction; give how many were not there as they are."""
        given = {article.id: article for article in articles}
        stored = self.archive.digests(list(given))
        fresh = [article for article in given.values() if stored.get(article.id) != article.digest()]
        self.archive.also_from(given.keys() & stored.keys(), origin)
        if fresh:
            self.archive.put(self._entries(fresh), origin)
        return len(fresh)

    def publish(self) -> None:
        """Make the index for the archive as it is now, unless it is there, and remove those of earlier states."""
        directory = index_directory(self.archive)
        if not directory.is_dir():
            self._announce("Publishing the index")
            vectors.publish(directory, self.archive.vectors())
        vectors.sweep(directory)

    def _entries(self, articles: list[Article]) -> list[Entry]:
        embedder = self._open_embedder()
        limit = min(MAXIMUM_TOKENS, embedder.maximum_tokens or MAXIMUM_TOKENS)
        cut = [tuple(split_article(article, embedder.count_tokens, limit)) for article in articles]
        texts = [
            embedded_text(article, passage.text)
            for article, passages in zip(articles, cut, strict=True)
            for passage in passages
        ]
        borders = np.cumsum([len(passages) for passages in cut])[:-1]
        parts = np.split(embedder.embed_passages(texts), borders)
        return [Entry(*entry) for entry in zip(articles, cut, parts, strict=True)]

    def _open_embedder(self) -> Embedder:
        if self._embedder is None:
            self._announce("Loading the embedding model")
            self._embedder = Embedder.open(self._settings.model)
        return self._embedder


def index_directory(archive: Archive) -> Path:
    """Say where the vector index for the present state of an archive is published."""
    return archive.directory / VECTORS_NAME / f"{archive.revision:08d}"


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of at most `size` items."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
