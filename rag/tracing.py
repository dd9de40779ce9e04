"""Tracing: an excerpt looked for in an archive, by its words in the index and then in the stored texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Self
from unicodedata import normalize

from rag.aligning import Alignment, Block, WordList, align, fewest_changes, places, read_words, words_of
from rag.answers import Span
from rag.archive import Archive
from rag.articles import Article
from rag.channels import Words
from rag.errors import ArticleNotFound
from rag.excerpts import Excerpt, read_excerpt
from rag.settings import load_settings
from rag.traces import Difference, Origin, Part, Trace, TraceState

# How many passages are looked through, and how many where most of those hold the excerpt.
PASSAGES, MOST_PASSAGES = 20, 300
MOST_COPIES = 300
# Runs of so many words are searched for as phrases; one changed word leaves most of them as they are.
RUN_WORDS, MOST_RUNS, WHOLE_WORDS = 3, 40, 60
# Of the words beyond the first four every third may be another. Of 620 excerpts of 7 to 14 words from articles outside
# of an archive, by the same outlets in the same weeks, nine came so near to one in it, half of them copied sentences.
ALWAYS_THE_SAME, CHANGED_ONE_IN = 4, 3
MOST_OMITTED = 300  # words
UNDATED = "~"  # after all dates

_QUOTES = re.compile(r"""["'`´‘’‚‛“”„‟«»‹›ʼ′″]+""")
_DASHES = re.compile(r" ?[-‐‑‒–—―−]++ ?")
_STATES: tuple[TraceState, ...] = ("verbatim", "words", "altered", "not_found")


