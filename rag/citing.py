"""Citing: the bond between the sentences of an answer and the characters of the articles that say them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from rag.answers import Citation, Sentence
from rag.articles import Article
from rag.sentences import sentence_spans

REFUSAL = "not in the archive"

# Every repetition is possessive, so that text made to be slow is read in one go as well.
_NUMBERS = r"\s*+(?:(?:passage|source)s?\s++)?+[0-9]++(?:\s*+[-,;–]\s*+[0-9]++)*+\s*+"
_BRACKET = rf"(?:\[\[{_NUMBERS}\]\]|[\[【]{_NUMBERS}[\]】])"
_MARKER = re.compile(rf"{_BRACKET}|\(\s*+{_BRACKET}(?:[\s,;]*+{_BRACKET})*+\s*+\)", re.IGNORECASE)
_UNFINISHED = re.compile(r"\s*+(?:(?:passage|source)s?)?+[\s0-9,;–-]*+", re.IGNORECASE)
_RANGE_OR_NUMBER = re.compile(r"([0-9]++)(?:\s*+[-–]\s*+([0-9]++))?+")
_LIST_SIGN = re.compile(r"(?:[-*•+>]|#{1,6}+|[0-9]{1,2}+[.)])(?:\s++|$)")
_TARGET = r"\((?:[^()\n]|\([^()\n]{0,300}+\)){0,2000}+\)"
_IMAGE = re.compile(rf"!\[(?!\s?[0-9])[^\[\]\n]{{0,300}}+\](?:{_TARGET}|\[[^\[\]\n]{{0,300}}+\])?+")
_LINK = re.compile(rf"\[([^\[\]\n]{{0,300}}+)\]{_TARGET}")
_LINK_TARGET = re.compile(r"^[ \t]{0,9}+\[[^\[\]\n]{1,300}+\]:[ \t]{0,9}+\S++[^\n]*+$", re.MULTILINE)
_TAG = re.compile(r"<(?:[A-Za-z/!?][^<>]{0,2000}+>|(?=[A-Za-z/!?]))")
_OPENING = " [【"  # what a marker begins with, and what is left of one that was opened twice
_SENTENCE_ENDS = (".", "!", "?", ":", '"', "”")
_PUNCTUATION = ".,;:!?"
_NEEDS_NO_SPACE = _PUNCTUATION + " )]}”’»\"'—–-/…"


def quote(number: int, article: Article, start: int, end: int) -> Citation:
    """Make the citation of an article's characters from `start` to `end`."""
    return Citation(
        number=number,
        article_id=article.id,
        title=article.title,
        source=article.source,
        date=article.date,
        url=article.url,
        start=start,
        end=end,
        text=article.text[start:end],
    )


def read_draft(text: str, count: int) -> tuple[Sentence, ...]:
    """Split what a model wrote, or has written so far, into sentences with the numbers of the passages they cite.

    A marker such as [1], [1][3], [1, 3], [1-3] or 【1】 belongs to the sentence it stands in or closes; numbers above
    `count` are dropped. Of links only the words are kept, of images and HTML nothing.
    """
    return tuple(_join(draft for block in _blocks(_clean(text)) for draft in _split(block, count)))


def declines(text: str) -> bool:
    """Tell whether a model said that the passages hold no answer, in the words its prompt asks for."""
    beginning = re.sub(r"^\W++", "", text)
    return _words(re.split(r"[.!?,;:()\[\n—–]", beginning, maxsplit=1)[0]) == REFUSAL


def may_decline(text: str) -> bool:
    """Tell whether a text that still grows declines, or may yet turn out to, so that it is not to be shown now."""
    return REFUSAL.startswith(_words(text)) or declines(text)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w++", text)).casefold()


