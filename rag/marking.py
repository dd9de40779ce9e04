"""Marking: the words of a sentence that answer a question, where they can be told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import exp
from operator import mul

from rag.answers import Span
from rag.forms import Candidate, Form, Sentence, find, read_sentence
from rag.kinds import Expectation, Kind, expected, is_personal
from rag.words import STOP_WORDS, matches

LONGEST = 600  # characters of a sentence that are looked at
SURE, WEIGHTY = 0.5, 0.5
MIDDLE, NOTHING = 1.5, -1.0  # the weight that fits half, and that of a sentence without a candidate

_SIGNS = ("$", "€", "£", "¥")
_PERCENT = re.compile(r" ?%")


def _set(written: str) -> frozenset[str]:
    return frozenset(written.split())


_CURRENCIES = _set("dollars dollar euros euro pounds yen yuan rubles rupees pesos francs crowns krona zloty cents")
_BODIES = _set(
    """league court prize union party club cup department office university college airport road house committee company
    inc corp times news bank council agency fort war act treaty association authority administration bureau center
    church commission congress force forces foundation government group hotel hospital institute ministry museum
    network organization parliament police post press senate service series society station team television theater
    united tournament award awards dynasty empire fund games airlines airways championship championships
    international"""
)
_LANDS = _set(
    """city county province island islands river street road park lake mount mountain bay beach valley district region
    state states republic kingdom north south east west port airport stadium square hotel hospital university college
    church house center hall museum palace prison base coast sea ocean gulf village town bridge avenue boulevard hills
    theater arena united"""
)
_DEMONYM = re.compile(r"[A-Z][a-z]+(?:ish|ese|ians?|cans?|eans?|ench|utch|raqi|raeli|stani)|Greeks?|Germans?|Afghans?")
_PLACED = _set("in at from near to across outside inside around through toward towards into")
_NO_PERSON, _NO_PLACE = (0.0,) * 6, (0.0,) * 2
_FAR = 100
_NEAR = [exp(-distance / 5) for distance in range(_FAR + 1)]
_CLOSE = [exp(-distance / 4) for distance in range(_FAR)] + [0.0]

# A conditional logit over the candidates of a sentence, fitted on 9,000 questions of QAMR and half of the articles of
# SQuAD 2.0 and NewsQA. On the other half, 51 and 56 % of the sentences that answer are marked, and 79 and 74 % of the
# marks lie on words that people marked as the answer. A mark has at least `SURE` of the chance of all candidates, and
# is `WEIGHTY` by itself, too.
FITNESS: dict[Kind, dict[Form, float]] = {
    "person": {"name": 1.05, "phrase": -1.05},
    "place": {"name": 0.87, "phrase": -0.87},
    "time": {"time": 2.32, "phrase": -2.32},
    "quantity": {"time": -0.69, "number": 1.65, "phrase": -0.96},
    "money": {"time": -0.20, "number": 0.20},
    "reason": {"clause": 0.37, "quotation": 0.96, "phrase": -1.33},
    "statement": {"quotation": 0.81, "clause": -0.81},
    "thing": {"name": 0.67, "quotation": -0.01, "number": -0.66, "phrase": 0.00},
    "other": {"name": -0.17, "quotation": 0.15, "clause": -0.37, "phrase": 0.39},
}
PLACE_WEIGHTS = (2.25, 1.95, 1.19, 1.66, 0.70, 1.69, 0.85, 0.59, 0.39, -3.04, -0.88)
LOOK_WEIGHTS = (0.46, 0.36, 0.79, 0.01, 0.92, -0.33, -1.39, -0.64, 1.38, 0.87, 1.00, 0.97, 0.74)
WEIGHTS = (*PLACE_WEIGHTS, *LOOK_WEIGHTS)


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters of a sentence that may answer, how they were found, and the chance that it is they, if any does."""

    start: int
    end: int
    form: Form
    chance: float