class Tracer:
    """Traces excerpts to the articles of one archive; needs no model, and is safe to use from several threads."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._words = Words(archive)

    @classmethod
    def open(cls, archive: Path | str | None = None) -> Self:
        """Open an archive, without a name that of the settings. Raises `ArchiveError`."""
        return cls(Archive.open(Path(archive or load_settings().archive)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def trace(self, excerpt: str) -> Trace:
        """Say which articles hold an excerpt, and where, else which one comes near it, and in which words it differs.

        An excerpt of fewer than seven words is found as it is, or not at all. Raises `QuestionError` where it
        is empty or too long, and `ArchiveError` where the archive cannot be searched.
        """
        read = read_excerpt(excerpt)
        searched = self.archive.searched()
        looked = self._look(read, PASSAGES)
        if looked.more:
            looked = self._look(read, MOST_PASSAGES)
        if found := _in_order(looked.origins):
            return Trace(read.text, found[0].state, found, None, (), searched, looked.more)
        if near := _nearest(read, looked.stored):
            return Trace(read.text, "altered", (), _origin(read, near), tuple(_differences(read, near)), searched)
        return Trace(read.text, "not_found", (), None, (), searched)

    def close(self) -> None:
        """Release the archive and its index."""
        self._words.close()
        self.archive.close()

    def _look(self, read: Excerpt, most: int) -> _Looked:
        """Look through the articles of so many passages, and through the copies of those that hold the excerpt."""
        hits = self._words.best(_query(read), most)
        filed = self.archive.filings([number for number, _ in hits])
        stories = {filed[number].article_id: filed[number].story for number, _ in hits if number in filed}
        stored = sorted(self._stored(read, stories), key=lambda each: each.lacking)
        origins = list(_origins(read, stored))
        copies = self._copies(origins, stories)
        origins += _origins(read, self._stored(read, dict(copies[:MOST_COPIES])))
        is_crowded = len(hits) == most and 2 * len(origins) > len(stories)
        return _Looked(stored, origins, more=is_crowded or len(copies) > MOST_COPIES)

    def _copies(self, origins: Sequence[Origin], known: Mapping[str, str]) -> list[tuple[str, str]]:
        """Give the articles of the same stories that are not known yet, each with its story."""
        stories = self.archive.copies({origin.story for origin in origins})
        found = ((copy.article_id, story) for story, copies in stories.items() for copy in copies)
        return [(article_id, story) for article_id, story in found if article_id not in known]

    def _stored(self, read: Excerpt, stories: Mapping[str, str]) -> Iterator[_Stored]:
        """Yield the texts and titles of articles that may hold an excerpt, or come near it."""
        for article_id, story in stories.items():
            with suppress(ArticleNotFound):  # it left after it was found
                article = self.archive.article(article_id)
                parts: dict[Part, str] = {"text": article.text, "title": article.title}
                for part, text in parts.items():
                    if (lacking := read.lacking(text)) <= _most_changes(read):
                        yield _Stored(article, story or article_id, part, text, lacking)


@dataclass(frozen=True, slots=True)
class _Stored:
    """The text or the title of an article, and how many words of the excerpt it lacks at least."""

    article: Article
    story: str
    part: Part
    text: str
    lacking: int


@dataclass(frozen=True, slots=True)
class _Match:
    """Words of an excerpt beside those of a stored text, in the first of so many places that are alike."""

    stored: _Stored
    mine: WordList
    theirs: WordList
    alignment: Alignment
    times: int = 1

    def characters(self, block: Block) -> tuple[Span, Span]:
        """Give the characters of a block, in the excerpt and in the stored text."""
        return self.mine.characters(block.first, block.last), self.theirs.characters(block.start, block.end)


@dataclass(frozen=True, slots=True)
class _Looked:
    """The texts that may hold an excerpt, where it stands in them or in copies, and whether others may hold it, too."""

    stored: list[_Stored]
    origins: list[Origin]
    more: bool


# Looking for it


def _query(read: Excerpt) -> str:
    """Write a search that lifts passages with the whole excerpt, else those with many short runs of its words."""
    count = len(read.words.words)
    step = max(2, -(-count // MOST_RUNS))
    runs = [(start, min(start + RUN_WORDS, count)) for start in range(0, max(1, count - RUN_WORDS + 1), step)]
    if count <= WHOLE_WORDS:
        runs.append((0, count))
    phrases = (read.text[slice(*read.words.characters(*run))] for run in runs)
    return " ".join(f'"{_QUOTES.sub(" ", phrase)}"' for phrase in phrases)


def _most_changes(read: Excerpt) -> int:
    """Give in how many words an excerpt may differ from its origin: more, and another article comes as near."""
    return max(0, (len(read.own.words) - ALWAYS_THE_SAME) // CHANGED_ONE_IN)


# Holding it against stored texts


def _origins(read: Excerpt, stored: Iterable[_Stored]) -> Iterator[Origin]:
    """Yield where all words of an excerpt stand: the first place in each article, rather in its text than its title."""
    seen: set[str] = set()
    for each in stored:
        if each.lacking or each.article.id in seen:
            continue
        words = words_of(each.text)
        if match := _whole(read, each, words) or _with_omissions(read, each, words):
            seen.add(each.article.id)
            yield _origin(read, match)


def _whole(read: Excerpt, stored: _Stored, words: Sequence[str]) -> _Match | None:
    at, count = list(places(read.words.words, words)), len(read.words.words)
    if not at:
        return None
    alignment = Alignment((Block("same", 0, count, at[0], at[0] + count),))
    return _Match(stored, read.words, read_words(stored.text), alignment, len(at))


def _with_omissions(read: Excerpt, stored: _Stored, words: Sequence[str]) -> _Match | None:
    match = None if not read.gaps or _changes(read, words, 0) else _aligned(read, stored, words)
    return None if match is None or match.alignment.cost else match


def _nearest(read: Excerpt, stored: Iterable[_Stored]) -> _Match | None:
    """Give the place that comes nearest to an excerpt, the oldest of several, if one comes near."""
    best: tuple[int, str] = (_most_changes(read), UNDATED)
    nearest = None
    for each in stored:  # those first that lack the fewest words
        if each.lacking > best[0]:
            break
        words = words_of(each.text)
        cost = _changes(read, words, best[0]), each.article.date or UNDATED
        if cost <= best and (match := _aligned(read, each, words)):
            best, nearest = cost, match
    return nearest


def _changes(read: Excerpt, words: Sequence[str], most: int) -> int:
    """Give in how many words an excerpt and a text differ, or more than `most` without having counted all."""
    least = len(read.own.words) - (Counter(read.own.words) & Counter(words)).total()
    return least if least > most else fewest_changes(read.own.words, words, read.gaps)


def _aligned(read: Excerpt, stored: _Stored, words: Sequence[str]) -> _Match | None:
    alignment = align(read.own.words, words, read.gaps)
    if any(block.kind == "omitted" and block.end - block.start > MOST_OMITTED for block in alignment.blocks):
        return None
    theirs = read_words(stored.text)
    part = stored.text[slice(*theirs.characters(alignment.start, alignment.end))]
    if "[" in read.text and "[" in part:  # the brackets are the article's, and what is in them is to be its own
        return _Match(stored, read.words, theirs, align(read.words.words, words))
    return _Match(stored, read.own, theirs, alignment)


# Saying what was found


def _origin(read: Excerpt, match: _Match) -> Origin:
    article, text = match.stored.article, match.stored.text
    start, end = _with_signs(read, match)
    omitted = (match.characters(block)[1] for block in match.alignment.blocks if block.kind == "omitted")
    return Origin(
        article_id=article.id,
        title=article.title,
        source=article.source,
        date=article.date,
        url=article.url,
        story=match.stored.story,
        part=match.stored.part,
        start=start,
        end=end,
        text=text[start:end],
        state=_state(read, match),
        identical=text[start:end] == read.given.strip(),
        omitted=tuple((first, last) for first, last in omitted if first < last),
        times=match.times,
    )


def _with_signs(read: Excerpt, match: _Match) -> Span:
    """Give the characters of the article, with those signs before and after its words that the excerpt has, too."""
    text, (first, _), (_, last) = match.stored.text, match.mine.spans[0], match.mine.spans[-1]
    start, end = match.theirs.characters(match.alignment.start, match.alignment.end)
    start -= _alike(reversed(text[:start]), reversed(read.text[:first]))
    end += _alike(text[end:], read.text[last:])
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())


def _alike(text: Iterable[str], excerpt: Iterable[str]) -> int:
    """Count the characters at the beginning that are alike."""
    pairs = takewhile(lambda pair: _plain(pair[0]) == _plain(pair[1]), zip(text, excerpt, strict=False))
    return sum(1 for _ in pairs)


def _state(read: Excerpt, match: _Match) -> TraceState:
    if match.alignment.cost:
        return "altered"
    same = (match.characters(block) for block in match.alignment.blocks if block.kind == "same")
    pairs = ((read.text[slice(*mine)], match.stored.text[slice(*theirs)]) for mine, theirs in same)
    return "verbatim" if all(_plain(mine) == _plain(theirs) for mine, theirs in pairs) else "words"


def _plain(text: str) -> str:
    """Give a text as it is compared: white space, and the form of quotation marks and dashes, do not count."""
    return _DASHES.sub("-", _QUOTES.sub("'", " ".join(normalize("NFKC", text).split())))


def _differences(read: Excerpt, match: _Match) -> Iterator[Difference]:
    for block in match.alignment.blocks:
        if block.kind == "differs":
            mine, theirs = match.characters(block)
            yield Difference(read.text[slice(*mine)], match.stored.text[slice(*theirs)], *mine, *theirs)


def _in_order(origins: Sequence[Origin]) -> tuple[Origin, ...]:
    """Sort: verbatim before others, then the oldest first, but the articles of one story together."""

    def rank(origin: Origin) -> tuple[int, str, str]:
        return _STATES.index(origin.state), origin.date or UNDATED, origin.article_id

    ranked = sorted(origins, key=rank)
    first: dict[str, int] = {}
    for place, origin in enumerate(ranked):
        first.setdefault(origin.story, place)
    return tuple(sorted(ranked, key=lambda origin: first[origin.story]))
