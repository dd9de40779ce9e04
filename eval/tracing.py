"""Tracing: whether excerpts of an archive lead back to it, altered ones are flagged, and foreign ones are not found."""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.aligning import read_words
from rag.archive import Archive
from rag.articles import Article
from rag.reading import read_articles
from rag.traces import Difference, Origin, Trace
from rag.tracing import Tracer

from .errors import EvalError
from .measures import percentile
from .tables import between, figure, print_note, print_table

SHORTEST, LONGEST = 8, 40
TRIES = 1000
LINE_WORDS = 9
NORMAL = 1.96  # of the normal distribution: 95 %

ALTERATIONS = ("replaced", "number", "dropped", "inserted")
FOREIGN = "foreign"

_WRITTEN = re.compile(r"\S+")
_DIGIT = re.compile("[0-9]")
_STRAIGHT = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-"})
_CURLY = str.maketrans({'"': "”", "'": "’"})


@dataclass(frozen=True, slots=True)
class Drawn:
    """An excerpt of an article, and the `text` that somebody made of it; `was` is what was changed, into `now`."""

    article: Article
    excerpt: str
    text: str
    kind: str
    was: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of so many excerpts were told as they should be."""

    name: str
    right: int
    count: int

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies with 95 % confidence (Wilson 1927)."""
        share, weight = self.right / self.count, NORMAL**2 / self.count
        centre = share + weight / 2
        reach = NORMAL * math.sqrt(share * (1 - share) / self.count + weight / self.count / 4)
        return max(0.0, (centre - reach) / (1 + weight)), min(1.0, (centre + reach) / (1 + weight))

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        low, high = self.interval
        return {"name": self.name, "right": self.right, "count": self.count, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Traced:
    """What came of tracing: shares, the milliseconds of each excerpt, and what was not told as it should be.

    So many foreign excerpts are `held` by the archive all the same, since it has the same words; they are not counted.
    """

    shares: tuple[Share, ...]
    milliseconds: tuple[float, ...]
    wrong: tuple[tuple[Drawn, Trace], ...]
    held: int = 0

    @property
    def p50(self) -> float:
        """The milliseconds within which half of the excerpts were traced."""
        return percentile(self.milliseconds, 0.5)

    @property
    def p95(self) -> float:
        """The milliseconds within which 95 % of them were."""
        return percentile(self.milliseconds, 0.95)

    def to_dict(self) -> dict[str, Any]:
        """Give the object that `onrecord eval trace --json` prints."""
        return {
            "shares": [share.to_dict() for share in self.shares],
            "p50": self.p50,
            "p95": self.p95,
            "held": self.held,
            "wrong": [
                {"kind": drawn.kind, "article": drawn.article.id, "excerpt": drawn.text, "state": trace.state}
                | {"was": drawn.was, "now": drawn.now, "nearest": trace.nearest.text if trace.nearest else ""}
                for drawn, trace in self.wrong
            ],
        }


# Drawing


def _straight(text: str) -> str:
    return text.translate(_STRAIGHT)


def _curly(text: str) -> str:
    return text.translate(_CURLY)


def _broken(text: str) -> str:
    words = text.split()
    return "\n".join(" ".join(words[at : at + LINE_WORDS]) for at in range(0, len(words), LINE_WORDS))


def _quoted(text: str) -> str:
    return f"“{text.rstrip('.,;:!?”’')}”"


# What may have become of an excerpt on its way, none of which alters it.
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "straight quotation marks and dashes": _straight,
    "curly quotation marks": _curly,
    "lower case": str.lower,
    "broken into lines": _broken,
    "in quotation marks, without the point": _quoted,
}


@dataclass(frozen=True, slots=True)
class Lot:
    """Excerpts of articles, drawn by lot."""

    articles: Sequence[Article]
    random: random.Random

    @classmethod
    def of(cls, articles: Iterable[Article], seed: int) -> Lot:
        """Take the articles that are long enough. Raises `EvalError` where none is."""
        long = [article for article in articles if len(article.text.split()) >= SHORTEST]
        if not long:
            raise EvalError(f"No article has {SHORTEST} words. Give an archive, or a file, of longer ones.")
        return cls(long, random.Random(seed))  # noqa: S311 # nothing is secret here

    def excerpt(self, kind: str = "as it is") -> Drawn:
        """Draw an article, and some words that follow one another in it."""
        article = self.random.choice(self.articles)
        spans = [match.span() for match in _WRITTEN.finditer(article.text)]
        count = min(self.random.randint(SHORTEST, LONGEST), len(spans))
        first = self.random.randint(0, len(spans) - count)
        excerpt = article.text[spans[first][0] : spans[first + count - 1][1]]
        return Drawn(article, excerpt, excerpt, kind)

    def formed(self) -> Drawn:
        """Draw an excerpt in one of the forms that do not alter it."""
        drawn = self.excerpt(self.random.choice(list(FORMS)))
        return replace(drawn, text=FORMS[drawn.kind](drawn.text))

    def altered(self, kind: str) -> Drawn:
        """Draw an excerpt with one word replaced, dropped or inserted, or one number changed, as `kind` says."""
        for _ in range(TRIES):
            drawn = self.excerpt(kind)
            words = drawn.text.split()
            inner = int(kind in {"dropped", "inserted"})  # at an end it would be a shorter or a longer excerpt
            at = self.random.randint(inner, len(words) - 1 - inner)
            was, now = self._change(words[at], kind)
            words[at : at + bool(was)] = [now] if now else []
            if _words(was) != _words(now) and (not was or _words(was)) and (not now or _words(now)):
                return replace(drawn, text=" ".join(words), was=was, now=now)
        raise EvalError(f"Of {TRIES:,} excerpts none could be altered ({kind}). Give an archive of more articles.")

    def _change(self, word: str, kind: str) -> tuple[str, str]:
        """Give what is taken away, and what comes in its place."""
        other = self.random.choice(self.random.choice(self.articles).text.split())
        number = _DIGIT.sub(lambda _: str(self.random.randint(1, 9)), word, count=1)
        return {"replaced": (word, other), "number": (word, number), "dropped": (word, ""), "inserted": ("", other)}[
            kind
        ]


