"""Texts as tokens, in which a whole quotation is one, and the sentences that these make up."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rag.answers import Span
from rag.speech_words import ABBREVIATIONS, ADVERBS, QUOTING_CUES

_MARK = re.compile("[\"“”„‟«»`\n‘'](?:(?<=')'+|(?<=`)`)?")
_DOUBLE_MARK = re.compile("[\"“”„«»]|''|``")
_APOSTROPHE = re.compile(r"[‘'](?:\d|bout\b|em\b|til\b|cause\b|n\b|tis\b)", re.IGNORECASE)
_SINGLE_END = re.compile(r"(?<=[.,!?…\w])[’'](?!\w)")
_FARTHEST = 1000  # characters in which the other mark of a quotation is looked for
_FEWEST = 3  # characters of a quotation with its marks
_NOT_BEFORE = ",!?…;)]’”%"  # an opening mark


def _quotations(text: str) -> Iterator[Span]:
    """Yield where the quotations stand, with their marks, in order, and cut where a paragraph ends."""
    single_ends = [end.end() for end in _SINGLE_END.finditer(text)]
    opened, read = -1, 0
    for mark in _MARK.finditer(text):
        start, end = mark.span()
        if start < read:
            continue
        if mark[0] == "\n":
            if opened >= 0 and not _is_wrapped(text, start):
                yield opened, _trimmed(text, opened, start)
                opened, read = _reopened(text, end)
        elif mark[0] in ("‘", "'", "`"):
            read = _single_end(text, start, single_ends) if opened < 0 else 0
            if read:
                yield start, read
        elif _can_open(text, start, end) and (opened < 0 or mark[0] in ("“", "„", "``")):
            yield from [(opened, start)] if opened >= 0 else []
            opened = start
        elif opened >= 0 and _can_close(text, start, end):
            yield opened, end
            opened = -1
    if opened >= 0:
        yield opened, _trimmed(text, opened, len(text))


def _trimmed(text: str, start: int, end: int) -> int:
    return start + len(text[start:end].rstrip())


def _reopened(text: str, at: int) -> Span:
    """Give where a quotation that was not closed goes on in the paragraph that begins here, and from where to read."""
    mark = _DOUBLE_MARK.search(text, at, at + _FARTHEST)
    if mark and (mark.start() == at or not _can_open(text, *mark.span())):
        return at, mark.end() if mark.start() == at else at
    return -1, at


def _is_wrapped(text: str, at: int) -> bool:
    """Tell whether the line that ends here goes on in the next one, within a sentence."""
    after = text[at + 1 : at + 2]
    return after.islower() or (text[at - 1 : at] == "," and not after.isspace())


def _can_open(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if not after or after.isspace() or before.isalnum() or (before and before in _NOT_BEFORE):
        return False
    return after not in ".,;" or text[end + 1 : end + 2] in ("@", ".")


def _can_close(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (after.isalnum() and (before.isalnum() or before.isspace()))


def _single_end(text: str, start: int, ends: Sequence[int]) -> int:
    """Give where a quotation in single marks that begins here ends, 0 where the mark is an apostrophe."""
    before, after = text[start - 1 : start], text[start + 1 : start + 2]
    if before.isalnum() or (before and before in MARKS) or not after.isalnum() or _APOSTROPHE.match(text, start):
        return 0
    line = text.find("\n", start, start + _FARTHEST)
    last = line if line >= 0 else start + _FARTHEST
    near = ends[bisect_right(ends, start + 1) : bisect_right(ends, last)]
    # "the workers' rights" does not end there, if a better end follows.
    return next((end for end in near if text[end - 2] != "s"), near[0] if near else 0)


# Tokens and sentences


class Token(NamedTuple):
    """A word, a sign, a whole quotation or the end of a paragraph; `low` is how it is compared."""

    start: int
    end: int
    text: str
    low: str


Sentence = Sequence[Token]
_TOKEN = re.compile(r"\d++(?:[.,]\d++)++|[^\W_]++(?:[.&’'_-][^\W_]++)*+|\n++|\.{2,}+|--++|[^\w\s]")
QUOTED, PARAGRAPH = "“”", "\n"
DASHES = ("—", "–", "―", "-", "--")
_ENDING = frozenset({".", "!", "?", "..", "...", "....", QUOTED})
_LONGEST = 120  # tokens of a sentence, since each of its cues is looked up in all of it
BREAKS = ("\n", ".", "!", "?", ":", ";", QUOTED)
SENTENCE_ENDS = (".", "!", "?", "…")
MARKS = "\"“”„‟«»'‘’`"


def read_tokens(text: str) -> list[Token]:
    """Give the tokens of a text in order."""
    tokens: list[Token] = []
    plain, read = text.replace("'", "’"), 0
    for start, end in _quotations(text):
        if end - start < _FEWEST:
            continue
        tokens += _words(plain, read, start)
        tokens.append(Token(start, end, text[start:end], QUOTED))
        read = end
    tokens += _words(plain, read, len(text))
    return tokens


def _words(text: str, start: int, end: int) -> list[Token]:
    words: list[Token] = []
    for match in _TOKEN.finditer(text, start, end):
        word = match[0]
        if word == "." and words and words[-1].end == match.start() and _is_abbreviation(words[-1].text):
            last = words.pop()
            words.append(Token(last.start, match.end(), last.text + ".", last.low + "."))
        elif word[0] != "\n":
            words.append(Token(*match.span(), word, word.lower()))
        elif len(word) > 1 or not _is_wrapped(text, match.start()):
            words.append(Token(*match.span(), word, PARAGRAPH))
    return words


def _is_abbreviation(word: str) -> bool:
    return word in ABBREVIATIONS or (len(word) == 1 and word.isupper()) or (len(word) > 2 and word[-2] == ".")


_NOT_IN_TAG = QUOTING_CUES | {PARAGRAPH, ".", ":", QUOTED}
_AFTER_TAG = frozenset({PARAGRAPH, ".", ":", QUOTED})


def split_sentences(tokens: list[Token]) -> Iterator[tuple[int, Sentence]]:
    """Yield each sentence with the number of its paragraph."""
    paragraph, first = 0, 0
    for at, token in enumerate(tokens):
        if token.low == PARAGRAPH:
            if at > first:
                yield paragraph, tokens[first:at]
            paragraph, first = paragraph + 1, at + 1
        elif at - first == _LONGEST or (token.low in _ENDING and _ends_sentence(tokens, at)):
            yield paragraph, tokens[first : at + 1]
            first = at + 1
    if first < len(tokens):
        yield paragraph, tokens[first:]


def _ends_sentence(tokens: Sequence[Token], at: int) -> bool:
    token, following = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else None
    if following is None or following.low == PARAGRAPH:
        return False
    starts = following.low == QUOTED or following.text[0].isupper() or following.text[0].isdigit()
    if token.low != QUOTED:
        return following.start > token.end and (starts or following.text in ("(", "[", *DASHES))
    said = token.text.rstrip(MARKS + " \u00a0")
    if at > 0 and tokens[at - 1].text in (",", ":"):
        return starts and said.endswith(SENTENCE_ENDS)
    return starts and said.endswith(SENTENCE_ENDS) and not _is_tag(tokens, at + 1, brief=said.endswith("."))


def _is_tag(tokens: Sequence[Token], at: int, *, brief: bool) -> bool:
    """Tell whether "she said." or "the head of the union asked." stands here, which belongs to the quotation before."""
    cue = next((k for k in range(at + 1, min(at + 13, len(tokens))) if tokens[k].low in _NOT_IN_TAG), at)
    if tokens[cue].low not in QUOTING_CUES or cue == at:
        return False
    end = next((k for k in range(cue + 1, min(at + 40, len(tokens))) if tokens[k].low in _AFTER_TAG), len(tokens))
    if brief:
        return end == cue + 1 < at + 7 and text_at(tokens, end) in (PARAGRAPH, ".", "")
    return text_at(tokens, end) != ":" and text_at(tokens, cue + 1) != "that"


def is_word(token: Token) -> bool:
    """Tell a word or number from a sign or a quotation."""
    return token.low[0].isalnum()


def is_capital(token: Token) -> bool:
    """Tell whether a word is written with a capital."""
    return token.text[0].isupper()


def is_adverb(token: Token) -> bool:
    """Tell whether a word may stand between a subject and its verb."""
    return token.low in ADVERBS or (token.low.endswith("ly") and len(token.low) > 4 and not is_capital(token))


def is_possessive(token: Token) -> bool:
    """Tell "Roe’s" and "the workers’" from other words."""
    return token.low.endswith(("’s", "s’"))


def text_at(sentence: Sentence, at: int) -> str:
    """Give a token as it is compared, "" outside of the sentence."""
    return sentence[at].low if 0 <= at < len(sentence) else ""
