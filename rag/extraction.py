"""The extractive answer: sentences copied from the articles, the one that answers best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.articles import Article
from rag.evidence import Evidence, likely
from rag.leaning import leans_back
from rag.sentences import sentence_spans
from rag.words import subject_words

MAXIMUM_SENTENCES = 4
WORDS_A_SENTENCE = 20  # on average, so that four of them have some eighty words
LONGEST_EXCERPT = 3
REPETITION = 0.6


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One to three neighbouring sentences of an article, as characters from `start` to `end`."""

    article: Article
    start: int
    end: int
    sentences: int

    @property
    def text(self) -> str:
        """The stored characters."""
        return self.article.text[self.start : self.end]


def extract(
    ranked: Sequence[Evidence], wanted: Sequence[Evidence] = (), most: int = MAXIMUM_SENTENCES
) -> list[Excerpt]:
    """Choose at most so many sentences, of some twenty words each, from evidence that stands best first.

    None of them nearly repeats another. A sentence that begins with a bare pronoun comes with the one before it, in one
    excerpt. What is `wanted` comes first, however long it is and however alike.
    """
    excerpts = [_whole(evidence) for evidence in wanted]
    for evidence in likely(ranked):
        excerpt = _whole(evidence)
        if any(_overlaps(excerpt, other) for other in excerpts):
            excerpts = _lengthened(excerpts, excerpt, evidence, most)
        elif _fits(excerpt, excerpts, most) and not any(_repeats(excerpt, other) for other in excerpts):
            excerpts.append(excerpt)
    return excerpts


def _whole(evidence: Evidence) -> Excerpt:
    """Give a sentence with those before it that it leans on, back to one that stands alone."""
    alone = Excerpt(evidence.article, evidence.start, evidence.end, sentences=1)
    if not leans_back(alone.text):
        return alone
    text = evidence.article.text
    earlier = [span for span in sentence_spans(text) if span[1] <= evidence.start]
    start, sentences = evidence.start, 1
    while earlier and sentences < LONGEST_EXCERPT and leans_back(text[start : evidence.end]):
        start, sentences = earlier.pop()[0], sentences + 1
    return Excerpt(evidence.article, start, evidence.end, sentences)


def _fits(excerpt: Excerpt, others: Sequence[Excerpt], most: int) -> bool:
    """Say whether there is room for an excerpt beside others; for the first one there always is."""
    sentences = sum(each.sentences for each in (excerpt, *others))
    return not others or (sentences <= most and _count([excerpt, *others]) <= most * WORDS_A_SENTENCE)


def _count(excerpts: Sequence[Excerpt]) -> int:
    return sum(len(excerpt.text.split()) for excerpt in excerpts)


def _overlaps(one: Excerpt, other: Excerpt) -> bool:
    return one.article == other.article and one.start < other.end and other.start < one.end


def _lengthened(excerpts: list[Excerpt], leaning: Excerpt, evidence: Evidence, most: int) -> list[Excerpt]:
    """Let an excerpt go on with the sentence after it, where that leans on its last one; it stays in its place."""
    [shown, *others] = [excerpt for excerpt in excerpts if _overlaps(leaning, excerpt)]
    adjoins = shown.end <= evidence.start and not shown.article.text[shown.end : evidence.start].strip()
    if others or leaning.start < shown.start or not adjoins:
        return excerpts
    longer = Excerpt(shown.article, shown.start, evidence.end, shown.sentences + 1)
    if not _fits(longer, [other for other in excerpts if other is not shown], most):
        return excerpts
    return [longer if other is shown else other for other in excerpts]


def _repeats(one: Excerpt, other: Excerpt) -> bool:
    first, second = ({word.stem for word in subject_words(excerpt.text)} for excerpt in (one, other))
    return len(first & second) >= REPETITION * max(1, min(len(first), len(second)))
