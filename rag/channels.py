"""Channels: the ways to find passages, by meaning and by words, each in step with an archive that others write to."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from rag.archive import MADE_WITH, Archive
from rag.errors import ArchiveDamaged
from rag.generations import Generation, current_mark, open_current
from rag.lexical import Weighed, WordIndex
from rag.scanning import ExactIndex

logger = logging.getLogger(__name__)

Hit = tuple[int, float]
Search = Callable[[int], Sequence[Hit]]

# Among so many passages each is looked at; among more, the best of all are asked for until enough of them are among
# these. A tenth of 100,000 passages was searched by meaning in 4 ms so, against 28 ms. What a hundredth of a million
# passages meets is within it. Their vectors take 15 MB.
MOST_LOOKED_AT = 10_000


class ChannelFailed(Exception):
    """A channel failed at what is its own; the archive itself may be whole."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def own_failures(*, but: type[Exception] | tuple[()] = ()) -> Iterator[None]:
    """Turn all that is raised into `ChannelFailed`, but for one kind of error."""
    try:
        yield
    except but:
        raise
    except Exception as error:
        raise ChannelFailed(error) from error


class Among:
    """The passages to which a search is confined, by their ids."""

    def __init__(self, archive: Archive, numbers: NDArray[np.int64]) -> None:
        self.numbers = numbers
        self._archive = archive

    @cached_property
    def exact(self) -> ExactIndex:
        """Their vectors."""
        return ExactIndex.of(*self._archive.vectors_of(self.numbers.tolist()))

    def keep(self, hits: Sequence[Hit]) -> list[Hit]:
        """Give those of the hits that are among them."""
        inside = np.isin([number for number, _ in hits], self.numbers)
        return [hit for hit, is_inside in zip(hits, inside, strict=True) if is_inside]


def deepened(search: Search, keep: Callable[[Sequence[Hit]], list[Hit]], k: int) -> list[Hit]:
    """Search ever deeper until `k` hits can be kept, or there are no more."""
    asked = k
    while True:
        hits = search(asked)
        kept = keep(hits)
        if len(kept) >= k or len(hits) < asked:
            return kept[:k]
        asked *= 4


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


class Meaning:
    """Passages by the cosine of their vectors with a question's; safe to use from several threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._facts = archive.facts
        self._lock = threading.Lock()
        self._searched: _Searched | None = None
        self._replaced: Generation | None = None

    def best(self, vector: NDArray[np.float32], k: int, among: Among | None = None) -> list[Hit]:
        """Give the at most `k` nearest passages, some of which may have left the archive since they were indexed."""
        if among is None:
            return self._nearest(vector, k)
        if len(among.numbers) <= MOST_LOOKED_AT:
            return among.exact.nearest(vector, k)
        return deepened(lambda asked: self._nearest(vector, asked), among.keep, k)

    def cosines(self, vector: NDArray[np.float32], numbers: Sequence[int]) -> dict[int, float]:
        """Give the cosines of those of the passages that are in the archive, from their stored vectors."""
        found, matrix = self._archive.vectors_of(numbers)
        return dict(zip(map(int, found), (matrix @ vector).tolist(), strict=True))

    def close(self) -> None:
        """Release the index."""
        searched = self._searched.generation if self._searched else None
        for generation in (searched, self._replaced):
            if generation is not None:
                generation.close()

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


class Words:
    """Passages and articles by the BM25 scores of their words; safe to use from several threads.

    Searching raises `ArchiveDamaged` where there is no word index that can be read.
    """

    def __init__(self, archive: Archive) -> None:
        self._directory = archive.directory
        self._lock = threading.Lock()
        self._index: WordIndex | None = None
        self._told = ""

    def best(self, question: str, k: int, among: Among | None = None, beside: Weighed = ()) -> list[Hit]:
        """Give the at most `k` best passages, some of which may have left the archive since they were indexed."""
        search = partial(self._current().search, question, beside=beside)
        if among is None:
            return search(k)
        if len(among.numbers) <= MOST_LOOKED_AT:
            return search(k, among.numbers.tolist())
        return deepened(search, among.keep, k)

    def scores(self, question: str, numbers: Sequence[int], beside: Weighed = ()) -> list[Hit]:
        """Give the scores of those of the passages that share a word with the question, or with what is beside it."""
        return self._current().search(question, len(numbers), numbers, beside)

    def article_scores(self, question: str, firsts: Sequence[int], beside: Weighed = ()) -> list[Hit]:
        """Do the same for whole articles, each by the id of its first passage."""
        return self._current().search_articles(question, len(firsts), firsts, beside)

    def close(self) -> None:
        """Release the index."""
        with self._lock:
            if self._index is not None:
                self._index.close()
                self._index = None

    def _current(self) -> WordIndex:
        with self._lock:
            if self._index is None:
                self._index = WordIndex.open(self._directory)
            else:
                self._follow(self._index)
            return self._index

    def _follow(self, index: WordIndex) -> None:
        try:
            index.reload()
            self._told = ""
        except ArchiveDamaged as error:
            if self._told != str(error):
                self._told = str(error)
                logger.warning("Words are searched as they were before. %s", error)
