"""Weighing sentences as evidence: how likely it is that a sentence answers a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rag.articles import Article
from rag.embedding import Embedder
from rag.passages import ScoredPassage
from rag.questions import Question
from rag.sentences import Span, sentence_spans
from rag.words import Word, matches, words

# A logistic regression on `features`, fitted on half of the topics of SQuAD 2.0 (829 questions). On the other half the
# sentence it puts first holds the answer for .793 of the questions (likeness alone: .560; ceiling .930). It parts those
# questions from ones about other matters with AUROC .981, but from unanswerable ones on the same topic with only .674.
BIAS = -7.69
WEIGHTS = np.array([4.47, 1.97, 2.80, -1.47, -2.67])
# Chosen by hand on two articles and fifty questions, where it parts all but two. On SQuAD it refuses 5 % (at .02) to
# 10 % (at .03) of the answerable questions, 96 to 97 % of those about other matters, and 16 to 21 % of the
# unanswerable ones on the same topic; without the drift 5 to 9 %, 94 to 97 % and 13 to 18 %.
THRESHOLD = 0.025
DRIFT_WEIGHT = 10.0
QUESTION_ENDS = ("?", "?”", '?"', "?’", "?'")

_ASKS_QUANTITY = re.compile(
    r"\b(?:how (?:many|much|old|tall|long|far|high|large|big|often|deep|fast)|what (?:percentage|number))\b",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|"
    r"trillions?|dozens?|half|third|quarter|once|twice|double|none)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence with the estimated probability that it answers; `start` and `end` are characters of the article."""

    article: Article
    start: int
    end: int
    likelihood: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Sentences as evidence, likeliest first, and how likely it is that the first one answers the question.

    Of a sentence that is about the right person and another matter less is left than of its own likelihood.
    """

    ranked: tuple[Evidence, ...] = ()
    likelihood: float = 0.0

    @property
    def answers(self) -> bool:
        """Whether that is enough for an answer."""
        return bool(self.ranked) and self.likelihood >= THRESHOLD


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer: where it stands, the passage that brought it, and the sentence before it."""

    found: ScoredPassage
    start: int
    end: int
    before: str

    @property
    def text(self) -> str:
        """The stored characters of the sentence."""
        return self.found.article.text[self.start : self.end]


def weigh_evidence(question: Question, passages: Sequence[ScoredPassage], embedder: Embedder) -> Verdict:
    """Weigh the sentences of the passages as evidence, and say whether any of them answers."""
    found = candidates(passages)
    if not found:
        return Verdict()
    vectors = embedder.embed_passages([candidate.text for candidate in found])
    likeness = vectors @ embedder.embed_question(question.text)
    described = [features(question, candidate, float(near)) for candidate, near in zip(found, likeness, strict=True)]
    logits = np.array(described) @ WEIGHTS + BIAS
    best = int(np.argmax(logits))
    nearer = float(vectors[best] @ embedder.embed_question(_without_what_lacks(question, found[best])))
    drift = max(0.0, nearer - float(likeness[best]))
    ranked = tuple(
        Evidence(found[at].found.article, found[at].start, found[at].end, _probability(logits[at]))
        for at in np.argsort(-logits, kind="stable")
    )
    return Verdict(ranked, _probability(logits[best] - DRIFT_WEIGHT * drift))


def candidates(passages: Sequence[ScoredPassage]) -> list[Candidate]:
    """Give every sentence of the passages once, but for those that only ask."""
    borders: dict[str, list[Span]] = {}
    chosen: dict[tuple[str, int], Candidate] = {}
    for found in passages:
        text = found.article.text
        if found.article.id not in borders:
            borders[found.article.id] = sentence_spans(text)
        spans = borders[found.article.id]
        for before, (start, end) in zip([(0, 0), *spans], spans, strict=False):
            # A sentence too long for one passage is shown as far as the passage goes.
            first, last = max(start, found.passage.start), min(end, found.passage.end)
            if first < last and not text[:last].endswith(QUESTION_ENDS):
                chosen.setdefault((found.article.id, first), Candidate(found, first, last, text[slice(*before)]))
    return list(chosen.values())


def features(question: Question, candidate: Candidate, likeness: float) -> list[float]:
    """Describe a question and a sentence by five numbers between -1 and 1.

    They are the cosine of their vectors; the share of the question's words in the sentence; the same with the headline
    and the sentence before; the share of the question's names and numbers that not even the passage has; and whether
    the question asks for a quantity and the sentence has none.
    """
    stems = _stems(candidate.text)
    around = stems | _stems_around(candidate)
    passage = around | _stems(candidate.found.passage.text)
    names = [word for word in question.words if word.capital]
    missing = 1 - _share(names, passage) if names else 0.0
    no_quantity = float(bool(_ASKS_QUANTITY.search(question.text)) and not _QUANTITY.search(candidate.text))
    return [likeness, _share(question.words, stems), _share(question.words, around), missing, no_quantity]


def _without_what_lacks(question: Question, candidate: Candidate) -> str:
    """Give the question without the words that a sentence and its surroundings lack.

    A sentence that answers in other words is less like what is left. One that is merely about the same person is more
    like it: it is nearer to "What did Zarif say about" than to "What did Zarif say about football?".
    """
    around = _stems(candidate.text) | _stems_around(candidate)
    rest = question.text
    for word in sorted(question.words, key=lambda word: -word.start):
        if not word.capital and not matches(word.stem, around):
            rest = rest[: word.start] + rest[word.start + len(word.text) :]
    return rest


def _stems_around(candidate: Candidate) -> frozenset[str]:
    return _stems(candidate.before) | _stems(candidate.found.article.title)


@lru_cache(maxsize=1000)  # a passage is looked at for each of its sentences
def _stems(text: str) -> frozenset[str]:
    return frozenset(word.stem for word in words(text))


def _share(asked: Sequence[Word], stems: frozenset[str]) -> float:
    return sum(matches(word.stem, stems) for word in asked) / len(asked) if asked else 0.0


def _probability(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))