# Holding what was told against what was drawn


def is_right(drawn: Drawn, trace: Trace) -> bool:
    """Say whether an excerpt was led back to its article, rightly described, and to its words there."""
    source = drawn.article
    described = (source.id, source.title, source.source, source.date, source.url)
    return any(
        (found.article_id, found.title, found.source, found.date, found.url) == described and _holds(found, drawn)
        for found in trace.found
    )


def is_flagged(drawn: Drawn, trace: Trace) -> bool:
    """Say whether an altered excerpt was told as one, with the place it comes from and with what was changed."""
    if trace.nearest is None or not (trace.nearest.article_id == drawn.article.id or _holds(trace.nearest, drawn)):
        return False
    return any(_is_named(drawn, difference) for difference in trace.differences)


def _holds(origin: Origin, drawn: Drawn) -> bool:
    return _words(origin.text) == _words(drawn.excerpt)


def _is_named(drawn: Drawn, difference: Difference) -> bool:
    """Say whether a difference is what was changed, or of two words that a hyphen binds the one that was."""
    pairs = ((_words(drawn.was), _words(difference.article)), (_words(drawn.now), _words(difference.excerpt)))
    return all(bool(made) == bool(told) and (made in told or told in made) for made, told in pairs)


def _words(text: str) -> str:
    return " ".join(read_words(text).words)


# Measuring


def measure(archive: Path, excerpts: int, seed: int, foreign: Path | None = None) -> Traced:
    """Trace so many excerpts of an archive, as many altered ones, and as many of a file of articles not in it."""
    with Tracer.open(archive) as tracer:
        lot = Lot.of(tracer.archive.articles(), seed)
        own = [lot.formed() for _ in range(excerpts)]
        altered = [lot.altered(ALTERATIONS[number % len(ALTERATIONS)]) for number in range(excerpts)]
        others = Lot.of(_foreign(foreign, tracer.archive), seed) if foreign else None
        strange = [others.excerpt(FOREIGN) for _ in range(excerpts)] if others else []
        tracer.trace(own[0].text)  # opens the index
        timed = [(drawn, *_timed(tracer, drawn)) for drawn in (*own, *altered, *strange)]
    told = [(drawn, trace, _is_told(drawn, trace)) for drawn, trace, _ in timed]
    held = sum(right is None for _, _, right in told)
    return Traced(
        shares=tuple(_shares(told)),
        milliseconds=tuple(spent for _, _, spent in timed),
        wrong=tuple((drawn, trace) for drawn, trace, right in told if right is False),
        held=held,
    )


def _is_told(drawn: Drawn, trace: Trace) -> bool | None:
    """Say whether it was told as it should be; None where a foreign excerpt does stand in the archive."""
    if drawn.kind == FOREIGN:
        return None if trace.found else trace.state == "not_found"
    return is_flagged(drawn, trace) if drawn.kind in ALTERATIONS else is_right(drawn, trace)


def _shares(told: Sequence[tuple[Drawn, Trace, bool | None]]) -> Iterator[Share]:
    """Yield the share told rightly of excerpts, altered and foreign ones, and of each form and alteration."""
    groups = {
        "excerpts led back to their article": tuple(FORMS),
        **{f"- {form}": (form,) for form in FORMS},
        "altered excerpts flagged, with the difference": ALTERATIONS,
        **{f"- {kind}": (kind,) for kind in ALTERATIONS},
        "foreign excerpts told not to be in the archive": (FOREIGN,),
    }
    for name, kinds in groups.items():
        rights = [right for drawn, _, right in told if drawn.kind in kinds and right is not None]
        if rights:
            yield Share(name, sum(rights), len(rights))


def print_traced(traced: Traced) -> None:
    """Print the shares as a table, with what is to be known of it."""
    rows = [
        (
            share.name,
            f"{share.right:,}",
            f"{share.count:,}",
            figure(100 * share.right / share.count, 2),
            between(*(100 * bound for bound in share.interval), decimals=2),
        )
        for share in traced.shares
    ]
    print_table(("", "right", "of", "%", "95 %"), rows)
    print_note(
        f"Half were traced within {traced.p50:.1f} ms, 95 % within {traced.p95:.1f} ms. The intervals are Wilson's. "
        f"{traced.held:,} foreign excerpts stand in the archive, too, and are not counted."
    )


def _foreign(file: Path, archive: Archive) -> Iterator[Article]:
    """Yield the articles of a file that an archive does not hold."""
    for article in read_articles(file):
        if isinstance(article, Article) and not archive.digests([article.id]):
            yield article


def _timed(tracer: Tracer, drawn: Drawn) -> tuple[Trace, float]:
    started = time.perf_counter()
    trace = tracer.trace(drawn.text)
    return trace, (time.perf_counter() - started) * 1000
