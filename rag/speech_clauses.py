"""Clauses: which words of a sentence a cue governs, before and after it."""

from __future__ import annotations

from rag.answers import Span
from rag.speech_cues import Cue, quotation_follows
from rag.speech_tokens import BREAKS, DASHES, MARKS, QUOTED, Sentence, is_word, text_at
from rag.speech_words import AFTERTHOUGHTS, OFTEN_OTHERWISE, TELLING

_SAY = frozenset({"say", "says", "said", "saying"})
# A clause may begin with these: "said last year was better".
_MAY_OPEN = frozenset({"last", "this", "again", "earlier", "later", "recently", "to"})


def trails(sentence: Sentence, cue: Cue) -> bool:
    """Tell whether what was said stands before the cue, as in "It is late, Roe said on Monday"."""
    if cue.according:
        return cue.first > 1
    at, after = cue.first - 1, text_at(sentence, cue.last + 1)
    if at < 0 or after in ("that", ":") or cue.speaker is None or cue.speaker.first < cue.first:
        return False
    before = sentence[at]
    if before.low == QUOTED or ((before.text == "," or before.text in DASHES) and text_at(sentence, at - 1) == QUOTED):
        begun = text_at(sentence, at - 1 - (before.low != QUOTED)) == "that"
        return not begun or after in ("", ".", *AFTERTHOUGHTS)
    if at < 2 or not (before.text in (",", "?") or before.text in DASHES) or quotation_follows(sentence, cue.last):
        return False
    return after in ("", *AFTERTHOUGHTS) or not (after[0].isalnum() or after == QUOTED)


def is_main(sentence: Sentence, cue: Cue) -> bool:
    """Tell whether a cue is the main clause of its sentence."""
    return cue.speaker is not None and not cue.according and (cue.first < 2 or trails(sentence, cue))


def said_from(sentence: Sentence, cue: Cue, done: int) -> int:
    """Give where what was said before a cue begins: the quotation there, or all that no cue before it governs."""
    at = cue.first - 1
    while at > 0 and sentence[at].low != QUOTED and not is_word(sentence[at]):
        at -= 1
    if sentence[at].low != QUOTED:
        return done
    whole = sentence[at].text.lstrip(MARKS)[:1].isupper()
    return at if whole or done > at or text_at(sentence, at - 1) in (":", *DASHES) else done


def said_after(sentence: Sentence, cue: Cue, following: Cue | None) -> tuple[list[Span], int]:
    """Give what goes on after `"No," Roe said,`, and the place up to which all is read."""
    stop = following.first if following else len(sentence)
    end = cue.last + 1
    while end < stop and sentence[end].text not in (",", *DASHES) and sentence[end].low not in BREAKS:
        end += 1
    quoted = next((place for place in range(end, stop) if sentence[place].low == QUOTED), None)
    if quoted is not None and not (following and following.speaker and trails(sentence, following)):
        return [(quoted, stop)], stop
    inserted = end == cue.last + 1 and end < len(sentence) and sentence[end].text == "," == sentence[cue.first - 1].text
    return [(end + 1, len(sentence))] if inserted else [], end


def clause_end(sentence: Sentence, cue: Cue, following: Cue | None) -> int:
    """Give where the clause of a cue ends: where another one is joined to it, or with the sentence."""
    if following is None:
        return len(sentence)
    before = sentence[following.first - 1].low
    joined = before in ("and", "but", "while", "then", ",", ";", *DASHES)
    apart = following.inverted or following.first > cue.last + 1
    if following.according or (apart and (cue.needs_quotation or following.speaker == cue.speaker or joined)):
        return following.first
    return len(sentence)


def clause(sentence: Sentence, cue: Cue, stop: int) -> list[Span]:
    """Give what a cue governs after it."""
    start = cue.last + 1
    quoted = next((place for place in range(start, stop) if sentence[place].low == QUOTED), None)
    if quoted is not None and (quoted == start or sentence[quoted - 1].text in (",", ":")):
        return [(quoted, stop)]
    if cue.according:
        return [(start, stop)]
    for sign, reach in (("that", 8), (":", 12)):
        for place in range(start, min(start + reach, stop)):
            if sentence[place].low == sign:
                return [(place + 1, stop)]
    if sentence[cue.at].low in OFTEN_OTHERWISE and not (
        sentence[cue.at].low == "pledged" and text_at(sentence, start) == "to"
    ):
        return []
    if sentence[cue.at].low in _SAY and text_at(sentence, start) in AFTERTHOUGHTS - _MAY_OPEN:  # "said in public"
        return []
    told = sentence[cue.at].low in TELLING and not any(token.text == "," for token in sentence[start : start + 8])
    start += told and stop - start > 2
    return [(start, stop)] if stop - start > 1 else []
