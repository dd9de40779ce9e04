"""Training: the weights of the embedding model, made to say whether a sentence answers a question."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from rag.embedding import Embedder
from rag.inference import OpenVino, runtimes
from rag.models import PACKAGED_MODEL, PACKED, find_model
from rag.quantizing import unpack
from rag.reader import written

from .lessons import Candidate, Lesson, add_hard, five, kept_out, read_pairs, read_paragraphs, read_roles
from .siblings import Siblings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import CrossEncoder

    Scores = NDArray[np.float64]

LONGEST = 128  # tokens of question, context and sentence
WRONG = 3  # sentences beside the right one
QUESTIONS = 16  # of a step
PAIRS = 16  # that go through the model together, all alike in length: a third of the time would be padding
SORTED = 50  # steps whose questions are sorted by length together
HEAD_SEED = 0  # every training begins from the same head, so that what several of them learnt can be averaged
BODY_RATE, HEAD_RATE, WARM_SHARE = 8e-5, 4e-4, 0.05
# Drawing what to drop took a third of the time of a step on a CPU; in one pass over the lessons nothing needs it.
DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout")
BARE_SHARE = 0.3  # of the lessons lose their context, so that none is needed
WITHOUT_SHARE = 0.1  # lose the sentence that answers, so that none does
ALTERED_SHARE = 0.15  # have another word in the question, so that the sentence does not answer it any more
TOLD_EVERY, AT_ONCE = 50, 32  # steps; pairs that are scored together


@dataclass(frozen=True, slots=True)
class Posed:
    """A question with four sentences, of which the first answers it, or none does."""

    question: str
    candidates: list[Candidate]
    answered: bool

    @property
    def length(self) -> int:
        """About how long its longest pair is, in characters."""
        return len(self.question) + max(len(written(one.context, one.sentence)) for one in self.candidates)


class Reader:
    """A cross-encoder that gives a question and a sentence a logit, which above 0 means that the sentence answers."""

    def __init__(self, model: CrossEncoder) -> None:
        self.model = model

    @classmethod
    def open(cls, folder: Path) -> Reader:
        """Load a reader from where it was kept, as it was trained or packed."""
        from sentence_transformers import CrossEncoder

        with tempfile.TemporaryDirectory() as unpacked:
            if (folder / PACKED).exists():
                unpack(folder, Path(unpacked))
                folder = Path(unpacked)
            model: CrossEncoder = CrossEncoder(str(folder), device="cpu", local_files_only=True)
        model.eval()
        return cls(model)

    def score(self, pairs: Sequence[tuple[str, Candidate]]) -> Scores:
        """Give the logit of each pair, shape (len(pairs),)."""
        with torch.inference_mode():
            return _logits(self.model, pairs, AT_ONCE).numpy().astype(float)


def train_reader(data: Path, out: Path, *, steps: int, seed: int, pairs_alone: bool = False) -> Reader:
    """Train a reader on the sets of a folder, and keep it at `out`.

    It learns from NQG's test part, a third of QAMR and the tuning half of SQuAD 2.0; or from NQG's dev part alone,
    without its neighbours' context and without questions that have no answer, which is how others measured it.
    """
    from sentence_transformers import CrossEncoder

    torch.manual_seed(HEAD_SEED)
    model: CrossEncoder = CrossEncoder(
        str(find_model(PACKAGED_MODEL)),
        num_labels=1,
        device="cpu",
        local_files_only=True,
        model_kwargs={"attn_implementation": "eager" if _has_bf16() else "sdpa"},
        config_kwargs=dict.fromkeys(DROPOUTS, 0.0),
    )
    model.max_seq_length = LONGEST
    lessons = five(read_pairs(data / "train", "dev")) if pairs_alone else _all_lessons(data)
    print(f"{len(lessons):,} questions", file=sys.stderr)
    train(model, lessons, steps=steps, seed=seed, with_none=not pairs_alone)
    model.save_pretrained(str(out))
    return Reader(model)


def _all_lessons(data: Path) -> list[Lesson]:
    held = read_paragraphs(data / "squad2", "report")
    pairs = kept_out(read_pairs(data / "train", "test"), held)
    roles = kept_out([one for part in ("dev", "test") for one in read_roles(data / "train", part)], held)
    paragraphs = read_paragraphs(data / "squad2", "tune")
    return add_hard([*pairs, *roles, *paragraphs, *paragraphs], Embedder.open(PACKAGED_MODEL))


def train(model: CrossEncoder, lessons: Sequence[Lesson], *, steps: int, seed: int, with_none: bool = True) -> None:
    """Train for so many steps on lessons drawn by `seed`; the rate of learning rises at first, then falls to nought.

    The loss is the cross entropy of the right one among the sentences of a question and a last one of logit 0, which
    stands for "none of them": so a logit above 0 means that a sentence answers. Without it a logit only ranks.
    """
    drawn = random.Random(seed)  # noqa: S311 # no secret
    siblings = _siblings(model) if with_none else None
    head = [weight for name, weight in model.named_parameters() if "classifier" in name or "pooler" in name]
    body = [weight for name, weight in model.named_parameters() if "classifier" not in name and "pooler" not in name]
    optimizer = torch.optim.AdamW([{"params": body}, {"params": head}], weight_decay=0.01, fused=True)
    began, losses = time.monotonic(), list[float]()
    model.train()
    for number, batch in enumerate(islice(_batches(lessons, drawn, siblings), steps), start=1):
        done = number / steps
        for group, rate in zip(optimizer.param_groups, (BODY_RATE, HEAD_RATE), strict=True):
            group["lr"] = rate * min(1, done / WARM_SHARE) * (1 - done)
        loss = _loss(model, batch, with_none=with_none)
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


def _has_bf16() -> bool:
    """Say whether this machine computes in bf16; PyTorch does it even where that takes ten times as long."""
    return OpenVino in runtimes().values()


def _siblings(model: CrossEncoder) -> Siblings:
    words = sorted(model.tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    vectors = cast("Any", model.model).get_input_embeddings().weight.detach().numpy()
    return Siblings([word for word, _ in words], vectors)


def _logits(model: CrossEncoder, pairs: Sequence[tuple[str, Candidate]], at_once: int) -> torch.Tensor:
    """Give the logit of each pair of a question and a sentence."""
    texts = [[question, written(one.context, one.sentence)] for question, one in pairs]
    encoded = model.tokenizer(texts, truncation=True, max_length=LONGEST)
    order = sorted(range(len(pairs)), key=lambda at: len(encoded["input_ids"][at]))
    found = []
    for start in range(0, len(order), at_once):
        part = {name: [values[at] for at in order[start : start + at_once]] for name, values in encoded.items()}
        features = model.tokenizer.pad(part, return_tensors="pt")
        with torch.autocast("cpu", torch.bfloat16, enabled=_has_bf16()):
            found.append(cast("Any", model.model)(**features).logits[:, 0].float())
    return torch.cat(found)[torch.tensor(np.argsort(order))]


def _loss(model: CrossEncoder, batch: Sequence[Posed], *, with_none: bool) -> torch.Tensor:
    found = _logits(model, [(one.question, each) for one in batch for each in one.candidates], PAIRS)
    rows = found.reshape(len(batch), WRONG + 1)
    if with_none:
        rows = torch.cat([rows, torch.zeros(len(batch), 1)], dim=1)
    return cross_entropy(rows, torch.tensor([0 if one.answered else WRONG + 1 for one in batch]))


def _batches(lessons: Sequence[Lesson], drawn: random.Random, siblings: Siblings | None) -> Iterator[list[Posed]]:
    """Yield questions with four sentences each, of which the first may answer, for ever; a batch is alike in length."""
    usable = [lesson for lesson in lessons if len(lesson.wrong) >= WRONG + 1]
    while True:
        order = drawn.sample(usable, len(usable))
        for start in range(0, len(order), QUESTIONS * SORTED):
            posed = [_pose(one, drawn, siblings) for one in order[start : start + QUESTIONS * SORTED]]
            posed.sort(key=lambda one: one.length)
            batches = [posed[at : at + QUESTIONS] for at in range(0, len(posed), QUESTIONS)]
            yield from drawn.sample(batches, len(batches))


def _pose(lesson: Lesson, drawn: random.Random, siblings: Siblings | None) -> Posed:
    """Put a question to four sentences; where `siblings` are given, with some share so that none answers."""
    fate = drawn.random()
    withholds = siblings is not None and ALTERED_SHARE <= fate < ALTERED_SHARE + WITHOUT_SHARE
    altered = ""
    if siblings and lesson.right and fate < ALTERED_SHARE:
        altered = siblings.altered(lesson.question, lesson.right.sentence, drawn)
    shown = None if withholds else lesson.right
    wrong = drawn.sample(lesson.wrong, WRONG + (shown is None))
    candidates = [shown, *wrong] if shown else wrong
    if drawn.random() < BARE_SHARE:
        candidates = [Candidate(one.sentence) for one in candidates]
    return Posed(altered or lesson.question, candidates, answered=shown is not None and not altered)
