"""Leaning: sentences that only the one before them explains."""

from __future__ import annotations

import re

from rag.words import words

_LINK = r"(?:(?:But|And|Yet|So|Then|Still|Also|Meanwhile|However|Instead|Later|Now),? )?"
_BARE = re.compile(
    rf"{_LINK}(?:(?:He|She|It|They|he|she|it|they)\b|"
    r"(?:This|That|These|Those|this|that|these|those) "
    r"(?:is|was|are|were|has|had|have|will|would|could|should|may|might|must|means|meant|came|comes|did|does|made)\b)"
)
_OWNED = re.compile(rf"{_LINK}(?:His|Her|Its|Their|his|her|its|their)\b")


def leans_back(sentence: str) -> bool:
    """Say whether a sentence begins with a pronoun that only the sentence before it can explain."""
    if _BARE.match(sentence):
        return True
    return bool(_OWNED.match(sentence)) and not any(
        word.capital and word.text.isalpha() for word in words(sentence)[1:]
    )
