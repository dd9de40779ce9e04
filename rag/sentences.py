"""Sentence borders, as character offsets into a text."""

from __future__ import annotations

Span = tuple[int, int]


def sentence_spans(text: str) -> list[Span]:
    """Give the start and end of every sentence, in order, without the white space around it."""
    import sentencex

    borders = sentencex.get_sentence_boundaries("en", text)
    spans = (_trim(text, border["start_index"], border["end_index"]) for border in borders)
    return [span for span in spans if span[0] < span[1]]


def _trim(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
