"""Names: the people of an article, and where it names them, by their full names or by a surname that is clearly theirs.

Nothing here is learned. A full name is told from other words in capitals by a given name, a title or an age. A surname
is somebody's only where nothing in the article speaks against it, since a wrong name is worse than none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.given_names import GIVEN_NAMES, HE_TITLES, MEN, NO_PERSON, OFFICES, OPENERS, SHE_TITLES, TITLES, WOMEN
from rag.words import STOP_WORDS

_UPPER = "A-ZÀ-ÖØ-ÞČĐİŁŚŞŠŻŽ"
_PARTICLES = r"(?:(?:al|bin|da|de|del|der|di|dos|du|el|ibn|la|le|van|von) ){0,3}+"
_NAME_WORD = (
    r"(?:(?:Mr|Mrs|Ms|Dr|Prof|Sen|Rep|Gov|Lt|Col|Gen|Sgt|Capt|Maj|Rev|St|Jr|Sr)\.|"
    rf"[{_UPPER}]\.(?:[{_UPPER}]\.)*+|[{_UPPER}]\w*+(?:[’'-](?!s\b)\w++)*+)"
)
_IN_CAPITALS = re.compile(rf"(?<![\w.’'@#/-]){_NAME_WORD}(?: {_PARTICLES}{_NAME_WORD}){{0,9}}+")
_IN_LOWER_CASE = re.compile(r"(?<![\w’'-])[a-z]++(?![\w’'-])")
_OPENING = frozenset(".!?:•\n”…|*)]—–-")
_SUFFIXES = frozenset({"Jr.", "Jr", "Sr.", "Sr", "II", "III", "IV"})
_BESIDE_PERSON = re.compile(r",? who\b|, (?:aged )?[1-9][0-9]?[,.]| \([1-9][0-9]?\)")
# Who took a photograph is no part of the story.
_CREDIT = re.compile(r"[/@]| for (?:[A-Z]{2,}\b|The )")
_ACTING = re.compile(
    r"['’]s (?:wife|husband|son|daughter|mother|father|lawyers?)\b| (?:said|says|told|tweeted|wrote|who)\b"
)
_KIN = re.compile(
    r"\b(?:wife|husband|sons?|daughters?|brothers?|sisters?|siblings?|widow|mother|father|parents|niece|nephew|cousin|"
    r"grandson|granddaughter|twins?|family|couple|married)\b"
)
_KIN_NEAR = 60
_FAMILY = re.compile(rf"\b(?:the ([{_UPPER}]\w++)|([{_UPPER}]\w++) (?:family|siblings|brothers|sisters)\b)")
_COUPLE = re.compile(rf"\b([{_UPPER}]\w++) and $")
_HE = re.compile(r"\b(?:[Hh]e|[Hh]is|[Hh]im|[Hh]imself)\b")
_SHE = re.compile(r"\b(?:[Ss]he|[Hh]ers?|[Hh]erself)\b")


@dataclass(frozen=True, slots=True)
class Mention:
    """Where an article names somebody: `name` is the fullest name that it gives, "" where that is not certain."""

    start: int
    end: int
    name: str
    is_full: bool


@dataclass(frozen=True, slots=True)
class People:
    """The people of an article: where it names them, in order, and which of "he" and "she" each is, if known."""

    mentions: tuple[Mention, ...]
    pronouns: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Written:
    """Words in capitals that stand in a row, without the title and the other words before the name."""

    start: int
    end: int
    words: tuple[str, ...]
    title: str


_Forms = dict[tuple[str, ...], list[_Written]]


@lru_cache(maxsize=64)
def read_people(text: str, title: str = "") -> People:
    """Read the people of an article from its text; its title, which may be all in capitals, only speaks against."""
    written = list(_read_capitals(text))
    forms: dict[str, _Forms] = defaultdict(lambda: defaultdict(list))
    for one in written:
        if _is_full_name(one, text):
            forms[one.words[-1]][one.words].append(one)
    owners = _Owners(text, title, written)
    clear = {surname: name for surname, found in forms.items() if (name := owners.only_owner(surname, found))}
    mentions = _mentions(written, forms, clear, text)
    return People(tuple(mentions), _pronouns(forms, clear, owners, text))


def _read_capitals(text: str) -> Iterator[_Written]:
    common = frozenset(_IN_LOWER_CASE.findall(text))
    for match in _IN_CAPITALS.finditer(text):
        words, start, end = match[0].split(), match.start(), match.end()
        before = text[max(0, start - 4) : start].rstrip(" ([\"'“‘")
        opens = not before or before[-1] in _OPENING
        skipped = _words_before_name(words, common if opens else frozenset())
        title = words[skipped - 1] if skipped else ""
        start += sum(len(word) + 1 for word in words[:skipped])
        if len(words) > 1 and words[-1] in _SUFFIXES:
            end -= len(words.pop()) + 1
        if words[skipped:]:
            yield _Written(start, end, tuple(words[skipped:]), title)


def _words_before_name(words: list[str], common: frozenset[str]) -> int:
    """Count the words up to the last title; at the opening of a sentence, its first word may be a common one."""
    for place in range(len(words) - 2, -1, -1):
        if words[place] in TITLES or words[place] in OPENERS or words[place].lower() in STOP_WORDS:
            return place + 1
    return int(bool(common) and words[0] not in GIVEN_NAMES and _is_common(words[0], common))


def _is_common(word: str, common: frozenset[str]) -> bool:
    return word in OPENERS or word.lower() in STOP_WORDS or word.lower() in common


def _is_full_name(one: _Written, text: str) -> bool:
    *given, surname = (word for word in one.words if word[0].isupper())
    if not 1 <= len(given) <= 3 or len(surname) < 3 or surname.endswith(".") or _is_no_person(one):
        return False
    if len({*one.words}) < len(one.words) or _CREDIT.match(text, one.end):
        return False
    if one.title in TITLES:
        return True
    if text[max(0, one.start - 4) : one.start].lower() == "the ":
        return False
    return given[0] in GIVEN_NAMES or any(w.endswith(".") for w in given) or bool(_BESIDE_PERSON.match(text, one.end))


def _is_no_person(one: _Written) -> bool:
    return any(word in NO_PERSON or (word.isupper() and len(word) > 1 and "." not in word) for word in one.words)


class _Owners:
    """Whose the surnames of an article are."""

    def __init__(self, text: str, title: str, written: list[_Written]) -> None:
        self._text = text
        self._having: dict[str, list[_Written]] = defaultdict(list)
        for one in written:
            for word in set(one.words):
                self._having[word].append(one)
        self._families = {name for found in _FAMILY.findall(text) for name in found if name}
        headline = re.findall(r"\w++", title)
        self._given_in_title = {name: given for given, name in pairwise(headline) if given in GIVEN_NAMES}

    def only_owner(self, surname: str, forms: _Forms) -> str:
        """Give the full name of the one person that a surname means all through the article, else nothing."""
        fullest = max(forms, key=len)
        parts = {word for form in forms for word in form if not word.endswith(".")}
        is_one_person = parts <= set(fullest) and not self._is_doubtful(surname, forms, parts)
        return " ".join(fullest) if is_one_person else ""

    def pronoun(self, surname: str) -> str:
        """Give "he" or "she" where "Mr." or "Queen" before the bare surname says so."""
        titles = {one.title for one in self._having[surname] if one.words == (surname,)}
        return _pronoun_of(titles, "")

    def _is_doubtful(self, surname: str, forms: _Forms, parts: set[str]) -> bool:
        fulls = [one for found in forms.values() for one in found]
        bare = [one for one in self._having[surname] if one.words == (surname,)]
        offices = {one.title for one in bare if one.title in OFFICES}
        said = {self.pronoun(surname), *(_pronoun_of(set(), form[0]) for form in forms)}
        return (
            len(bare) + len(fulls) < len(self._having[surname])  # a part of another name as well
            or any(one.start < min(full.start for full in fulls) for one in bare[:1])  # known without the full name
            or not offices <= {one.title for one in fulls}  # President Roe need not be Ann Roe
            or said >= {"he", "she"}
            or not self._families.isdisjoint({surname, f"{surname}s"})
            or any(self._has_kin(one) for one in fulls)
            or self._given_in_title.get(surname, surname) not in {surname, *parts}
        )

    def _has_kin(self, full: _Written) -> bool:
        """Say whether a relative, who may have the same surname, stands beside a full name."""
        couple = _COUPLE.search(self._text, max(0, full.start - 30), full.start)
        near = _KIN.search(self._text, max(0, full.start - _KIN_NEAR), full.end + _KIN_NEAR)
        return bool(near or (couple and couple[1] in GIVEN_NAMES))


def _mentions(written: list[_Written], forms: dict[str, _Forms], clear: dict[str, str], text: str) -> Iterator[Mention]:
    """Yield the places where people are named, and those where a word in capitals might be somebody's name."""
    acting = {one.words for one in written if one.title in TITLES or _ACTING.match(text, one.end)}
    for one in written:
        surname, is_full = one.words[-1], len(one.words) > 1
        if surname in clear and not is_full:
            yield Mention(one.start, one.end, clear[surname], is_full)
        elif not _is_no_person(one) and (is_full or surname in forms or surname in GIVEN_NAMES or one.words in acting):
            name = clear.get(surname) or " ".join(one.words)
            yield Mention(one.start, one.end, name if one.words in forms.get(surname, {}) else "", is_full)


def _pronouns(forms: dict[str, _Forms], clear: dict[str, str], owners: _Owners, text: str) -> dict[str, str]:
    """Give "he" or "she" for each full name where it, its title, or the lack of the other in the article says so."""
    only = {(True, False): "he", (False, True): "she"}.get((bool(_HE.search(text)), bool(_SHE.search(text))), "")
    known: dict[str, str] = {}
    for surname, found in forms.items():
        for form, places in found.items():
            name = clear.get(surname) or " ".join(form)
            pronoun = _pronoun_of({one.title for one in places}, form[0])
            known[name] = known.get(name) or pronoun or (owners.pronoun(surname) if surname in clear else "") or only
    return known


def _pronoun_of(titles: set[str], given: str) -> str:
    if titles & SHE_TITLES:
        return "she"
    if titles & HE_TITLES:
        return "he"
    return "he" if given in MEN else "she" if given in WOMEN else ""