@dataclass(frozen=True, slots=True)
class _Asked:
    """A sentence of which something is asked: which of its words the question has, and where they stand."""

    expected: Expectation
    read: Sentence
    has: tuple[bool, ...]
    places: tuple[int, ...]


def mark(question: str, sentence: str) -> tuple[Span, ...]:
    """Give the characters of a sentence that answer a question; none where they cannot be told."""
    best = likeliest(question, sentence)
    return ((best.start, best.end),) if best and best.chance >= SURE else ()


def likeliest(question: str, sentence: str) -> Mark | None:
    """Give the words of a sentence that answer sooner than all others; nothing where none seems to."""
    asked = _ask(question, sentence)
    weighed = [(_weigh(asked, one), one) for one in _candidates(asked)]
    highest, best = max(weighed, key=lambda pair: pair[0], default=(NOTHING, None))
    if best is None or highest < WEIGHTY:
        return None
    chances = [(exp(weight - highest), one) for weight, one in weighed]
    chance = sum(part for part, one in chances if _overlap(one, best)) / sum(part for part, _ in chances)
    return Mark(*_characters(asked.read, best), best.form, chance)


def fits(question: str, sentence: str) -> float:
    """Say from 0 to 1 how well a sentence has what the question asks for: a name, a time, a number, a reason."""
    asked = _ask(question, sentence)
    return 1 / (1 + exp(MIDDLE - max((_weigh(asked, one) for one in _candidates(asked)), default=NOTHING)))


def _characters(read: Sentence, one: Candidate) -> Span:
    """Give the characters of a candidate, with a sign of money or of percent that belongs to it."""
    start, end = read.words[one.first].start, read.ends[one.last - 1]
    signed, percent = read.text[:start].endswith(_SIGNS), _PERCENT.match(read.text, end)
    return start - signed, percent.end() if percent else end


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one.first < other.last and other.first < one.last


def _ask(question: str, sentence: str) -> _Asked:
    expectation, read = expected(question), read_sentence(sentence[:LONGEST])
    openings = {stem[:4] for stem in expectation.stems}  # without which stems cannot match
    has = tuple(word.stem[:4] in openings and matches(word.stem, expectation.stems) for word in read.words)
    return _Asked(expectation, read, has, tuple(at for at, there in enumerate(has) if there))


def _candidates(asked: _Asked) -> Iterator[Candidate]:
    """Yield all that may answer, each once; what consists of words of the question does not."""
    found: dict[tuple[int, int], Candidate] = {}
    for form in FITNESS[asked.expected.kind]:
        times = [one for one in found.values() if one.form == "time"]
        for one in find(form, asked.read, asked.has, said=asked.expected.kind == "statement"):
            if not any(time.first <= one.first and one.last <= time.last for time in times):  # "16" of "July 16"
                found.setdefault((one.first, one.last), one)
    opening = 0 if asked.expected.kind == "place" else asked.read.opening
    for one in found.values():
        inside = range(one.first, one.last)
        if asked.read.words[one.first].start >= opening and not all(_is_no_news(asked, at) for at in inside):
            yield one


def _is_no_news(asked: _Asked, at: int) -> bool:
    return asked.has[at] or asked.read.lower[at] in STOP_WORDS


def _weigh(asked: _Asked, one: Candidate) -> float:
    values = (*_place(asked, one), *_look(asked, one))
    weighed: float = sum(map(mul, WEIGHTS, values))
    return FITNESS[asked.expected.kind][one.form] + weighed


