"""Kinds: what kind of thing a question asks for, read from the word that asks and the noun beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from rag.words import STOP_WORDS, stem, words

Kind = Literal["person", "place", "time", "quantity", "money", "reason", "statement", "thing", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_SENTENCE_END = re.compile(r"[.!?][”\"']?\s")
_ASKING = re.compile(r"\b(?:how|whom|whose|who|where|when|why|what|which)(?![\w-])|_{2,1000}+")
_CLAUSE = re.compile(r"[,:;–—]\s(?:(?:and|in|on|at|of|for|from|to|by|with|about)\s)?$")
_LONGEST_CLAUSE_OPENING = 10
_MAY_OPEN_A_CLAUSE = {"when", "where", "how", "who"}
_RELATIVE = {"who", "which"}
_IS = r"\s*+(?:is|was|are|were|'s)\b"
_AUXILIARY = rf"(?:{_IS}|\s*+(?:will|would|has|have|had|did|does|do|can|could|should|may|might|must)\b)(?:\s++not\b)?+"
_VERB_FIRST = re.compile(_AUXILIARY)
_BEING = re.compile(_IS)
_OWNER = re.compile(rf"{_AUXILIARY}\s++(?:(?:the|an?|this|his|her|its|their|[\w.-]++'s?)\s++){{1,3}}+")
_ONE_OF = re.compile(r"\s*+of\s++(?:(?:the|these|those|its|his|her|their|following)\s++){1,3}+")
_SAYS = re.compile(
    r"\b(?:says?|said|saying|tell|told|claim|claimed|warn|warned|deny|promise|argue|state|stated|suggest|insist|allege|"
    r"think|believe|declare)\b"
)
_CAUSES = re.compile(
    r"\s*+(?:\w++\s++)??(?:caused|causes|led to|leads to|prompted|triggered|sparked|provoked|forced|motivated)\b"
)
_COSTS = re.compile(
    r"\b(?:cost|pay|paid|worth|spend|spent|earn|sell|sold|raise|fined?|money|charge|buy|bought|acquired?)\b"
)
_COST_LAST = re.compile(r"\bcosts?\W?$")
_ACTED_ON = re.compile(
    r"\b(?:did|does|do)\b|"
    r"\b(?:was|were|is|are|will|would|can|has|have|had)\s(?:the|an?|his|her|its|their|he|she|they|it)\b"
)
_WORDS = re.compile(r"[\w'-]++|[,;:.?]")
_LONGEST_NOUN_PHRASE = 6


def _set(written: str) -> frozenset[str]:
    return frozenset(written.split())


_MEASURES = _set("many much old long far tall high large big deep fast wide heavy often hot cold")
_NOUN_ENDS = _set(
    """is was are were be been being will would can could should may might must has have had did does do of in on at for
    from to by with about that which who whom whose when where after before during and or but as than not into over
    under against among between through this , ; : . ?"""
)
_NOUNS: dict[Kind, frozenset[str]] = {
    "time": _set("year day date month week century decade time season era weekday"),
    "place": _set(
        """country countries city cities town state place location region area county province village
        continent island nation street district neighborhood neighbourhood site venue capital hometown port"""
    ),
    "quantity": _set(
        """percentage percent number population size age height weight amount distance rate score length speed margin
        temperature magnitude share proportion total toll ratio depth width altitude"""
    ),
    "money": _set("price cost salary sum fine revenue budget worth profit bail wage bonus"),
    "reason": _set("reason cause motive motivation"),
}
_PEOPLE = re.compile(
    r"(?:person|people|man|men|woman|women|boy|girl|child|president|chief|coach|captain|general|judge|king|queen|prince|"
    r"princess|pope|candidate|attorney|star|host|athlete|spokes\w+|pilot|chef|hero|wife|husband|son|friend|suspect|"
    r"victim|student|member|governor|minister|secretary|senator|official|player|comedian|historian|"
    r"[a-z]{3,30}(?:er|or|ist|ician|[mw]an))s?"
)
_NO_PEOPLE = re.compile(
    r"(?:\w*(?:number|order|paper|river|water|weather|power|tower|matter|factor|sector|motor|color|error|border|"
    r"center|centre|quarter|letter|shelter|master|character)|chapter|cancer|disaster|summer|winter|offer|"
    r"answer|dinner|danger|monitor|tenor|vector|indicator|reactor|\w+ember|october|other|another|ever|computer|"
    r"carrier|charter|theater|container|corner|gender|newsletter|humor|rumor|door|floor|behavior|former|after|under)s?"
)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a question asks for: its kind, the stem of the noun that names it, and the stems of the question.

    `order` are the stems as they stand. `acted_on` says whether it is what something is done to: "Whom did she meet?"
    """

    kind: Kind
    noun: str
    order: tuple[str, ...]
    stems: frozenset[str]
    acted_on: bool


