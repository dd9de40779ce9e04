"""Dates: any way a newspaper writes a day, as an ISO day."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

EARLIEST_YEAR = 1400
LATEST_YEAR = 2100
LONGEST_DATE = 60
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d])(?:[T ,].*)?")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T.*)?")
NUMBERS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?![\d])(?:[T ,].*)?")


def iso_day(value: object) -> str:
    """Give "2019-07-16" for a date in any absolute form, as it is written there; what is no certain day is empty.

    No certain day are "yesterday", "July 2019", the 13th month, and 03/04/2024, which is two days in two countries.
    """
    if isinstance(value, dt.date):
        return _day(value.year, value.month, value.day)
    if not isinstance(value, str) or len(value) > LONGEST_DATE:
        return ""
    return _iso_day(" ".join(value.split()))


def known_day(stored: str) -> str:
    """Give the date of an article where it is an ISO day, else nothing: archives may hold what hosts once wrote."""
    try:
        return stored if dt.date.fromisoformat(stored).isoformat() == stored else ""
    except ValueError:
        return ""


def month_number(name: str) -> int:
    """Give 9 for "September", "Sept." or "SEP"."""
    return next(number for number, month in enumerate(MONTHS, start=1) if month.lower().startswith(name[:3].lower()))


@lru_cache(maxsize=4096)
def _iso_day(written: str) -> str:
    if found := YEAR_FIRST.fullmatch(written):
        return _day(int(found[1]), int(found[3]), int(found[4]))
    if found := COMPACT.fullmatch(written):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := NUMBERS.fullmatch(written):
        return _only_day(int(found[1]), int(found[3]), int(found[4]))
    return _day_in_words(written) if re.search(r"(?<!\d)\d{4}(?!\d)", written) else ""


def _day_in_words(written: str) -> str:
    """Read a date with the name of a month, in any of the many languages that dateparser knows."""
    if not any(map(str.isalpha, written)):
        return ""
    import dateparser

    settings = {"STRICT_PARSING": True, "PARSERS": ["absolute-time"], "RETURN_AS_TIMEZONE_AWARE": False}
    moments = {dateparser.parse(written, settings={**settings, "DATE_ORDER": order}) for order in ("DMY", "MDY")}
    days = {_day(moment.year, moment.month, moment.day) for moment in moments if moment is not None}
    return days.pop() if len(days) == 1 else ""


def _only_day(first: int, second: int, year: int) -> str:
    days = {_day(year, second, first), _day(year, first, second)} - {""}
    return days.pop() if len(days) == 1 else ""


def _day(year: int, month: int, day: int) -> str:
    try:
        return dt.date(year, month, day).isoformat() if EARLIEST_YEAR <= year <= LATEST_YEAR else ""
    except ValueError:
        return ""
