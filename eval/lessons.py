"""Lessons to train the reader on: a question, the sentence that answers it if any does, and sentences that do not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.leaning import leans_back
from rag.sentences import sentence_spans

from .sets import read_set

if TYPE_CHECKING:
    from rag.embedding import Embedder

CHOICES = 5
BLOCK = 512  # questions whose hard sentences are looked for at once
NEAR, HARD = 8, 4  # sentences around the right one, and those of the whole file that are most like the question
_TOKENS = (
    *(
        ("-lrb-", "("),
        ("-rrb-", ")"),
        ("-LRB-", "("),
        ("-RRB-", ")"),
        ("``", '"'),
        ("''", '"'),
        ("( ", "("),
        (" )", ")"),
    ),
    *((f" {mark}", mark) for mark in (",", ".", "?", ";", ":", "'s", "n't")),
)
_QUESTION, _VALIDATED = 5, 7  # columns of a QAMR file; those from the second on say what others took for the answer


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer, and what stands before it: a headline, the sentence before."""

    sentence: str
    context: str = ""

    @classmethod
    def after(cls, context: str, sentence: str) -> Candidate:
        """Give a sentence as the reader is shown it: after its context where only that explains it, else alone."""
        return cls(sentence, context if leans_back(sentence) else "")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question with the sentence that answers it, None where none does, and sentences that do not answer it."""

    question: str
    right: Candidate | None
    wrong: tuple[Candidate, ...]


def read_pairs(folder: Path, part: str) -> list[Lesson]:
    """Read the questions of an NQG file ("dev" or "test"): a sentence and its question a line, in lower-case tokens.

    The sentences around the right one are wrong (Zhou et al., NLPCC 2017; from SQuAD 1.1).
    """
    sentences = [_joined(line) for line in _lines(folder / f"nqg-src-{part}.txt")]
    questions = [_joined(line) for line in _lines(folder / f"nqg-tgt-{part}.txt")]
    return _beside_neighbours(questions, sentences, list(dict.fromkeys(sentences)))


def read_roles(folder: Path, part: str) -> list[Lesson]:
    """Read one question in three of a QAMR file ("dev" or "test"), unless who validated it found no answer.

    The sentences around the right one are wrong (Michael et al., NAACL 2018).
    """
    texts = dict(line.split("\t", 1) for line in _lines(folder / "qamr-wiki-sentences.tsv"))
    rows = [line.split("\t") for line in _lines(folder / f"qamr-{part}.tsv")][::3]
    kept = [row for row in rows if row[0] in texts and not any("Invalid" in told for told in row[_VALIDATED:])]
    sentences = [_joined(texts[row[0]]) for row in kept]
    return _beside_neighbours([row[_QUESTION].strip() for row in kept], sentences, list(map(_joined, texts.values())))


def read_paragraphs(folder: Path, half: str) -> list[Lesson]:
    """Read the questions of a half of SQuAD 2.0, each with the sentences of its paragraph; half of them have none."""
    articles = {one["id"]: one for one in map(json.loads, _lines(folder / "articles.jsonl"))}
    lessons = []
    for asked in read_set(folder / "questions.jsonl", [f"half={half}"]).questions:
        article = articles[asked.gold_articles[0]]
        candidates = list(_candidates(article["text"], article["title"]))
        right = [one for one in candidates if any(answer in one.sentence for answer in asked.answers)]
        if right or not asked.answerable:
            wrong = tuple(one for one in candidates if one not in right)
            lessons.append(Lesson(asked.question, right[0] if right else None, wrong))
    return lessons


def five(lessons: Sequence[Lesson]) -> list[Lesson]:
    """Give the lessons with the four nearest wrong sentences and no context, as the set is told of elsewhere."""
    bare = [(one, one.right, [Candidate(each.sentence) for each in one.wrong[: CHOICES - 1]]) for one in lessons]
    return [Lesson(one.question, Candidate(right.sentence), tuple(wrong)) for one, right, wrong in bare if right]


def kept_out(lessons: Sequence[Lesson], held: Sequence[Lesson]) -> list[Lesson]:
    """Leave out what shares a question or a sentence with held lessons, as NQG's dev part does with SQuAD 2.0."""
    texts = " ".join({_bare(one.sentence) for lesson in held for one in (lesson.right, *lesson.wrong) if one})
    questions = {_bare(lesson.question) for lesson in held}
    return [
        lesson
        for lesson in lessons
        if _bare(lesson.question) not in questions
        and not any(_bare(one.sentence) in texts for one in (lesson.right, *lesson.wrong[:2]) if one)
    ]


def add_hard(lessons: Sequence[Lesson], embedder: Embedder) -> list[Lesson]:
    """Put before the wrong sentences those of all lessons that are most like the question to the embedding model."""
    known = {one.sentence: one for lesson in lessons for one in (lesson.right, *lesson.wrong) if one}
    candidates = list(known.values())
    vectors = embedder.embed_passages([one.sentence for one in candidates])
    questions = embedder.embed_passages([lesson.question for lesson in lessons])
    hard = []
    for start in range(0, len(lessons), BLOCK):
        likeness = questions[start : start + BLOCK] @ vectors.T
        most = np.argpartition(-likeness, HARD + 1, axis=1)[:, : HARD + 1]
        for lesson, near in zip(lessons[start : start + BLOCK], most, strict=True):
            right = lesson.right.sentence if lesson.right else ""
            wrong = [candidates[at] for at in near if candidates[at].sentence != right]
            hard.append(replace(lesson, wrong=(*wrong, *lesson.wrong)))
    return hard


def _beside_neighbours(questions: Sequence[str], sentences: Sequence[str], texts: Sequence[str]) -> list[Lesson]:
    """Give each question with its sentence, and with those near to it among all texts, the nearest first."""
    places = {text: place for place, text in enumerate(texts)}
    candidates = [Candidate.after(before, text) for before, text in zip(["", *texts], texts, strict=False)]
    lessons = []
    for question, sentence in zip(questions, sentences, strict=True):
        place = places[sentence]
        near = sorted(
            range(max(0, place - NEAR // 2), min(len(texts), place + NEAR // 2 + 1)), key=lambda at: abs(at - place)
        )
        lessons.append(Lesson(question, candidates[place], tuple(candidates[at] for at in near[1:])))
    return lessons


def _candidates(text: str, title: str) -> Iterator[Candidate]:
    spans = sentence_spans(text)
    for before, (start, end) in zip([(0, 0), *spans], spans, strict=False):
        yield Candidate.after(f"{title}. {text[slice(*before)]}".strip(), text[start:end])


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _joined(tokens: str) -> str:
    """Join the tokens of a treebank as they are written."""
    text = " ".join(tokens.split())
    for token, written in _TOKENS:
        text = text.replace(token, written)
    return text


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))
