"""Quantities: the numbers and months of a text as values that compare, however they are written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from rag.dates import MONTHS

_MONTHS = tuple(map(str.lower, MONTHS))
_MONTH = (
    r"(?:Jan(?:uary)?+|Feb(?:ruary)?+|March|Mar(?=\.)|April|Apr|May|June?+|July?+|Aug(?:ust)?+|Sept?+(?:ember)?+|"
    r"Oct(?:ober)?+|Nov(?:ember)?+|Dec(?:ember)?+)\b"
)
_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = (
    *("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth"),
    *("fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth", "thirtieth"),
)
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_SHORT_SCALES = {"k": 3, "m": 6, "mn": 6, "mln": 6, "bn": 9, "b": 9, "tn": 12, "trn": 12}

_SMALL = {
    **{word: value for value, word in enumerate(_UNITS)},
    **{word: 10 * value for value, word in enumerate(_TENS, start=2)},
    **{word: value for value, word in enumerate(_ORDINALS, start=3)},
    "thirtieth": 30,
    "dozen": 12,
}
_SMALL_ONES = {"first": 1, "second": 2, **{word: value for word, value in _SMALL.items() if value in range(1, 10)}}

_LONG_SCALE = rf"(?:{'|'.join(_SCALES)})\b"
_FIGURES = r"[0-9]{1,24}+(?:,[0-9]{2,3}(?![0-9])){0,8}+(?:\.[0-9]{1,24}+)?+"
_WORD = rf"(?:{'|'.join(sorted((*_SMALL, *_SCALES), key=len, reverse=True))})\b"
_ONES = rf"(?:{'|'.join(_SMALL_ONES)})\b"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEAR_DAYS = {"yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1}
_NEAR_YEARS = {"last": -1, "this": 0, "next": 1}
_RELATIVE = re.compile(
    rf"\b(?:({'|'.join((*_WEEKDAYS, *_NEAR_DAYS))})|({'|'.join(_NEAR_YEARS)})\syear)\b", re.IGNORECASE
)
_ISO_DAY = r"(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-3][0-9])(?![0-9])"
_QUANTITY = re.compile(
    rf"(?<![0-9])(?:{_ISO_DAY}|(?P<figures>{_FIGURES})"
    rf"(?:[\s-]?(?P<scale>{_LONG_SCALE})|\s?(?P<short>(?:bn|mn|mln|tn|trn)\b)|(?P<unsure>[kmb]\b))?+)"
    rf"|\b(?P<words>(?i:(?:an?\s(?={_LONG_SCALE}))?+{_WORD}(?:(?:[\s-]|(?<=hundred)\sand\s){_WORD}){{0,11}}+(?:-{_ONES})?+))"
    rf"|\b(?P<name>{_MONTH})"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number or a month at its place in a text, with the values that it may stand for: "$5m" is 5 or 5,000,000."""

    start: int
    end: int
    values: frozenset[str]


def quantities(text: str) -> Iterator[Quantity]:
    """Yield the numbers and months of a text: "3,000", "three thousand" and "3k" have one value, "1st" is 1.

    A day such as "2019-07-16" yields its year, its month and its day. "First", "second", "half" and "dozens" are words.
    """
    for match in _QUANTITY.finditer(text):
        for values in _values(match):
            yield Quantity(match.start(), match.end(), values)


def relative_days(text: str, published: dt.date) -> Iterator[str]:
    """Yield the values of the days that "on Tuesday", "yesterday" and "last year" may be in an article of that day.

    Of a weekday they are the last one and the next one, since the tense that would tell is not read.
    """
    for match in _RELATIVE.finditer(text):
        word, year = (match[1] or "").lower(), (match[2] or "").lower()
        if year:
            yield str(published.year + _NEAR_YEARS[year])
        elif word in _NEAR_DAYS:
            yield from _day(published, _NEAR_DAYS[word])
        else:
            since = (published.weekday() - _WEEKDAYS.index(word)) % 7
            yield from (*_day(published, -since), *_day(published, 7 - since))


def _day(published: dt.date, later: int) -> tuple[str, str, str]:
    day = dt.date.fromordinal(min(max(published.toordinal() + later, 1), dt.date.max.toordinal()))
    return str(day.year), _MONTHS[day.month - 1], str(day.day)


def _values(match: re.Match[str]) -> Iterator[frozenset[str]]:
    if match["year"]:
        yield frozenset({match["year"]})
        yield frozenset({_MONTHS[int(match["month"]) - 1]})
        yield frozenset({str(int(match["day"]))})
    elif match["name"]:
        yield frozenset(month for month in _MONTHS if month.startswith(match["name"].lower()))
    elif match["words"]:
        yield frozenset({str(_count(re.findall(r"\w+", match["words"].lower())))})
    else:
        yield frozenset(_figures(match))


def _figures(match: re.Match[str]) -> Iterator[str]:
    number = Decimal(match["figures"].replace(",", ""))
    power = _SCALES.get(match["scale"] or "") or _SHORT_SCALES.get(match["short"] or match["unsure"] or "", 0)
    yield _written(number * 10**power)
    if match["unsure"]:
        yield _written(number)


def _written(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _count(words: list[str]) -> int:
    """Add up a number in words: "two hundred and fifty thousand"."""
    whole, part = 0, 0
    for word in words:
        if word in _SCALES and word != "hundred":
            whole, part = whole + max(part, 1) * 10 ** _SCALES[word], 0
        elif word == "hundred":
            part = max(part, 1) * 100
        else:
            part += _SMALL.get(word) or _SMALL_ONES.get(word, 0)
    return whole + part
