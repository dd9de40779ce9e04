"""Words that could stand in another one's place: they make of a question one that its sentence does not answer."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rag.words import subject_words, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

NEAREST, NEAR = 3, 40  # the nearest are other forms of a word, or mean the same
ALIKE = 4  # letters; words that begin with the same ones are forms of one word
_WHOLE = re.compile(r"[a-z]{3,}|\d+")


class Siblings:
    """The words of a model's vocabulary that are used like another one, by its own vectors of words.

    `vectors` has one row a word of `words`, in the same order, shape (len(words), dimension).
    """

    def __init__(self, words: Sequence[str], vectors: Vectors) -> None:
        whole = [row for row, word in enumerate(words) if _WHOLE.fullmatch(word)]
        self._words = [words[row] for row in whole]
        self._rows = {word: row for row, word in enumerate(self._words)}
        self._vectors = vectors[whole] / np.linalg.norm(vectors[whole], axis=1, keepdims=True)
        self.of = lru_cache(maxsize=None)(self._of)

    def altered(self, question: str, sentence: str, drawn: random.Random) -> str:
        """Give the question with one of the words that it shares with a sentence replaced; empty where none can be."""
        said = {word.text.lower() for word in words(f"{question} {sentence}")}
        stems = {word.stem for word in words(sentence)}
        shared = [word for word in subject_words(question) if word.stem in stems]
        for word in drawn.sample(shared, len(shared)):
            others = [other for other in self.of(word.text.lower()) if other not in said]
            if others:
                end = word.start + len(word.text)
                return question[: word.start] + drawn.choice(others) + question[end:]
        return ""

    def _of(self, word: str) -> tuple[str, ...]:
        """Give the words that are used like a word, the most alike first; none of them is a form of it."""
        if word not in self._rows:
            return ()
        likeness = self._vectors @ self._vectors[self._rows[word]]
        near = [self._words[row] for row in np.argsort(-likeness)[1 + NEAREST : 1 + NEAREST + NEAR]]
        return tuple(one for one in near if one.isdigit() == word.isdigit() and one[:ALIKE] != word[:ALIKE])
