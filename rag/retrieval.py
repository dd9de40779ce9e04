"""Retrieval: the passages of an archive for a question, by meaning and by words, one slot for each story."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from rag.answers import Searched
from rag.archive import Archive, closed_on_failure
from rag.articles import Article
from rag.channels import Among, ChannelFailed, Hit, Meaning, Words, deepened, own_failures
from rag.contexts import Context
from rag.embedding import Embedder
from rag.errors import ArchiveError, ModelError, RagError
from rag.explaining import Explanation, absent, find_article, place_of, stand_by_meaning, stand_by_words
from rag.filters import Day, Field, Filters, folded, read_day
from rag.finds import Finds
from rag.fusion import Channel, Ranked, Ranking, give_slots, rank
from rag.hints import Hints, read_hints
from rag.indexing import facts_for
from rag.inference import Vectors
from rag.passages import ScoredPassage, Standing
from rag.questions import read_question
from rag.settings import Settings, load_settings

PATIENCE = 10  # how often a search is begun anew that a writer got ahead of
AMONGS_KEPT = 4  # people ask several questions with one filter
REPORTED_WITHIN = 2  # days: what happened on a day is in the papers of the next ones

logger = logging.getLogger(__name__)


class Retriever:
    """Finds the passages of one archive that belong to a question; safe to use from several threads."""

    def __init__(
        self, archive: Archive, embedder: Embedder, ranking: Ranking | None = None, *, strict: bool = False
    ) -> None:
        self.archive = archive
        self.embedder = embedder
        self.ranking = ranking or Ranking()
        self._strict = strict
        self._meaning = Meaning(archive)
        self._words = Words(archive)
        self._amongs: dict[tuple[Filters, int], Among] = {}
        self._lock = threading.Lock()
        self._told: dict[Channel, str] = {}
        self._outlets: tuple[int, tuple[str, ...]] = (-1, ())
        # Words are searched while the question is embedded: on two processors a third of the time is saved.
        self._aside = ThreadPoolExecutor(thread_name_prefix="onrecord-words")
        self._is_closed = False

    @classmethod
    def open(
        cls,
        archive: Path | str | None = None,
        settings: Settings | None = None,
        ranking: Ranking | None = None,
        *,
        strict: bool = False,
    ) -> Self:
        """Open an archive for search; without settings, those of the environment hold.

        A channel that fails is left out with a warning; where all do, or `strict` is asked for, its error is raised.
        Raises `ArchiveError` where the archive is missing or was made with another model, and `ModelError`.
        """
        settings = settings or load_settings()
        with closed_on_failure(Archive.open(Path(archive or settings.archive))) as opened:
            opened.check_facts(facts_for(opened.directory, settings))
            return cls(opened, Embedder.open(settings.model), ranking, strict=strict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def retrieve(
        self,
        question: str,
        *,
        k: int = 10,
        filters: Filters | None = None,
        as_of: Day = None,
        explain: bool = False,
        context: Context | None = None,
    ) -> list[ScoredPassage]:
        """Give the at most `k` best passages for a question, best first; none where `k` is less than 1.

        Nothing comes that the filters refuse, or that was published after the day `as_of`; "last week" in a question
        is the one before that day, else before today. With `explain` each passage says what brought it there. With
        `context` its wording and words are searched for, too, as one search with the question. Raises `QuestionError`
        and `FilterError`.
        """
        asked = self._read(question, filters, as_of, context)
        for _ in range(PATIENCE):
            revision = self.archive.revision
            finds, ranked = self._ranked(asked, max(k, self.ranking.depth))
            chosen = give_slots(ranked, k, self.ranking, compares=asked.hints.compares)
            found = list(self._shown(chosen, asked, explain=explain))
            # What was replaced meanwhile would be missing in its old and in its new state.
            if self.archive.revision == revision or (len(found) == len(chosen) and not finds.missed):
                break
        return found

    async def aretrieve(
        self, question: str, *, k: int = 10, filters: Filters | None = None, as_of: Day = None, explain: bool = False
    ) -> list[ScoredPassage]:
        """Do the same in a thread of its own, for hosts that run an event loop."""
        return await asyncio.to_thread(self.retrieve, question, k=k, filters=filters, as_of=as_of, explain=explain)

    def searched(self, *, filters: Filters | None = None, as_of: Day = None) -> Searched:
        """Say what a question is looked for in. Raises `ArchiveEmpty` where the archive holds nothing at all."""
        return self.archive.searched((filters or Filters()).as_of(as_of))

    def values(self, field: Field) -> tuple[str, ...]:
        """Give all that filters can ask for: the "outlets", "authors", "sections" or "languages" of the articles."""
        return self.archive.values(field)

    def explain(
        self, question: str, name: str, *, k: int = 10, filters: Filters | None = None, as_of: Day = None
    ) -> Explanation:
        """Say why an article, by its id or its address, is or is not among the `k` best passages for a question."""
        asked = self._read(question, filters, as_of)
        article = find_article(self.archive, name)
        if article is None:
            return absent(self.archive, asked.text, name)
        known = Explanation(asked.text, article.id, article.title, "filtered", ())
        if unmet := asked.filters.unmet(article):
            return replace(known, reasons=(f"The filters refuse it: {unmet}.",))
        _, ranked = self._ranked(asked, max(k, self.ranking.depth))
        shown, weighed = (
            list(
                self._shown(give_slots(ranked, most, self.ranking, compares=asked.hints.compares), asked, explain=True)
            )
            for most in (k, len(ranked))
        )
        verdict, place, reasons = place_of(article, shown, weighed)
        meaning, words = self._standings(asked, article)
        return replace(known, verdict=verdict, rank=place, reasons=tuple(reasons), meaning=meaning, words=words)

    def close(self) -> None:
        """Release the archive and its indexes; searches that have begun are finished first."""
        self._is_closed = True
        self._aside.shutdown()
        self._meaning.close()
        self._words.close()
        self.archive.close()

    def _read(self, question: str, filters: Filters | None, as_of: Day, context: Context | None = None) -> _Asked:
        if self._is_closed:
            raise ArchiveError("This retriever was closed. Open another one with: Retriever.open(archive)")
        text = read_question(question).text
        today = dt.date.fromisoformat(read_day(as_of) or dt.date.today().isoformat())  # noqa: DTZ011 # the reader's day
        hints = _reported(read_hints(text, self._all_outlets(), today))
        return _Asked(text, (filters or Filters()).as_of(as_of), hints, context)

    def _ranked(self, asked: _Asked, depth: int) -> tuple[Finds, list[Ranked]]:
        """Search everywhere, and among what the question names, which may lie deep; weigh all that was found."""
        finds = Finds(self.archive, depth)
        failed: dict[Channel, Exception] = {}
        everywhere = self._among(asked.filters) if asked.filters else None
        finds.everywhere = dict(self._search(asked, everywhere, finds, failed))
        for narrowed in _narrowed(asked.filters, asked.hints):
            for _, hits in self._search(asked, self._among(narrowed), finds, failed):
                finds.named += hits
        self._weigh(asked, finds, failed)
        self._tell(failed)
        return finds, rank(finds.candidates(self.ranking), asked.hints, self.ranking)

    def _search(
        self, asked: _Asked, among: Among | None, finds: Finds, failed: dict[Channel, Exception]
    ) -> Iterator[tuple[Channel, list[Hit]]]:
        """Yield the best of each channel; one that fails is noted and left out."""
        wanted = [channel for channel in self.ranking.channels if channel not in failed]
        aside = self._aside.submit(self._best, "words", asked, among, finds) if "words" in wanted else None
        searches: dict[Channel, Callable[[], list[Hit]]] = {
            "meaning": lambda: self._best("meaning", asked, among, finds),
            "words": lambda: aside.result() if aside else [],
        }
        for channel in (channel for channel in searches if channel in wanted):
            try:
                yield channel, searches[channel]()
            except ChannelFailed as failure:
                failed[channel] = failure.error

    def _best(self, channel: Channel, asked: _Asked, among: Among | None, finds: Finds) -> list[Hit]:
        """Search by one channel, as deep as it takes. Raises `ChannelFailed`, and what is wrong with the archive."""

        def search(k: int) -> list[Hit]:
            if channel == "words":
                with own_failures():
                    return self._words.best(asked.text, k, among, asked.beside)
            with own_failures(but=RagError):  # those are about the archive
                return self._meaning.best(self._vector(asked), k, among)

        return deepened(search, finds.keep, finds.depth)

    def _vector(self, asked: _Asked) -> Vectors:
        """Give the vector that is searched for: a sum's cosine is the weighed sum of cosines, but for its length."""
        vector = self.embedder.embed_question(asked.text)
        if asked.context is None:
            return vector
        both: Vectors = vector + self.ranking.wording * self.embedder.embed_question(asked.context.wording)
        return both / np.linalg.norm(both)

    def _weigh(self, asked: _Asked, finds: Finds, failed: dict[Channel, Exception]) -> None:
        """Score all that was found by every signal."""
        if "meaning" in finds.everywhere and "meaning" not in failed:
            vector = self._vector(asked)
            finds.score("meaning", lambda numbers: list(self._meaning.cosines(vector, numbers).items()))
        if "words" in finds.everywhere and "words" not in failed:
            try:
                with own_failures():
                    finds.score("words", lambda numbers: self._words.scores(asked.text, numbers, asked.beside))
                    finds.score_articles(lambda firsts: self._words.article_scores(asked.text, firsts, asked.beside))
            except ChannelFailed as failure:
                failed["words"] = failure.error

    def _tell(self, failed: Mapping[Channel, Exception]) -> None:
        """Say once of each channel that it is left out; raise what it failed with where no other is left."""
        for channel, error in failed.items():
            if self._strict or len(failed) == len(self.ranking.channels):
                raise _known(error) from error
            reason = str(error) if isinstance(error, RagError) else type(error).__name__
            if self._told.get(channel) != reason:
                logger.warning("The search by %s failed and is left out: %s", channel, reason)
            self._told[channel] = reason
        for channel in self.ranking.channels:
            if channel not in failed:
                self._told.pop(channel, None)

    def _standings(self, asked: _Asked, article: Article) -> tuple[Standing | None, Standing | None]:
        among = self._among(asked.filters) if asked.filters else None
        own = self.archive.passages_of(article.id)
        meaning = words = None
        if "meaning" in self.ranking.channels:
            vector = self.embedder.embed_question(asked.text)
            meaning = stand_by_meaning(self.archive, vector, own, among)
        if "words" in self.ranking.channels:
            words = stand_by_words(self._words, asked.text, own, self.archive.count_passages(), among)
        return meaning, words

    def _all_outlets(self) -> tuple[str, ...]:
        # To find them all articles are looked through: 1.4 ms of every question among 100,000 passages.
        revision = self.archive.revision
        if self._outlets[0] != revision:
            self._outlets = revision, self.archive.outlets()
        return self._outlets[1]

    def _among(self, filters: Filters) -> Among:
        key = (filters, self.archive.revision)
        with self._lock:
            if key not in self._amongs:
                self._amongs[key] = Among(self.archive, self.archive.filed(filters))
                for stale in list(self._amongs)[:-AMONGS_KEPT]:
                    del self._amongs[stale]
            return self._amongs[key]

    def _shown(self, chosen: Sequence[Ranked], asked: _Asked, *, explain: bool) -> Iterator[ScoredPassage]:
        stored = self.archive.passages([each.candidate.number for each in chosen])
        copies = self.archive.copies({each.candidate.story for each in chosen}, asked.filters)
        for place, each in enumerate((each for each in chosen if each.candidate.number in stored), 1):
            passage, article = stored[each.candidate.number]
            also_in = tuple(copy for copy in copies.get(each.candidate.story, ()) if copy.article_id != article.id)
            shown = ScoredPassage(
                passage, article, place, each.score, each.candidate.meaning, each.candidate.words, also_in
            )
            yield replace(shown, why=tuple(_reasons(shown, each))) if explain else shown


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as it is searched for."""

    text: str
    filters: Filters
    hints: Hints
    context: Context | None = None

    @property
    def beside(self) -> tuple[tuple[str, float], ...]:
        """What is sought by words beside the question, with its weights."""
        return self.context.words if self.context else ()


def _known(error: Exception) -> RagError:
    if isinstance(error, RagError):
        return error
    return ModelError(
        f"The question could not be embedded, or its vector not searched for ({type(error).__name__}: {error}). "
        "Try again; if it stays so, run: onrecord verify"
    )


def _reported(hints: Hints) -> Hints:
    """Widen the time that a question names by the days in which the papers report on it."""
    if not hints.until:
        return hints
    until = dt.date.fromisoformat(hints.until) + dt.timedelta(days=REPORTED_WITHIN)
    return replace(hints, until=until.isoformat())


def _narrowed(filters: Filters, hints: Hints) -> Iterator[Filters]:
    """Yield the filters that let through only what the question names, as far as the given ones do."""
    allowed = {folded(outlet, "outlets") for outlet in filters.outlets}
    if wanted := [outlet for outlet in hints.outlets if not allowed or folded(outlet, "outlets") in allowed]:
        yield replace(filters, outlets=wanted)
    if hints.since or hints.until:
        since = max(filters.since, hints.since)
        until = min(filters.until or hints.until, hints.until or filters.until)
        if since <= (until or since):
            yield replace(filters, since=since, until=until)


def _write_standings(shown: ScoredPassage) -> str:
    standings = (("meaning", shown.meaning), ("words", shown.words))
    placed = [f"number {standing.rank} by {name} ({standing.score:.2f})" for name, standing in standings if standing]
    return ", ".join(placed) or "found only among what the question names"


def _reasons(shown: ScoredPassage, ranked: Ranked) -> Iterator[str]:
    yield _write_standings(shown)
    yield from (f"raised: {reason}" for reason in ranked.raised)
    if shown.also_in:
        yield f"stands for {len(shown.also_in) + 1} articles of one story"
