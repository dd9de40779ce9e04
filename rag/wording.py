"""Wording: what a text says, in a form in which two texts compare: its words, names, numbers and negations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from rag.quantities import Quantity, quantities
from rag.words import STOP_WORDS, Word, words

Unit = str | frozenset[str]
Slot = tuple[str, str, str, str]

_SAME = (
    (re.compile(r"\bUnited States(?: of America)?+\b|\bUSA?\b"), "U.S."),
    (re.compile(r"\b(?:United Kingdom|(?:Great )?+Brit(?:ain|ish)|UK)\b"), "U.K."),
    (re.compile(r"\bEuropean Union\b"), "EU"),
    (re.compile(r"\bUnited Nations\b"), "UN"),
    (re.compile(r"%|\bper cent\b"), " percent "),
    (re.compile(r"\$"), " dollar "),
    (re.compile("€"), " euro "),
    (re.compile("£"), " pound "),
)
# "The two men" counts who was named before; "two men" is news.
_COUNTED_BEFORE = re.compile(r"\b(?:the|these|those|all|his|her|their|its)\s$", re.IGNORECASE)
_TITLES = frozenset(
    """president minister prime senator governor gov mayor judge justice general gen king queen prince princess pope
    sir lord lady professor captain colonel chancellor secretary ambassador congressman congresswoman representative rep
    chief officer director chairman chairwoman deputy vice former foreign""".split()  # noqa: SIM905
)
_NEGATIONS = frozenset("not no never none nor neither without cannot t".split())  # noqa: SIM905
_DENIALS = frozenset("deni refut disput".split())  # noqa: SIM905
_BESIDE_NEGATION = frozenset("longer yet even ever immedi".split())  # noqa: SIM905
_PRONOUNS = frozenset("he she it they him her them his their this that these those".split())  # noqa: SIM905
_BEGINNINGS = '.:!?“"‘'
_NAME_GOES_ON = re.compile(r"\s[A-Z]|[’']s\b")
_VERB = re.compile(r"\s(?:is|was|are|were|has|had|have|will|would|can|could|may|did|does|said|says|told|[a-z]{2,}ed)\b")
_NO_NAME = re.compile(r"(?:[^s]s|ly|ing)$")
_NAMES = re.compile(r"[A-Z][\w’'-]*+(?:\s(?:(?:of|and|for|the|on)\s){0,2}[A-Z][\w’'-]*+)++")
_ENDINGS = ("n", "s", "i", "an", "ns", "ian", "ese", "ish", "ans", "ians")


@dataclass(frozen=True, slots=True)
class Wording:
    """What a text says.

    `stems` are the words that carry a subject, in their order in `row`; `akin` are these and the shorter words that
    they are akin to. Of each of the `numbers` one value must stand in what supports the text, and so must the `names`,
    which are certainly names. `values` and `keys` are all numbers and words that can support another text. `slots` say
    what stands as a fourth among three neighbours.
    """

    stems: frozenset[str]
    row: tuple[str, ...]
    akin: frozenset[str]
    numbers: tuple[frozenset[str], ...]
    names: frozenset[str]
    values: frozenset[str]
    keys: frozenset[str]
    negated: frozenset[str]
    slots: dict[Slot, frozenset[str]]

    @property
    def units(self) -> tuple[Unit, ...]:
        """All that is to be found in what supports the text: stems, and for each number its values."""
        return (*self.stems, *self.numbers)


@lru_cache(maxsize=1000)  # the sentences of an article are compared with each sentence of an answer
def wording(text: str) -> Wording:
    """Read a text into the form that compares."""
    for pattern, name in _SAME:
        text = pattern.sub(name, text)
    counted = list(quantities(text))
    rest = _without(text, counted)
    found = words(rest)
    content = [word for word in found if _carries(word)]
    stems = frozenset(word.stem for word in content)
    return Wording(
        stems=stems,
        row=tuple(word.stem for word in content),
        akin=stems.union(short for stem in stems for short in _shortened(stem)),
        numbers=tuple(quantity.values for quantity in counted if _must_stand(text, quantity)),
        names=frozenset(_names(rest, found)),
        values=frozenset().union(*(quantity.values for quantity in counted)),
        keys=frozenset(key for word in found for key in (_key(word), word.stem)) | set(_initials(rest)),
        negated=frozenset(_negated(found)),
        slots=_slots(found, counted),
    )


def covered(units: Iterable[Unit], other: Wording, values: frozenset[str]) -> frozenset[int]:
    """Give the places of the units that a text with these values holds, if only as "Iran" where "Iranian" is asked."""
    return frozenset(place for place, unit in enumerate(units) if _holds(other, values, unit))


def is_named(name: str, keys: frozenset[str]) -> bool:
    """Say whether a name is among words, also as the name of a people: "Iran" where "Iranians" stands, and back."""
    return (
        name in keys
        or any(name + ending in keys for ending in _ENDINGS)
        or any(name.removesuffix(ending) in keys for ending in _ENDINGS if len(name) > 4 and name.endswith(ending))
    )


def substitutes(text: Wording, other: Wording) -> bool:
    """Say whether a text has another word, name or number than the other one between the same neighbours.

    A name in the place of a pronoun says the same.
    """
    said = text.stems | text.values
    return any(
        slot in other.slots
        and inside.isdisjoint(other.slots[slot])
        and not inside.isdisjoint(said)
        and other.slots[slot].isdisjoint(_PRONOUNS)
        for slot, inside in text.slots.items()
    )


def negates(text: Wording, other: Wording) -> bool:
    """Say whether one of two texts denies what the other one says."""
    return bool((other.negated & text.stems) - text.negated or (text.negated & other.stems) - other.negated)


def _holds(text: Wording, values: frozenset[str], unit: Unit) -> bool:
    if isinstance(unit, str):
        return unit in text.akin or not text.stems.isdisjoint(_shortened(unit))
    return not unit.isdisjoint(values)


def _without(text: str, counted: Iterable[Quantity]) -> str:
    parts, read = [], 0
    for quantity in counted:
        parts += [text[read : quantity.start], " " * (quantity.end - max(read, quantity.start))]
        read = quantity.end
    return "".join([*parts, text[read:]])


def _must_stand(text: str, quantity: Quantity) -> bool:
    written = text[quantity.start : quantity.end]
    if not written[0].isalpha() or written[0].isupper():
        return written != "One"
    known = _COUNTED_BEFORE.search(text, max(0, quantity.start - 8), quantity.start)
    return written != "one" and not known


def _carries(word: Word) -> bool:
    return len(word.text) > 1 and word.text.lower() not in STOP_WORDS


def _key(word: Word) -> str:
    return word.text.lower().replace(".", "")


def _shortened(stem: str) -> list[str]:
    return [] if stem[-1:].isdigit() else [stem[:end] for end in range(max(4, len(stem) - 4), len(stem))]


def _names(text: str, found: list[Word]) -> Iterator[str]:
    for word in found:
        if word.text[0].isupper() and _carries(word) and _key(word) not in _TITLES:
            before = text[max(0, word.start - 3) : word.start].rstrip()
            begins = word is found[0] or before.endswith(tuple(_BEGINNINGS))
            if not begins or _is_name_at_beginning(text, word):
                yield _key(word)


def _is_name_at_beginning(text: str, word: Word) -> bool:
    """Say whether a word that any sentence writes with a capital is a name: one, and no plural, acts by itself."""
    after = word.start + len(word.text)
    if _NAME_GOES_ON.match(text, after):
        return True
    return bool(_VERB.match(text, after)) and not _NO_NAME.search(word.text)


def _initials(text: str) -> Iterator[str]:
    """Yield what may stand for the names of a text: "un" and "unsc" for "United Nations Security Council"."""
    for name in _NAMES.finditer(text):
        letters = "".join(part[0].lower() for part in name[0].split() if part[0].isupper())[:8]
        for start, end in combinations(range(len(letters) + 1), 2):
            if end - start > 1:
                yield letters[start:end]


def _negated(found: list[Word]) -> Iterator[str]:
    for place, word in enumerate(found):
        after = found[place + 1 : place + 6]
        if word.text.lower() in _NEGATIONS and after and after[0].text.lower() != "only":
            yield from [each.stem for each in after if _carries(each) and each.stem not in _BESIDE_NEGATION][:1]
        elif word.stem in _DENIALS:
            yield from [each.stem for each in after if _carries(each)][:3]


def _slots(found: list[Word], counted: list[Quantity]) -> dict[Slot, frozenset[str]]:
    said = [(word.start, frozenset({word.stem})) for word in found]
    said += [(quantity.start, quantity.values) for quantity in counted]
    row = [("", frozenset({""}))] * 2 + sorted(said, key=lambda each: each[0]) + [("", frozenset({""}))] * 2
    slots: dict[Slot, frozenset[str]] = defaultdict(frozenset)
    written = [min(inside) for _, inside in row]
    for at in range(2, len(row) - 2):
        slots[written[at - 2], written[at - 1], "_", written[at + 1]] |= row[at][1]
        slots[written[at - 1], "_", written[at + 1], written[at + 2]] |= row[at][1]
    return dict(slots)
