"""Training: the weights of the embedding model, made to say whether a sentence answers a question."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from rag.embedding import Embedder
from rag.models import PACKAGED_MODEL, find_model

from .lessons import Candidate, Lesson, add_hard, kept_out, read_pairs, read_paragraphs, read_roles

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import CrossEncoder

    Scores = NDArray[np.float64]

SEPARATOR = " [SEP] "  # between what stands before a sentence and the sentence
LONGEST = 128  # tokens of question, context and sentence
WRONG = 3  # sentences beside the right one
QUESTIONS = 16  # of a step
SORTED = 50  # steps whose questions are sorted by length together
BODY_RATE, HEAD_RATE, WARM_SHARE = 8e-5, 4e-4, 0.05
# Drawing what to drop took a third of the time of a step on a CPU; in one pass over the lessons nothing needs it.
DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout")
BARE_SHARE = 0.5  # of the lessons lose their context, so that none is needed
TOLD_EVERY, AT_ONCE = 50, 64  # steps; pairs that are scored together
WITHOUT_SHARE = 0.15  # lose the sentence that answers, so that none does


class Reader:
    """A cross-encoder that gives a question and a sentence a logit, which above 0 means that the sentence answers."""

    def __init__(self, model: CrossEncoder) -> None:
        self.model = model

    @classmethod
    def open(cls, folder: Path) -> Reader:
        """Load a reader from where it was kept."""
        from sentence_transformers import CrossEncoder

        model: CrossEncoder = CrossEncoder(str(folder), device="cpu", local_files_only=True)
        model.eval()
        return cls(model)

    def score(self, pairs: Sequence[tuple[str, Candidate]]) -> Scores:
        """Give the logit of each pair, shape (len(pairs),)."""
        order = sorted(range(len(pairs)), key=lambda at: len(pairs[at][0]) + len(pairs[at][1].sentence))
        found = np.zeros(len(pairs))
        with torch.inference_mode():
            for start in range(0, len(order), AT_ONCE):
                part = order[start : start + AT_ONCE]
                found[part] = _logits(self.model, [pairs[at] for at in part]).numpy()
        return found


def train_reader(data: Path, out: Path, *, steps: int, seed: int) -> Reader:
    """Train a reader on the sets of a folder, and keep it at `out`."""
    from sentence_transformers import CrossEncoder

    torch.manual_seed(seed)
    model: CrossEncoder = CrossEncoder(
        str(find_model(PACKAGED_MODEL)),
        num_labels=1,
        device="cpu",
        local_files_only=True,
        model_kwargs={"attn_implementation": "eager"},
        config_kwargs=dict.fromkeys(DROPOUTS, 0.0),
    )
    held = read_paragraphs(data / "squad2", "report")
    pairs = kept_out(read_pairs(data / "train", "dev"), held)
    roles = kept_out([one for part in ("dev", "test") for one in read_roles(data / "train", part)], held)
    paragraphs = read_paragraphs(data / "squad2", "tune")
    print(f"{len(pairs):,} + {len(roles):,} + {len(paragraphs):,} questions", file=sys.stderr)
    lessons = add_hard([*pairs, *roles, *paragraphs, *paragraphs], Embedder.open(PACKAGED_MODEL))
    train(model, lessons, steps=steps, seed=seed)
    model.save_pretrained(str(out))
    return Reader(model)


def train(model: CrossEncoder, lessons: Sequence[Lesson], *, steps: int, seed: int) -> None:
    """Train for so many steps on lessons drawn by `seed`; the rate of learning rises at first, then falls to nought.

    The loss is the cross entropy of the right one among the sentences of a question and a last one of logit 0, which
    stands for "none of them": so a logit above 0 means that a sentence answers.
    """
    drawn = random.Random(seed)  # noqa: S311 # no secret
    head = [weight for name, weight in model.named_parameters() if "classifier" in name or "pooler" in name]
    body = [weight for name, weight in model.named_parameters() if "classifier" not in name and "pooler" not in name]
    optimizer = torch.optim.AdamW([{"params": body}, {"params": head}], weight_decay=0.01, fused=True)
    began, losses = time.monotonic(), list[float]()
    model.train()
    for number, batch in enumerate(islice(_batches(lessons, drawn), steps), start=1):
        done = number / steps
        for group, rate in zip(optimizer.param_groups, (BODY_RATE, HEAD_RATE), strict=True):
            group["lr"] = rate * min(1, done / WARM_SHARE) * (1 - done)
        loss = _loss(model, batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if number % TOLD_EVERY == 0:
            speed = number * QUESTIONS * (WRONG + 1) / (time.monotonic() - began)
            print(
                f"step {number:,} of {steps:,}: loss {mean(losses[-TOLD_EVERY:]):.3f}, {speed:.0f} pairs/s",
                file=sys.stderr,
            )
    model.eval()


def _logits(model: CrossEncoder, pairs: Sequence[tuple[str, Candidate]]) -> torch.Tensor:
    """Give the logit of each pair of a question and a sentence."""
    texts = [[question, SEPARATOR.join(filter(None, [one.context, one.sentence]))] for question, one in pairs]
    features = model.tokenizer(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
    with torch.autocast("cpu", torch.bfloat16):
        found: torch.Tensor = cast("Any", model.model)(**features).logits
    return found[:, 0].float()


def _loss(model: CrossEncoder, batch: Sequence[tuple[str, list[Candidate], bool]]) -> torch.Tensor:
    found = _logits(model, [(question, one) for question, candidates, _ in batch for one in candidates])
    rows = found.reshape(len(batch), WRONG + 1)
    with_none = torch.cat([rows, torch.zeros(len(batch), 1)], dim=1)
    targets = torch.tensor([0 if answered else WRONG + 1 for _, _, answered in batch])
    return cross_entropy(with_none, targets)


def _batches(lessons: Sequence[Lesson], drawn: random.Random) -> Iterator[list[tuple[str, list[Candidate], bool]]]:
    """Yield questions with four sentences each, of which the first may answer, for ever; a batch is alike in length."""
    usable = [lesson for lesson in lessons if len(lesson.wrong) >= WRONG + 1]
    while True:
        order = drawn.sample(usable, len(usable))
        for start in range(0, len(order), QUESTIONS * SORTED):
            posed = sorted((_pose(one, drawn) for one in order[start : start + QUESTIONS * SORTED]), key=_length)
            batches = [posed[at : at + QUESTIONS] for at in range(0, len(posed), QUESTIONS)]
            yield from drawn.sample(batches, len(batches))


def _pose(lesson: Lesson, drawn: random.Random) -> tuple[str, list[Candidate], bool]:
    answered = lesson.right is not None and drawn.random() > WITHOUT_SHARE
    wrong = drawn.sample(lesson.wrong, WRONG + (not answered))
    candidates = [lesson.right, *wrong] if answered and lesson.right else wrong
    if drawn.random() < BARE_SHARE:
        candidates = [Candidate(one.sentence) for one in candidates]
    return lesson.question, candidates, answered


def _length(posed: tuple[str, list[Candidate], bool]) -> int:
    question, candidates, _ = posed
    return len(question) + max(len(one.sentence) + len(one.context) for one in candidates)
