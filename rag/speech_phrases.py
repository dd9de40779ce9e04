"""Phrases: the words beside a verb that name somebody, such as "Ann Roe, the mayor of Halven,"."""

from __future__ import annotations

from typing import NamedTuple

from rag.speech_tokens import BREAKS, DASHES, QUOTED, Sentence, Token, is_adverb, is_capital, is_possessive, is_word
from rag.speech_words import (
    AUXILIARIES,
    CIRCUMSTANCES,
    CUES,
    DAYS,
    DETERMINERS,
    ENDED_IRREGULARLY,
    OPENERS,
    PARTICLES,
    PREPOSITIONS,
    PRONOUNS,
    QUANTIFIERS,
    QUOTING_CUES,
    ROLES,
    SPEAKING_PRONOUNS,
    STOPS,
    TIMES,
    WITHIN_ROLE,
)


class Phrase(NamedTuple):
    """The places of the first and last token of words that name somebody."""

    first: int
    last: int


OF_SENTENCE = Phrase(-1, -1)  # the subject is that of the sentence, as in "and told reporters"


def may_begin(token: Token) -> bool:
    """Tell whether a phrase that names somebody may begin with a token."""
    return token.low in DETERMINERS or token.low in ROLES or is_capital(token) or token.text.isdigit()


def subject(sentence: Sentence, at: int) -> Phrase | None:
    """Find who does what the verb says, in the words before it."""
    place = at - 1
    while place >= 0 and (
        sentence[place].low in AUXILIARIES
        or is_adverb(sentence[place])
        or (sentence[place].low in ("quoted", "as") and sentence[at].low == "saying")
    ):
        place -= 1
    if place < 0 or (sentence[at].low.endswith("ing") and place == at - 1):
        return _absolute(sentence, place) or OF_SENTENCE
    token = sentence[place]
    if token.low in ("and", "but", "or", "then", "to", "by"):
        return OF_SENTENCE
    if token.low in ("who", "that", "which"):
        return _antecedent(sentence, place)
    if token.low in PRONOUNS or token.low in QUANTIFIERS:
        return _shared(sentence, place) or Phrase(place, place)
    if token.text == "," or token.text in DASHES:
        return _with_apposition(sentence, place)
    return phrase_before(sentence, 0, place) if is_word(token) or token.text == ")" else None


def _shared(sentence: Sentence, at: int) -> Phrase | None:
    """Find "the hospital and the line" before "both said"."""
    if sentence[at].low not in ("both", "all") or at == 0 or not is_word(sentence[at - 1]):
        return None
    breaks = (place for place in range(at, 0, -1) if sentence[place - 1].low in (QUOTED, *BREAKS))
    start = _after_aside(sentence, next(breaks, 0), at)
    return Phrase(start, at - 1) if start is not None and start < at else None


def _absolute(sentence: Sentence, place: int) -> Phrase | None:
    """Find "the unions" in "with the unions saying"."""
    for start in range(place, max(0, place - 8), -1):
        if sentence[start - 1].low == "with" or sentence[start - 1].text in DASHES:
            return Phrase(start, place)
        if not is_word(sentence[start]):
            return None
    return None


def phrase_before(sentence: Sentence, first: int, last: int) -> Phrase | None:
    """Find the phrase that ends with a token."""
    start = _region(sentence, first, last)
    while start < last and (sentence[start].low in OPENERS or is_adverb(sentence[start])):
        start += 1
    if sentence[start].low in PREPOSITIONS or last - start > 14:
        start = _name_start(sentence, start, last)
    token = sentence[start]
    if token.low in STOPS or not is_word(token):
        return None
    if token.low in ENDED_IRREGULARLY or (
        token.low.endswith("ed") and token.low not in ROLES and not is_capital(token)
    ):
        return OF_SENTENCE
    return Phrase(_role_before(sentence, start), last)


