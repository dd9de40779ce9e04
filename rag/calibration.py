"""What signs are worth: fitted numbers that make of them the probability that a sentence, or an answer, is right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

FITTED = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of the signs of sentences and answers, as `read_signs` and `answer_signs` give them.

    `sentence` is a conditional logit over the sentences of one question. `scale` and `bias` make a probability of it
    that one sentence, taken by itself, answers. `answer` and `answer_bias` are a logistic regression that tells from
    its first sentence whether an answer is right; below `threshold` it is not given.
    """

    sentence: Numbers
    scale: float
    bias: float
    answer: Numbers
    answer_bias: float
    threshold: float

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Calibration:
        """Read it back."""
        arrays = {name: np.array(record[name]) for name in ("sentence", "answer")}
        return cls(**{**record, **arrays})

    def likelihood(self, logits: Numbers) -> Numbers:
        """Give the probability that each sentence answers, from its logit."""
        likelihood: Numbers = _logistic(self.scale * logits + self.bias)
        return likelihood

    def probability(self, signs: Numbers) -> float:
        """Give the probability that an answer with these signs is right."""
        return float(_logistic(signs @ self.answer + self.answer_bias))


@cache
def calibrations() -> Mapping[str, Calibration]:
    """Give what was fitted with a reader ("reader") and without one ("words")."""
    fitted = json.loads(FITTED.read_bytes())
    return {name: Calibration.from_dict(record) for name, record in fitted.items()}


def _logistic(values: Any) -> Any:
    return 1 / (1 + np.exp(-values))
