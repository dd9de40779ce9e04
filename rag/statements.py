"""Statements: what an article quotes or reports, and who says it.

Nothing here is learned. A verb of saying is a cue: the words beside it say who speaks, and what stands in quotation
marks or in the clause that it governs is what is said. A quotation without a cue goes on with the speaker before it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rag.answers import Span
from rag.names import Mention, read_people
from rag.speech import Claim, Reader
from rag.speech_words import DETERMINERS, ROLES, TITLES

_LONGEST_QUESTION = 300
_LONGEST_SPEAKER = 160  # characters
_CLAIMS_BEFORE = 8
_CHARACTERS_BEFORE = 2000  # in which the one is named whom "he" or "she" means


@dataclass(frozen=True, slots=True)
class Statement:
    """The characters of an article that are quoted or reported, and who says them; `direct` where in quotation marks.

    `speaker` is for readers: as the article names them beside the statement, by the fullest name that it gives where
    that is a pronoun or a mere surname; "" where it cannot be told. `speaker_span` is where the mention stands.
    """

    start: int
    end: int
    speaker: str
    speaker_span: Span | None
    direct: bool


def find_statements(text: str, title: str = "") -> tuple[Statement, ...]:
    """Give the statements of an article in order; one may stand within another, as in "Roe said that Lind agrees"."""
    reader = Reader(text)
    claims = sorted(reader.claims(), key=lambda claim: (claim.start, -claim.end))
    speakers = _Speakers(text, title, reader.quoted).of(claims)
    return tuple(
        Statement(claim.start, claim.end, speaker, claim.speaker, claim.direct)
        for claim, speaker in zip(claims, speakers, strict=True)
    )


def speaker_of(statements: Sequence[Statement], start: int, end: int) -> str | None:
    """Give who says what is quoted or reported between two characters: the speaker of the statement with most of it.

    It is "" where the speaker cannot be told, and None where nothing is quoted or reported.
    """
    best = max(statements, key=lambda one: (_overlap(one, start, end), one.start - one.end), default=None)
    return best.speaker if best and _overlap(best, start, end) > 0 else None


def is_by(statement: Statement, name: str) -> bool:
    """Say whether a statement is made by the one of that name: "Roe" is also "Mayor Ann Roe", but no "aide of Roe"."""
    asked = _name_words(name)
    parts = _HEARSAY.split(statement.speaker, maxsplit=1)[0].split(",")
    named = [words for part in parts if (words := _name_words(_COMPLEMENT.split(part.strip(), maxsplit=1)[0]))]
    return bool(asked) and any(
        words[-1] == asked[-1] and (set(words) <= set(asked) or set(asked) <= set(words)) for words in named
    )


def _overlap(statement: Statement, start: int, end: int) -> int:
    return min(statement.end, end) - max(statement.start, start)


def _name_words(name: str) -> list[str]:
    words = [word.strip('.,"“”()').casefold() for word in name.replace("'", "’").split()]
    return [word for word in words if word and word not in TITLES and word not in DETERMINERS] or words[-1:]


_HEARSAY = re.compile(r",? according to ")
_COMPLEMENT = re.compile(r" (?:of|for|at|from|in|with|to|by|on|who|that|which) ")


# Questions

_WHO = r"(?P<who>\S+(?:\s\S+){0,9}?)"
_ASKED = (
    r"(?:say|tell|claim|think|believe|argue|announce|promise|write|tweet|warn|deny|demand|ask|suggest|predict|respond|"
    r"react|reply|answer|comment|describe|explain|mention|state|admit|declare|insist|critici[sz]e|condemn|praise|"
    r"justify|defend|characteri[sz]e|feel|add|reveal|propose|urge|accuse|confirm|make\sof|call|want|expect)\b"
)
_PERFECT = (
    r"(?:said|told|claimed|argued|announced|promised|written|tweeted|warned|denied|demanded|asked|suggested|predicted|"
    r"responded|reacted|replied|answered|commented|described|explained|mentioned|stated|admitted|declared|insisted|"
    r"critici[sz]ed|condemned|praised|revealed|proposed|urged|accused|confirmed)\b"
)
_SAYING = r"(?:saying|claiming|telling|arguing|promising|warning|denying|demanding|asking|suggesting|predicting)\b"
_REACTION = (
    r"(?:\w+\s)?(?:response|reaction|answer|comments?|statements?|stance|position|views?|opinion|take|message|reply|"
    r"claims?|warning|explanation)\b"
)
_ASKING = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:did|does|do|would)\s{_WHO}\s{_ASKED}",
        rf"\b(?:has|have|had)\s{_WHO}\s{_PERFECT}",
        rf"\b(?:is|are|was|were)\s{_WHO}\s{_SAYING}",
        rf"\b(?:is|are|was|were)\s{_WHO}(?:['’]s?)\s{_REACTION}",
        r"\baccording\sto\s(?P<who>[^,?]{1,80})",
    )
)
_NOBODY = re.compile(
    r"(?:he|she|they|it|you|we|i|one|who|what|people|any(?:one|body)|some(?:one|body)|every(?:one|body)|others|"
    r"(?:the|this|that|an|any)\s(?:articles?|texts?|stor(?:y|ies)|passages?|news))?",
    re.IGNORECASE,
)
_BESIDE_NAME = re.compile(
    r"^(?:also|ever|really|then|not)\s|"
    r"\s(?:also|ever|really|then|not|first|later|just|once|publicly|himself|herself)$",
    re.IGNORECASE,
)


def asks_for_statement(question: str) -> str:
    """Give the one whose words a question asks for, as in "What did Roe say about Y?"; "" where there is none."""
    question = " ".join(question[:_LONGEST_QUESTION].split())
    found = next((match for pattern in _ASKING if (match := pattern.search(question))), None)
    name = _BESIDE_NAME.sub("", found["who"].strip(' ,.?!"“”')) if found else ""
    return "" if _NOBODY.fullmatch(name) else name


# Speakers

_HEAD = re.compile(r"[^,(\n]*?(?=,| ?\(|\n|\s(?:of|for|at|from|in|with|to|by|on|who|that|which)\s|$)")
_RELATIVE = re.compile(r",? (?:who|which|that)$")
_BARE = re.compile(r"(?:(?:Mr|Mrs|Ms|Miss|Dr|Sen|Rep|Gov)\.? )*+[^ ]++")
_NO_NAMES = frozenset({"i", "we", "you", "they", "it", "who", "which", "that", "one", "these", "those", "this"})


def _is_one_person(mention: str) -> bool:
    """Tell whether "he" or "she" may go back to a mention without a known name, such as "the minister"."""
    head = _HEAD.match(mention)
    last = head[0].split()[-1:] if head else []
    return any(word in ROLES or word[0].isupper() for word in last) and not last[0].endswith("s")


class _Heard(NamedTuple):
    """Who spoke last: the name or the words by which we know them, how they are shown, and where they are named."""

    name: str
    shown: str
    place: int


class _Speakers:
    """Names the speakers of an article: by the fullest name, and only where it can be no one else's."""

    def __init__(self, text: str, title: str, quoted: Sequence[Span]) -> None:
        self._text = text
        self._quoted = quoted
        self._people = read_people(text, title)
        self._starts = [mention.start for mention in self._people.mentions]
        self._introduced: dict[str, str] = {}  # each name with what the article says that they are
        self._last = _Heard("", "", -1)

    def of(self, claims: Sequence[Claim]) -> Iterator[str]:
        """Yield the speaker of each claim, which are in the order of the article."""
        for number, claim in enumerate(claims):
            voice = claim.voice or claim.speaker
            speaker = self._speaker(voice, claims[max(0, number - _CLAIMS_BEFORE) : number]) if voice else ""
            source = self._words(claim.source) if claim.source else ""
            yield f"{speaker}, according to {source}" if speaker and source else speaker or source

    def _speaker(self, mention: Span, before: Sequence[Claim]) -> str:
        words = self._words(mention)
        if words.casefold() in ("he", "she"):
            heard = self._antecedent(words.casefold(), mention[0], before)
        elif words.casefold() in _NO_NAMES:
            return ""
        else:
            heard = self._named(words, mention)
        if heard.shown:
            self._last = heard._replace(place=mention[0])
        return heard.shown

    def _words(self, mention: Span) -> str:
        words = _RELATIVE.sub("", " ".join(self._text[slice(*mention)].split()))
        return words if len(words) <= _LONGEST_SPEAKER else words.split(",", maxsplit=1)[0][:_LONGEST_SPEAKER]

    def _named(self, words: str, mention: Span) -> _Heard:
        person = self._person(mention)
        if person is None:
            return _Heard(words if _is_one_person(words) else "", words, mention[0])
        surname = self._text[person.start : person.end]
        if person.name and not person.is_full:
            known = self._introduced.get(person.name, person.name)
            words = known if _BARE.fullmatch(words) else words.replace(surname, person.name, 1)
        if "," in words:
            self._introduced[person.name] = words
        return _Heard(person.name or surname, words, mention[0])

    def _person(self, mention: Span) -> Mention | None:
        """Give whom a mention names, rather than somebody of whom it only speaks: no Roe in "Roe’s aide"."""
        head = _HEAD.match(self._text, *mention)
        end = head.end() if head and head.end() > mention[0] else mention[1]
        near = self._people.mentions[bisect_left(self._starts, mention[0]) : bisect_left(self._starts, end)]
        return near[-1] if near and near[-1].end == end else None

    def _antecedent(self, pronoun: str, place: int, before: Sequence[Claim]) -> _Heard:
        """Find whom a pronoun means: who spoke last, in this paragraph or the one before, or the only one named there.

        Of whom the last speaker spoke is not the one who speaks next.
        """
        start = self._paragraph_before(place)
        last = self._last if self._last.place >= start and self._fits(self._last.name, pronoun) else _Heard("", "", -1)
        others = {
            mention.name or self._text[mention.start : mention.end]: bool(mention.name)
            for mention in self._people.mentions[
                bisect_left(self._starts, max(start, last.place)) : bisect_left(self._starts, place)
            ]
            if self._fits(mention.name, pronoun)
            and not self._is_quoted(mention.start)
            and not (last.name and any(claim.start <= mention.start < claim.end for claim in before))
        }
        others.pop(last.name, None)
        if not others or last.name:
            return _Heard("", "", -1) if others else last
        (name, certain), *more = others.items()
        return _Heard(name, self._introduced.get(name, name), place) if certain and not more else _Heard("", "", -1)

    def _paragraph_before(self, place: int) -> int:
        least = max(0, place - _CHARACTERS_BEFORE)
        here = self._text.rfind("\n", least, place)
        return max(least, self._text.rfind("\n", least, max(least, here - 1)) + 1)

    def _fits(self, name: str, pronoun: str) -> bool:
        return self._people.pronouns.get(name) in (None, "", pronoun)

    def _is_quoted(self, place: int) -> bool:
        at = bisect_left(self._quoted, (place + 1,)) - 1
        return at >= 0 and place < self._quoted[at][1]
