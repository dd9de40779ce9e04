"""Periods: stretches of days, and the calendar's arithmetic with them."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of days, both ends included; an end that is open is nothing."""

    since: dt.date | None = None
    until: dt.date | None = None

    def __bool__(self) -> bool:
        """Say whether there is any end."""
        return bool(self.since or self.until)

    def after(self) -> Period:
        """Give all that comes after the last day."""
        return Period(since=self.until + dt.timedelta(1) if self.until else None)

    def before(self) -> Period:
        """Give all that comes before the first day."""
        return Period(until=self.since - dt.timedelta(1) if self.since else None)

    def is_years(self) -> bool:
        """Say whether it begins and ends with a year, so far as it is not open."""
        ends = {(day.month, day.day) for day in (self.since, self.until) if day}
        return bool(ends) and ends <= {(1, 1), (12, 31)}


def one_day(day: dt.date) -> Period:
    """Give the period of a single day."""
    return Period(day, day)


def months(year: int, first: int, last: int) -> Period:
    """Give whole months of a year, counted from 1; the 13th and 14th are the first two of the year after."""
    until_year, until_month = year + (last - 1) // 12, (last - 1) % 12 + 1
    days = calendar.monthrange(until_year, until_month)[1]
    return Period(dt.date(year, first, 1), dt.date(until_year, until_month, days))


def around(day: dt.date, unit: str) -> Period:
    """Give the whole week, month or year that a day is in; weeks begin on Monday."""
    if unit == "week":
        monday = day - dt.timedelta(day.weekday())
        return Period(monday, monday + dt.timedelta(6))
    if unit == "month":
        return months(day.year, day.month, day.month)
    return months(day.year, 1, 12) if unit == "year" else one_day(day)


def back(day: dt.date, count: int, unit: str) -> dt.date:
    """Give the day so many days, weeks, months or years before; the last of the month where that is shorter."""
    if unit in {"day", "week"}:
        return day - dt.timedelta(count * (7 if unit == "week" else 1))
    counted = day.year * 12 + day.month - 1 - count * (12 if unit == "year" else 1)
    year, month = counted // 12, counted % 12 + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def hull(periods: Sequence[Period]) -> Period:
    """Give the days from the first to the last of several periods.

    Where one is open in the past and another in the future ("after March and before May"), their ends meet.
    """
    sinces = [period.since for period in periods if period.since]
    untils = [period.until for period in periods if period.until]
    opens_down, opens_up = len(sinces) < len(periods), len(untils) < len(periods)
    since = min(sinces) if sinces and (opens_up or not opens_down) else None
    until = max(untils) if untils and (opens_down or not opens_up) else None
    return Period() if since and until and since > until else Period(since, until)