def _role_before(sentence: Sentence, start: int) -> int:
    """Give where "a friend, Ann Roe" begins behind a quotation, of which the name is known to begin at `start`."""
    if start > 1 and sentence[start - 1].text == ",":
        for place in range(start - 2, max(-1, start - 10), -1):
            if sentence[place].low == QUOTED:
                return place + 1 if place + 1 < start - 1 and may_begin(sentence[place + 1]) else start
            if not is_word(sentence[place]) or sentence[place].low in STOPS or sentence[place].low in CUES:
                break
    return start


def _region(sentence: Sentence, first: int, last: int) -> int:
    """Give where the words that hang together with a token begin."""
    at = last + 1
    while at > first:
        before = sentence[at - 1]
        if before.text == ")":
            opening = next((k for k in range(at - 2, max(first, at - 10), -1) if sentence[k].text == "("), 0)
            if not opening:
                break
            at = opening
        elif before.low in STOPS or not (is_word(before) or before.text in "&/’"):
            break
        else:
            at -= 1
    return min(at, last)


def _name_start(sentence: Sentence, first: int, last: int) -> int:
    """Give where the name, or the noun with its article, that ends with a token begins."""
    at = last
    if not is_capital(sentence[last]):
        while at > first and not (
            sentence[at].low in DETERMINERS or is_possessive(sentence[at]) or sentence[at - 1].low in PREPOSITIONS
        ):
            at -= 1
    while (
        at > first
        and sentence[at - 1].low not in DAYS
        and (
            is_capital(sentence[at - 1])
            or (sentence[at - 1].low in PARTICLES and at - 2 >= first and is_capital(sentence[at - 2]))
        )
    ):
        at -= 1
    while at > first and (sentence[at - 1].low in ROLES or sentence[at - 1].low in DETERMINERS):
        at -= 1
    return at


def _antecedent(sentence: Sentence, who: int) -> Phrase | None:
    """Find "Ann Roe, who" before a verb."""
    last = who - 1 - (who > 0 and sentence[who - 1].text == ",")
    if last < 0 or not (is_word(sentence[last]) or sentence[last].text == ")"):
        return Phrase(who, who) if sentence[who].low == "who" else None
    if sentence[last].low.endswith("ed") or (sentence[who].low == "that" and sentence[last].low not in ROLES):
        return None
    start = _name_start(sentence, _region(sentence, 0, last), last)
    return Phrase(min(start + (sentence[start].low in OPENERS), last), who)


def _with_apposition(sentence: Sentence, comma: int) -> Phrase | None:
    """Find "Ann Roe, the mayor of Halven" before a comma, or "Ann Roe" where what stands after it is no apposition."""
    start = _clause_start(sentence, comma)
    if start is None:
        return None
    end = next(
        (k - 1 for k in range(start + 1, comma) if sentence[k].text == "," or sentence[k].text in DASHES), comma - 1
    )
    if start >= comma or any(t.low in AUXILIARIES or t.low in CUES for t in sentence[start : end + 1]):
        return OF_SENTENCE
    after = end + 2
    apposed = after < comma and (may_begin(sentence[after]) or sentence[after].low in ("who", "whose"))
    return Phrase(start, comma - 1 if apposed else end)


def _clause_start(sentence: Sentence, comma: int) -> int | None:
    """Give where the clause with a comma begins, without what leads into it; None where nothing else is left."""
    start = 0
    if sentence[comma].text == ",":
        start = comma
        while start > 0 and sentence[start - 1].low != QUOTED and sentence[start - 1].text not in (";", ":", *DASHES):
            joined = start > 1 and sentence[start - 2].text == ","
            if joined and sentence[start - 1].low in ("and", "but", "while", "as", "when", "because"):
                break
            start -= 1
    return _after_aside(sentence, start, comma)