def _clean(text: str) -> str:
    """Take off what is not for readers: markup, and a marker at the end that is not complete yet."""
    text = text.encode(errors="replace").decode()  # half a surrogate pair cannot be split into sentences
    text = _TAG.sub("", _LINK.sub(r"\1", _IMAGE.sub("", _LINK_TARGET.sub("", text))))
    opened = max(text.rfind("["), text.rfind("【"))
    if opened >= 0 and _UNFINISHED.fullmatch(text, opened + 1):
        text = text[:opened].rstrip(f"({_OPENING}")
    return text.replace("**", "").rstrip("*")


def _blocks(text: str) -> Iterator[str]:
    """Yield the paragraphs, list items and headings, each in one line and without its sign."""
    block: list[str] = []
    for line in (" ".join(line.split()) for line in text.splitlines()):
        sign = _LIST_SIGN.match(line)
        if not line or sign or _starts_anew(line, block):
            yield " ".join(block)
            block = []
        block.append(line[sign.end() :] if sign else line)
        if line.startswith("#"):
            yield " ".join(block)
            block = []
    yield " ".join(block)


def _starts_anew(line: str, block: list[str]) -> bool:
    """Tell whether a line such as "[2] The bank waited." speaks of its own marker, not of the sentence before it."""
    after_sentence = bool(block) and block[-1].endswith((*_SENTENCE_ENDS, "]", "】"))
    return after_sentence and bool(_MARKER.match(line)) and _says_something(_MARKER.sub("", line))


def _split(block: str, count: int) -> Iterator[Sentence]:
    """Yield the sentences of one block, still with the numbers that the model wrote."""
    prose, marks = _take_markers(block, count)
    spans = (sentence_spans(prose) if prose else []) or [(0, len(prose))]
    numbers: list[list[int]] = [[] for _ in spans]
    for position, marked in marks:
        closed = bisect_left(spans, position, key=lambda span: span[1])  # the first that ends there or later
        numbers[min(closed, len(spans) - 1)] += marked
    for (start, end), marked in zip(spans, numbers, strict=True):
        yield Sentence(prose[start:end].rstrip(_OPENING), tuple(dict.fromkeys(marked)))


def _take_markers(block: str, count: int) -> tuple[str, list[tuple[int, list[int]]]]:
    """Give the prose without its markers, and for each marker the length of the prose before it and its numbers."""
    pieces: list[str] = []
    marks: list[tuple[int, list[int]]] = []
    length, read, last = 0, 0, ""
    for marker in _MARKER.finditer(block):
        pieces.append(_fit(last, block[read : marker.start()]).rstrip(_OPENING))
        length, read, last = length + len(pieces[-1]), marker.end(), pieces[-1][-1:] or last
        marks.append((length, _numbers(marker[0], count)))
    return "".join([*pieces, _fit(last, block[read:])]), marks


def _fit(last: str, piece: str) -> str:
    """Fit the text after a marker to the character before it, so that no space is left over or missing."""
    bare = piece.lstrip()
    if not last or bare.startswith(tuple(_PUNCTUATION)):
        return bare[1:] if last == bare[:1] == "." else bare
    return piece if piece.startswith(tuple(_NEEDS_NO_SPACE)) else f" {piece}"


def _numbers(marker: str, count: int) -> list[int]:
    """Read the numbers of a marker, of which each has a passage; a range counts if both its ends do."""
    numbers: list[int] = []
    for match in _RANGE_OR_NUMBER.finditer(marker):
        ends = [int(digits) for digits in match.groups() if digits and len(digits) < 7 and 0 < int(digits) <= count]
        numbers += range(min(ends), max(ends) + 1) if len(ends) == 2 else ends
    return list(dict.fromkeys(numbers))


def _join(drafts: Iterable[Sentence]) -> list[Sentence]:
    """Give what stands without words, such as a marker in a line of its own, to the sentence before it."""
    joined: list[Sentence] = []
    for draft in drafts:
        if _says_something(draft.text):
            joined.append(draft)
        elif joined:
            numbers = dict.fromkeys(joined[-1].citations + draft.citations)
            joined[-1] = Sentence(joined[-1].text, tuple(numbers))
    return joined


def _says_something(text: str) -> bool:
    return any(map(str.isalnum, text))
