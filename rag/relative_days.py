"""Relative days: the calendar's name for "on Tuesday", "last week" and their like, counted from a published day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from rag.dates import MONTHS, month_number
from rag.periods import Period, around, back, months, one_day
from rag.tenses import tense_of

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SHIFTS = {"last": 1, "this": 0, "next": -1}
# What reached five or six days back was mostly written after the day that its article bears.
_DAYS_BACK = 4
_MONTHS_BACK = 6
_DAYS_ROUND = 250
_CONTEXT = 300
_LONGEST_WORD = 30

_A_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_A_MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?|"
    r"Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_PART = r"(?: (?:(?:early|late|mid)[ -])?(?:morning|afternoon|evening|night))?+"
_END = r"(?:['’]s)?+(?![\w-]|['’]\w)"
_MORE = r" (?:(?:of )?[0-9]|(?:and|or|to)\b)"
# "The last week", "her last year" and "the restaurant's last night" are not counted from the day of publication.
_FREE = r"(?<!\bthe )(?<!\bhis )(?<!\bher )(?<!\bits )(?<!\btheir )(?<!['’]s )(?<!\bover )(?<!\bvery )(?<!\bpast )\b"
_SPEAKER = re.compile(r"\b(?:I|me|my|[Yy]ou|[Yy]our|[Ww]e|us|[Oo]ur)\b")
_YEAR = re.compile(r"(?<![\w$£€,.])(?:1[5-9]|20)\d\d(?![\w%]|,\d)")

_DATED = re.compile(
    rf"\b(?P<weekday>{_A_WEEKDAY}),? (?:(?P<month>{_A_MONTH}) (?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?|"
    rf"(?P<first>[0-3]?[0-9])(?:st|nd|rd|th)? (?P<of>{_A_MONTH}))(?![\w:]|[-–]\w|[.,:]\w)(?P<year>,? [12][0-9]{{3}}\b)?"
)
_WEEKDAY = re.compile(rf"(?<![\w'’/&-])(?P<day>{_A_WEEKDAY}){_PART}{_END}")
_NO_DAY_AFTER = re.compile(
    rf",? \(?(?:the )?[0-9]|,? \(?{_A_MONTH}\b|,?(?: and| or| to| through| thru| until|,) (?:(?:on|the) )?{_A_WEEKDAY}|"
    r"[/–—&-]| (?:of|last|next|week|a week|Night|Morning|Afternoon|Evening)\b"
)
_CAPITAL_AFTER = re.compile(r" [A-Z]")
# Of "a Tuesday" there are many, "Black Friday" is a name, and a stretch of days says too little about each.
_NO_DAY_BEFORE = frozenset(
    """a an the every each any some one most many another first second third fourth following previous same that
    and or to through thru until till between from before after per typical usual
    ash big black bloody blue casual christmas cyber easter fat freaky giving good holy manic maundy palm pancake red
    ruby shrove super taco throwback whit january february march april may june july august september october november
    december""".split()  # noqa: SIM905
)

_TOLD = "said|told|announced|reported|confirmed|tweeted|began|released|published|died|ruled|signed|awarded|appointed"


@dataclass(frozen=True, slots=True)
class _Setting:
    """A sentence without its quotations, the years named in it or just before it, and the day of publication."""

    sentence: str
    years: frozenset[int]
    published: dt.date


_Read = Callable[[re.Match[str], _Setting], Period | None]


def day_glosses(text: str, start: int, end: int, published: dt.date) -> Iterator[tuple[int, str]]:
    """Yield where in the sentence from `start` to `end` a relative day ends, and which day, days, month or year it is.

    In the text every character of a quotation is a zero character. Where it is not settled which day is meant, nothing
    is given; so it is where the writer says "I" or "we", which is mostly a speech and of another day.
    """
    years = frozenset(map(int, _YEAR.findall(text, max(0, start - _CONTEXT), end)))
    setting = _Setting(text[start:end], years, published)
    if _SPEAKER.search(setting.sentence) or _tells_of_later_days(text, published):
        return
    for pattern, read in _KINDS:
        for match in pattern.finditer(setting.sentence):
            if period := _possible(read, match, setting):
                yield match.end(), _written(period, match[0])


def _possible(read: _Read, match: re.Match[str], setting: _Setting) -> Period | None:
    """Give what is read; nothing for the 30th of February or a day before the first year."""
    try:
        return read(match, setting)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=64)
def _tells_of_later_days(text: str, published: dt.date) -> bool:
    """Say whether a page went on after the day it bears, so that its weekdays are counted from other days."""
    setting = _Setting(text, frozenset(), published)
    for match in _DATED.finditer(text):
        day = _possible(_dated, match, setting)
        if day and day.since and day.since > published + dt.timedelta(1) and _is_told(match, text):
            return True
    return False


def _is_told(match: re.Match[str], text: str) -> bool:
    """Say whether a date heads a part of a page, or something had happened on it."""
    before = text[max(0, match.start() - _CONTEXT) : match.start()].rpartition("\n")[2]
    after = text[match.end() : match.end() + _CONTEXT].partition("\n")[0]
    if not before.strip() and not after.strip():
        return True
    sentence = re.split(r"[.!?] ", before)[-1] + match[0] + re.split(r"[.!?] ", after)[0]
    start = sentence.rindex(match[0])
    return tense_of(sentence, start, start + len(match[0])) == "past"


def _dated(match: re.Match[str], setting: _Setting) -> Period | None:
    """Give the day of "Tuesday, July 16": of three years, the weekday fits at most one."""
    month, day = month_number(match["month"] or match["of"]), int(match["day"] or match["first"])
    this = setting.published.year
    for year in [int(match["year"].strip(", "))] if match["year"] else [this - 1, this, this + 1]:
        with suppress(ValueError):  # the 29th of February
            then = dt.date(year, month, day)
            if then.weekday() == _weekday(match["weekday"]) and abs((then - setting.published).days) < _DAYS_ROUND:
                return one_day(then)
    return None


def _without_year(match: re.Match[str], setting: _Setting) -> Period | None:
    return None if match["year"] else _dated(match, setting)


def _on_weekday(match: re.Match[str], setting: _Setting) -> Period | None:
    sentence, today = setting.sentence, setting.published
    word, number = _word_before(sentence, match.start()), _weekday(match["day"])
    if word in _NO_DAY_BEFORE or _NO_DAY_AFTER.match(sentence, match.end()):
        return None
    if _CAPITAL_AFTER.match(sentence, match.end()) and word != "on":
        return None
    ago, ahead = (today.weekday() - number) % 7, (number - today.weekday()) % 7
    if word in {"last", "next"}:  # only where the nearest such day is also the one of last or next week
        nearest = -ago if word == "last" else ahead
        in_that_week = (number > today.weekday()) == (word == "last") and number != today.weekday()
        return _day(setting, nearest) if in_that_week and abs(nearest) > 1 else None
    tense = "past" if word == "since" else tense_of(sentence, match.start(), match.end())
    if word == "this" and (number <= today.weekday()) != (tense == "past"):
        return None
    if tense == "past":
        return _day(setting, -ago) if ago <= _DAYS_BACK else None
    return _day(setting, ahead) if tense == "future" and ahead else None


def _word_before(sentence: str, start: int) -> str:
    words = sentence[max(0, start - _LONGEST_WORD) : start].split()
    return words[-1].rstrip(",").lower() if words else ""


def _yesterday(_: re.Match[str], setting: _Setting) -> Period:
    return _day(setting, -1)


def _today(_: re.Match[str], setting: _Setting) -> Period:
    return _day(setting, 0)


def _planned(match: re.Match[str], setting: _Setting) -> Period | None:
    """Give "tonight" and "tomorrow" where something will be then; else they may be any time."""
    tense = tense_of(setting.sentence, match.start(), match.end())
    return _day(setting, int("tomorrow" in match[0])) if tense == "future" else None


def _this_or_next(match: re.Match[str], setting: _Setting) -> Period | None:
    which, unit, weekday = match["which"].lower(), match["unit"], setting.published.weekday()
    if unit == "week" and (weekday == 6 or (weekday == 0 and which == "this")):
        return None  # to some the week begins on Sunday, and on Monday "this week" is also the one that was
    return around(back(setting.published, _SHIFTS[which], unit), unit)


def _last_month(match: re.Match[str], setting: _Setting) -> Period | None:
    # In September "last July" is this year's to some and the year before's to others.
    month, today = month_number(match["month"]), setting.published
    return months(today.year - 1, month, month) if month >= today.month else None


def _in_month(match: re.Match[str], setting: _Setting) -> Period | None:
    """Give "in July" where it is one of the last months, and no other year is spoken of."""
    sentence, today = setting.sentence, setting.published
    month = months(today.year, month_number(match["month"]), month_number(match["month"]))
    near = 0 < today.month - month_number(match["month"]) <= _MONTHS_BACK and setting.years <= {today.year}
    return month if near and tense_of(sentence, match.start(), match.end()) == "past" else None


def _day(setting: _Setting, off: int) -> Period:
    return one_day(setting.published + dt.timedelta(off))


def _weekday(name: str) -> int:
    return _WEEKDAYS.index(name[:3])


def _written(period: Period, words: str) -> str:
    """Give a period in words, only its year beside words that name the month."""
    first, last = period.since, period.until
    if not first or not last:
        return ""
    if re.search(_A_MONTH, words) or (first.month, last.month) == (1, 12):
        return f"{last.year}"
    if (last - first).days > 7:
        return f"{MONTHS[last.month - 1]} {last.year}"
    end = f"{last.day} {MONTHS[last.month - 1]} {last.year}"
    if first.month == last.month:
        return end if first == last else f"{first.day}–{end}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {MONTHS[first.month - 1]}{year} – {end}"


_KINDS: tuple[tuple[re.Pattern[str], _Read], ...] = (
    (_DATED, _without_year),
    (_WEEKDAY, _on_weekday),
    (re.compile(rf"(?<!day before )\b(?:yesterday|Yesterday(?=,)){_PART}{_END}"), _yesterday),
    (re.compile(rf"{_FREE}[Ll]ast night{_END}(?! (?:of|for|in)\b)"), _yesterday),
    (re.compile(rf"(?<!\b[Oo]n )\b[Tt]his (?:morning|afternoon|evening){_END}"), _today),
    (re.compile(rf"\b(?:{_TOLD}) today{_END}"), _today),
    (re.compile(rf"(?<!\bfrom )\b(?:tonight|tomorrow{_PART}){_END}"), _planned),
    (re.compile(rf"{_FREE}(?P<which>[Ll]ast|[Tt]his|[Nn]ext) (?P<unit>week|month|year){_END}(?! of\b)"), _this_or_next),
    (re.compile(rf"{_FREE}[Ll]ast (?P<month>{_A_MONTH}){_END}(?!,? [0-9])"), _last_month),
    (re.compile(rf"\b[Ii]n (?:(?:early|late|mid)[ -])?(?P<month>{_A_MONTH}){_END}(?!,?{_MORE})"), _in_month),
)
