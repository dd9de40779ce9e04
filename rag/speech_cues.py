"""Cues: the verbs of saying in a sentence, and the words beside each that say who speaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rag.speech_phrases import OF_SENTENCE, Phrase, may_begin, phrase_after, sentence_subject, subject
from rag.speech_tokens import DASHES, QUOTED, Sentence, is_adverb, is_capital, is_possessive, text_at
from rag.speech_words import (
    AUXILIARIES,
    BASES,
    BE,
    CUES,
    DETERMINERS,
    MAY_SPEAK,
    NOUNS,
    PASSIVE_CUES,
    PHRASAL,
    PLURALS,
    PREPOSITIONS,
    PRONOUNS,
    QUOTING_CUES,
    TELLING,
    VIEWS,
)


class Cue(NamedTuple):
    """A verb of saying, or "according to", and who speaks; both together stand from `first` to `last`."""

    at: int
    speaker: Phrase | None
    first: int
    last: int
    inverted: bool = False
    according: bool = False
    needs_quotation: bool = False


def read_cues(sentence: Sentence) -> Iterator[Cue]:
    """Yield the cues of a sentence in order."""
    words = [token.low for token in sentence]
    verbs = QUOTING_CUES if QUOTED in words else CUES
    before: Phrase | None = None
    for at, word in enumerate(words):
        if word in verbs or (word in PHRASAL and text_at(sentence, at + 1) == PHRASAL[word]):
            cue = _passive(sentence, at) if _is_passive(sentence, at) else _active(sentence, at, before)
        elif word == "according" or word in VIEWS:
            cue = _according(sentence, at) if word == "according" else _in_words_of(sentence, at)
        else:
            continue
        if cue:
            before = before if cue.according else cue.speaker or before
            yield cue


def _according(sentence: Sentence, at: int) -> Cue | None:
    source = phrase_after(sentence, at + 2, any_word=True) if text_at(sentence, at + 1) == "to" else None
    if source and at < 2 and source.last >= len(sentence) - 2:  # what stands behind the comma is what is said
        comma = next((k for k in range(source.first, source.last) if sentence[k].text == ","), source.last + 1)
        source = Phrase(source.first, comma - 1)
    return Cue(at, source, at, source.last, inverted=True, according=True) if source else None


def _in_words_of(sentence: Sentence, at: int) -> Cue | None:
    """Read "in the words of Ann Roe" and "in Roe's words"."""
    if (text_at(sentence, at - 2), text_at(sentence, at - 1)) == ("in", "the") and text_at(sentence, at + 1) == "of":
        source = phrase_after(sentence, at + 2, any_word=True)
        return Cue(at, source, at - 2, source.last, inverted=True, according=True) if source else None
    if at < 2 or not is_possessive(sentence[at - 1]):
        return None
    start = next((k for k in range(at - 1, max(0, at - 6), -1) if sentence[k - 1].low == "in"), 0)
    return Cue(at, Phrase(start, at - 1), start - 1, at, inverted=True, according=True) if start else None


def _is_passive(sentence: Sentence, at: int) -> bool:
    place = at - 1
    while place >= 0 and is_adverb(sentence[place]):
        place -= 1
    return place >= 0 and sentence[place].low in BE and not sentence[at].low.endswith("ing")


def _passive(sentence: Sentence, at: int) -> Cue | None:
    """Read "was asked by Roe", in which the subject is not the speaker."""
    if sentence[at].low not in PASSIVE_CUES:
        return None
    agent = phrase_after(sentence, at + 2, any_word=True) if text_at(sentence, at + 1) == "by" else None
    return Cue(at, agent, at, agent.last if agent else at, needs_quotation=True)


def _active(sentence: Sentence, at: int, before: Phrase | None) -> Cue | None:
    if not _is_verb(sentence, at):
        return None
    needs_quotation = sentence[at].low not in CUES
    if speaker := _inverted(sentence, at):
        return Cue(at, speaker, at, speaker.last, inverted=True, needs_quotation=needs_quotation)
    speaker = subject(sentence, at)
    if speaker == OF_SENTENCE:
        speaker = before or sentence_subject(sentence, at)
        return Cue(at, speaker, at, at, needs_quotation=needs_quotation) if speaker or not needs_quotation else None
    if speaker is None and needs_quotation:
        return None
    return Cue(at, speaker, min(speaker.first, at) if speaker else at, at, needs_quotation=needs_quotation)


def quotation_follows(sentence: Sentence, at: int) -> bool:
    """Tell whether a quotation stands behind a token, with no more than a comma or colon between."""
    after = text_at(sentence, at + 1)
    return after == QUOTED or (after in (",", ":") and text_at(sentence, at + 2) == QUOTED)


def _is_verb(sentence: Sentence, at: int) -> bool:
    """Tell a verb of saying from a noun ("the claim"), a participle ("asked about it, she ...") and an infinitive."""
    low, before = sentence[at].low, text_at(sentence, at - 1)
    if at == 0:
        return len(sentence) > 1 and may_begin(sentence[1]) and not low.endswith("ing") and low not in PASSIVE_CUES
    if is_capital(sentence[at]) or (low, before) == ("called", "so") or _is_attribute(sentence, at):
        return False
    if before == "to":
        quoting = low in ("say", "tell", "ask", "add") and QUOTED in (text_at(sentence, at + k) for k in (1, 2, 3))
        return quoting or text_at(sentence, at - 2) in ("on", "continued", "continues")
    return not ((low in NOUNS or low in BASES) and _is_noun(sentence, at))


def _is_attribute(sentence: Sentence, at: int) -> bool:
    """Tell the participle of "the proposed law", and of "when asked about it"."""
    low, before, after = sentence[at].low, text_at(sentence, at - 1), text_at(sentence, at + 1)
    if low in ("asked", "pressed", "questioned") and before in (",", "when", "if", "as"):
        told = quotation_follows(sentence, at) or (after != "" and is_capital(sentence[at + 1]))
        return before != "," or not told
    place = at - 1
    while place > 0 and is_adverb(sentence[place]):
        place -= 1
    return sentence[place].low in DETERMINERS and sentence[place].low not in MAY_SPEAK


def _is_noun(sentence: Sentence, at: int) -> bool:
    """Tell "the first reports." from "Roe reports." for forms that may be either."""
    low, before, after = sentence[at].low, sentence[at - 1], text_at(sentence, at + 1)
    if before.low in PREPOSITIONS or is_possessive(before) or (before.low in DETERMINERS and before.low not in PLURALS):
        return True
    if before.low in (QUOTED, ",", ")", "—", "–") or quotation_follows(sentence, at) or after == "that":
        return False
    closed = after in (".", ",", ")")
    reported = not closed or text_at(sentence, at - 2) in (",", QUOTED)  # "..., Reuters reports."
    named = (is_capital(before) and reported) or before.low in PRONOUNS
    if closed or named:
        return not named
    acts = before.low in PLURALS or before.low in AUXILIARIES or is_adverb(before) or before.low in ("that", "which")
    return not (acts or (low in BASES and before.low.endswith("s")))


def _inverted(sentence: Sentence, at: int) -> Phrase | None:
    """Find the speaker behind the verb, as in `"No," said Ann Roe`."""
    low = sentence[at].low
    before = text_at(sentence, at - 1)
    behind_quotation = before == QUOTED or (text_at(sentence, at - 2) == QUOTED and (before == "," or before in DASHES))
    if low in TELLING or low.endswith("ing") or not (behind_quotation or before in ("", ",", "as")):
        return None
    speaker = phrase_after(sentence, at + 1)
    if speaker is None or behind_quotation or before == "as":
        return speaker
    ends = text_at(sentence, speaker.last + 1) in ("", ".", ",", ":", "in", "on", "at", "during")
    apposed = before == "," and any(token.text == "," for token in sentence[: at - 1]) and subject(sentence, at)
    named = apposed and apposed != OF_SENTENCE
    return speaker if ends and not named and sentence[speaker.first].low not in PRONOUNS else None