def _after_aside(sentence: Sentence, start: int, last: int) -> int | None:
    """Give where a clause begins after "On Monday," or "Eight years ago,"; None where it does so behind `last`."""
    placed = False  # the aside ended with a place, as in "In Salem, Oregon,"
    while start < last:
        token = sentence[start]
        if token.text == "," or token.low in OPENERS or is_adverb(token):
            start += 1
            continue
        comma = next((k for k in range(start, last) if sentence[k].text == ","), last)
        if placed and comma < last and comma - start <= 3 and all(map(is_capital, sentence[start:comma])):
            start, placed = comma + 1, False
            continue
        timely = comma - start < 5 and comma < last and sentence[comma - 1].low in TIMES
        if not (token.low in PREPOSITIONS or token.low.endswith("ing") or timely):
            return start
        place = sentence[comma - 1]
        placed = is_capital(place) and place.low not in DAYS
        start = comma + 1
    return last if start == last else None


def phrase_after(sentence: Sentence, at: int, *, any_word: bool = False) -> Phrase | None:
    """Find the phrase that begins with a token: "Ann Roe, the mayor" in "said Ann Roe, the mayor, on Monday"."""
    if at >= len(sentence):
        return None
    token = sentence[at]
    if token.low in SPEAKING_PRONOUNS:
        return Phrase(at, at)
    if not is_word(token) or token.low in DAYS or not (any_word or may_begin(token) or is_possessive(token)):
        return None
    last = _phrase_end(sentence, at, far=any_word)
    if last + 2 < len(sentence) and sentence[last + 1].text == ",":
        last = _apposition_end(sentence, last)
    return Phrase(at, last)


def _phrase_end(sentence: Sentence, at: int, *, far: bool) -> int:
    last, named = at, False
    while last + 1 < len(sentence):
        following = sentence[last + 1]
        named = named or (is_capital(sentence[last]) and sentence[at].low not in DETERMINERS)
        if following.text == "(":
            closing = next((k for k in range(last + 2, min(last + 10, len(sentence))) if sentence[k].text == ")"), 0)
            if not closing:
                break
            last = closing
            continue
        ends = following.low in CIRCUMSTANCES and not is_capital(following)
        ends = ends and (following.low in STOPS if far else named or following.low not in WITHIN_ROLE)
        if ends or following.low in DAYS or is_adverb(following):
            break
        if not (is_word(following) or following.text in "&/"):
            break
        last += 1
    while last > at and sentence[last].low in WITHIN_ROLE:
        last -= 1
    return last


def _apposition_end(sentence: Sentence, last: int) -> int:
    following = sentence[last + 2]
    begins = may_begin(following) or is_possessive(following) or following.low in ("who", "whose")
    if not begins or following.low in OPENERS:
        return last
    close = last + 2
    while (
        close + 1 < len(sentence)
        and sentence[close + 1].text not in (",", *DASHES)
        and sentence[close + 1].low not in BREAKS
    ):
        close += 1
    clause = any(token.low in PRONOUNS and token.low not in ("who", "one") for token in sentence[last + 2 : close + 1])
    return last if clause else close


def sentence_subject(sentence: Sentence, at: int) -> Phrase | None:
    """Find the phrase with which the clause before a token begins: its subject, most likely."""
    start = _after_aside(sentence, 0, at)
    if start is None or start >= at or not is_word(sentence[start]):
        return None
    last = start
    while sentence[start].low not in PRONOUNS and last + 1 < at and not _ends_subject(sentence, start, last + 1):
        last += 1
    return Phrase(start, last)


def _ends_subject(sentence: Sentence, start: int, at: int) -> bool:
    token, before = sentence[at], sentence[at - 1]
    if not is_word(token) or token.low in STOPS:
        return True
    if is_capital(token) or token.low in ROLES:
        return False
    if token.low.endswith("ed") or token.low in QUOTING_CUES or is_adverb(token):
        return True
    return is_capital(before) and (token.low in PREPOSITIONS or (at - 1 > start and token.low not in PARTICLES))
