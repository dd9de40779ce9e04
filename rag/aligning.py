"""Aligning: the words of an excerpt held against those of a text, and what tells the two apart."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Span = tuple[int, int]
Kind = Literal["same", "differs", "omitted"]
Step = tuple[Kind, int, int]

# Letters with points between them are one word, as are a number and its unit; signs of money count as words, since a
# quotation that has another one says something else.
_WORD = re.compile(
    r"[^\W\d_](?:\.[^\W\d_])++(?![^\W_])|\d++(?:[.,:]\d++)*+[^\W_]*+|[^\W_]++(?:['’‘ʼ´`][^\W_]++)*+|[$€£¥₹₽₩₪%]"
)
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_APOSTROPHES = str.maketrans("’‘ʼ´`", "'''''")
# Words of the text before the place where an alignment ends; an excerpt with omissions reaches further back.
REACH = 2000


@dataclass(frozen=True, slots=True)
class WordList:
    """The words of a text as they are compared: without case and points, each with its characters [start, end)."""

    words: tuple[str, ...]
    spans: tuple[Span, ...]

    def characters(self, first: int, last: int) -> Span:
        """Give the characters of the words [first, last); where there are none, the place before the next word."""
        if first < last:
            return self.spans[first][0], self.spans[last - 1][1]
        place = self.spans[first][0] if first < len(self.spans) else self.spans[-1][1] if self.spans else 0
        return place, place


@dataclass(frozen=True, slots=True)
class Block:
    """Words [first, last) of an excerpt beside words [start, end) of a text: the same, differing, or left out."""

    kind: Kind
    first: int
    last: int
    start: int
    end: int

    @property
    def cost(self) -> int:
        """How many words differ."""
        return max(self.last - self.first, self.end - self.start) if self.kind == "differs" else 0


@dataclass(frozen=True, slots=True)
class Alignment:
    """All words of an excerpt beside those of a part of a text."""

    blocks: tuple[Block, ...]

    @property
    def start(self) -> int:
        """The first word of the text."""
        return self.blocks[0].start

    @property
    def end(self) -> int:
        """The word of the text after the last."""
        return self.blocks[-1].end

    @property
    def cost(self) -> int:
        """How many words differ."""
        return sum(block.cost for block in self.blocks)


def words_of(text: str) -> tuple[str, ...]:
    """Give the words of a text as they are compared."""
    return tuple(map(_folded, _WORD.findall(text)))


def read_words(text: str) -> WordList:
    """Do the same with their characters, which takes twice as long."""
    return WordList(words_of(text), tuple(match.span() for match in _WORD.finditer(text)))


def places(excerpt: Sequence[str], text: Sequence[str]) -> Iterator[int]:
    """Yield where the words of an excerpt stand one after the other in a text, by the number of the first word."""
    whole, sought = f" {' '.join(text)} ", f" {' '.join(excerpt)} "
    number = counted = 0
    found = whole.find(sought)
    while found >= 0:
        number += whole.count(" ", counted, found)
        yield number
        counted, found = found, whole.find(sought, found + 1)


def fewest_changes(excerpt: Sequence[str], text: Sequence[str], gaps: AbstractSet[int] = frozenset()) -> int:
    """Give how many words must be changed, dropped or added to find an excerpt somewhere in a text.

    Before each word of the excerpt whose number is among the `gaps`, words of the text may be left out at no cost.
    """
    return -int(-_last_row(excerpt, text, gaps).min() // _change(excerpt))


def align(excerpt: Sequence[str], text: Sequence[str], gaps: AbstractSet[int] = frozenset()) -> Alignment:
    """Lay an excerpt beside the part of a text that needs the fewest changes, the first of several such parts.

    This is the edit distance of words with free ends in the text (Sellers 1980); of several ways that of most words
    which stay the same.
    """
    last = _last_row(excerpt, text, gaps)
    end = int(last.argmin())
    while end < len(text) and last[end + 1] == last[end]:  # the last word was changed, rather than added
        end += 1
    start = max(0, end - 2 * len(excerpt) - (REACH if gaps else 0))
    return Alignment(tuple(_blocks(_steps(excerpt, text[start:end], gaps), end)))


def _change(excerpt: Sequence[str]) -> int:
    """Give the cost of a change, more than all that words which stay the same can make good, 1 each."""
    return len(excerpt) + 1


def _last_row(excerpt: Sequence[str], text: Sequence[str], gaps: AbstractSet[int]) -> NDArray[np.int64]:
    return deque(_rows(excerpt, text, gaps), maxlen=1)[0]


def _rows(excerpt: Sequence[str], text: Sequence[str], gaps: AbstractSet[int]) -> Iterator[NDArray[np.int64]]:
    """Yield for 0, 1, 2, ... words of the excerpt the least costs, by how many words of the text were read."""
    import numpy as np

    change = _change(excerpt)
    numbers = {word: number for number, word in enumerate(dict.fromkeys(excerpt))}
    theirs = np.array([numbers.get(word, -1) for word in text], dtype=np.int64)
    columns = np.arange(len(text) + 1, dtype=np.int64) * change
    row = np.zeros_like(columns)
    yield row
    for place, word in enumerate(excerpt):
        above = _entered(row, place, gaps)
        row = above + change
        np.minimum(row[1:], above[:-1] + np.where(theirs == numbers[word], -1, change), out=row[1:])
        row = np.minimum.accumulate(row - columns) + columns  # words of the text that the excerpt lacks
        yield row


def _entered(row: NDArray[np.int64], place: int, gaps: AbstractSet[int]) -> NDArray[np.int64]:
    import numpy as np

    return np.minimum.accumulate(row) if place in gaps else row


def _steps(excerpt: Sequence[str], text: Sequence[str], gaps: AbstractSet[int]) -> list[Step]:
    """Give the way through the table: how many words of excerpt and text each step takes."""
    table = [row.astype("int32") for row in _rows(excerpt, text, gaps)]
    change = _change(excerpt)
    steps: list[Step] = []
    place, column = len(excerpt), len(text)
    while place:
        row, above = table[place], _entered(table[place - 1], place - 1, gaps)
        same = column > 0 and excerpt[place - 1] == text[column - 1]
        if column and row[column] == above[column - 1] + (-1 if same else change):
            steps.append(("same" if same else "differs", 1, 1))
        elif row[column] == above[column] + change:
            steps.append(("differs", 1, 0))
        else:
            steps.append(("differs", 0, 1))
        place, column = place - steps[-1][1], column - steps[-1][2]
        if steps[-1][1] and place > 0 and place in gaps:
            omitted = _omitted(table[place], column)
            steps.append(("omitted", 0, omitted))
            column -= omitted
    return steps[::-1]


def _omitted(row: NDArray[np.int64], column: int) -> int:
    """Give how many words of the text were left out to come here at the least cost."""
    least = row[: column + 1].min()
    return next(left for left in range(column + 1) if row[column - left] == least)


def _blocks(steps: Sequence[Step], end: int) -> Iterator[Block]:
    first, start = 0, end - sum(step[2] for step in steps)
    for kind, group in groupby(steps, key=itemgetter(0)):
        taken = list(group)
        last, end = first + sum(step[1] for step in taken), start + sum(step[2] for step in taken)
        yield Block(kind, first, last, start, end)
        first, start = last, end


@lru_cache(maxsize=100_000)
def _folded(word: str) -> str:
    folded = unicodedata.normalize("NFKC", word.translate(_APOSTROPHES)).casefold().replace(" ", "")
    return _GROUPED.sub("", folded) if folded[0].isdigit() else folded.replace(".", "")
