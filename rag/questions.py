"""The question: checked at the door, and what it asks for."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from rag.errors import QuestionError
from rag.words import Word, subject_words

Kind = Literal["who", "when", "where", "why", "number", "other"]

MAXIMUM_CHARACTERS = 2000
_KINDS: tuple[tuple[Kind, str], ...] = (
    (
        "number",
        r"\bhow (?:many|much|old|long|far|high|large|big|fast|often|tall|deep)\b|\bwhat (?:number|percentage|share)\b",
    ),
    ("when", r"\bwhen\b|\b(?:what|which) (?:year|day|date|month|time)\b|\bhow (?:soon|recently)\b"),
    ("where", r"\bwhere\b|\b(?:what|which) (?:country|city|town|place|state|location)\b"),
    ("why", r"\bwhy\b|\bwhat (?:caused|made|led)\b|\bfor what reason\b"),
    (
        "who",
        r"\bwho(?:m|se)?\b|\b(?:what|which) (?:person|company|team|man|woman|actor|singer|group|organi[sz]ation)\b",
    ),
)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: its text, the kind of answer that it asks for, and the words that carry its subject."""

    text: str
    kind: Kind
    words: tuple[Word, ...]


def read_question(text: str) -> Question:
    """Check and understand what a person typed.

    Raises `QuestionError` for a text without a letter or digit, or of more than `MAXIMUM_CHARACTERS` characters.
    """
    if len(text) > MAXIMUM_CHARACTERS:
        raise QuestionError(
            f"The question has {len(text):,} characters, at most {MAXIMUM_CHARACTERS:,} are read. Ask a shorter one."
        )
    clean = " ".join("".join(map(_visible, unicodedata.normalize("NFC", text))).split())
    if not any(character.isalnum() for character in clean):
        raise QuestionError(
            'The question is empty. Ask one in words, for example: "What did Zarif say about missiles?"'
        )
    return Question(clean, _kind(clean), tuple({word.stem: word for word in subject_words(clean)}.values()))


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category.startswith("Z") or character in "\t\n\r":
        return " "
    return "" if category in {"Cc", "Cf", "Cs", "Co", "Cn"} else character


def _kind(text: str) -> Kind:
    return next((kind for kind, pattern in _KINDS if re.search(pattern, text, re.IGNORECASE)), "other")
