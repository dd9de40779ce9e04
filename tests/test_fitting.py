from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eval.errors import EvalError
from eval.fitting import Source, fit_all, fit_choice, fit_logistic
from eval.siblings import Siblings
from rag import Settings
from rag.calibration import Calibration, calibrations

RANDOM = np.random.default_rng(3)


def test_a_choice_is_fitted_to_what_tells_the_right_ones_apart() -> None:
    truth = np.array([2.0, -1.0, 0.0])
    chosen = []
    for _ in range(800):
        rows = RANDOM.normal(size=(6, 3))
        odds = np.exp(rows @ truth)
        chosen.append((rows, np.arange(6) == RANDOM.choice(6, p=odds / odds.sum()), 1.0))

    assert fit_choice(chosen) == pytest.approx(truth, abs=0.3)


def test_a_logistic_regression_is_fitted_with_its_weights() -> None:
    rows = RANDOM.normal(size=(4000, 2))
    right = RANDOM.random(4000) < 1 / (1 + np.exp(-(rows @ [1.5, -0.5] - 1)))
    misled = np.concatenate([right, ~right])

    weights, bias = fit_logistic(
        np.concatenate([rows, rows]), misled, np.concatenate([np.ones(4000), np.full(4000, 1e-6)])
    )

    assert weights == pytest.approx([1.5, -0.5], abs=0.2)
    assert bias == pytest.approx(-1, abs=0.2)


def test_a_source_is_read_and_what_is_none_is_told() -> None:
    assert Source.read("a:b.jsonl") == Source(Path("a"), Path("b.jsonl"), 1)
    assert Source.read("a:b.jsonl:.5") == Source(Path("a"), Path("b.jsonl"), 0.5)
    with pytest.raises(EvalError, match="Write ARCHIVE:QUESTIONS"):
        Source.read("a:b:much")


def test_a_calibration_fitted_on_questions_can_be_used(sample_archive: Path, tmp_path: Path) -> None:
    asked = Path("eval/questions/sample.jsonl").read_text().splitlines()[:24]
    (tmp_path / "asked.jsonl").write_text("\n".join(asked))

    fit_all([Source(sample_archive, tmp_path / "asked.jsonl")], Settings(), tmp_path / "fitted.json")

    fitted = json.loads((tmp_path / "fitted.json").read_text())
    assert sorted(fitted) == sorted(calibrations())
    for name, known in calibrations().items():
        found = Calibration.from_dict(fitted[name])
        assert (found.sentence.shape, found.answer.shape) == (known.sentence.shape, known.answer.shape)
        assert 0 < found.threshold < 1
        assert found.likelihood(np.array([5.0]))[0] > found.likelihood(np.array([-5.0]))[0]


def test_a_question_is_altered_by_a_word_that_could_stand_there() -> None:
    import random

    words = ["paris", "london", "rome", "madrid", "berlin", "vienna", "1912", "1913", "1914", "1915", "1916", "1917"]
    vectors = np.array([[1.0, at / 100] for at in range(6)] + [[at / 100, 1.0] for at in range(6)])
    siblings = Siblings(words, vectors.astype(np.float32))
    drawn = random.Random(2)

    altered = {siblings.altered("Who left Paris in 1912?", "He left Paris in 1912.", drawn) for _ in range(40)}

    assert {one[:14] for one in altered} <= {f"Who left {word}"[:14] for word in ("Paris", *words[1:6])}
    assert all(one != "Who left Paris in 1912?" for one in altered)
    assert siblings.altered("Who left Oslo?", "He left Paris.", drawn) == ""
