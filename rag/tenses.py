"""Tenses: whether the verb that a time belongs to says that the time is past, or that it is to come."""

from __future__ import annotations

import re
from typing import Literal

Tense = Literal["past", "future", ""]

_TOKEN = re.compile(r"[\w’'-]++|[;:—–(,\0]")
_TOKENS_READ = 14
_TOKENS_BESIDE = 2
_CONTEXT = 300
_BREAKS = frozenset(";:—–(\0")
_LEADS = frozenset({"on", "by", "late", "early", "since", "also", "in"})
_CLAUSE = frozenset(
    {",", "and", "but", "that", "when", "while", "where", "as", "because", "then", "so", "which", "who"}
)
_SUBORDINATE = _CLAUSE - {",", "so", "then"} | {"after", "before", "since", "until", "unless", "if", "for"}
_WILL = frozenset({"will", "won’t", "won't"})
_PLANS = frozenset(
    """expected scheduled slated due set planned going poised supposed rescheduled postponed delayed extended canceled
    cancelled""".split()  # noqa: SIM905
)
# Beside these it is open whether the day is past, or has come at all.
_OPEN = frozenset(
    """would could should might may must can cannot can’t can't wouldn’t wouldn't couldn’t couldn't shall if
    is are am has have do does isn’t isn't aren’t aren't hasn’t hasn't haven’t haven't""".split()  # noqa: SIM905
)
_NOT_DONE = frozenset({"is", "are", "be", "being", "has", "have", "to"})
_PAST = frozenset(
    """said told was were had did went came took made got gave found left held met won lost led began became broke
    brought built bought caught chose drew drove fell felt fled flew fought froze grew heard kept knew laid paid ran
    rose saw sent shot sat slid sold spoke spent stood stole struck swore threw thought understood woke wore
    wrote sank shook sang swam tore withdrew""".split()  # noqa: SIM905
)
_NOT_PAST = frozenset(
    """need indeed speed hundred exceed proceed succeed embed breed bleed unprecedented sacred naked wicked united
    greed""".split()  # noqa: SIM905
)


def tense_of(sentence: str, start: int, end: int) -> Tense:
    """Give the tense of the words from `start` to `end` of a sentence, nothing where no verb settles it."""
    behind = _TOKEN.findall(sentence, max(0, start - _CONTEXT), start)[-_TOKENS_READ:]
    ahead = _TOKEN.findall(sentence, end, end + _CONTEXT)[:_TOKENS_READ]
    while behind and behind[-1].lower() in _LEADS:
        behind.pop()
    if ahead and ahead[0] in _WILL | _OPEN:  # "Tuesday will", but not "the bill that was signed on Tuesday will"
        return "future" if ahead[0] in _WILL and not any(map(_is_past, behind[-3:])) else ""
    if not behind or behind[-1].lower() in _CLAUSE:
        return _tense_ahead(ahead)
    nearest = _tense_behind(behind)
    return _tense_ahead(ahead[:_TOKENS_BESIDE]) if nearest is None else nearest


def _tense_behind(behind: list[str]) -> Tense | None:
    """Give the tense of the nearest verb, "" where it leaves it open, None where there is no verb."""
    to, comma = False, False
    for place in range(len(behind) - 1, -1, -1):
        word, before = behind[place].lower(), behind[max(0, place - 2) : place]
        to, comma = to or word == "to", comma or word == ","
        if word in _BREAKS:
            return None
        if word in _WILL:
            return "" if comma else "future"
        if word in _PLANS:
            return "" if comma or not {"is", "are"} & {*before} else "future"
        if word in _OPEN:
            return ""
        if _is_past(behind[place]):
            return "" if to or _NOT_DONE & {*before[-1:]} else "past"
    return None


def _tense_ahead(ahead: list[str]) -> Tense:
    for word in ahead:
        if word in _WILL:
            return "future"
        if word in _BREAKS | _OPEN | _PLANS | _SUBORDINATE:
            return ""
        if _is_past(word):
            return "past"
    return ""


def _is_past(word: str) -> bool:
    return word in _PAST or (word.endswith("ed") and len(word) > 4 and word.islower() and word not in _NOT_PAST)
