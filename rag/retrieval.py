"""Retrieval: the passages of an archive for a question, by meaning and by words, one slot for each story."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from rag.answers import Searched
from rag.archive import Archive, closed_on_failure
from rag.articles import Article
from rag.channels import Among, Hit, Meaning, Words, deepened
from rag.embedding import Embedder
from rag.errors import ArchiveDamaged, RagError
from rag.explaining import Explanation, absent, find_article, place_of, stand_by_meaning, stand_by_words
from rag.filings import Filing
from rag.filters import Field, Filters, read_day
from rag.fusion import Candidate, Channel, Ranked, Ranking, give_slots, rank, shares
from rag.hints import Hints, read_hints
from rag.indexing import facts_for
from rag.passages import ScoredPassage, Standing
from rag.questions import read_question
from rag.settings import Settings, load_settings

PATIENCE = 10  # how often a search is begun anew that a writer got ahead of
LONG_LIST = 1000  # as far as a person who asks why an article did not come up wants to know its place
AMONGS_KEPT = 4  # people ask several questions with one filter
REPORTED_WITHIN = 2  # days: what happened on a day is in the papers of the next ones

logger = logging.getLogger(__name__)


class Retriever:
    """Finds the passages of one archive that belong to a question; safe to use from several threads."""

    def __init__(self, archive: Archive, embedder: Embedder, ranking: Ranking | None = None) -> None:
        self.ranking = ranking or Ranking()
        self._archive = archive
        self._meaning = Meaning(archive, embedder)
        self._words = Words(archive)
        self._amongs: dict[tuple[Filters, int], Among] = {}
        self._lock = threading.Lock()
        self._told: dict[Channel, str] = {}

    @classmethod
    def open(
        cls, archive: Path | str | None = None, settings: Settings | None = None, ranking: Ranking | None = None
    ) -> Self:
        """Open an archive for search; without settings, those of the environment hold.

        Raises `ArchiveError` where the archive is missing or was made with another model, and `ModelError`.
        """
        settings = settings or load_settings()
        with closed_on_failure(Archive.open(Path(archive or settings.archive))) as opened:
            opened.check_facts(facts_for(opened.directory, settings))
            return cls(opened, Embedder.open(settings.model), ranking)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def retrieve(
        self, question: str, *, k: int = 10, filters: Filters | None = None, as_of: str = "", explain: bool = False
    ) -> list[ScoredPassage]:
        """Give the at most `k` best passages for a question, best first.

        Nothing comes that the filters refuse, or that was published after the day `as_of`; "last week" in a question
        is the one before that day, else before today. With `explain` each passage says what brought it there. Raises
        `QuestionError` and `FilterError`.
        """
        asked = self._read(question, filters or Filters(), as_of)
        for _ in range(PATIENCE):
            revision = self._archive.revision
            finds = self._find(asked, max(k, self.ranking.depth))
            ranked = rank(finds.candidates(self.ranking), asked.hints, self.ranking)
            chosen = give_slots(ranked, k, self.ranking, compares=asked.hints.compares)
            found = list(self._shown(chosen, asked, explain=explain))
            # What was replaced meanwhile would be missing in its old and in its new state.
            if self._archive.revision == revision or (len(found) == len(chosen) and not finds.missed):
                break
        return found

    async def aretrieve(
        self, question: str, *, k: int = 10, filters: Filters | None = None, as_of: str = "", explain: bool = False
    ) -> list[ScoredPassage]:
        """Do the same in a thread of its own, for hosts that run an event loop."""
        return await asyncio.to_thread(self.retrieve, question, k=k, filters=filters, as_of=as_of, explain=explain)

    def searched(self, *, filters: Filters | None = None, as_of: str = "") -> Searched:
        """Say what a question is looked for in. Raises `ArchiveEmpty` where the archive holds nothing at all."""
        return self._archive.searched((filters or Filters()).as_of(as_of))

    def values(self, field: Field) -> tuple[str, ...]:
        """Give all that filters can ask for: the "outlets", "authors", "sections" or "languages" of the articles."""
        return self._archive.values(field)

    def explain(
        self, question: str, name: str, *, k: int = 10, filters: Filters | None = None, as_of: str = ""
    ) -> Explanation:
        """Say why an article, by its id or its address, is or is not among the `k` best passages for a question."""
        asked = self._read(question, filters or Filters(), as_of)
        article = find_article(self._archive, name)
        if article is None:
            return absent(self._archive, asked.text, name)
        known = Explanation(asked.text, article.id, article.title, "filtered", ())
        if unmet := asked.filters.unmet(article):
            return replace(known, reasons=(f"The filters refuse it: {unmet}.",))
        shown, deep = (
            self.retrieve(question, k=most, filters=filters, as_of=as_of, explain=True) for most in (k, LONG_LIST)
        )
        verdict, place, reasons = place_of(article, shown, deep)
        meaning, words = self._standings(asked, article)
        return replace(known, verdict=verdict, rank=place, reasons=tuple(reasons), meaning=meaning, words=words)

    def close(self) -> None:
        """Release the archive and its indexes."""
        self._meaning.close()
        self._words.close()
        self._archive.close()

    def _read(self, question: str, filters: Filters, as_of: str) -> _Asked:
        text = read_question(question).text
        today = dt.date.fromisoformat(read_day(as_of)) if as_of else dt.date.today()  # noqa: DTZ011 # the reader's day
        return _Asked(text, filters.as_of(as_of), _reported(read_hints(text, self._archive.outlets(), today)))

    def _find(self, asked: _Asked, depth: int) -> _Finds:
        """Search by each channel: everywhere, and among what the question names, which may lie deep."""
        finds = _Finds(self._archive, depth)
        everywhere = self._among(asked.filters) if asked.filters else None
        self._search(asked, everywhere, finds.everywhere, finds)
        for narrowed in _narrowed(asked.filters, asked.hints):
            self._search(asked, self._among(narrowed), finds.narrowed, finds)
        if "meaning" in finds.everywhere:
            finds.cosines = self._meaning.cosines(self._meaning.vector(asked.text), finds.numbers)
        return finds

    def _search(self, asked: _Asked, among: Among | None, hits: dict[str, list[Hit]], finds: _Finds) -> None:
        def search(name: str, best: Callable[[int], Sequence[Hit]]) -> None:
            hits.setdefault(name, []).extend(deepened(best, finds.keep, finds.depth))

        if "meaning" in self.ranking.channels:
            with self._may_fail("meaning"):
                vector = self._meaning.vector(asked.text)
                search("meaning", lambda k: self._meaning.best(vector, k, among))
        if "words" in self.ranking.channels:
            with self._may_fail("words"):
                search("words", lambda k: self._words.best(asked.text, k, among))
                search("article", lambda k: self._words.best_articles(asked.text, k, among))

    def _may_fail(self, channel: Channel) -> _LeftOut:
        return _LeftOut(channel, self._told, alone=len(self.ranking.channels) == 1)

    def _standings(self, asked: _Asked, article: Article) -> tuple[Standing | None, Standing | None]:
        among = self._among(asked.filters) if asked.filters else None
        own = self._archive.passages_of(article.id)
        meaning = words = None
        if "meaning" in self.ranking.channels:
            meaning = stand_by_meaning(self._archive, self._meaning, asked.text, own, among)
        if "words" in self.ranking.channels:
            words = stand_by_words(self._words, asked.text, own, self._archive.count_passages(), among)
        return meaning, words

    def _among(self, filters: Filters) -> Among:
        key = (filters, self._archive.revision)
        with self._lock:
            if key not in self._amongs:
                self._amongs[key] = Among(self._archive, self._archive.filed(filters))
                for stale in list(self._amongs)[:-AMONGS_KEPT]:
                    del self._amongs[stale]
            return self._amongs[key]

    def _shown(self, chosen: Sequence[Ranked], asked: _Asked, *, explain: bool) -> Iterator[ScoredPassage]:
        stored = self._archive.passages([each.candidate.number for each in chosen])
        copies = self._archive.copies({each.candidate.story for each in chosen} - {""})
        for place, each in enumerate((each for each in chosen if each.candidate.number in stored), 1):
            passage, article = stored[each.candidate.number]
            others = (copy for copy in copies.get(each.candidate.story, ()) if copy.id != article.id)
            also_in = tuple(copy for copy in others if not asked.filters.unmet(copy))
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


@dataclass
class _Finds:
    """What the channels found, everywhere and among what the question names, as far as it is still in the archive."""

    archive: Archive
    depth: int
    everywhere: dict[str, list[Hit]] = field(default_factory=dict)
    narrowed: dict[str, list[Hit]] = field(default_factory=dict)
    cosines: Mapping[int, float] = field(default_factory=dict)
    filed: dict[int, Filing] = field(default_factory=dict)
    missed: bool = False

    def keep(self, hits: Sequence[Hit]) -> list[Hit]:
        """Give those of the hits whose passages are in the archive."""
        self.filed |= self.archive.filings([number for number, _ in hits if number not in self.filed])
        kept = [hit for hit in hits if hit[0] in self.filed]
        self.missed |= len(kept) < len(hits)
        return kept

    @property
    def numbers(self) -> list[int]:
        """The passages that a channel found; an article's first passage is not meant by what its words score."""
        return sorted({number for name in ("meaning", "words") for number, _ in self._hits(name)})

    def candidates(self, ranking: Ranking) -> Iterator[Candidate]:
        """Yield what was found with the signals of its score."""
        signals = {name: shares(scores, ranking.fusion) for name, scores in self._scores(ranking).items()}
        # Of an article the first passage was found, and stands for all.
        whole = {self.filed[number].article_id: share for number, share in signals.pop("article", {}).items()}
        standings = {name: _standings(hits) for name, hits in self.everywhere.items()}
        for number in self.numbers:
            filing = self.filed[number]
            shared = {name: found.get(number, 0.0) for name, found in signals.items()}
            if "article" in self.everywhere:
                shared["article"] = whole.get(filing.article_id, 0.0)
            places = (standings.get(name, {}).get(number) for name in ("meaning", "words"))
            story = filing.story or filing.article_id
            yield Candidate(number, filing.article_id, story, filing.source, filing.date, shared, *places)

    def _scores(self, ranking: Ranking) -> dict[str, dict[int, float]]:
        scores = {name: dict(self._hits(name)) for name in self.everywhere}
        if "meaning" in scores and ranking.fusion == "scores":
            scores["meaning"] = dict(self.cosines)  # also of what only its words found
        return scores

    def _hits(self, name: str) -> list[Hit]:
        return [*self.everywhere.get(name, ()), *self.narrowed.get(name, ())]


