"""Times: the days that a question itself names."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TypeVar

from rag.dates import EARLIEST_YEAR, LATEST_YEAR, iso_day, month_number
from rag.periods import Period, around, back, hull, months, one_day

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ORDINALS = ("first", "second", "third", "fourth")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SEASONS = {"spring": (3, 5), "summer": (6, 8), "autumn": (9, 11), "fall": (9, 11), "winter": (1, 14)}

_MONTH = (
    r"(?:jan(?:uary|\.)?|feb(?:ruary|\.)?|mar(?:ch|\.)?|apr(?:il|\.)?|may|june?\.?|july?\.?|aug(?:ust|\.)?|"
    r"sep(?:tember|t?\.?)|oct(?:ober|\.)?|nov(?:ember|\.)?|dec(?:ember|\.)?)"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:1[4-9]|20)\d\d"
_DASH = r"\s?[-–—]\s?"
_TO = rf"(?:{_DASH}|\s(?:and|to|until|till|through)\s(?:the\s)?)"
_ON = r"(?:\b(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day|\.)?,?\s)?(?:\bthe\s)?"
_EARLY = r"(?:early|mid|late)[-\s]"

# The ways to write a time that needs nothing else to be certain; the groups say which part is which.
_FORMS = (
    r"(?P<numbers>\d{4}-\d\d?-\d\d?|\d{4}/\d\d?/\d\d?|\d\d?/\d\d?/\d{4}|\d\d?-\d\d?-\d{4}|\d\d?\.\d\d?\.\d{4})",
    rf"{_ON}(?P<month>{_MONTH})\s(?:the\s)?(?P<day>{_DAY})(?:,?{_TO}(?P<last>{_DAY}))?,?\s(?:of\s)?(?P<year>{_YEAR})",
    rf"{_ON}(?P<day>{_DAY})(?:{_TO}(?P<last>{_DAY}))?\s(?:of\s)?(?P<month>{_MONTH}),?\s(?P<year>{_YEAR})",
    rf"(?:{_EARLY})?(?P<month>{_MONTH}),?\s(?:of\s)?(?P<year>{_YEAR})",
    rf"(?:q(?P<quarter>[1-4])|(?P<ordinal>first|second|third|fourth)\squarter)\s(?:of\s)?(?P<year>{_YEAR})",
    rf"(?P<year>{_YEAR})\s?q(?P<quarter>[1-4])",
    rf"(?:{_EARLY})?(?P<season>spring|summer|autumn|fall|winter),?\s(?:of\s)?(?P<year>{_YEAR})",
    rf"(?P<half>first|second)\shalf\sof\s(?P<year>{_YEAR})",
    rf"{_EARLY}(?P<year>{_YEAR})",
)
_ANY_FORM = "|".join(re.sub(r"\(\?P<\w+>", "(?:", form) for form in _FORMS)
_WHOLE = rf"(?<![\w$€£#/.,-])(?:{_ANY_FORM})(?![\w%]|[.,/-]\d|[-–—][a-z])"
_MARK = r"\0\d+\0"

# A number that counts something is no year: "in 2000 homes", "by 1500 people".
_NO_COUNT = (
    r"(?![\w%/]|[.,]\d|['’]s|[-–—]\w|:\s|\s(?:people|men|women|children|per|percent|[mb]illion|hours|feet|k?m|B\.?C)\b|"
    r"\s(?!(?:was|is|has|does|as|its|his|this|us|versus|vs|onwards)\b)[a-z]{2,}s\b)"
)
_MORE_YEARS = rf"(?:(?:,\s|,?\s(?:and|or|to|versus|vs\.?)\s)(?:in\s)?{_YEAR})*"
_PART = r"(?:(?:the\s)?(?:very\s)?(?P<part>end|start|beginning|middle|course)\sof\s)?"

_DAY_OF_MONTH = rf"{_MONTH}\s{_DAY}|{_DAY}\s{_MONTH}|{_MONTH}"
_RANGES = (
    rf"\b(?:between|from)\s(?P<one>{_MARK}|{_DAY_OF_MONTH}|{_YEAR}),?{_TO}(?P<two>{_MARK}|{_YEAR}{_NO_COUNT})",
    rf"\b(?P<one>{_DAY_OF_MONTH})(?:{_DASH}|\s(?:to|through|and)\s)(?P<two>{_MARK})",
    rf"(?P<one>{_MARK})(?:{_DASH}|\s(?:to|through)\s)(?P<two>{_MARK})",
    rf"\b(?:in|during|over)\s(?P<one>{_YEAR})[-–—](?P<two>{_YEAR}{_NO_COUNT})",
)
_DIRECTED = (
    r"\b(?P<word>since|after|before|until|till|by|through|up\sto|prior\sto|from(?=[^,]+\son(?:wards?)?\b))\s"
    rf"{_PART}(?P<date>{_MARK}|(?:the\syear\s)?{_YEAR}{_NO_COUNT})(?:\son(?:wards?)?\b)?"
)
_IN_YEARS = (
    r"\b(?:in|during|throughout|at(?=\sthe)|(?:articles?|reports?|stor(?:y|ies)|news|coverage|pieces?)\s(?:from|of))\s"
    rf"{_PART}(?:both\s)?(?:the\syears?\s)?(?P<years>{_YEAR}{_MORE_YEARS}){_NO_COUNT}"
)
_WITHOUT_YEAR = rf"\b{_ON}(?:(?P<month>{_MONTH})\s(?P<day>{_DAY})|(?P<first>{_DAY})\s(?P<of>{_MONTH}))\b(?!\s\d)"
_BEFORE_LONE = r"\b(after|following|since|before|prior to)\b[^,.;:?!\0]*\0\d"
_LATER = r"\b(?:later|subsequent(?:ly)?|afterwards?|since then)\b"

_COUNT = rf"(?P<count>\d{{1,3}}|a|{'|'.join(_NUMBERS)})"
_LEAD = r"(?:\b(?P<lead>since|after|before|until|till|by)\s)?"
_ROLLING = (
    r"\b(?:in|over|during|within|for|throughout|since)\sthe\s(?:last|past|previous)\s"
    rf"(?:{_COUNT}\s(?P<units>day|week|month|year)s?|(?P<unit>day|week|month|year))\b(?!\sof\b)"
)
_AGO = rf"{_LEAD}(?<!than\s)\b{_COUNT}\s(?P<unit>day|week|month)s?\sago\b"
_THIS_OR_LAST = (
    rf"{_LEAD}(?<!the\s)(?<!very\s)\b(?-i:(?P<which>[Tt]his|[Ll]ast)(?:\spast)?\s(?P<unit>week|month|year))\b(?!\sof\b)"
)
_YESTERDAY = rf"{_LEAD}(?<!day\sbefore\s)\b(?-i:yesterday|(?:^|(?<=[.?!]\s))Yesterday|[Ll]ast\snight)\b"
_TODAY = r"\b(?-i:[Tt]oday|[Tt]his\s(?:morning|afternoon|evening))\b"
_LAST_MONTH = rf"{_LEAD}\blast\s(?P<month>{_MONTH})\b(?!\s\d)"
_WEEKDAY = (
    r"\b(?P<lead>since\s|after\s|before\s|on\s)?(?P<last>last\s)?(?P<day>mon|tues|wednes|thurs|fri|satur|sun)day"
    r"(?!['’]|,?\s(?-i:[A-Z]))\b"
)
_FUTURE = r"\b(?:will|going\sto|scheduled|upcoming|next|due\sto|(?:is|are)\s\w+ing)\b|['’]ll\b"
# "What happened today?" asks for a day, "What is it worth today?" does not.
_A_DAY = (
    r"\btoday['’]s\s(?:news|headlines?|papers?|edition|articles?|reports?|stories|coverage|top)\b|"
    r"\bthis\s(?:morning|afternoon|evening)\b|"
    r"^(?!.*\btoday['’]s\b)(?=.*\b(?:did|was|were|happen\w*|earlier|news|announced|died|published|reported|said)\b)"
)

_T = TypeVar("_T")
_Read = Callable[[re.Match[str]], Period | None]


@dataclass(slots=True)
class _Text:
    """A question from which the times that have been understood are taken out, one kind after the other.

    First each date becomes a mark, its number in `dates` between two zero characters; then the words around it tell
    which period it stands for.
    """

    rest: str
    dates: list[Period | None] = field(default_factory=list)

    def mark(self) -> None:
        """Put marks in the place of the dates that need nothing else to be certain."""

        def replace(match: re.Match[str]) -> str:
            self.dates.append(_possible(_read_date, match[0]))
            return f"\0{len(self.dates) - 1}\0"

        self.rest = _compiled(_WHOLE).sub(replace, self.rest)

    def take(self, pattern: str, read: _Read) -> list[Period]:
        """Take out all that a pattern finds, and give the periods that are read from it."""
        periods = [_possible(read, match) for match in _compiled(pattern).finditer(self.rest)]
        if periods:
            self.rest = _compiled(pattern).sub("\0", self.rest)
        return [period for period in periods if period]

    def has(self, pattern: str) -> bool:
        """Say whether the rest holds what a pattern describes."""
        return _compiled(pattern).search(self.rest) is not None

    def dated(self, written: str) -> Period | None:
        """Give the period of a mark or of a year."""
        if written.startswith("\0"):
            return self.dates[int(written.strip("\0"))]
        year = re.fullmatch(rf"(?:the\syear\s)?({_YEAR})", written)
        return months(int(year[1]), 1, 12) if year else None


def read_period(question: str, today: dt.date) -> Period:
    """Give the days from the first to the last that a question names, open on both sides where it names none.

    What is impossible or uncertain ("February 30, 2020", "in July", "9/4/2023") counts for nothing. Seasons are those
    of the north; a winter is named by the year of its beginning or of its end, so both are meant.
    """
    text = _Text(" ".join(question.replace("\0", " ").split()))
    absolute = _absolute(text) if any(map(str.isdigit, text.rest)) else []
    relative = _relative(text, today)
    # Beside "this week" a year is the background: "died this week ... was released in 1997".
    return hull([*(period for period in absolute if not (relative and period.is_years())), *relative])


def _absolute(text: _Text) -> list[Period]:
    text.mark()
    periods = [period for pattern in _RANGES for period in text.take(pattern, partial(_range, text))]
    periods += text.take(_DIRECTED, lambda m: _directed(m["word"], m["part"] or "", text.dated(m["date"])))
    periods += text.take(_IN_YEARS, _years)
    periods += text.take(_MARK, partial(_lone if not periods and len(text.dates) == 1 else _plain, text))
    return periods + text.take(_WITHOUT_YEAR, partial(_in_year, _only_year(text.dates)))


def _relative(text: _Text, today: dt.date) -> list[Period]:
    kinds: list[tuple[str, _Read]] = [
        (_ROLLING, lambda m: Period(back(today, _number(m["count"] or "a"), (m["unit"] or m["units"]).lower()), today)),
        (_AGO, lambda m: around(back(today, _number(m["count"]), m["unit"].lower()), m["unit"].lower())),
        (_THIS_OR_LAST, partial(_this_or_last, today)),
        (_YESTERDAY, lambda _: one_day(back(today, 1, "day"))),
        (_LAST_MONTH, lambda m: _month_before(today, month_number(m["month"]))),
    ]
    if text.has(_A_DAY):
        kinds.append((_TODAY, lambda _: one_day(today)))
    if not text.has(_FUTURE):
        kinds.append((_WEEKDAY, partial(_weekday, today)))
    return [period for pattern, read in kinds for period in text.take(pattern, partial(_led, read))]


def _range(text: _Text, match: re.Match[str]) -> Period | None:
    last = text.dated(match["two"])
    if not last or not last.since:
        return None
    first = text.dated(match["one"]) or _completed(match["one"], last.since)
    return Period(first.since, last.until) if first and first.since and first.since <= last.since else None


def _completed(one: str, last: dt.date) -> Period | None:
    """Give the first of two dates, of which only the last has its year: "from November to January 2020"."""
    for year in (last.year, last.year - 1):
        period = _possible(_read_date, f"{one} {year}")
        if period and period.since and period.since <= last:
            return period
    return None


def _directed(word: str, part: str, period: Period | None) -> Period | None:
    """Give what lies since, after, before or until a period, or until its part: "by the end of 2020"."""
    if not period or not period.since or not period.until:
        return None
    ends = {"start": period.since, "beginning": period.since, "end": period.until}
    if day := ends.get(part.lower()):
        period = one_day(day)
    match " ".join(word.lower().split()):
        case "since" | "from":
            return Period(since=period.since)
        case "after":
            return period.after()
        case "before" | "prior to":
            return period.before()
    return Period(until=period.until)


def _years(match: re.Match[str]) -> Period:
    years = sorted(map(int, re.findall(_YEAR, match["years"])))
    return Period(dt.date(years[0], 1, 1), dt.date(years[-1], 12, 31))


def _plain(text: _Text, match: re.Match[str]) -> Period | None:
    return text.dated(match[0])


def _lone(text: _Text, match: re.Match[str]) -> Period | None:
    """Give the only date of a question, open where another time is set against it: "after the vote of July 16"."""
    period = text.dated(match[0])
    lead = _compiled(_BEFORE_LONE).search(text.rest)
    if period and lead and lead[1].lower() in {"before", "prior to"}:
        return Period(until=period.until)
    return Period(since=period.since) if period and (lead or text.has(_LATER)) else period


def _only_year(periods: list[Period | None]) -> int:
    years = {day.year for period in periods if period for day in (period.since, period.until) if day}
    return years.pop() if len(years) == 1 else 0


def _in_year(year: int, match: re.Match[str]) -> Period | None:
    """Give "on October 3" in the only year that the question names."""
    day = dt.date(year, month_number(match["month"] or match["of"]), _number(match["day"] or match["first"]))
    return one_day(day)


def _led(read: _Read, match: re.Match[str]) -> Period | None:
    """Give a relative period, or what lies on one side of it: "since last week"."""
    lead = (match.groupdict().get("lead") or "on").strip().lower()
    return read(match) if lead == "on" else _directed(lead, "", read(match))


def _this_or_last(today: dt.date, match: re.Match[str]) -> Period:
    unit, is_last = match["unit"], match["which"].lower() == "last"
    period = around(back(today, int(is_last), unit), unit)
    if unit == "week" and not is_last:
        # On a Tuesday "this week" is for many the last few days.
        return Period(min(period.since or today, back(today, 6, "day")), period.until)
    return period


def _weekday(today: dt.date, match: re.Match[str]) -> Period | None:
    if not match["lead"] and not match["last"]:
        return None
    days = (today.weekday() - _WEEKDAYS.index(match["day"][:3].lower())) % 7
    return one_day(back(today, 7 if not days and match["last"] else days, "day"))


def _month_before(today: dt.date, month: int) -> Period | None:
    # In September "last July" is this year's to some and the year before's to others.
    return months(today.year - 1, month, month) if month >= today.month else None


def _read_date(written: str) -> Period | None:
    form = next(filter(None, (_compiled(form).fullmatch(written) for form in _FORMS)), None)
    found = form.groupdict() if form else {}
    if numbers := found.get("numbers"):
        day = iso_day(numbers)
        return one_day(dt.date.fromisoformat(day)) if day else None
    if not (year := int(found.get("year") or 0)):
        return None
    if found.get("day"):
        month, first = month_number(found["month"]), _number(found["day"])
        last = _number(found["last"] or found["day"])
        return Period(dt.date(year, month, first), dt.date(year, month, last)) if first <= last else None
    return months(year, *_part_of_year(found))


def _part_of_year(found: dict[str, str | None]) -> tuple[int, int]:
    """Give the first and the last month."""
    if month := found.get("month"):
        return month_number(month), month_number(month)
    if season := found.get("season"):
        return _SEASONS[season.lower()]
    if half := found.get("half"):
        return (1, 6) if half.lower() == "first" else (7, 12)
    ordinal = (found.get("ordinal") or "").lower()
    quarter = _ORDINALS.index(ordinal) + 1 if ordinal else int(found.get("quarter") or 0)
    return (quarter * 3 - 2, quarter * 3) if quarter else (1, 12)


def _number(written: str) -> int:
    known = "one" if written.lower() == "a" else written.lower()
    return _NUMBERS.index(known) + 1 if known in _NUMBERS else int(re.sub(r"\D", "", written))


def _possible(read: Callable[[_T], Period | None], written: _T) -> Period | None:
    """Give what is read, nothing for the 30th of February or a day before the first year."""
    try:
        period = read(written)
    except (ValueError, OverflowError):
        return None
    days = [day for day in (period.since, period.until) if day] if period else []
    return period if all(EARLIEST_YEAR <= day.year <= LATEST_YEAR for day in days) else None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.ASCII)
