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
from rag.evidence import Signs, answer_signs, candidates, judge, read_signs
from rag.passages import ScoredPassage
from rag.questions import Question as Asked
from rag.questions import read_question
from rag.reader import Reader
from rag.retrieval import Retriever
from rag.settings import Settings

from .errors import EvalError
from .retrieval_measures import holds_answer, telling
from .sets import read_set

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rag.embedding import Embedder

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
class Example:
    """A question, what was read for it, which of these sentences answer it, and the answers that are known."""

    question: Asked
    passages: list[ScoredPassage]
    signs: Signs
    right: NDArray[np.bool_]
    answers: list[str]
    weight: float


def fit_all(sources: Sequence[Source], settings: Settings, out: Path) -> None:
    """Fit on the tuning halves of question sets, without a reader and with the one of the settings; write both."""
    embedder, fitted = None, {}
    for name, reader in (("words", None), ("reader", Reader.open(settings.reader))):
        examples = []
        for number, source in enumerate(sources):
            with Retriever.open(source.archive, settings) as retriever:
                embedder = retriever.embedder
                examples += list(_examples(retriever, reader, source, answered=True))
                other = sources[number - 1]
                if other.archive != source.archive:
                    examples += list(_examples(retriever, reader, other, answered=False))
            print(f"{name}: {number + 1} of {len(sources)} sets read, {len(examples):,} questions", file=sys.stderr)
        if embedder is not None:
            fitted[name] = fit(examples, embedder)
    out.write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")


def fit(examples: Sequence[Example], embedder: Embedder) -> dict[str, Any]:
    """Fit the weights of sentences, then those of whole answers, and choose below what no answer is given."""
    sentence = fit_choice([(each.signs.rows, each.right, each.weight) for each in examples if each.right.any()])
    logits = [each.signs.rows @ sentence for each in examples]
    weights = np.array([each.weight for each in examples])
    rows = np.concatenate(logits)[:, None]
    [scale], bias = fit_logistic(
        rows, np.concatenate([each.right for each in examples]), np.repeat(weights, [len(each) for each in logits])
    )
    signs = np.array(
        [
            answer_signs(each.question, each.passages, each.signs, own, embedder)
            for each, own in zip(examples, logits, strict=True)
        ]
    )
    draft = Calibration(sentence, scale, bias, np.zeros(signs.shape[1]), 0.0, 0.0)
    right = np.array([_is_right(each, draft, embedder) for each in examples])
    answer, answer_bias = fit_logistic(signs, right, weights)
    calibration = replace(draft, answer=answer, answer_bias=answer_bias)
    probabilities = np.array([calibration.probability(row) for row in signs])
    answerable = np.array([bool(each.answers) for each in examples])
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


def _examples(retriever: Retriever, reader: Reader | None, source: Source, *, answered: bool) -> Iterator[Example]:
    questions = [one for one in read_set(source.questions, ["half=tune"]).questions if not one.history]
    for question in questions if answered else questions[::ELSEWHERE]:
        asked = read_question(question.question)
        passages = retriever.retrieve(asked.text, k=PASSAGES_READ, as_of=question.date if answered else None)
        answers = telling(question.answers) if answered and question.answerable else []
        if (answers or not answered or not question.answerable) and (found := candidates(passages)):
            signs = read_signs(asked, found, retriever.embedder, reader)
            right = np.array([holds_answer(one.text, answers) for one in signs.kept])
            weight = source.weight if answered else source.weight / 2
            yield Example(asked, passages, signs, right, answers, weight)


def _is_right(example: Example, calibration: Calibration, embedder: Embedder) -> bool:
    """Say whether an answer made of the ranked sentences holds what it should."""
    ranked = judge(example.question, example.passages, example.signs, calibration, embedder).ranked
    composed = compose(example.question, ranked, example.passages)
    return holds_answer(" ".join(sentence.text for sentence in composed.sentences), example.answers)