class _LeftOut:
    """Leaves out a channel that fails, and says so once, unless it is the only one."""

    def __init__(self, channel: Channel, told: dict[Channel, str], *, alone: bool) -> None:
        self._channel: Channel = channel
        self._told = told
        self._alone = alone

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if error is None:
            self._told.pop(self._channel, None)
        passing = isinstance(error, Exception) and (
            not isinstance(error, RagError) or isinstance(error, ArchiveDamaged)
        )
        if not passing or self._alone:
            return False
        reason = str(error) if isinstance(error, RagError) else type(error).__name__
        if self._told.get(self._channel) != reason:
            self._told[self._channel] = reason
            logger.warning("The search by %s failed and is left out: %s", self._channel, reason)
        return True


def _reported(hints: Hints) -> Hints:
    """Widen the time that a question names by the days in which the papers report on it."""
    if not hints.until:
        return hints
    until = dt.date.fromisoformat(hints.until) + dt.timedelta(days=REPORTED_WITHIN)
    return replace(hints, until=until.isoformat())


def _narrowed(filters: Filters, hints: Hints) -> Iterator[Filters]:
    """Yield the filters that let through only what the question names, as far as the given ones do."""
    wanted = [outlet for outlet in hints.outlets if not filters.outlets or outlet in filters.outlets]
    yield from (replace(filters, outlets=(outlet,)) for outlet in wanted)
    if hints.since or hints.until:
        since = max(filters.since, hints.since)
        until = min(filters.until or hints.until, hints.until or filters.until)
        if since <= (until or since):
            yield replace(filters, since=since, until=until)


def _standings(hits: Sequence[Hit]) -> dict[int, Standing]:
    return {number: Standing(place, score) for place, (number, score) in enumerate(hits, 1)}


def _write_standings(shown: ScoredPassage) -> str:
    standings = (("meaning", shown.meaning), ("words", shown.words))
    placed = [f"number {standing.rank} by {name} ({standing.score:.2f})" for name, standing in standings if standing]
    return ", ".join(placed) or "found only among what the question names"


def _reasons(shown: ScoredPassage, ranked: Ranked) -> Iterator[str]:
    yield _write_standings(shown)
    yield from (f"raised: {reason}" for reason in ranked.raised)
    if shown.also_in:
        yield f"stands for {len(shown.also_in) + 1} articles of one story"