def _place(asked: _Asked, one: Candidate) -> tuple[float, ...]:
    """Describe where a candidate stands to the words of the question.

    The numbers are: how near these words are; how near the first of them is behind the candidate, and before it, each
    where the question asks for what acts and where it asks for what is acted on; how near the last of them is before
    it; whether it precedes all of them and acts, or follows all and is acted on; whether one comes next; which part of
    it they are; and whether a comma is between.
    """
    first, last = asked.expected.order[:1], asked.expected.order[-1:]
    nearest, behind, before, last_before = dict[str, int](), _FAR, _FAR, _FAR
    for at in asked.places:
        distance = at - one.last + 1 if at >= one.last else max(0, one.first - at)
        stem = asked.read.words[at].stem
        nearest[stem] = min(distance, nearest.get(stem, _FAR))
        if stem in first and at >= one.last:
            behind = min(behind, distance)
        elif stem in first:
            before = min(before, distance)
        if stem in last and at < one.first:
            last_before = min(last_before, distance)
    precedes = one.last <= min(asked.places, default=-1)
    follows = one.first > max(asked.places, default=_FAR)
    acted = asked.expected.acted_on
    return (
        sum(_NEAR[distance] for distance in nearest.values()) / max(1, len(asked.expected.stems)),
        *((0.0, _CLOSE[behind], 0.0, _CLOSE[before]) if acted else (_CLOSE[behind], 0.0, _CLOSE[before], 0.0)),
        _CLOSE[last_before],
        float(precedes and not acted),
        float(follows and acted),
        float(_comes_next(asked, one.last)),
        sum(asked.has[one.first : one.last]) / (one.last - one.first),
        float(_is_parted(asked, one)),
    )


def _comes_next(asked: _Asked, at: int) -> bool:
    """Say whether the next word that carries something is one of the question."""
    while at < len(asked.has) and not asked.has[at] and asked.read.lower[at] in STOP_WORDS:
        at += 1
    return at < len(asked.has) and asked.has[at]


def _is_parted(asked: _Asked, one: Candidate) -> bool:
    if not asked.places:
        return False
    nearest = min(asked.places, key=lambda at: abs(at - one.first))
    between = asked.read.gaps[min(one.first, nearest) + 1 : max(one.first, nearest) + 1]
    return any(sign in gap for gap in between for sign in ",;:—(")


def _look(asked: _Asked, one: Candidate) -> tuple[float, ...]:
    """Describe how a candidate looks, as far as this counts for what is asked.

    The numbers are: whether it has two words, or more; whether the noun of the question is beside it, or follows it as
    a unit; of what should be a person, whether it has a noun for people, the name of a body or of a land, is a people,
    stands behind "by", or begins the sentence; of what should be a place, whether it is a land or stands in one; and of
    what should be money, whether it is.
    """
    read, kind, noun = asked.read, asked.expected.kind, asked.expected.noun
    length = one.last - one.first
    beside = [word.stem for word in read.words[max(0, one.first - 2) : one.last + 2]] if noun else []
    return (
        float(length == 2),
        float(length > 2),
        float(noun in beside),
        float(one.form == "number" and one.last < len(read.words) and read.words[one.last].stem == noun),
        *(_look_of_person(read, one) if kind == "person" else _NO_PERSON),
        *(_look_of_place(read, one) if kind == "place" else _NO_PLACE),
        float(kind == "money" and _is_priced(read, one)),
    )


def _look_of_person(read: Sentence, one: Candidate) -> tuple[float, ...]:
    inside, name = read.lower[one.first : one.last], one.form == "name"
    return (
        float(any(map(is_personal, inside))),
        float(name and not _BODIES.isdisjoint(inside)),
        float(name and not _LANDS.isdisjoint(inside)),
        float(len(inside) == 1 and bool(_DEMONYM.fullmatch(read.words[one.first].text))),
        float(one.first > 0 and read.lower[one.first - 1] == "by"),
        float(one.first == 0),
    )


def _look_of_place(read: Sentence, one: Candidate) -> tuple[float, ...]:
    land = one.form == "name" and not _LANDS.isdisjoint(read.lower[one.first : one.last])
    return float(land), float(one.first > 0 and read.lower[one.first - 1] in _PLACED)


def _is_priced(read: Sentence, one: Candidate) -> bool:
    after = read.lower[one.last : one.last + 1]
    return read.text[: read.words[one.first].start].endswith(_SIGNS) or not _CURRENCIES.isdisjoint(after)
