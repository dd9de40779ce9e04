"""Quotations: the parts of a text that stand in quotation marks, and whether they stand in another text as well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.answers import Span

_CLOSED_BY = {"“": '”"', '"': '"”', "„": '“”"', "‟": '”"', "«": "»", "‘": "’'", "'": "'’"}
# A single mark is an apostrophe unless it stands at the edge of a word, and a straight one may be either.
_MARK = re.compile(r"""[“”„‟«»"]|(?<!\w)[‘'](?=[^\W\d])|(?<=[\w.,!?…-])[’'](?!\w)""")
_OMISSION = re.compile(r"\[[^\[\]]{0,80}\]|\.\s?\.\s?\.|…")
_PLAIN = str.maketrans(
    {"‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-", "…": "...", "\xad": None} | dict.fromkeys("“”„‟«»\"‘’'‚‹›`´")
)


def quotations(text: str) -> Iterator[Span]:
    """Yield where the quotations of a paragraph stand, without their marks.

    One that is opened and not closed runs to the end, one that is closed and was not opened runs from the start: it
    goes on in the paragraph after, or before. A quotation within another is a part of that one.
    """
    start, closing = 0, ""
    for match in _MARK.finditer(text):
        mark, at = match[0], match.start()
        if closing:
            if mark in closing:
                yield start, at
                start, closing = match.end(), ""
        elif mark in "“„‟«‘" or (mark in "\"'" and _opens(text, at)):
            start, closing = match.end(), _CLOSED_BY[mark]
        elif mark in '”»"' and start == 0:
            yield 0, at
            start = match.end()
    if closing and "’" not in closing:
        yield start, len(text)


def plain(text: str) -> str:
    """Give a text in the form in which quotations are compared: without case, marks of quotation and extra space."""
    return " ".join(text.translate(_PLAIN).casefold().split())


def pieces(quotation: str) -> list[str]:
    """Give the parts of a quotation between its omissions and insertions, each as it must stand in an article."""
    parts = (plain(part).strip(" .,;:!?-") for part in _OMISSION.split(quotation))
    return [part for part in parts if part]


def stands_in(parts: list[str], text: str) -> bool:
    """Say whether the parts stand in a plain text one after the other, each in whole words."""
    position = 0
    for part in parts:
        found = _find_words(part, text, position)
        if found < 0:
            return False
        position = found + len(part)
    return True


def _find_words(part: str, text: str, start: int) -> int:
    while (start := text.find(part, start)) >= 0:
        end = start + len(part)
        if not _is_inside_word(text, start) and not _is_inside_word(text, end):
            return start
        start += 1
    return -1


def _is_inside_word(text: str, at: int) -> bool:
    # Scripts without lower case, such as Chinese, need no space between words.
    return 0 < at < len(text) and all(each.islower() or each.isdigit() for each in text[at - 1 : at + 1])


def _opens(text: str, at: int) -> bool:
    return at == 0 or text[at - 1].isspace() or text[at - 1] in "([{—–-/"
