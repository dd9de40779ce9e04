"""Weighing sentences as evidence: how likely it is that a sentence answers a question, and that any does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rag.articles import Article
from rag.calibration import Calibration, calibrations
from rag.embedding import Embedder
from rag.inference import Vectors
from rag.leaning import leans_back
from rag.marking import fits
from rag.passages import ScoredPassage
from rag.questions import Question
from rag.reader import Reader
from rag.sentences import Span, sentence_spans
from rag.words import Word, matches, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

# Sentences are read only if their words put them among so many: on the tuning halves of SQuAD 2.0, NewsQA and
# RealTimeQA the answers are as good with 12 as with all 50 to 70, and reading is most of the time that one takes.
SENTENCES_READ = 12
LONGEST_READ = 300  # characters of each
BESIDE, MANY_WORDS, FEW_WORDS = 8, 20, 10
# A further sentence must be this likely beside the best one, or the answer grows by mere neighbours of the subject.
RELATIVE_LIKELIHOOD = 0.2
ABOUT_SHARE = 0.5
QUESTION_ENDS = ("?", "?”", '?"', "?’", "?'")
MISSING = 2  # a column of `describe`
LATE = 3000  # characters into an article, from where on no sentence stands later


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence with the estimated probability that it answers; `start` and `end` are characters of the article."""

    article: Article
    start: int
    end: int
    likelihood: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Sentences as evidence, likeliest first, and how probable it is that an answer made of them is right."""

    ranked: tuple[Evidence, ...] = ()
    probability: float = 0.0
    threshold: float = 1.0

    @property
    def answers(self) -> bool:
        """Whether that is enough for an answer."""
        return bool(self.ranked) and self.probability >= self.threshold


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

    @property
    def context(self) -> str:
        """What stands before the sentence, where it begins with a pronoun that only that explains."""
        return self.before if leans_back(self.text) else ""


@dataclass(frozen=True, slots=True)
class Signs:
    """Sentences that were read, and what tells that they answer, a row each.

    The columns are those of `describe`, and the logit of the reader, or without one the cosine with the question, for
    which they were embedded.
    """

    kept: tuple[Candidate, ...]
    rows: Numbers
    vectors: Vectors | None = None


def weigh_evidence(
    question: Question, passages: Sequence[ScoredPassage], embedder: Embedder, reader: Reader | None = None
) -> Verdict:
    """Weigh the sentences of the passages as evidence, and say how probable it is that they answer."""
    found = candidates(passages)
    if not found:
        return Verdict()
    calibration = calibrations()["words" if reader is None else "reader"]
    return judge(question, passages, read_signs(question, found, embedder, reader), calibration, embedder)


def judge(
    question: Question,
    passages: Sequence[ScoredPassage],
    read: Signs,
    calibration: Calibration,
    embedder: Embedder,
) -> Verdict:
    """Rank sentences that were read by how likely each answers, and say how probable it is that the first does."""
    logits = read.rows @ calibration.sentence
    order = np.argsort(-logits, kind="stable")
    evidence = (
        Evidence(one.found.article, one.start, one.end, float(likelihood))
        for one, likelihood in zip([read.kept[at] for at in order], calibration.likelihood(logits[order]), strict=True)
    )
    whole = answer_signs(question, passages, read, logits, embedder)
    return Verdict(tuple(evidence), calibration.probability(whole), calibration.threshold)


def read_signs(question: Question, found: Sequence[Candidate], embedder: Embedder, reader: Reader | None) -> Signs:
    """Read the sentences that their words put first, and say what tells that each answers."""
    described = describe(question, found)
    worded = described @ calibrations()["words"].sentence[: described.shape[1]]
    order = np.argsort(-worded, kind="stable")[:SENTENCES_READ]
    kept = [found[at] for at in order]
    if reader:
        logits = reader.score(question.text, [(one.context, one.text) for one in kept])
        return Signs(tuple(kept), np.column_stack([described[order], logits]))
    vectors = _embed(kept, embedder)
    likeness = vectors @ embedder.embed_question(question.text)
    return Signs(tuple(kept), np.column_stack([described[order], likeness]), vectors)


def answer_signs(
    question: Question, passages: Sequence[ScoredPassage], read: Signs, logits: Numbers, embedder: Embedder
) -> Numbers:
    """Give what tells whether the sentence of the highest logit answers, shape (7,).

    They are how far it stands out from the mean of the best eight; its likeness to the question; how much nearer it is
    to the question without the words that it lacks; the share of the question's names that its passage lacks; the share
    of all its words that no passage has; how many words it has; and the score of the best passage.
    """
    first = int(np.argmax(logits))
    vector = _embed(read.kept[first : first + 1], embedder)[0] if read.vectors is None else read.vectors[first]
    likeness = float(vector @ embedder.embed_question(question.text))
    nearer = float(vector @ embedder.embed_question(_without_what_lacks(question, read.kept[first])))
    return np.array(
        [
            logits[first] - np.sort(logits)[::-1][:BESIDE].mean(),
            likeness,
            max(0.0, nearer - likeness),
            float(read.rows[first, MISSING]),
            _unknown(question, passages),
            min(MANY_WORDS, len(question.words)) / FEW_WORDS,
            max(found.score for found in passages),
        ]
    )


def _embed(sentences: Sequence[Candidate], embedder: Embedder) -> Vectors:
    return embedder.embed_passages([one.text[:LONGEST_READ] for one in sentences])


def likely(ranked: Sequence[Evidence]) -> list[Evidence]:
    """Give the evidence that is not much less likely than the best."""
    return [each for each in ranked if each.likelihood >= RELATIVE_LIKELIHOOD * ranked[0].likelihood]


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


def describe(question: Question, found: Sequence[Candidate]) -> Numbers:
    """Describe each sentence by what can be told from words alone, in numbers between 0 and 1, one row a sentence.

    They are the share of the question's words in the sentence, each counting the more the fewer sentences have it; the
    share in the sentence, the one before and the headline; the share of the question's names and numbers that not even
    the passage and its outlet have; how well it has the kind of thing that is asked for; the score of its passage; how
    late it stands in its article; and the share of neighbouring words of the question that are neighbours in it.
    """
    texts = [_stems(one.text) for one in found]
    around = [
        here | _stems(one.before) | _stems(one.found.article.title) for here, one in zip(texts, found, strict=True)
    ]
    within = [near | _stems_of_passage(one.found) for near, one in zip(around, found, strict=True)]
    forms = _forms(question.words, within)
    names = [stems for stems, word in zip(forms, question.words, strict=True) if word.capital]
    own = _presence(forms, texts)
    pairs = _pairs(question.text)
    return np.column_stack(
        [
            _mean(own, np.log((len(found) + 1) / (own.sum(axis=0) + 0.5))),
            _mean(_presence(forms, around)),
            _mean(1 - _presence(names, within)),
            [fits(question.text, one.text) for one in found],
            [one.found.score for one in found],
            [min(1.0, one.start / LATE) for one in found],
            [len(pairs & _pairs(one.text)) / max(1, len(pairs)) for one in found],
        ]
    )


def are_about(passages: Sequence[ScoredPassage], question: Question) -> bool:
    """Say whether a passage has half the names of a question, or, where it names nothing, more than half its words."""
    if not passages:
        return False
    texts = [_stems_of_passage(found) for found in passages]
    names = [word for word in question.words if word.capital]
    share = float(_mean(_presence(_forms(names or question.words, texts), texts)).max())
    return share >= ABOUT_SHARE if names else share > ABOUT_SHARE


def _unknown(question: Question, passages: Sequence[ScoredPassage]) -> float:
    """Give the share of the words of a question that no passage has."""
    texts = [_stems_of_passage(found) for found in passages]
    known = _presence(_forms(question.words, texts), texts).max(axis=0)
    return float(1 - known.mean()) if len(known) else 0.0


def _without_what_lacks(question: Question, candidate: Candidate) -> str:
    """Give the question without the words that a sentence and its surroundings lack.

    A sentence that answers in other words is less like what is left. One that is merely about the same person is more
    like it: it is nearer to "What did Zarif say about" than to "What did Zarif say about football?".
    """
    around = _stems(candidate.text) | _stems(candidate.before) | _stems(candidate.found.article.title)
    rest = question.text
    for word in sorted(question.words, key=lambda word: -word.start):
        if not word.capital and not matches(word.stem, around):
            rest = rest[: word.start] + rest[word.start + len(word.text) :]
    return rest


def _forms(asked: Sequence[Word], texts: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    """Give for each asked word the stems of the texts that stand for it."""
    known = frozenset().union(*texts)
    return [
        frozenset(stem for stem in known if stem[:4] == word.stem[:4] and matches(word.stem, frozenset([stem])))
        for word in asked
    ]


def _presence(forms: Sequence[frozenset[str]], texts: Sequence[frozenset[str]]) -> Numbers:
    """Say which of the asked words each text has: one row a text, one column a word."""
    has = [[not stems.isdisjoint(text) for stems in forms] for text in texts]
    return np.array(has, dtype=float).reshape(len(texts), len(forms))


def _mean(rows: Numbers, weights: Numbers | None = None) -> Numbers:
    """Give the mean of each row, nought where there is nothing to take the mean of."""
    weights = np.ones(rows.shape[1]) if weights is None else weights
    return rows @ weights / max(float(weights.sum()), 1e-9)


def _stems_of_passage(found: ScoredPassage) -> frozenset[str]:
    return _stems(found.passage.text) | _stems(found.article.title) | _stems(found.article.source)


@lru_cache(maxsize=2000)  # a passage is looked at for each of its sentences
def _stems(text: str) -> frozenset[str]:
    return frozenset(word.stem for word in words(text))


@lru_cache(maxsize=2000)
def _pairs(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise(word.stem for word in words(text)))
