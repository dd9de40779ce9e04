"""Hints: what a question itself says about where and when it was published."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from rag.outlets import OutletNames
from rag.times import read_period

_LATEST = re.compile(
    r"(?<!at the )\b(?:latest|newest|most recent(?:ly)?|up[- ]to[- ]date|nowadays|these days|at the moment|at present|"
    r"as of (?:today|now)|right now|currently|what(?:['’]s| is) new)\b|"
    r"\b(?:the|['’]s|its|his|her|their|our|your|my) current (?!of\b|in\b|is\b|was\b|flows?\b|through\b|and\b)|"
    r"(?<!until )(?<!till )(?<!by )(?<!before )(?<!the )\bnow\b(?!-|\s+(?:that|known|called|defunct|famous)\b)",
    re.IGNORECASE,
)
_TODAY = re.compile(r"(?<!usa )\btoday\b", re.IGNORECASE)
_SET_SIDE_BY_SIDE = re.compile(
    r"^\W*(?:please |can you |could you )?(?:compare|contrast)\b|\bside by side\b", re.IGNORECASE
)
_COMPARES = re.compile(
    r"\b(?:both|compar(?:e[ds]?|ing|ison)|differ(?:s|ed|ent(?:ly)?|ences?|ing)?|contrast(?:s|ed|ing)?|while|whereas|"
    r"(?:in)?consisten(?:t|cy|tly)|(?:dis)?agree(?:s|d|ments?)?|contradict\w*|align(?:s|ed)?|respectively|same|"
    r"similar(?:ly)?|between|subsequent|than)\b",
    re.IGNORECASE,
)
_KIND = r"(?:article|report|piece|story|review|column|interview|editorial|publication|newspaper|outlet|source)"
_SOURCES = re.compile(r"\b(?:articles|reports|stories|reviews|editorials|newspapers|outlets|sources)\b", re.IGNORECASE)
_SOURCE = re.compile(rf"\b(?:{_KIND}|another\s(?:by|from|in))\b", re.IGNORECASE)
_TWO_SOURCES = re.compile(
    rf"\b(?:the|an?)\s(?:[^\s,]+\s){{0,4}}{_KIND}\b.*\band\b.*\s(?:{_KIND}|another\s(?:by|from|in))\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Hints:
    """What a question says about the articles that answer it; what it does not say is empty.

    `outlets` are written as the archive writes them, in the order of the question; `since` and `until` are ISO days,
    both included. `latest`: it asks for the newest. `compares`: it asks to set several articles side by side.
    """

    outlets: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    latest: bool = False
    compares: bool = False


def read_hints(question: str, outlets: Collection[str], today: dt.date) -> Hints:
    """Read what a question says about where and when, for an archive of these outlets and a reader who lives today."""
    named = _names(tuple(outlets)).named_in(question)
    period = read_period(question, today)
    return Hints(
        outlets=named,
        since=period.since.isoformat() if period.since else "",
        until=period.until.isoformat() if period.until else "",
        latest=_asks_for_the_latest(question, dated=bool(period.since or period.until)),
        compares=_compares(question, named),
    )


@lru_cache(maxsize=8)
def _names(outlets: tuple[str, ...]) -> OutletNames:
    return OutletNames(outlets)


def _asks_for_the_latest(question: str, *, dated: bool) -> bool:
    # "What is it used for today?" names no day, "What happened today?" does.
    return bool(_LATEST.search(question) or (not dated and _TODAY.search(question)))


def _compares(question: str, outlets: tuple[str, ...]) -> bool:
    if len(outlets) > 1 or _SET_SIDE_BY_SIDE.search(question) or _TWO_SOURCES.search(question):
        return True
    several = _SOURCES.search(question) or len(_SOURCE.findall(question)) > 1
    return bool(several and _COMPARES.search(question))
