"""Disagreeing: the different values that independent articles give for what is asked, and denials beside claims."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal

from rag.comparing import can_compare, differ, sign, subject_stems
from rag.dates import known_day
from rag.evidence import Evidence
from rag.forms import Form
from rag.kinds import Kind, expected
from rag.marking import SURE, likeliest
from rag.questions import Question
from rag.words import STOP_WORDS, Word, matches, words

MOST_SIDES = 4
# Chosen on half of RAMDocs, RGB, SQuAD 2.0 and NewsQA, so that fewer than 2 % of ordinary questions get sides.
RELATIVE_LIKELIHOOD = 0.1
SPECIFIC = 3  # words of a question, names counting twice: "Who was arrested?" is not about one matter
SUBJECT_SHARE, SAID_SHARE = 0.7, 0.6  # words of a question around a sentence, and in it
SHARED_WORDS, SHARED_WITH_DENIAL = 2, 3  # besides those of the question
ALIKE, LONGEST_VALUE = 0.6, 8
BESIDE, LONGEST_BESIDE = 4, 60  # words and characters around a number
LEAD, BEFORE, LONGEST_SENTENCE = 200, 300, 600  # characters

FORMS: dict[Kind, Form] = {
    "person": "name",
    "place": "name",
    "thing": "name",
    "time": "time",
    "quantity": "number",
    "money": "number",
}
_HEDGE = re.compile(
    r"\b(?:about|around|roughly|nearly|almost|approximately|some|over|under|up to|at least|at most|an estimated|"
    r"(?:more|fewer|less) than)\s$",
    re.IGNORECASE,
)
_PEOPLE = {"peopl", "person"}
_LONGEST_HEDGE = 20
_CLAUSE_END = re.compile(r"[,.;:()]")
_CORRECTED = re.compile(
    r"^[ \t]{0,4}(?:correction|clarification)s?\s?[:—–(]|\bearlier version of this\b|"
    r"\bha(?:s|ve) been (?:corrected|revised)\b|\b(?:corrected|revised) (?:figure|toll|number|count|estimate|report)",
    re.IGNORECASE | re.MULTILINE,
)
_MISTAKEN = re.compile(r"\b(?:wrong(?:ly)?|incorrect(?:ly)?|mistaken(?:ly)?|misstated|[Ii]t (?:had )?said)\b")
_DENIES = re.compile(
    r"\b(?:den(?:y|ies|ied|ying)|reject(?:s|ed|ing)?|refut(?:es?|ed|ing)|disput(?:es?|ed|ing)|dismiss(?:es|ed|ing)?|"
    r"contradict(?:s|ed|ing)?|no (?:evidence|truth|proof)|not true|untrue|(?:is|was|are|were) false|baseless|unfounded|"
    r"misinterpreted|ha(?:s|ve|d) (?:not|never))\b"
)


@dataclass(frozen=True, slots=True)
class Contrary:
    """One side of a disagreement: the sentence of an article, and the words of it that the other sides do not have.

    The value is empty where one article denies what another claims: there it is the whole sentence.
    """

    evidence: Evidence
    value: str
    kind: Literal["claim", "correction", "denial"] = "claim"


def disagreements(question: Question, ranked: Sequence[Evidence]) -> tuple[Contrary, ...]:
    """Give the sides that independent articles take, by date with the newest last; none where they agree.

    `ranked` is evidence, likeliest first, in which every article is of an origin of its own. An article is heard with
    the likeliest of its sentences that names a value. Where values do not differ, two sentences that are alike but for
    the value are looked for, and then a sentence that denies what another claims.
    """
    if sum(1 + word.capital for word in question.words) < SPECIFIC:
        return ()
    strong = [one for one in ranked if one.likelihood >= RELATIVE_LIKELIHOOD * ranked[0].likelihood]
    about = [one for one in strong if _is_about(question, one)]
    sides = _values(question, about) or _twins(question, about) or _denial(question, about)
    return tuple(sorted(sides, key=lambda side: known_day(side.evidence.article.date)))


def _is_about(question: Question, evidence: Evidence) -> bool:
    """Say whether a sentence says what is asked, of what is asked: by itself, with its surroundings, in its article."""
    noun, article = expected(question.text).noun, evidence.article
    asked = [word for word in question.words if word.stem != noun]
    said = [word for word in asked if not word.capital]
    told = subject_stems(_sentence(evidence))
    if sum(matches(word.stem, told) for word in said) < SAID_SHARE * len(said):
        return False
    around = subject_stems(_surrounded(evidence))
    missing = [word for word in asked if not matches(word.stem, around)]
    if len(missing) > (1 - SUBJECT_SHARE) * len(asked):
        return False
    names = [word for word in missing if word.capital]
    return not names or all(matches(name.stem, _article_stems(f"{article.date} {article.text}")) for name in names)


def _sentence(evidence: Evidence) -> str:
    return evidence.article.text[evidence.start : evidence.end][:LONGEST_SENTENCE]


def _surrounded(evidence: Evidence) -> str:
    """Give a sentence with its headline, the lead, and what goes before it."""
    article = evidence.article
    before = article.text[max(0, evidence.start - BEFORE) : evidence.start]
    return "\n".join((article.title, article.text[:LEAD], before, _sentence(evidence)))


@lru_cache(maxsize=64)
def _article_stems(text: str) -> frozenset[str]:
    return subject_stems(text)


def _values(question: Question, about: Sequence[Evidence]) -> list[Contrary]:
    """Give an article for each value that differs from those before it."""
    sides: list[Contrary] = []
    heard = set()
    for evidence in about:
        value = "" if evidence.article.id in heard else _value(question, evidence)
        if value:
            heard.add(evidence.article.id)
            side = _side(evidence, value)
            if len(sides) < MOST_SIDES and all(_are_contrary(question, side, other) for other in sides):
                sides.append(side)
    return sides if len(sides) > 1 else []


def _value(question: Question, evidence: Evidence) -> str:
    """Give the words that answer, where they can be compared; none of a sentence that tells of a mistake."""
    kind, sentence = expected(question.text).kind, _sentence(evidence)
    told = likeliest(question.text, sentence)
    if told is None or told.form != FORMS.get(kind) or told.chance < SURE or _MISTAKEN.search(sentence):
        return ""
    hedge = _HEDGE.search(sentence[max(0, told.start - _LONGEST_HEDGE) : told.start])
    value = sentence[told.start - (len(hedge[0]) if hedge else 0) : told.end]
    return value if _can_answer(question, value) else ""


def _can_answer(question: Question, value: str) -> bool:
    """Say whether a value can be compared, and has more than the names of the question."""
    asked = expected(question.text)
    named = FORMS.get(asked.kind) == "name" and any(matches(stem, asked.stems) for stem in subject_stems(value))
    return can_compare(asked.kind, value) and not named


def _side(evidence: Evidence, value: str) -> Contrary:
    article = evidence.article
    if _DENIES.search(_sentence(evidence)):
        return Contrary(evidence, value, "denial")
    corrected = _CORRECTED.search(article.title) or _CORRECTED.search(article.text)
    return Contrary(evidence, value, "correction" if corrected else "claim")


def _are_contrary(question: Question, one: Contrary, other: Contrary) -> bool:
    """Say whether two values exclude each other, and neither sentence has them both."""
    asked = expected(question.text)
    said, other_said = subject_stems(_sentence(one.evidence)), subject_stems(_sentence(other.evidence))
    if subject_stems(one.value) <= other_said or subject_stems(other.value) <= said:
        return False
    if FORMS[asked.kind] == "number" and not _count_alike(asked.noun, one, other):
        return False
    return differ(asked.kind, one.value, other.value) and _are_one_matter(question, one, other)


def _are_one_matter(question: Question, one: Contrary, other: Contrary) -> bool:
    """Say whether two sentences with their surroundings share more than the words of the question."""
    shared = subject_stems(_surrounded(one.evidence)) & subject_stems(_surrounded(other.evidence))
    return len(shared - expected(question.text).stems) >= SHARED_WORDS


def _count_alike(noun: str, one: Contrary, other: Contrary) -> bool:
    """Say whether two numbers have one sign, or both stand beside what is asked for, or count the same."""
    if sign(one.value) or sign(other.value):
        return sign(one.value) == sign(other.value)
    (before, counted), (other_before, other_counted) = _beside(one), _beside(other)
    if noun in (*before, *counted) and noun in (*other_before, *other_counted):
        return True
    first, other_first = {*counted[:1]}, {*other_counted[:1]}
    if "" not in first | other_first:  # "12 people were hurt" beside "19 boats were hurt"
        return not first.isdisjoint(other_counted) or not other_first.isdisjoint(counted)
    return bool({*counted} & {*other_counted} - {""})


def _beside(side: Contrary) -> tuple[list[str], list[str]]:
    """Give the stems of the words close before a value, and of those close behind it; of small words nothing."""
    before, _, after = _sentence(side.evidence).partition(side.value)
    behind = words(_CLAUSE_END.split(after)[0][:LONGEST_BESIDE])[:BESIDE]
    return [_counted(word) for word in words(before[-LONGEST_BESIDE:])[-BESIDE:]], [_counted(word) for word in behind]


def _counted(word: Word) -> str:
    return word.stem if word.stem in _PEOPLE or word.text.lower() not in STOP_WORDS else ""


def _twins(question: Question, about: Sequence[Evidence]) -> list[Contrary]:
    """Give the first two sentences that are alike but for what is asked."""
    kind = expected(question.text).kind
    for one, other in combinations(about, 2):
        values = _parting(_sentence(one), _sentence(other)) if one.article.id != other.article.id else None
        if values and all(_can_answer(question, value) for value in values) and differ(kind, *values):
            return [_side(one, values[0]), _side(other, values[1])]
    return []


def _parting(one: str, other: str) -> tuple[str, str] | None:
    """Give the words in which two sentences part that begin and end alike."""
    first, second = words(one), words(other)
    shorter = min(len(first), len(second))
    opening = next((at for at in range(shorter) if first[at].stem != second[at].stem), shorter)
    rest = shorter - opening
    closing = next((at for at in range(rest) if first[-at - 1].stem != second[-at - 1].stem), rest)
    longer = max(len(first), len(second))
    if opening + closing < ALIKE * shorter or rest <= closing or longer - opening - closing > LONGEST_VALUE:
        return None
    last, other_last = first[-closing - 1], second[-closing - 1]
    return (
        one[first[opening].start : last.start + len(last.text)],
        other[second[opening].start : other_last.start + len(other_last.text)],
    )


def _denial(question: Question, about: Sequence[Evidence]) -> list[Contrary]:
    """Give the likeliest sentence that denies, with the likeliest of another article that says the same matter."""
    denials = [one for one in about if _DENIES.search(_sentence(one))]
    claims = [one for one in about if one not in denials]
    for denial in denials:
        for claim in claims:
            if claim.article.id != denial.article.id and _is_denied(question, claim, denial):
                return [Contrary(claim, ""), Contrary(denial, "", "denial")]
    return []


def _is_denied(question: Question, claim: Evidence, denial: Evidence) -> bool:
    shared = subject_stems(_sentence(claim)) & subject_stems(_sentence(denial))
    return len(shared) >= SHARED_WITH_DENIAL and not shared <= expected(question.text).stems