@lru_cache(maxsize=256)
def expected(question: str) -> Expectation:
    """Say what kind of thing a question asks for: "Which minister resigned?" asks for a person."""
    asking, after = _asked(question.lower().replace("’", "'"))
    kind, noun = _kind(asking, after)
    order = tuple(word.stem for word in words(question) if word.text.lower() not in STOP_WORDS)
    return Expectation(kind, stem(noun) if noun else "", order, frozenset(order), bool(_ACTED_ON.search(after)))


def is_personal(word: str) -> bool:
    """Say whether a noun in lower case is one for people: "minister", "spokeswoman", "winners"."""
    return bool(_PEOPLE.fullmatch(word)) and not _NO_PEOPLE.fullmatch(word)


def _asked(question: str) -> tuple[str, str]:
    """Give the word that asks and what follows it; in a quiz it stands late: "The prize went to which city?"."""
    sentences = _SENTENCE_END.split(question)
    sentence = next((one for one in reversed(sentences) if _ASKING.search(one)), question)
    found = list(_ASKING.finditer(sentence))
    if not found:
        return "", sentence
    asking = found[0]
    if asking.start() > 0 or asking[0] in _MAY_OPEN_A_CLAUSE:
        clauses = [one for one in found[1:] if one[0] not in _RELATIVE and _opens_clause(sentence, one.start())]
        nouns = [one for one in found if one[0] in {"what", "which"} and asking.start() > 0]
        asking = (clauses or nouns or found)[0]
    return asking[0], sentence[asking.end() :]


def _opens_clause(sentence: str, start: int) -> bool:
    return bool(_CLAUSE.search(sentence[max(0, start - _LONGEST_CLAUSE_OPENING) : start]))


def _kind(asking: str, after: str) -> tuple[Kind, str]:
    plain: dict[str, Kind] = {"who": "person", "whom": "person", "whose": "person", "where": "place", "when": "time"}
    if asking in plain:
        return plain[asking], ""
    if asking == "why":
        return "reason", ""
    if asking == "how":
        return _measured(_WORDS.findall(after))
    if asking in {"what", "which"}:
        return _named(after)
    kind, noun = _kind_of(_head(after))  # "Number of ferries bought"
    return ("other", "") if asking or kind == "thing" else (kind, noun)


def _measured(after: list[str]) -> tuple[Kind, str]:
    if not after or after[0] not in _MEASURES:
        return "other", ""
    if after[0] == "much" and _COSTS.search(" ".join(after)):
        return "money", ""
    return "quantity", "year" if after[0] == "old" else _head(" ".join(after[1:]))


def _named(after: str) -> tuple[Kind, str]:
    if _CAUSES.match(after):
        return "reason", ""
    if one_of := _ONE_OF.match(after):
        return _kind_of(_head(after[one_of.end() :]))
    return _told(after) if _VERB_FIRST.match(after) else _kind_of(_head(after))


def _told(after: str) -> tuple[Kind, str]:
    """Give the kind where a verb follows the word that asks: "What did she say?", "What was the date of the flood?"."""
    if _SAYS.search(after):
        return "statement", ""
    if _COST_LAST.search(after):
        return "money", ""
    owner = _OWNER.match(after)
    if not owner or not _BEING.match(after):
        return "other", ""
    kind, noun = _kind_of(_head(after[owner.end() :]))
    return (kind, noun) if kind != "person" else ("other", "")  # "What was the minister accused of?"


def _kind_of(noun: str) -> tuple[Kind, str]:
    for kind, nouns in _NOUNS.items():
        if noun in nouns or noun.removesuffix("s") in nouns:
            return kind, noun
    if is_personal(noun):
        return "person", noun
    return ("thing", noun) if noun else ("other", "")


def _head(phrase: str) -> str:
    """Give the last word of the noun phrase that a text begins with, as far as small words tell where it ends."""
    noun = ""
    for word in _WORDS.findall(phrase)[:_LONGEST_NOUN_PHRASE]:
        if word in _NOUN_ENDS or (noun and word.endswith(("ed", "ly"))):
            break
        noun = word
    return noun
