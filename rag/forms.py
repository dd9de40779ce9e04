"""Forms: the names, times, numbers, quotations, clauses and phrases of a sentence, as runs of its words."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rag.words import STOP_WORDS, Word, words

Form = Literal["name", "time", "number", "quotation", "clause", "phrase"]

_MONTH = (
    r"(?:Jan(?:uary|\b\.?)|Feb(?:ruary|\b\.?)|Mar(?:ch|\b\.?)|Apr(?:il|\b\.?)|May\b|June?\b|July?\b|Aug(?:ust|\b\.?)|"
    r"Sept?(?:ember|\b\.?)|Oct(?:ober|\b\.?)|Nov(?:ember|\b\.?)|Dec(?:ember|\b\.?))"
)
_DAY = r"[0-3]?[0-9](?:st|nd|rd|th)?"
_YEAR = r"(?:1[0-9]|20)[0-9]{2}"
_COUNTS = """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million
    millions billion billions trillion dozen dozens half third thirds quarter once twice double triple none zero"""
_COUNT = rf"(?:{'|'.join(_COUNTS.split())})\b"
_TIME = re.compile(
    rf"(?:(?:early|mid|late)[- ])?+(?:{_MONTH} {_DAY}(?:,? {_YEAR})?|{_DAY} (?:of )?{_MONTH}(?:,? {_YEAR})?|"
    rf"{_MONTH},? (?:of )?{_YEAR}|{_MONTH}|"
    rf"{_YEAR}s?(?:[-–][0-9]{{2,4}})?(?! (?:people|men|women|children|miles|feet)\b)|"
    r"(?:[0-9]{1,2}(?:st|nd|rd|th) (?:and |or |to )?){1,2}centur(?:y|ies))(?![\w%])|"
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day(?: (?:morning|afternoon|evening|night))?|"
    r"(?:last|next|this|that|earlier this|later this|previous|following) "
    r"(?:week|month|year|summer|winter|spring|fall|autumn|weekend|night|decade|century)|"
    r"yesterday|tomorrow|today|tonight|[0-9]{1,2}(?:[:.][0-9]{2})? ?[ap]\.?m\b|"
    rf"(?:[0-9]{{1,3}}|an?|{_COUNT}|several|few) (?:day|week|month|year|decade|hour|minute)s? (?:ago|later|earlier))\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    rf"(?:[0-9]++(?:[.,][0-9]++)*+(?:-[0-9]++)?+|{_COUNT})(?:[- ]{_COUNT}){{0,4}}+(?: ?%| percent\b| per cent\b)?+",
    re.IGNORECASE,
)
_QUOTATION = re.compile(r"[“\"]([^”“\"]{2,300}+)[”\"]")
_BECAUSE = re.compile(
    r"\b(?:because(?: of)?|due to|as a result of|owing to|thanks to|in order to|so that|after|over|for|since|to|amid|"
    r"by|following|from|citing)\s([^,.;:]{3,200}+)",
    re.IGNORECASE,
)
_SAYING = re.compile(r"\b(?:said|says|saying|told \w++|that)\s([^.;:]{3,200}+)")
_DATELINE = re.compile(r"[^().]{0,60}+\([^)]{2,30}\)\s{0,3}[-–—]{1,2}\s")


def _set(written: str) -> frozenset[str]:
    return frozenset(written.split())


_CALENDAR = _set(
    """january february march april may june july august september october november december jan feb mar apr jun jul aug
    sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday"""
)
_COUNTED = _set(_COUNTS)
_TIMED = _CALENDAR | _set(
    """early mid late last next this that earlier later previous following yesterday tomorrow today tonight a an several
    few one two three four five six seven eight nine ten"""
)
_LINKS = _set("of the de la del for al bin ibn van von der da di du le el")
_TITLES = _set("mr mrs ms dr prof sen rep gov gen col sgt lt capt st")
_NO_NAMES = _set(  # where a sentence begins with them
    """another several afterwards whether following still however nevertheless although though since despite many much
    some most few both either neither every each any all other others police officials authorities meanwhile moreover
    instead perhaps while unlike like among along amid within without yes later furthermore thus hence therefore one
    two three four five six seven eight nine ten first second third last next long given based using editor"""
)
_LIGHT = _set(  # they carry no answer by themselves
    """another least less more most total main major current recent new old other others several many various different
    certain own first second third last next previous following early late entire whole full single high low large
    small great big good best better long short additional particular general similar common important able due likely
    known called named based used using include including includes included within without along around among although
    though however therefore thus whether nearly almost approximately roughly some any each every either neither
    enough even still yet never always often usually also later ago use made make makes went came come comes took take
    takes gave put set left held kept led met ran sent brought became become becomes began begin seen saw found find
    finds provide provides provided allow allows allowed mean means meant want wants wanted need needs needed try
    tries tried help helps helped expected remain remains remained continue continues continued followed received
    receive win wins won lost live lives lived work works worked think thinks thought believe believes believed know
    knows feel felt see look looks show shows shown showed way ways part lot number amount series kind sort"""
)
_SAY_NOTHING = STOP_WORDS | _LIGHT
_JOINTS = {" ", "-", "’", "'"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Words from `first` up to `last` of a sentence that may answer, and the form by which they were found."""

    form: Form
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it is read once for all questions; `gaps` are the characters before each word."""

    text: str
    words: tuple[Word, ...]
    lower: tuple[str, ...]
    ends: tuple[int, ...]
    gaps: tuple[str, ...]
    named: tuple[bool, ...]
    opening: int


@lru_cache(maxsize=2048)
def read_sentence(text: str) -> Sentence:
    """Read a sentence, which no question needs again."""
    found = tuple(words(text))
    lower = tuple(word.text.lower() for word in found)
    ends = tuple(word.start + len(word.text) for word in found)
    gaps = tuple(text[end : word.start] for end, word in zip((0, *ends), found, strict=False))
    named = tuple(map(_is_named, found, lower, gaps))
    dateline = _DATELINE.match(text)
    return Sentence(text, found, lower, ends, gaps, named, dateline.end() if dateline else 0)


def _is_named(word: Word, lower: str, gap: str) -> bool:
    if not word.text[0].isupper() or lower in _CALENDAR:
        return False
    begins = word.start == 0 or any(sign in gap for sign in '?!"“:') or gap == ". "
    return not begins or not (lower in STOP_WORDS or lower in _NO_NAMES or lower.endswith("ly"))


def find(form: Form, read: Sentence, known: Sequence[bool], *, said: bool = False) -> Iterator[Candidate]:
    """Yield what a sentence has of a form; phrases have none of the words that are `known`.

    A clause gives a reason, or what is said.
    """
    if form == "name":
        return _names(read)
    if form == "phrase":
        return _phrases(read, known)
    if form == "quotation":
        return _matched(read, form, _QUOTATION)
    if form == "clause":
        return _matched(read, form, _SAYING if said else _BECAUSE)
    return _counted(read, form)


def _names(read: Sentence) -> Iterator[Candidate]:
    """Yield the names: words with capitals in a row, and those that "of" or "the" links."""
    last = 0
    for at, named in enumerate(read.named):
        if named and at >= last:
            last = at + 1
            while step := _further(read, last):
                last += step
            yield Candidate("name", at, last)


def _further(read: Sentence, at: int) -> int:
    """Give how many words a name goes on by: none, one, or up to three with the links between."""
    for end in range(at, min(at + 3, len(read.words))):
        if not _adjoins(read, end):
            return 0
        if read.named[end]:
            return end + 1 - at
        if read.lower[end] not in _LINKS:
            return 0
    return 0


def _adjoins(read: Sentence, at: int) -> bool:
    before = read.lower[at - 1]
    return read.gaps[at] in _JOINTS or (read.gaps[at] == ". " and (before in _TITLES or len(before) == 1))


def _counted(read: Sentence, form: Form) -> Iterator[Candidate]:
    """Yield the times or the numbers, which no pattern need look for where they cannot begin."""
    pattern, openings = (_TIME, _TIMED) if form == "time" else (_NUMBER, _COUNTED)
    last = 0
    for at, (word, lower) in enumerate(zip(read.words, read.lower, strict=True)):
        if at >= last and (lower[0].isdigit() or lower in openings) and (match := pattern.match(read.text, word.start)):
            last = bisect_left(read.words, match.end(), lo=at, key=lambda word: word.start)
            yield Candidate(form, at, last)


def _matched(read: Sentence, form: Form, pattern: re.Pattern[str]) -> Iterator[Candidate]:
    for match in pattern.finditer(read.text):
        first = bisect_right(read.ends, match.start(1))
        last = bisect_left(read.words, match.end(1), lo=first, key=lambda word: word.start)
        if first < last:
            yield Candidate(form, first, last)


def _phrases(read: Sentence, known: Sequence[bool]) -> Iterator[Candidate]:
    """Yield the runs of words that say something and are not known."""
    first = None
    for at in range(len(read.words) + 1):
        says = at < len(read.words) and not known[at] and read.lower[at] not in _SAY_NOTHING
        if first is not None and not (says and _adjoins(read, at)):
            yield from _trimmed(read, first, at)
            first = None
        if says and first is None:
            first = at


def _trimmed(read: Sentence, first: int, last: int) -> Iterator[Candidate]:
    while first < last and not read.named[last - 1] and read.lower[last - 1].endswith(("ed", "ly")):
        last -= 1
    if first < last:
        yield Candidate("phrase", first, last)
