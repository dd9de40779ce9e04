"""An archive of any size in minutes: texts put together from sentences of real ones, and vectors like theirs.

The words are those of the sentences, but one long word in six is made up and as rare as names are (Zipf), so that an
index of them has the long tail of a real one. Some thousand passages are embedded; the vectors of all others are
theirs, each moved by the difference of two of them: so they lie where real ones do, in clusters of all densities.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import random
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.archive import Entry
from rag.articles import Article
from rag.chunking import embedded_text
from rag.embedding import Embedder
from rag.filters import Filters
from rag.indexing import batched, writing
from rag.passages import Passage
from rag.reading import Refusal, find_files, read_articles
from rag.sentences import sentence_spans
from rag.settings import Settings

from .children import BenchError

Vectors = NDArray[np.float32]

SEED = 4
CORPUS = Path(__file__).parent.parent / "corpus"
PASSAGE_CHARACTERS = 1000
PASSAGES_AN_ARTICLE = (4, 10)
MADE_UP_SHARE = 1 / 6
NAMES = (20, 200_000)
SYLLABLES = [first + last for first in "bdfgklmnprstv" for last in ("a", "e", "i", "o", "u", "an", "er", "is", "ol")]
FIRST_DAY, DAYS = dt.date(2014, 1, 1), 3650
OUTLETS = 40
# One article in so many is of the first outlet, and one of so many days; a little less than a hundredth.
RARE = 104
EMBEDDED = 3000
MOVED = (0.2, 0.6)
ARTICLES_AT_ONCE = 300
SHORTEST, LONGEST = 6, 60  # words of a sentence
QUESTION_WORDS = (8, 16)

_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True)
class Sentences:
    """Sentences with places for made-up names."""

    templates: tuple[str, ...]
    random: random.Random

    @classmethod
    def of(cls, texts: Iterable[str], seed: int) -> Sentences:
        """Take the sentences of some texts. Raises `BenchError` where they have none."""
        chance = random.Random(seed)  # noqa: S311 # nothing is secret here
        found = (text[start:end] for text in texts for start, end in sentence_spans(text))
        usable = (" ".join(sentence.split()) for sentence in found if SHORTEST <= len(sentence.split()) <= LONGEST)
        templates = tuple(_with_places(sentence, chance) for sentence in dict.fromkeys(usable))
        if not templates:
            raise BenchError("No sentence was found to make texts from. Give a file with articles.")
        return cls(templates, chance)

    def sentence(self) -> str:
        """Give a sentence with names that nobody has used so."""
        template = self.random.choice(self.templates)
        return template.format(*itertools.islice(self._names, template.count("{}")))

    def question(self) -> str:
        """Give what somebody could ask who knows a part of such a sentence."""
        words = self.sentence().rstrip(".?!").split()
        most = self.random.randint(*QUESTION_WORDS)
        start = self.random.randint(0, max(0, len(words) - most))
        return f"What was reported of {' '.join(words[start : start + most])}?"

    @cached_property
    def _names(self) -> Iterator[str]:
        return self._drawn_names()

    def _drawn_names(self) -> Iterator[str]:
        drawn = np.random.default_rng(self.random.randrange(2**32))
        least, most = map(math.log, NAMES)
        while True:
            yield from map(name_of, np.exp(drawn.uniform(least, most, size=10_000)).astype(int).tolist())


def name_of(number: int) -> str:
    """Give the made-up name of a number, the shorter the smaller it is."""
    name = ""
    while number or not name:
        number, place = divmod(number, len(SYLLABLES))
        name += SYLLABLES[place]
    return name.capitalize()


def read_texts(file: Path | None) -> list[str]:
    """Give the texts of a file with articles, or of the sample. Raises `BenchError`."""
    if not (file or CORPUS).exists():
        raise BenchError(f"There is no {file or CORPUS}. Give a file with articles: --articles FILE")
    paths = (path for path in find_files(file or CORPUS) if not isinstance(path, Refusal))
    return [found.text for path in paths for found in read_articles(path) if not isinstance(found, Refusal)]


def make_archive(directory: Path, passages: int, texts: Sequence[str], settings: Settings) -> float:
    """Make an archive of so many passages and publish it as indexing does; give the seconds that publishing took."""
    sentences = Sentences.of(texts, SEED)
    made = _articles(sentences, passages)
    with writing(directory, settings) as indexer:
        first = list(itertools.islice(made, max(1, EMBEDDED * 2 // sum(PASSAGES_AN_ARTICLE))))
        known = _embedded(first, Embedder.open(settings.model))
        drawn = np.random.default_rng(SEED)
        indexer.archive.put(_entries(first, known))
        for batch in batched(made, ARTICLES_AT_ONCE):
            count = sum(len(cut) for _, cut in batch)
            indexer.archive.put(_entries(batch, moved(known, count, drawn)))
        started = time.perf_counter()
        indexer.publish()
        return time.perf_counter() - started


def rare_filters() -> dict[str, Filters]:
    """Give filters that a hundredth of the passages meet, by what they ask for."""
    last = FIRST_DAY + dt.timedelta(days=DAYS // RARE - 1)
    return {"outlet": Filters(outlets=(outlet_of(0),)), "dates": Filters(until=last.isoformat())}


def dated_filter(share: float) -> Filters:
    """Give a filter by dates that this share of the passages meets."""
    return Filters(until=(FIRST_DAY + dt.timedelta(days=round(DAYS * share) - 1)).isoformat())


def outlet_of(number: int) -> str:
    """Give the name of an outlet."""
    return f"{name_of(5000 + 7 * number)} {('Herald', 'Wire', 'Post', 'Courier', 'Times')[number % 5]}"


def moved(known: Vectors, count: int, drawn: np.random.Generator) -> Vectors:
    """Give so many unit vectors, each one of the known ones moved by the difference of two others."""
    start, one, other = (known[drawn.integers(len(known), size=count)] for _ in range(3))
    by = drawn.uniform(*MOVED, size=(count, 1)).astype(np.float32)
    found = start + by * (one - other)
    unit: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


Cut = tuple[Article, tuple[Passage, ...]]


def _articles(sentences: Sentences, passages: int) -> Iterator[Cut]:
    left, number = passages, 0
    while left:
        count = min(sentences.random.randint(*PASSAGES_AN_ARTICLE), left)
        yield _article(sentences, number, count)
        left, number = left - count, number + 1


def _article(sentences: Sentences, number: int, count: int) -> Cut:
    name, parts, at = f"made-{number:07d}", [_passage(sentences) for _ in range(count)], 0
    passages = []
    for part in parts:
        passages.append(Passage(name, at, at + len(part), part))
        at += len(part) + 2
    outlet = 0 if number % RARE == 0 else 1 + number % (OUTLETS - 1)
    # In no step with the outlets: 1,009 is prime, and no divisor of the number of days.
    day = FIRST_DAY + dt.timedelta(days=number * 1009 % DAYS)
    article = Article(name, sentences.sentence()[:80], "\n\n".join(parts), outlet_of(outlet), day.isoformat())
    return article, tuple(passages)


def _passage(sentences: Sentences) -> str:
    found: list[str] = []
    while sum(map(len, found)) < PASSAGE_CHARACTERS:
        found.append(sentences.sentence())
    return " ".join(found)


def _embedded(articles: Sequence[Cut], embedder: Embedder) -> Vectors:
    return embedder.embed_passages(
        [embedded_text(article, passage.text) for article, passages in articles for passage in passages]
    )


def _entries(articles: Sequence[Cut], vectors: Vectors) -> Iterator[Entry]:
    borders = np.cumsum([len(passages) for _, passages in articles])[:-1]
    for (article, passages), part in zip(articles, np.split(vectors, borders), strict=True):
        yield Entry(article, passages, part)


def _with_places(sentence: str, chance: random.Random) -> str:
    def replaced(word: re.Match[str]) -> str:
        return "{}" if chance.random() < MADE_UP_SHARE else word.group()

    return _WORD.sub(replaced, sentence.replace("{", "(").replace("}", ")"))
