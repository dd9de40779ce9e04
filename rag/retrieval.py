"""Finding the passages of an archive that are nearest to a question."""

from __future__ import annotations

import heapq
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.archive import MADE_WITH, Archive, Found, closed_on_failure
from rag.embedding import Embedder
from rag.generations import Generation, current_mark, open_current
from rag.indexing import facts_for
from rag.passages import ScoredPassage
from rag.scanning import ExactIndex
from rag.settings import Settings, load_settings

logger = logging.getLogger(__name__)

Hit = tuple[int, float]

PATIENCE = 10  # how often a search is begun anew that a writer got ahead of


class Retriever(Protocol):
    """Anything that finds passages; hosts may bring their own."""

    def retrieve(self, question: str, *, k: int = 10) -> list[ScoredPassage]:
        """Give at most `k` passages, best first."""


@dataclass(frozen=True, slots=True)
class _Searched:
    """What is searched for one state of an archive: a generation, and exactly what came after it."""

    revision: int
    mark: str
    generation: Generation | None
    newer: ExactIndex

    def nearest(self, vector: NDArray[np.float32], k: int) -> list[Hit]:
        published = self.generation.nearest(vector, k) if self.generation else []
        return heapq.nlargest(k, [*published, *self.newer.nearest(vector, k)], key=lambda hit: hit[1])


class DenseRetriever:
    """Nearest passages by the cosine of their vectors with the question's; safe to use from several threads."""

    def __init__(self, archive: Archive, embedder: Embedder) -> None:
        self._archive = archive
        self._embedder = embedder
        self._facts = archive.facts
        self._lock = threading.Lock()
        self._searched: _Searched | None = None
        self._replaced: Generation | None = None

    @classmethod
    def open(cls, archive: Path | None = None, settings: Settings | None = None) -> DenseRetriever:
        """Open an archive for search. Raises `ArchiveError` where it is missing or was made with another model."""
        settings = settings or load_settings()
        with closed_on_failure(Archive.open(archive or settings.archive)) as opened:
            opened.check_facts(facts_for(opened.directory, settings))
            return cls(opened, Embedder.open(settings.model))

    def retrieve(self, question: str, *, k: int = 10) -> list[ScoredPassage]:
        """Give the at most `k` nearest passages; the score is the cosine similarity."""
        found = self._live(self._embedder.embed_question(question), k)
        return [ScoredPassage(passage, article, rank, score) for rank, (passage, article, score) in enumerate(found, 1)]

    def close(self) -> None:
        """Release the archive and its index."""
        searched = self._searched.generation if self._searched else None
        for generation in (searched, self._replaced):
            if generation is not None:
                generation.close()
        self._archive.close()

    def _live(self, vector: NDArray[np.float32], k: int) -> list[tuple[*Found, float]]:
        """Search ever deeper until so many are found that are still in the archive; others have left it since."""
        asked, patience = k, PATIENCE
        while True:
            revision = self._archive.revision
            nearest = self._nearest(vector, asked)
            stored = self._archive.passages([number for number, _ in nearest])
            if len(stored) < len(nearest) and patience and self._archive.revision != revision:
                patience -= 1  # what was replaced meanwhile would be missing in its old and in its new state
                continue
            live = [(*stored[number], score) for number, score in nearest if number in stored]
            if len(live) >= k or len(nearest) < asked:
                return live[:k]
            asked *= 4

    def _nearest(self, vector: NDArray[np.float32], k: int) -> list[Hit]:
        searched = self._current()
        try:
            return searched.nearest(vector, k)
        except Exception as error:
            if searched.generation is None:
                raise
            logger.warning("The vector index failed (%s); answers come from the stored vectors.", type(error).__name__)
        return self._without_generation(searched).nearest(vector, k)

    def _current(self) -> _Searched:
        """Give what is searched, in step with the archive: other processes may have written to it, and published."""
        with self._lock:
            known, revision = self._searched, self._archive.revision
            mark = current_mark(self._archive.directory)
            if known is None or (known.revision, known.mark) != (revision, mark):
                known = self._searched = self._followed(known, revision, mark)
            return known

    def _followed(self, known: _Searched | None, revision: int, mark: str) -> _Searched:
        self._archive.check_facts({fact: self._facts[fact] for fact in MADE_WITH if fact in self._facts})
        if known is not None and known.mark == mark:
            return _Searched(revision, mark, known.generation, known.newer.followed(self._archive))
        generation = open_current(self._archive)
        self._retire(known.generation if known is not None else None)
        newer = ExactIndex(generation.manifest.position.passages if generation else 0)
        return _Searched(revision, mark, generation, newer.followed(self._archive))

    def _without_generation(self, failed: _Searched) -> _Searched:
        everything = _Searched(failed.revision, failed.mark, None, ExactIndex().followed(self._archive))
        with self._lock:
            if self._searched is failed:
                self._searched = everything
                self._retire(failed.generation)
        return everything

    def _retire(self, generation: Generation | None) -> None:
        # Another thread may still be asking the generation that is replaced now, but not the one before it.
        if self._replaced is not None and self._replaced is not generation:
            self._replaced.close()
        self._replaced = generation
