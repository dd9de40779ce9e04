"""The extractive answer: sentences copied from the articles, the one that answers best first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.articles import Article
from rag.evidence import Evidence
from rag.sentences import Span, sentence_spans
from rag.words import subject_words, words

MAXIMUM_SENTENCES = 4
# A further sentence must be this likely beside the best one, or the answer grows by mere neighbours of the subject.
RELATIVE_LIKELIHOOD = 0.4
REPETITION = 0.6

_LINK = r"(?:(?:But|And|Yet|So|Then|Still|Also|Meanwhile|However|Instead|Later|Now),? )?"
_BARE = re.compile(
    rf"{_LINK}(?:(?:He|She|It|They|Both|Neither|he|she|it|they|both|neither)\b|"
    r"(?:This|That|These|Those|this|that|these|those) "
    r"(?:is|was|are|were|has|had|have|will|would|could|should|may|might|must|means|meant|came|comes|did|does|made)\b)"
)
_OWNED = re.compile(rf"{_LINK}(?:His|Her|Its|Their|his|her|its|their)\b")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One or two neighbouring sentences of an article, as characters from `start` to `end`."""

    article: Article
    start: int
    end: int
    sentences: int

    @property
    def text(self) -> str:
        """The stored characters."""
        return self.article.text[self.start : self.end]


def extract(ranked: Sequence[Evidence]) -> list[Excerpt]:
    """Choose at most four sentences from evidence that stands best first; none of them nearly repeats another.

    A sentence that begins with a bare pronoun comes with the one before it, in one excerpt.
    """
    excerpts: list[Excerpt] = []
    for evidence in ranked:
        room = MAXIMUM_SENTENCES - sum(excerpt.sentences for excerpt in excerpts)
        if room < 1 or evidence.likelihood < RELATIVE_LIKELIHOOD * ranked[0].likelihood:
            break
        excerpt = _whole(evidence, excerpts)
        if excerpt.sentences <= room and not any(_repeats(excerpt, other) for other in excerpts):
            excerpts.append(excerpt)
    return excerpts


def leans_back(sentence: str) -> bool:
    """Say whether a sentence begins with a pronoun that only the sentence before it can explain."""
    if _BARE.match(sentence):
        return True
    return bool(_OWNED.match(sentence)) and not any(
        word.capital and word.text.isalpha() for word in words(sentence)[1:]
    )


def _whole(evidence: Evidence, shown: Sequence[Excerpt]) -> Excerpt:
    article, span = evidence.article, (evidence.start, evidence.end)
    alone = Excerpt(article, *span, sentences=1)
    if not leans_back(alone.text):
        return alone
    before = _sentence_before(article, span)
    if before is None or any(excerpt.article == article and excerpt.end == before[1] for excerpt in shown):
        return alone
    return Excerpt(article, before[0], span[1], sentences=2)


def _sentence_before(article: Article, span: Span) -> Span | None:
    earlier = [other for other in sentence_spans(article.text) if other[1] <= span[0]]
    return earlier[-1] if earlier else None


def _repeats(one: Excerpt, other: Excerpt) -> bool:
    if one.article == other.article and one.start < other.end and other.start < one.end:
        return True
    first, second = ({word.stem for word in subject_words(excerpt.text)} for excerpt in (one, other))
    return len(first & second) >= REPETITION * max(1, min(len(first), len(second)))
