"""Words as they are compared: stemmed, without case, and without those that carry no subject."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|\d+(?:[.,]\d+)*|[^\W_]+")
_NAME_TAIL = 4  # "Iran" and "Iranian", "Yemen" and "Yemenis"
_LOCAL = threading.local()

STOP_WORDS = frozenset(
    """a about above after again all also am an and any are as at be because been before being between both but by can
    could d did do does doing down during each else ever every few for from further get gets give given gives go goes
    going got had has have having he her here hers him his how i if in into is it its itself just ll m many may me might
    more most much my no nor not now of off on once one only or other our out over own per re s said same say saying
    says she should so some such t tell than that the their them then there these they this those through to too under
    until up us ve very was we were what when where which while who whom whose why will with would you your
    dr jr mr mrs ms prof sen
    according anyone anything article articles called comment comments describe did does exactly happen happened
    happening kind many name named people person report reported reports say state stated talk talked tell thing things
    told type""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text: as written, as compared, and whether it is written like a name."""

    text: str
    stem: str
    capital: bool
    start: int


def words(text: str) -> list[Word]:
    """Give the words of a text in order, stop words included."""
    return [_word(match) for match in _WORD.finditer(text)]


def subject_words(text: str) -> list[Word]:
    """Give the words of a text that carry its subject."""
    return [word for word in words(text) if word.text.lower() not in STOP_WORDS or _is_country(word.text)]


def matches(stem: str, stems: frozenset[str]) -> bool:
    """Say whether a stem stands among others, or one that begins like it and is little longer ("Iran", "Iranian")."""
    return stem in stems or any(_akin(stem, other) for other in stems)


def _akin(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return (
        len(short) >= 4 and len(long) - len(short) <= _NAME_TAIL and long.startswith(short) and not short[-1].isdigit()
    )


def _word(match: re.Match[str]) -> Word:
    text = match.group()
    return Word(text, stem(text), text[0].isupper() or text[0].isdigit(), match.start())


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Give the stem under which the forms of a word meet."""
    if _is_country(word):
        return "u.s."
    return str(_stemmer().stemWord(word.lower().replace(".", "")))


def _is_country(word: str) -> bool:
    # The pronoun "us" is a stop word, the country is not.
    return word in {"US", "U.S.", "USA", "U.S.A.", "America", "American", "Americans"}


def _stemmer() -> Any:
    # A stemmer keeps its state while it works, so each thread has one.
    if not hasattr(_LOCAL, "stemmer"):
        import snowballstemmer

        _LOCAL.stemmer = snowballstemmer.stemmer("english")
    return _LOCAL.stemmer
