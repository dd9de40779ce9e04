"""Finding the passages of an archive that are nearest to a question."""

from __future__ import annotations

import logging
import shutil
import threading
from pathlib import Path
from typing import Protocol

from rag.archive import Archive, closed_on_failure
from rag.embedding import Embedder
from rag.indexing import archive_facts, index_directory
from rag.passages import ScoredPassage
from rag.settings import Settings, load_settings
from rag.vectors import VectorIndex, publish

logger = logging.getLogger(__name__)


class Retriever(Protocol):
    """Anything that finds passages; hosts may bring their own."""

    def retrieve(self, question: str, *, k: int = 10) -> list[ScoredPassage]:
        """Give at most `k` passages, best first."""


class DenseRetriever:
    """Nearest passages by the cosine of their vectors with the question's; safe to use from several threads."""

    def __init__(self, archive: Archive, embedder: Embedder) -> None:
        self._archive = archive
        self._embedder = embedder
        self._lock = threading.Lock()
        self._directory: Path | None = None
        self._index: VectorIndex | None = None
        self._replaced: VectorIndex | None = None

    @classmethod
    def open(cls, archive: Path | None = None, settings: Settings | None = None) -> DenseRetriever:
        """Open an archive for search. Raises `ArchiveError` where it is missing or was made with another model."""
        settings = settings or load_settings()
        with closed_on_failure(Archive.open(archive or settings.archive)) as opened:
            opened.check_facts(archive_facts(settings))
            return cls(opened, Embedder.open(settings.model))

    def retrieve(self, question: str, *, k: int = 10) -> list[ScoredPassage]:
        """Give the at most `k` nearest passages; the score is the cosine similarity."""
        vector = self._embedder.embed_question(question)
        # A passage that has left the archive since its index was published is not found any more.
        nearest = self._current_index().nearest(vector, k)
        stored = self._archive.passages([number for number, _ in nearest])
        live = [(*stored[number], score) for number, score in nearest if number in stored]
        return [ScoredPassage(passage, article, rank, score) for rank, (passage, article, score) in enumerate(live, 1)]

    def close(self) -> None:
        """Release the archive and its index."""
        for index in (self._index, self._replaced):
            if index is not None:
                index.close()
        self._archive.close()

    def _current_index(self) -> VectorIndex:
        with self._lock:
            directory = index_directory(self._archive)
            if self._index is None or (directory != self._directory and directory.is_dir()):
                return self._replace_index(directory)
            return self._index

    def _replace_index(self, directory: Path) -> VectorIndex:
        # Another thread may still be asking the index that is replaced now, but not the one before it.
        if self._replaced is not None:
            self._replaced.close()
        opened = self._open_or_publish(directory)
        self._replaced, self._index, self._directory = self._index, opened, directory
        return opened

    def _open_or_publish(self, directory: Path) -> VectorIndex:
        """Open the index, made again from the stored vectors where a writer was stopped too early or it is damaged."""
        if directory.is_dir():
            try:
                return VectorIndex.open(directory)
            except Exception as error:  # noqa: BLE001 # what Chroma raises on damaged files has no list
                logger.warning("The index at %s is damaged (%s) and is made again.", directory, type(error).__name__)
                shutil.rmtree(directory, ignore_errors=True)
        publish(directory, self._archive.vectors())
        return VectorIndex.open(directory)
