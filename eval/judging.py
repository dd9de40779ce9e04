"""Judging a reader: whether it finds the sentence that answers, and whether it knows that none does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .lessons import Lesson, five, read_pairs, read_paragraphs
from .statistics import Estimate, estimate
from .tables import between, figure, print_table
from .whole_measures import auroc

if TYPE_CHECKING:
    from .training import Reader

Figure = tuple[float, float | None, float | None]
EACH = 8  # of a part of NQG one question in so many


def judge(reader: Reader, data: Path, part: str) -> dict[str, Figure]:
    """Judge a reader on what it was not trained on, such as that part of NQG: each figure with its 95 % interval."""
    chosen = share_right(score(reader, five(read_pairs(data / "train", part)[::EACH])))
    held = score(reader, read_paragraphs(data / "squad2", "report"))
    within = share_right(held)
    return {
        "right of five": (chosen.mean, chosen.low, chosen.high),
        "right in the paragraph": (within.mean, within.low, within.high),
        "answerable or not, AUROC": (tells_apart(held), None, None),
    }


def print_judged(judged: Mapping[str, Figure]) -> None:
    """Print what `judge` found."""
    rows = [(name, figure(value), between(low, high)) for name, (value, low, high) in judged.items()]
    print_table(("measure", "value", "95 %"), rows, left=1)


def score(reader: Reader, lessons: Sequence[Lesson]) -> list[tuple[float, float]]:
    """Give for each lesson the logit of the right sentence, nan where none is, and the highest of the wrong ones."""
    found = reader.score([(one.question, each) for one in lessons for each in (one.right, *one.wrong) if each])
    scores, read = [], 0
    for one in lessons:
        own = found[read : read + len(one.wrong) + (one.right is not None)]
        read += len(own)
        right = float(own[0]) if one.right else float("nan")
        scores.append((right, float(own[one.right is not None :].max(initial=-np.inf))))
    return scores


def share_right(scores: Sequence[tuple[float, float]]) -> Estimate:
    """Give how often the right sentence has the highest logit, over the lessons that have one."""
    known = np.array([[float(right > wrong)] for right, wrong in scores if not np.isnan(right)])
    return estimate(known, list(range(len(known))))[0]


def tells_apart(scores: Sequence[tuple[float, float]]) -> float:
    """Give how often the best sentence of a question with an answer has a higher logit than that of one without."""
    return auroc(np.array([[np.fmax(right, wrong), float(not np.isnan(right))] for right, wrong in scores]))
