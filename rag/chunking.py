"""Cutting an article into passages at sentence borders, by the token count of the embedding model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rag.articles import Article
from rag.passages import Passage
from rag.sentences import Span, sentence_spans

CountTokens = Callable[[Sequence[str]], list[int]]

MAXIMUM_TOKENS = 256
SPECIAL_TOKENS = 2  # the marks that the model sets at the start and the end of every input
HEADER_CHARACTERS = 200

_WORD = re.compile(r"\S+")


def splitter_name(maximum_tokens: int = MAXIMUM_TOKENS) -> str:
    """Name the rules by which articles are cut; under another name old archives must be indexed again."""
    return f"sentences-{maximum_tokens}"


def embedded_text(article: Article, text: str) -> str:
    """Give what is embedded for a passage: headline, outlet and date first, which are never quoted."""
    header = ", ".join(part for part in (article.title, article.source, article.date) if part)
    return f"{header[:HEADER_CHARACTERS]}\n{text}"


def split_article(article: Article, count_tokens: CountTokens, maximum_tokens: int = MAXIMUM_TOKENS) -> list[Passage]:
    """Cut an article into passages of whole sentences that the model reads to their end.

    Each passage with its header and the model's marks has at most `maximum_tokens` tokens. Only a sentence longer
    than that is cut, between words. The passages cover the text in order and do not overlap.
    """
    header = count_tokens([embedded_text(article, "")])[0]
    budget = maximum_tokens - SPECIAL_TOKENS - header
    spans = sentence_spans(article.text)
    lengths = count_tokens([article.text[start:end] for start, end in spans])
    pieces = [
        piece
        for span, length in zip(spans, lengths, strict=True)
        for piece in ([(span, length)] if length <= budget else _cut_sentence(article.text, span, count_tokens, budget))
    ]
    return [Passage(article.id, start, end, article.text[start:end]) for start, end in _pack(pieces, budget)]


def _pack(pieces: Sequence[tuple[Span, int]], budget: int) -> list[Span]:
    packed: list[Span] = []
    room = 0
    for (start, end), length in pieces:
        if packed and length <= room:
            packed[-1] = (packed[-1][0], end)
            room -= length
        else:
            packed.append((start, end))
            room = budget - length
    return packed


def _cut_sentence(text: str, span: Span, count_tokens: CountTokens, budget: int) -> list[tuple[Span, int]]:
    words = [word.span() for word in _WORD.finditer(text, *span)]
    # A "word" may be megabytes of letters: no word piece is shorter than a character, so this many always fit.
    shards = [(at, min(at + budget, end)) for start, end in words for at in range(start, end, budget)]
    lengths = count_tokens([text[start:end] for start, end in shards])
    return [(cut, budget) for cut in _pack(list(zip(shards, lengths, strict=True)), budget)]
