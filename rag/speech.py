"""Speech: what the sentences of an article quote or report, and where they name who says it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from rag.answers import Span
from rag.speech_clauses import clause, clause_end, is_main, said_after, said_from, trails
from rag.speech_cues import Cue, read_cues
from rag.speech_phrases import OF_SENTENCE, Phrase, phrase_after, phrase_before, sentence_subject, subject
from rag.speech_tokens import (
    DASHES,
    MARKS,
    QUOTED,
    SENTENCE_ENDS,
    Sentence,
    Token,
    is_capital,
    is_word,
    read_tokens,
    split_sentences,
    text_at,
)
from rag.speech_words import (
    AUXILIARIES,
    DETERMINERS,
    OPENERS,
    SPEAKING_PRONOUNS,
)

_LABEL = re.compile(r"[\"“'‘]*+([A-Z][\w.’'-]*+(?: [A-Z][\w.’'-]*+){0,3}):\s")  # of a transcript: "ROE: No."
_LONGEST_SIGNATURE = 20  # tokens


class Claim(NamedTuple):
    """A statement whose speaker has no name yet, only the place of the mention beside it.

    In "Roe agreed, according to her aide" the mention may be either; `voice` is who spoke, `source` who says so.
    """

    start: int
    end: int
    speaker: Span | None
    direct: bool
    voice: Span | None = None
    source: Span | None = None


class Reader:
    """Reads an article from its first sentence to its last, and keeps who spoke for the quotations that go on."""

    def __init__(self, text: str) -> None:
        self.text = text
        tokens = read_tokens(text)
        self.quoted = [(token.start, token.end) for token in tokens if token.low == QUOTED]
        self._sentences = list(split_sentences(tokens))
        self._speaker: Span | None = None
        self._spoken = -2  # the paragraph in which that speaker was heard
        self._announced: Span | None = None  # by "Roe said:" at the end of the sentence before
        self._signed = -1  # the line that names the speaker of the quotation before it
        self._wrote = False  # and it is "Roe wrote:", so that a paragraph without quotation marks is quoted, too
        self._open = False  # a quotation was not closed where its paragraph ended

    def claims(self) -> Iterator[Claim]:
        """Yield the claims sentence by sentence."""
        for number, (paragraph, sentence) in enumerate(self._sentences):
            cues = list(read_cues(sentence))
            claims = self._attribute(sentence, cues, list(self._governed(sentence, cues)))
            quotations = [token for token in sentence if token.low == QUOTED]
            self._hear(sentence, cues, claims, paragraph)
            for token in quotations:
                if not any(claim.start <= token.start < claim.end for claim in claims):
                    claims += self._free(number, token)
            if self._announced and self._wrote and not quotations and not cues:
                claims.append(Claim(sentence[0].start, sentence[-1].end, self._announced, direct=False))
            yield from claims
            self._open = bool(quotations) and quotations[-1].text[-1] not in MARKS
            self._announced = self._announce(sentence, cues)

    def _governed(self, sentence: Sentence, cues: Sequence[Cue]) -> Iterator[Claim]:
        """Yield what the cues of a sentence govern."""
        done = 0
        for cue, following in zip_longest(cues, cues[1:]):
            if trails(sentence, cue):
                pieces = [(0 if cue.according else said_from(sentence, cue, done), cue.first)]
                rest, done = said_after(sentence, cue, following)
                pieces += rest
            else:
                end = clause_end(sentence, cue, following)
                pieces = clause(sentence, cue, end)
                if following and end < len(sentence) and not trails(sentence, following):
                    done = max(done, end)
            speaker = _span(sentence, cue.speaker)
            claims = (self._claim(sentence[first:last], speaker, cue) for first, last in pieces)
            yield from (claim for claim in claims if claim)

    def _claim(self, said: Sentence, speaker: Span | None, cue: Cue) -> Claim | None:
        first, last = 0, len(said)
        while first < last and not (is_word(said[first]) or said[first].low == QUOTED or said[first].text in "([$#@"):
            first += 1
        while last > first and said[last - 1].text in (",", ";", ":", ".", "!", "?", *DASHES):
            last -= 1
        quoting = any(token.low == QUOTED for token in said[first:last])
        if first == last or not (quoting or (speaker and not cue.needs_quotation)):
            return None
        direct = not any(is_word(token) for token in said[first:last] if token.low != QUOTED)
        return Claim(said[first].start, said[last - 1].end, speaker, direct)

    def _attribute(self, sentence: Sentence, cues: Sequence[Cue], claims: list[Claim]) -> list[Claim]:
        """Add to "Roe said ..., according to her aide" from whom the article has it."""
        if len(cues) < 2 or not is_main(sentence, cues[0]) or not (cues[-1].according and trails(sentence, cues[-1])):
            return claims
        voice, source = _span(sentence, cues[0].speaker), _span(sentence, cues[-1].speaker)
        return [one._replace(voice=voice, source=source) if one.speaker in (voice, source) else one for one in claims]

    def _hear(self, sentence: Sentence, cues: Sequence[Cue], claims: Sequence[Claim], paragraph: int) -> None:
        """Keep who was quoted last in a sentence, or else who spoke first in it."""
        starts = [token.start for token in sentence if token.low == QUOTED]
        quoted = [c.speaker for c in claims if c.speaker and any(c.start <= start < c.end for start in starts)]
        first = next((cue.speaker for cue in cues if cue.speaker), None)
        if speaker := quoted[-1] if quoted else _span(sentence, first):
            self._speaker, self._spoken = speaker, paragraph

    def _announce(self, sentence: Sentence, cues: Sequence[Cue]) -> Span | None:
        """Find whose words follow a sentence that ends with a colon."""
        if sentence[-1].text != ":":
            return None
        self._wrote = bool(cues) and cues[-1].last == len(sentence) - 2
        last = next((cue.speaker for cue in reversed(cues) if cue.speaker), None)
        source = next((at for at, token in enumerate(sentence) if token.low in ("from", "via", "per")), None)
        if last is None and source is not None:
            last = phrase_after(sentence, source + 1)
        return _span(sentence, last or sentence_subject(sentence, len(sentence) - 1))

    def _free(self, number: int, quotation: Token) -> Iterator[Claim]:
        """Yield the claim of a quotation that no cue of its sentence governs, if it is more than a term or a title."""
        paragraph, sentence = self._sentences[number]
        at = next(place for place, token in enumerate(sentence) if token is quotation)
        said = quotation.text.strip(MARKS + " ")
        long = said.count(" ") > 2
        begins = all(not is_word(t) or t.low in OPENERS or t.low.endswith("ly") for t in sentence[:at])
        alone = not any(map(is_word, sentence))
        speaker = _label(quotation) or (self._announced if begins else None) or _signed(sentence, at)
        if not speaker and (alone or (begins and long and said.endswith(SENTENCE_ENDS))):
            speaker = self._carried(number, alone=alone)
        elif not speaker:
            if not (
                " " in said or (begins and said.endswith((",", *SENTENCE_ENDS))) or text_at(sentence, at - 1) == ":"
            ):
                return
            speaker = _span(sentence, _beside(sentence, at)) or (self._speaker if self._spoken == paragraph else None)
        if speaker and (long or begins):
            self._speaker, self._spoken = speaker, paragraph
        yield Claim(quotation.start, quotation.end, speaker, direct=True)

    def _carried(self, number: int, *, alone: bool) -> Span | None:
        """Find who goes on to speak in a sentence that is quoted as a whole."""
        if alone and not self._open and (led := self._led(number)):
            return led
        signed = self._signature(number) if alone else None
        heard = self._sentences[number][0] - self._spoken <= 1 or self._open
        return signed or (self._speaker if heard else None)

    def _led(self, number: int) -> Span | None:
        """Find of whom the sentence before a quotation speaks, where nobody speaks in it."""
        sentence: Sentence = self._sentences[number - 1][1] if number > 0 else ()
        if any(token.low == QUOTED for token in sentence) or any(read_cues(sentence)):
            return None
        phrase = sentence_subject(sentence, len(sentence))
        if phrase is None:
            return None
        named = is_capital(sentence[phrase.last]) and sentence[phrase.first].low not in DETERMINERS
        return _span(sentence, phrase) if named or sentence[phrase.first].low in SPEAKING_PRONOUNS else None

    def _signature(self, number: int) -> Span | None:
        """Find the name in a line of its own before or after a quotation, such as "- Ann Roe, mayor"."""
        if number > 0 and number - 1 != self._signed and (heading := self._named_line(number - 1)):
            return heading
        self._signed = number + 1
        return self._named_line(number + 1) if number + 1 < len(self._sentences) else None

    def _named_line(self, number: int) -> Span | None:
        paragraph, line = self._sentences[number]
        around = self._sentences[max(0, number - 1) : number + 2]
        dashed = line[0].text in DASHES
        if len(line) == dashed or len(line) > _LONGEST_SIGNATURE or not is_capital(line[dashed]):
            return None
        if sum(near == paragraph for near, _ in around) > 1 or any(
            t.low in AUXILIARIES or t.low == QUOTED for t in line
        ):
            return None
        phrase = phrase_after(line, dashed)
        return _span(line, phrase) if phrase and (dashed or _is_full_name(line, phrase)) else None


def _is_full_name(line: Sentence, phrase: Phrase) -> bool:
    """Tell "Ann Roe, mayor" from a heading."""
    ends = phrase.last >= len(line) - 2 or text_at(line, phrase.last + 1) == ","
    comma = next((at for at in range(phrase.first, phrase.last) if line[at].text == ","), phrase.last + 1)
    name = line[phrase.first : comma]
    capitals = all(is_capital(word) and not word.text.isupper() for word in name)
    return ends and capitals and len(name) > 1 and name[0].low not in DETERMINERS


def _signed(sentence: Sentence, at: int) -> Span | None:
    """Find the name behind a dash or in brackets after a quotation."""
    signed = text_at(sentence, at + 1) in ("(", *DASHES) and at + 2 < len(sentence) and is_capital(sentence[at + 2])
    return _span(sentence, phrase_after(sentence, at + 2)) if signed else None


def _label(quotation: Token) -> Span | None:
    """Find the name in a line of a transcript, such as "ROE: No."."""
    label = _LABEL.match(quotation.text)
    return (quotation.start + label.start(1), quotation.start + label.end(1)) if label else None


def _span(sentence: Sentence, phrase: Phrase | None) -> Span | None:
    return (sentence[phrase.first].start, sentence[phrase.last].end) if phrase else None


def _beside(sentence: Sentence, at: int) -> Phrase | None:
    """Find who may be quoted in a sentence without a cue."""
    if at == 0:
        start = 1 + (text_at(sentence, 1) in (",", "(", *DASHES))
        return phrase_after(sentence, start) or (
            phrase_after(sentence, start + 1) if text_at(sentence, start).endswith("ed") else None
        )
    if sentence[at - 1].text == ":" and at > 1:
        lead = next((k for k in range(at - 2, -1, -1) if sentence[k].low == "from" or sentence[k].text in DASHES), -1)
        named = phrase_before(sentence, lead + 1, at - 2) if lead >= 0 or is_capital(sentence[at - 2]) else None
        if named and named != OF_SENTENCE:
            return named
    verb = sentence[at - 2] if sentence[at - 1].text == "," and at > 2 else None
    if verb and is_word(verb) and not is_capital(verb) and verb.low.endswith(("ed", "s", "ing")):
        found = subject(sentence, at - 2)
        if found and found != OF_SENTENCE:
            return found
    pronoun = next((k for k in range(at - 1, -1, -1) if sentence[k].low in ("he", "she", "they", "i", "we")), None)
    return sentence_subject(sentence, at) if pronoun is None else Phrase(pronoun, pronoun)
