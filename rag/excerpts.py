"""The excerpt: checked at the door, and read as words, with the places where it says that it leaves something out."""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from dataclasses import dataclass
from unicodedata import normalize

from rag.aligning import WordList, read_words
from rag.cleaning import clean_line
from rag.errors import QuestionError

MAXIMUM_CHARACTERS, MAXIMUM_WORDS = 50_000, 3000
LONGER = 4  # letters; shorter words stand in nearly every article

_ENTITY = re.compile(r"&#?\w{1,10};")
_GAP = re.compile(r"\[[^\[\]]{0,100}\]|\.(?:\s?\.){2,9}|…")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What somebody pasted, `given` as it came, and its `text` in one line, without what nobody sees.

    `words` are all of its words; `own` only those outside of square brackets, which are not the article's. Before the
    words of `own` whose numbers are `gaps` there stood such a bracket, or "...". `longer` are the words to look for
    before a text is read word by word.
    """

    given: str
    text: str
    words: WordList
    own: WordList
    gaps: frozenset[int]
    longer: frozenset[str]

    def lacking(self, text: str) -> int:
        """Count the longer words that a text does not hold: in at least so many words the excerpt differs from it."""
        held = normalize("NFKC", text).casefold().replace(".", "")
        return sum(word not in held for word in self.longer)


def read_excerpt(given: str) -> Excerpt:
    """Read what somebody pasted, entities of HTML included. Raises `QuestionError` where it is empty or too long."""
    if len(given) > MAXIMUM_CHARACTERS:
        raise QuestionError(
            f"The excerpt has {len(given):,} characters, at most {MAXIMUM_CHARACTERS:,} are read. Give a part of it."
        )
    text = clean_line(_ENTITY.sub(lambda entity: html.unescape(entity[0]), given))
    words = read_words(text)
    if not words.words:
        raise QuestionError("The excerpt is empty. Give words of an article, as it has them.")
    if len(words.words) > MAXIMUM_WORDS:
        raise QuestionError(
            f"The excerpt has {len(words.words):,} words, at most {MAXIMUM_WORDS:,} are traced. Give a part of it."
        )
    own, gaps = _own_words(text)
    if not own.words:
        own, gaps = words, frozenset()
    longer = frozenset(word for word in own.words if len(word) >= LONGER and word.isalpha())
    return Excerpt(given, text, words, own, gaps, longer)


def _own_words(text: str) -> tuple[WordList, frozenset[int]]:
    """Give the words outside of square brackets, and the numbers of those before which something is left out."""
    own = read_words(_GAP.sub(lambda gap: " " * len(gap[0]), text))
    starts = [start for start, _ in own.spans]
    return own, frozenset(bisect_left(starts, gap.start()) for gap in _GAP.finditer(text))
