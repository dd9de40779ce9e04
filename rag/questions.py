"""The question: checked at the door, and the words that carry its subject."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from rag.errors import QuestionError
from rag.words import Word, subject_words

MAXIMUM_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: its text, and the words that carry its subject."""

    text: str
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
    return Question(clean, tuple({word.stem: word for word in subject_words(clean)}.values()))


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category.startswith("Z") or character in "\t\n\r":
        return " "
    return "" if category in {"Cc", "Cf", "Cs", "Co", "Cn"} else character
