"""Glosses: what a reader needs beside words that stand out of their article, to be shown in square brackets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import lru_cache

from rag.answers import Gloss, Span
from rag.articles import Article
from rag.dates import known_day
from rag.given_names import OPENERS
from rag.names import People, read_people
from rag.quotations import quotations
from rag.relative_days import day_glosses
from rag.sentences import sentence_spans
from rag.words import STOP_WORDS

MOST_IN_SENTENCE = 4
LONGEST_GLOSS = 80
_SENTENCES_BEFORE = 2
_CHARACTERS_BEFORE = 1500

_POSSESSIVE = re.compile(r"['’]s\b")
_INSIDE = re.compile(r"\w\w")
_GOES_ON = re.compile(r"[\w’'/-]")
_LINK = r"(?:(?:But|And|Yet|So|Then|Still|Also|Meanwhile|However|Instead|Later|Now),? )?"
_PRONOUN = re.compile(r"\b(?:[Hh]e|[Ss]he)\b(?!['’/-]?\w)")
_OWNED = re.compile(rf"{_LINK}(?:His|Her|his|her)\b(?! own\b)")
_PRONOUNS = {
    "he": re.compile(r"\b(?:he|his|him)\b", re.IGNORECASE),
    "she": re.compile(r"\b(?:she|hers?)\b", re.IGNORECASE),
}
_QUOTED = dict.fromkeys(map(ord, "\0\"“”„«»‘’'"))
_CONJUNCTIONS = frozenset(
    """after also although and as because before but if instead later meanwhile nor since so still then though until
    when while yet""".split()  # noqa: SIM905
)
_CAPITALISED = re.compile(r"(?<![\w.])[A-Z][\w’'-]*+")
_OF_THE_CALENDAR = re.compile(r"[A-Z][a-z]{2,8}day|Jan|Feb|Mar|Apr|May|June|July|Aug|Sep|Oct|Nov|Dec")
# Anybody who is not named could be meant as well.
_SOMEBODY = re.compile(
    r"\b(?:man|woman|boy|girl|father|mother|son|daughter|husband|wife|brother|sister|uncle|aunt|nephew|niece|"
    r"grand\w++|step(?:father|mother|son)|boyfriend|girlfriend|fianc[eé]e?|partner|child|baby|infant|toddler|teen\w*+|"
    r"guy|king|queen|prince|princess|duke|duchess|pope|officer|spokes\w++|judge|justice|president|minister|premier|"
    r"chancellor|senator|governor|mayor|congress(?:man|woman)|lawmaker|doctor|nurse|teacher|professor|victim|suspect|"
    r"driver|player|coach|manager|patient|student|lawyer|attorney|prosecutor|reporter|journalist|resident|"
    r"employee|worker|user|singer|rapper|star|act(?:or|ress)|author|director|executive|candidate|defendant|gunman|"
    r"shooter|pilot|astronaut|friend|colleague|leader|chief|boss|owner|founder|opponent|rival|predecessor|successor|"
    r"ambassador|general|soldier|sergeant|deputy|sheriff|detective|secretary|someone|somebody|"
    r"monarch|mom|dad|killer|attacker|customer|passenger|tenant|neighbou?r|scientist|researcher|expert|analyst|"
    r"economist|critic|historian|champion|winner|survivor|aide|advis[eo]r|quarterback|pitcher|goalkeeper|striker|"
    r"midfielder|defender|athlete|swimmer|runner|golfer|fighter|boxer|legend|icon|artist|composer|musician|comedian|"
    r"model|host|anchor|chef|farmer|priest|bishop|pastor|imam|rabbi|nun|saint|god|lord|jesus|entrepreneur|investor|"
    r"trader|banker|veteran|hero|inmate|prisoner|fugitive|dictator|emperor|[mb]illionaire)\b",
    re.IGNORECASE,
)
_TITLE_LENGTH = 25
_APPOSITION_LENGTH = 40
_OPENING_LENGTH = 60
_BREAK = re.compile(r"[,.;:!?\n\"“”]")


def gloss(article: Article, start: int, end: int) -> tuple[Gloss, ...]:
    """Give what a reader needs to know beside the characters of an article from `start` to `end`, in order.

    A relative day gets its date, a bare surname or a pronoun the one name that it can mean. Nothing is explained that
    is quoted, that the characters say themselves, or that is not certain.
    """
    text = unquoted(article.text)
    shown = article.text[start:end]
    found: dict[int, str] = {}
    for at, words in sorted([*_days(article, text, start, end), *_names(article, text, start, end)]):
        is_new = at not in found and words not in found.values() and words not in shown
        if is_new and len(words) <= LONGEST_GLOSS and not _INSIDE.match(article.text, start + at - 1):
            found[at] = words
    return tuple(Gloss(at, " ".join(words.split())) for at, words in found.items())[:MOST_IN_SENTENCE]


@lru_cache(maxsize=64)
def unquoted(text: str) -> str:
    """Give a text with a zero character for every one that is quoted; it keeps its length."""
    return "".join(map(_unquoted, text.splitlines(keepends=True)))


def _unquoted(paragraph: str) -> str:
    pieces, read = [], 0
    for start, end in quotations(paragraph):
        pieces += [paragraph[read:start], "\0" * (end - start)]
        read = end
    return "".join([*pieces, paragraph[read:]])


def _days(article: Article, text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    if day := known_day(article.date):
        for first, last in sentence_spans(article.text[start:end]):
            for at, words in day_glosses(text, start + first, start + last, dt.date.fromisoformat(day)):
                yield first + at, words


def _names(article: Article, text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    people = read_people(article.text, article.title)
    shown = [mention for mention in people.mentions if start <= mention.start and mention.end <= end]
    told = {mention.name for mention in shown if mention.is_full}
    for mention in shown:
        if mention.name and mention.name not in told and text[mention.start] != "\0":
            told.add(mention.name)
            owned = _POSSESSIVE.match(text, mention.end, end)
            after = owned.end() if owned else mention.end
            if not _GOES_ON.match(text, after, end):
                yield after - start, mention.name
    yield from _pronoun(article, text, start, end, people)


def _pronoun(article: Article, text: str, start: int, end: int, people: People) -> Iterator[tuple[int, str]]:
    """Yield the "he", "she", "his" or "her" that opens a sentence, with the only one who was named shortly before."""
    found = _OWNED.match(text, start, end) or _PRONOUN.search(text, start, end)
    if found and found.start() - start <= _CHARACTERS_BEFORE and _opens(text[start : found.start()]):
        window = max(0, start - _CHARACTERS_BEFORE)
        for first, _ in sentence_spans(article.text[window:start])[-_SENTENCES_BEFORE:][:1]:
            if name := _meant(found, article.text, text, window + first, people):
                yield found.end() - start, name


def _meant(pronoun: re.Match[str], text: str, unquoted_text: str, first: int, people: People) -> str:
    """Give the only one that a pronoun can mean of all who are named or spoken of since the character `first`."""
    which = "he" if pronoun[0].split()[-1].lower() in {"he", "his"} else "she"
    named = [one for one in people.mentions if first <= one.start and one.end <= pronoun.start()]
    fitting = [one for one in named if people.pronouns.get(one.name) in {None, "", which}]
    if len({one.name for one in fitting}) != 1 or _PRONOUNS[which].search(unquoted_text, first, fitting[0].start):
        return ""  # several, nobody, or the pronoun meant somebody before the name came up
    spans = [(one.start - first, one.end - first) for one in named]
    return "" if _has_others(text[first : pronoun.start()], spans) else fitting[0].name


def _opens(before: str) -> bool:
    """Say whether nothing precedes a pronoun but a quotation, a conjunction or a short phrase without a name."""
    before = before.translate(_QUOTED).strip()
    names = [word for word in _CAPITALISED.findall(before) if not _is_common(word)]
    is_short = before.endswith(",") and len(before) <= _OPENING_LENGTH
    return not names and (is_short or all(word.lower() in _CONJUNCTIONS for word in before.split()))


def _is_common(word: str) -> bool:
    return word in OPENERS or word.lower() in STOP_WORDS or bool(_OF_THE_CALENDAR.match(word))


def _has_others(passage: str, named: list[Span]) -> bool:
    """Say whether a passage speaks of somebody without a name; "the spokesman Roe" and "Roe, a spokesman" are one."""
    return not all(
        any(_belongs(passage, match.span(), name) for name in named) for match in _SOMEBODY.finditer(passage)
    )


def _belongs(passage: str, noun: Span, name: Span) -> bool:
    """Say whether a noun is a title before a name, or stands in apposition after it."""
    if noun[1] <= name[0] <= noun[1] + _TITLE_LENGTH:
        return "," not in passage[noun[1] : name[0]]
    between = passage[name[1] : noun[0]]
    return 0 < len(between) <= _APPOSITION_LENGTH and between[0] == "," and not _BREAK.search(between, 1)
