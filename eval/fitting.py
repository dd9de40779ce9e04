"""Fitting: what the signs of sentences and answers are worth, from questions whose answers are known."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.calibration import Calibration
from rag.chatbot import PASSAGES_READ
from rag.composing import compose
from rag.embedding import Embedder
from rag.evidence import Candidate, Signs, answer_signs, candidates, judge, read_signs
from rag.models import PACKAGED_READER
from rag.passages import ScoredPassage
from rag.questions import Question as Asked
from rag.questions import read_question
from rag.reader import Reader, open_reader
from rag.retrieval import Retriever
from rag.settings import Settings

from .errors import EvalError
from .questions import Question
from .retrieval_measures import holds_answer, telling
from .sets import read_set

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

ELSEWHERE = 5  # of the questions of a set, one in so many is also asked of another archive, where nothing answers
REFUSED = 0.05  # share of the questions with an answer that may be refused
PENALTY = 0.01  # of the squares of the weights


@dataclass(frozen=True, slots=True)
class Source:
    """An archive, questions of which it holds the answers, and how much each counts."""

    archive: Path
    questions: Path
    weight: float = 1.0

    @classmethod
    def read(cls, written: str) -> Source:
        """Read "ARCHIVE:QUESTIONS" or "ARCHIVE:QUESTIONS:WEIGHT". Raises `EvalError`."""
        archive, _, rest = written.partition(":")
        questions, _, weight = rest.partition(":")
        try:
            return cls(Path(archive), Path(questions), float(weight or 1))
        except ValueError as error:
            raise EvalError(
                f"{written!r} is not understood. Write ARCHIVE:QUESTIONS or ARCHIVE:QUESTIONS:2."
            ) from error


@dataclass(frozen=True, slots=True)
class Posed:
    """A question, the passages and sentences that were found for it, and the answers that are known."""

    question: Asked
    passages: list[ScoredPassage]
    found: list[Candidate]
    answers: list[str]
    weight: float

    def read(self, embedder: Embedder, reader: Reader | None) -> Example:
        """Read its sentences with a reader, or without one."""
        signs = read_signs(self.question, self.found, embedder, reader)
        return Example(self, signs, np.array([holds_answer(one.text, self.answers) for one in signs.kept]))


@dataclass(frozen=True, slots=True)
class Example:
    """A question with what was read for it, and which of these sentences answer it."""

    posed: Posed
    signs: Signs
    right: NDArray[np.bool_]


def fit_all(sources: Sequence[Source], settings: Settings, out: Path) -> None:
    """Fit on the tuning halves of question sets, without a reader and with one, ours if the settings want none."""
    readers = {"words": None, "reader": open_reader(settings) or Reader.open(PACKAGED_READER)}
    embedder = Embedder.open(settings.model)
    examples: dict[str, list[Example]] = {name: [] for name in readers}
    for number, source in enumerate(sources):
        posed = list(_pose(source, sources[number - 1], settings))
        for name, reader in readers.items():
            examples[name] += [each.read(embedder, reader) for each in posed]
        print(f"{number + 1} of {len(sources)} sets read, {len(examples['words']):,} questions", file=sys.stderr)
    fitted = {name: fit(own, embedder) for name, own in examples.items()}
    out.write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")


def fit(examples: Sequence[Example], embedder: Embedder) -> dict[str, Any]:
    """Fit the weights of sentences, then those of whole answers, and choose below what no answer is given."""
    sentence = fit_choice([(each.signs.rows, each.right, each.posed.weight) for each in examples if each.right.any()])
    logits = [each.signs.rows @ sentence for each in examples]
    weights = np.array([each.posed.weight for each in examples])
    rows = np.concatenate(logits)[:, None]
    [scale], bias = fit_logistic(
        rows, np.concatenate([each.right for each in examples]), np.repeat(weights, [len(each) for each in logits])
    )
    signs = np.array(
        [
            answer_signs(each.posed.question, each.posed.passages, each.signs, own, embedder)
            for each, own in zip(examples, logits, strict=True)
        ]
    )
    draft = Calibration(sentence, scale, bias, np.zeros(signs.shape[1]), 0.0, 0.0)
    right = np.array([_is_right(each, draft, embedder) for each in examples])
    answer, answer_bias = fit_logistic(signs, right, weights)
    calibration = replace(draft, answer=answer, answer_bias=answer_bias)
    probabilities = np.array([calibration.probability(row) for row in signs])
    answerable = np.array([bool(each.posed.answers) for each in examples])
    print(f"{len(examples):,} questions, {np.average(right, weights=weights):.3f} right", file=sys.stderr)
    return {
        "sentence": [round(float(value), 3) for value in sentence],
        "scale": round(float(scale), 3),
        "bias": round(float(bias), 3),
        "answer": [round(float(value), 3) for value in answer],
        "answer_bias": round(float(answer_bias), 3),
        "threshold": round(float(np.quantile(probabilities[answerable], REFUSED)), 3),
    }


def fit_choice(chosen: Sequence[tuple[Numbers, NDArray[np.bool_], float]]) -> Numbers:
    """Fit a conditional logit: which rows of each question are right, where any is (McFadden, 1974)."""

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        total, slope = PENALTY * float(weights @ weights), 2 * PENALTY * weights
        for rows, right, weight in chosen:
            logits = rows @ weights
            odds = np.exp(logits - logits.max())
            every, own = odds / odds.sum(), odds * right / (odds @ right)
            total -= weight * np.log(odds @ right / odds.sum())
            slope = slope + weight * (every - own) @ rows
        return total, slope

    return _least(loss, chosen[0][0].shape[1])


def fit_logistic(rows: Numbers, right: NDArray[np.bool_], weights: Numbers) -> tuple[Numbers, float]:
    """Fit a logistic regression; give its weights and its bias."""
    known = np.column_stack([rows, np.ones(len(rows))])

    def loss(values: Numbers) -> tuple[float, Numbers]:
        logits = known @ values
        total = weights @ (np.logaddexp(0, logits) - right * logits) + PENALTY * values @ values
        return float(total), (weights * (1 / (1 + np.exp(-logits)) - right)) @ known + 2 * PENALTY * values

    found = _least(loss, known.shape[1])
    return found[:-1], float(found[-1])


def _least(loss: Callable[[Numbers], tuple[float, Numbers]], size: int) -> Numbers:
    from scipy.optimize import minimize

    found: Numbers = minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B").x
    return found


def _pose(source: Source, other: Source, settings: Settings) -> Iterator[Posed]:
    """Ask a source its own questions, and some of another one, which nothing there answers."""
    with Retriever.open(source.archive, settings) as retriever:
        for question in _asked(source):
            answers = telling(question.answers) if question.answerable else []
            if answers or not question.answerable:
                yield from _find(retriever, question, question.date, answers, source.weight)
        if other.archive != source.archive:
            for question in _asked(other)[::ELSEWHERE]:
                yield from _find(retriever, question, "", [], other.weight / 2)


def _asked(source: Source) -> list[Question]:
    return [one for one in read_set(source.questions, ["half=tune"]).questions if not one.history]


def _find(retriever: Retriever, question: Question, day: str, answers: list[str], weight: float) -> Iterator[Posed]:
    asked = read_question(question.question)
    passages = retriever.retrieve(asked.text, k=PASSAGES_READ, as_of=day)
    if found := candidates(passages):
        yield Posed(asked, passages, found, answers, weight)


def _is_right(example: Example, calibration: Calibration, embedder: Embedder) -> bool:
    """Say whether an answer made of the ranked sentences holds what it should."""
    posed = example.posed
    ranked = judge(posed.question, posed.passages, example.signs, calibration, embedder).ranked
    composed = compose(posed.question, ranked, posed.passages)
    return holds_answer(" ".join(sentence.text for sentence in composed.sentences), posed.answers)
