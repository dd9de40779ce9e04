"""Weighing sentences as evidence: how likely it is that a sentence answers a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.articles import Article
from rag.embedding import Embedder
from rag.passages import ScoredPassage
from rag.questions import Kind, Question
from rag.sentences import Span, sentence_spans
from rag.words import Word, matches, words

_CUES: dict[Kind, re.Pattern[str]] = {
    "number": re.compile(
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|millions?|"
        r"billions?|half|third|quarter|once|twice|none|no|several|double|twenty|thirty|forty|fifty|sixty)\b",
        re.IGNORECASE,
    ),
    "when": re.compile(
        r"\b(?:1[5-9]|20)\d\d\b|\b\d+(?:st|nd|rd|th)?\b|\b(?:January|February|March|April|May|June|July|August|September|"
        r"October|November|December|Jan|Feb|Aug|Sept?|Oct|Nov|Dec|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b|"
        r"\b(?:today|yesterday|tonight|morning|evening|night|week|month|year|century|decade|ago|noon|midnight)s?\b"
    ),
    "why": re.compile(
        r"\b(?:because|since|due|after|so that|in order|reason|caus\w+|owing|thanks to|as a result|result\w*|led to|"
        r"over|amid|blam\w+|declar\w+|accus\w+|fear\w*|concern\w*|which|to|for|that|but)\b",
        re.IGNORECASE,
    ),
}


# Weights of a logistic regression, in the order that `features` gives.
WEIGHTS = np.array([-9.6, 3.2, 2.1, 0.2, 2.4, 1.5, 1.8, 0.2, -1.4, -0.5])
THRESHOLD = 0.02


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence with the estimated probability that it answers; `start` and `end` are characters of the article."""

    article: Article
    start: int
    end: int
    likelihood: float


def rank_evidence(question: Question, passages: Sequence[ScoredPassage], embedder: Embedder) -> list[Evidence]:
    """Give the sentences of the passages that may answer, best first; none where nothing answers."""
    found = candidates(passages)
    if not found:
        return []
    asked = embedder.embed_question(question.text)
    alone = embedder.embed_passages([candidate.text for candidate in found]) @ asked
    within = embedder.embed_passages([candidate.in_context for candidate in found]) @ asked
    described = [
        features(question, candidate, float(likeness), float(context))
        for candidate, likeness, context in zip(found, alone, within, strict=True)
    ]
    likelihoods = 1 / (1 + np.exp(-np.array(described) @ WEIGHTS))
    evidence = [
        Evidence(candidate.found.article, candidate.start, candidate.end, float(likelihood))
        for candidate, likelihood in zip(found, likelihoods, strict=True)
        if likelihood >= THRESHOLD
    ]
    return sorted(evidence, key=lambda item: -item.likelihood)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer: where it stands in its article, and the passage that brought it."""

    found: ScoredPassage
    start: int
    end: int
    place: int
    context: str

    @property
    def text(self) -> str:
        """The stored characters of the sentence."""
        return self.found.article.text[self.start : self.end]

    @property
    def in_context(self) -> str:
        """The sentence after the headline and the sentence before it."""
        return f"{self.found.article.title}\n{self.context} {self.text}"


def candidates(passages: Sequence[ScoredPassage]) -> list[Candidate]:
    """Give every sentence of the passages once, with the sentence before it as context."""
    spans: dict[str, list[Span]] = {}
    chosen: dict[tuple[str, int], Candidate] = {}
    for found in passages:
        borders = spans.setdefault(found.article.id, sentence_spans(found.article.text))
        for place, (start, end) in enumerate(borders):
            if found.passage.start <= start and end <= found.passage.end:
                before = found.article.text[slice(*borders[place - 1])] if place else ""
                chosen.setdefault((found.article.id, start), Candidate(found, start, end, place, before))
    return list(chosen.values())


FEATURES = ("bias", "likeness", "context", "passage", "covered", "near", "answer", "lead", "missing", "unseen")


def features(question: Question, candidate: Candidate, likeness: float, context: float) -> list[float]:
    """Describe a pair in the order of `FEATURES`."""
    own = words(candidate.text)
    stems = frozenset(word.stem for word in own)
    around = stems | frozenset(w.stem for w in words(f"{candidate.context} {candidate.found.article.title}"))
    article = around | frozenset(w.stem for w in words(candidate.found.passage.text))
    asked = question.words
    names = [w for w in asked if w.capital]
    return [
        1.0,
        likeness,
        context,
        candidate.found.score,
        _share(asked, stems),
        _share(asked, around),
        float(_answers(question, own, candidate.text)),
        1.0 / (1 + candidate.place),
        1.0 - _share(names, article) if names else 0.0,
        1.0 - _share(asked, article),
    ]


def _share(asked: Sequence[Word], stems: frozenset[str]) -> float:
    return sum(matches(word.stem, stems) for word in asked) / len(asked) if asked else 0.0


def _answers(question: Question, own: Sequence[Word], text: str) -> bool:
    asked = frozenset(word.stem for word in question.words)
    if question.kind in ("who", "where"):
        return any(
            word.capital and word.start > 0 and not matches(word.stem, asked) and word.text[0].isalpha() for word in own
        )
    if question.kind in _CUES:
        return any(m.group().lower() not in asked for m in _CUES[question.kind].finditer(text))
    return any(not matches(word.stem, asked) for word in own)
