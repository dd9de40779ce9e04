"""Support: what passages say, and how far it supports a sentence that a language model wrote."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.answers import Span, Support
from rag.dates import known_day
from rag.leaning import leans_back
from rag.passages import ScoredPassage
from rag.quantities import relative_days
from rag.quotations import pieces, plain, quotations, stands_in
from rag.sentences import sentence_spans
from rag.wording import Wording, covered, is_named, negates, substitutes, wording

# Chosen on one half of three public sets of news articles and on 74 sentences written about them as a model writes.
MOST_LINES = 3
GROUNDED = 0.7
WEAK = 0.45
GAIN = 0.15
TOGETHER = 0.6
INVENTED = 4
SHORT_QUOTATION = 3

RANK: dict[Support, int] = {"unsupported": 0, "weak": 1, "grounded": 2}
# What tells a model what to answer is no evidence of what it tells it to say.
_INSTRUCTION = re.compile(
    r"\b(?:in|to|into|of|with|from|modify|change|augment|enhance|extend|adjust|provide|render|write|make|begin|start|end|"
    r"replace)\s(?:the\s|each\s|every\s)?(?:your|every|each)\s(?:\w+\s)?(?:(?:answer|response|reply|output)s?|message)\b|"
    r"\b(?:ignore|disregard|forget|override)\s(?:\w+\s){0,3}(?:previous|prior|above|earlier|preceding|your)\s(?:\w+\s){0,2}"
    r"(?:instruction|prompt|rule|guideline)s?\b|"
    r"\b(?:reply|respond|answer)\s(?:only\s|exactly\s)?with[\s:]+[\"“']|"
    r"\b(?:you\sare|act\sas|pretend\sto\sbe)\s(?:now\s)?(?:an?\s)?(?:AI|assistant|chatbot|language\smodel)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?:https?:|www\.)[^\s\"'<>)\]]++|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.]{2,64}", re.IGNORECASE)
_BORDER = re.compile(
    r"[,;:()—–]|\s(?:and|but|while|who|which|that|as|after|before|when|because|where|although|though|since|whose)\s"
)
_VERB = re.compile(r"\s*+(?:is|was|are|were|has|had|have|will|would|can|could|said|says|told|[a-z]{2,}ed)\b")
_SAYING = re.compile(
    r"\b(?:sa(?:id|ys?|ying)|told|tells?|according|call(?:s|ed|ing)|wr(?:ites|ote|iting)|claim|argue|add(?:s|ed)|"
    r"insist|announce|warn|den(?:y|ie)|promise|admit|describe|accuse|believe|think|ask|state|report|quote)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A sentence of a passage: the number of the passage, the place in it, and the characters of the article."""

    at: int
    order: int
    start: int
    end: int
    text: str
    wording: Wording
    values: frozenset[str]
    quoted: Wording


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage as it is compared: its lines; headline, outlet and day; its text, and what is quoted in it."""

    lines: tuple[Line, ...]
    label: Wording
    text: str
    quoted: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of the model as it is compared, also clause by clause."""

    text: str
    wording: Wording
    clauses: tuple[Wording, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a sentence stands to some passages, and which of their lines it rests on, in their order."""

    support: Support = "unsupported"
    share: float = 0.0
    lines: tuple[Line, ...] = ()


def read_claim(text: str) -> Claim:
    """Read a sentence into the form that compares."""
    return Claim(text, wording(text), tuple(map(wording, _clauses(text))))


def weigh(claim: Claim, pool: list[Evidence]) -> Judgement:
    """Judge a sentence by some passages.

    It is unsupported if a number, a name, an address or the words in quotation marks stand in none of the passages that
    it rests on, if four words after each other do, or if too few of its words stand in at most three of their
    sentences. It is weak if it says something else than these: another word in the same place, a negation, as a
    quotation what nobody said, or of one person what is true of another.
    """
    lines, share = _choose(claim.wording, pool)
    if share < WEAK:
        return Judgement()
    used = [evidence for evidence in pool if not set(evidence.lines).isdisjoint(lines)]
    support: Support = min(_faults(claim, lines, used), key=RANK.__getitem__, default="grounded")
    if support == "grounded" and share < GROUNDED:
        support = "weak"
    if support == "unsupported":
        return Judgement()
    return Judgement(support, share, tuple(sorted(lines, key=lambda line: (line.at, line.order))))


def _choose(claim: Wording, pool: list[Evidence]) -> tuple[list[Line], float]:
    """Choose the lines that hold most of what a sentence says, and give the share that they and their labels hold.

    A further line must hold a good part of what is missing, or any sentence could be put together from a long passage.
    """
    units = claim.units
    held = {line: covered(units, line.wording, line.values) for evidence in pool for line in evidence.lines}
    labels = {e.lines[0].at: covered(units, e.label, e.label.values) for e in pool if e.lines}
    chosen: list[Line] = []
    reached: frozenset[int] = frozenset()
    while held and len(chosen) < MOST_LINES:
        best = max(held, key=lambda line: (len((held[line] | labels[line.at]) - reached), len(held[line] - reached)))
        if len(held[best] - reached) < (max(2, GAIN * len(units)) if chosen else 1):
            break
        chosen.append(best)
        reached |= held[best] | labels[best.at]
    # One word that two texts share says nothing of either.
    return chosen, len(reached) / len(units) if len(reached) >= min(2, len(units)) > 0 else 0.0


def _faults(claim: Claim, lines: list[Line], used: list[Evidence]) -> Iterator[Support]:
    """Yield what each thing that is wrong with a sentence makes of it."""
    if _longest_gap(claim.wording, used) >= INVENTED:
        yield "unsupported"
    yield from _faults_of_names(claim, lines, used)
    yield from _faults_of_numbers(claim, lines, used)
    yield from _faults_of_quotations(claim, lines, used)
    for address in _ADDRESS.findall(claim.text):
        if not any(plain(address.rstrip(".,;:!?")) in evidence.text for evidence in used):
            yield "unsupported"
    for line in lines:
        if negates(claim.wording, line.wording) or substitutes(claim.wording, line.wording):
            yield "weak"
        if _asks(line.text) and not _asks(claim.text):
            yield "weak"
    if any(_falls_apart(clause, lines, used) for clause in claim.clauses):
        yield "weak"


def _longest_gap(claim: Wording, used: list[Evidence]) -> int:
    """Count the most words that follow each other of which the passages have none: what a clause adds of its own."""
    texts = [text for each in used for text in (each.label, *(line.wording for line in each.lines))]
    known = frozenset().union(*(covered(claim.row, text, text.values) for text in texts))
    borders = [-1, *sorted(known), len(claim.row)]
    return max(later - earlier - 1 for earlier, later in pairwise(borders))


def _faults_of_names(claim: Claim, lines: list[Line], used: list[Evidence]) -> Iterator[Support]:
    labels = frozenset().union(*(evidence.label.keys for evidence in used))
    near = labels.union(*(line.wording.keys for line in lines))
    far = near.union(*(line.wording.keys for evidence in used for line in evidence.lines))
    for name in claim.wording.names:
        if not is_named(name, far):
            yield "unsupported"
        elif not is_named(name, near) and not any(leans_back(line.text) for line in lines):
            yield "weak"


def _faults_of_numbers(claim: Claim, lines: list[Line], used: list[Evidence]) -> Iterator[Support]:
    near = frozenset().union(*(evidence.label.values for evidence in used), *(line.values for line in lines))
    far = near.union(*(line.values for evidence in used for line in evidence.lines))
    for values in claim.wording.numbers:
        if values.isdisjoint(far):
            yield "unsupported"
        elif values.isdisjoint(near):
            yield "weak"


def _faults_of_quotations(claim: Claim, lines: list[Line], used: list[Evidence]) -> Iterator[Support]:
    """Yield faults of what the sentence quotes, and of what it says itself although the article only quotes it."""
    quoted = [claim.text[start:end] for start, end in quotations(claim.text)]
    for quotation in quoted:
        parts = pieces(quotation)
        said = any(stands_in(parts, evidence.quoted) for evidence in used)
        if not any(stands_in(parts, evidence.text) for evidence in used):
            yield "unsupported"
        elif len(parts) > 1 or (not said and len(quotation.split()) > SHORT_QUOTATION):
            yield "weak"
    if not quoted and not _SAYING.search(claim.text):
        units = claim.wording.units
        for line in lines:
            held = covered(units, line.wording, line.values)
            if held and held <= covered(units, line.quoted, line.quoted.values):
                yield "weak"


def _falls_apart(clause: Wording, lines: list[Line], used: list[Evidence]) -> bool:
    """Say whether no line holds most of a clause with its names: it may tell of one person what is true of another."""
    units = clause.units
    if len(units) < 3:
        return False
    label = frozenset().union(*(covered(units, e.label, e.label.values) for e in used))
    held = [label | covered(units, line.wording, line.values) for line in lines]
    if any(leans_back(line.text) for line in lines):  # what "she" did is said of a name in another line
        held = [frozenset().union(*held)]
    else:
        known = frozenset().union(*(evidence.label.keys for evidence in used))
        named = (all(is_named(name, known | line.wording.keys) for name in clause.names) for line in lines)
        held = [own for own, is_whole in zip(held, named, strict=True) if is_whole]
    return not any(len(own) >= TOGETHER * len(units) for own in held)


def _clauses(text: str) -> list[str]:
    """Give the clauses of a sentence; one that begins with a verb also with the first one, which has its subject."""
    parts = [part for part in _BORDER.split(text) if part.strip()] or [text]
    return [*parts, *(f"{parts[0]} {part}" for part in parts[1:] if _VERB.match(part))]


def _asks(text: str) -> bool:
    return text.rstrip("\"”’'").endswith("?")


@lru_cache(maxsize=64)  # each sentence of an answer is judged by the same passages
def read_evidence(found: ScoredPassage, at: int) -> Evidence:
    """Read the passage number `at` into the form that compares, without what tells a model what to answer."""
    passage, article = found.passage, found.article
    day = known_day(article.date)
    quoted = [span for paragraph in _paragraphs(passage.text) for span in _quotations(passage.text, paragraph)]
    lines = []
    for order, (start, end) in _lines(passage.text):
        text = passage.text[start:end]
        values = wording(text).values.union(relative_days(text, dt.date.fromisoformat(day)) if day else ())
        inside = " ".join(passage.text[max(start, first) : min(end, last)] for first, last in quoted if first < end)
        place = passage.start + start, passage.start + end
        lines.append(Line(at, order, *place, text, wording(text), values, wording(inside)))
    title = "" if _INSTRUCTION.search(article.title) else article.title
    label = wording(f"{title}. {article.source}. {article.date}")
    said = " / ".join(passage.text[start:end] for start, end in quoted)
    return Evidence(tuple(lines), label, plain(" ".join(line.text for line in lines)), plain(said))


def _paragraphs(text: str) -> Iterator[Span]:
    return (paragraph.span() for paragraph in re.finditer(r"[^\n]++", text))


def _quotations(text: str, paragraph: Span) -> Iterator[Span]:
    start, end = paragraph
    return ((start + first, start + last) for first, last in quotations(text[start:end]))


def _lines(text: str) -> Iterator[tuple[int, Span]]:
    """Yield the sentences of a passage with their places, but for whole paragraphs that tell a model what to answer."""
    steering = [span for span in _paragraphs(text) if _INSTRUCTION.search(text, *span)]
    for order, (start, end) in enumerate(sentence_spans(text)):
        if not any(first < end and start < last for first, last in steering):
            yield order, (start, end)
