"""Comparing: whether two answers to one question say the same, however they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from rag.dates import MONTHS
from rag.kinds import Kind
from rag.quantities import quantities
from rag.words import STOP_WORDS, matches, words

COMPARED: frozenset[Kind] = frozenset({"person", "place", "thing", "time", "quantity", "money"})
ROUGH, ROUNDED = Decimal("0.1"), Decimal("0.05")

_MONTHS = frozenset(map(str.lower, MONTHS))
_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)
_DAY = re.compile(r"(?<![0-9])[0-9]{1,2}(?![0-9])")
_YEAR = re.compile(r"(?<![0-9])(1[0-9]{3}|20[0-9]{2})(?:[-–]([0-9]{2}(?:[0-9]{2})?))?(?![0-9])")
_CENTURY = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th) centur")
_DECADE = re.compile(r"([0-9]{3})0s")
_SIGN = re.compile(r"[$€£¥%]|per ?cent")
_ORDINAL = re.compile(r"(?:[0-9]+(?:st|nd|rd|th)|first|second|thirds?)", re.IGNORECASE)


def can_compare(kind: Kind, value: str) -> bool:
    """Say whether a value of a kind can be held against another: a number, a date with year or month, or a name."""
    if kind in {"quantity", "money"}:
        return bool(_numbers(value)) and not _ORDINAL.fullmatch(value)
    if kind == "time":
        return _Date.read(value) is not None
    return kind in COMPARED and any(map(str.isupper, value))


def differ(kind: Kind, one: str, other: str) -> bool:
    """Say whether two values exclude each other.

    A more precise one is no other: "July 16" beside "July", "Ana Brandt" beside "Brandt", 1,183 beside "about 1,200".
    Nor is what may be of another sort: a percentage beside a count, a single name beside a full one.
    """
    if kind in {"quantity", "money"}:
        return _differ_in_number(one, other)
    if kind == "time":
        return _differ_in_date(_Date.read(one), _Date.read(other))
    return _differ_in_name(one, other)


def sign(value: str) -> str:
    """Give the sign of a number: "$", "%" and their like; empty where it has none."""
    found = _SIGN.search(value)
    return "" if not found else "%" if found[0].startswith("per") else found[0]


def subject_stems(text: str) -> frozenset[str]:
    """Give the stems of the words of a text that carry its subject."""
    return frozenset(word.stem for word in words(text) if word.text.lower() not in STOP_WORDS)


def _numbers(value: str) -> list[frozenset[Decimal]]:
    found = (each.values for each in quantities(value))
    return [frozenset(map(Decimal, values)) for values in found if values.isdisjoint(_MONTHS)]


def _differ_in_number(one: str, other: str) -> bool:
    first, second = _numbers(one), _numbers(other)
    if len(first) != len(second) or sign(one) != sign(other):
        return False
    rough = any(value[:1].isalpha() and " " in value for value in (one, other))  # "about 30", "more than 30"
    return not all(
        any(_is_close(a, b, rough=rough) for a in ones for b in others)
        for ones, others in zip(first, second, strict=True)
    )


def _is_close(one: Decimal, other: Decimal, *, rough: bool) -> bool:
    rounded = any(number >= 100 and len(f"{number.normalize():f}".strip("0")) <= 2 for number in (one, other))
    return abs(one - other) <= (ROUGH if rough else ROUNDED if rounded else 0) * max(one, other)


def _differ_in_name(one: str, other: str) -> bool:
    fewer, more = sorted((subject_stems(one), subject_stems(other)), key=len)
    return (len(fewer) > 1) == (len(more) > 1) and 2 * sum(matches(name, more) for name in fewer) <= len(fewer)


@dataclass(frozen=True, slots=True)
class _Date:
    """A date as far as it is written: the first and last year that it may be in, its month, its day."""

    years: tuple[int, int] | None
    month: str
    day: int

    @classmethod
    def read(cls, value: str) -> _Date | None:
        """Read a date; nothing where it has neither year nor month."""
        month, years = _MONTH.search(value), _years(value)
        day = _DAY.search(value) if month else None
        return cls(years, month[0].lower() if month else "", int(day[0]) if day else 0) if years or month else None


def _years(value: str) -> tuple[int, int] | None:
    if century := _CENTURY.search(value):
        last = int(century[1]) * 100
        return last - 99, last
    if decade := _DECADE.search(value):
        return int(decade[1]) * 10, int(decade[1]) * 10 + 9
    if year := _YEAR.search(value):
        last_digits = year[2] or ""
        return int(year[1]), int(year[1][: 4 - len(last_digits)] + last_digits)
    return None


def _differ_in_date(one: _Date | None, other: _Date | None) -> bool:
    if not one or not other or bool(one.day) != bool(other.day):
        return False
    if one.years and other.years and (one.years[1] < other.years[0] or other.years[1] < one.years[0]):
        return True
    pairs = ((one.month, other.month), (one.day, other.day))
    return any(first and second and first != second for first, second in pairs)
