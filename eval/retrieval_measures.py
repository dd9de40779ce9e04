"""Measures of retrieval, a number for each question: those of the field by `ir_measures`, and what it has not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from .questions import Question
from .retrieved import Hit, Retrieved, articles_of, stories_of
from .trec import Judgements, Rankings

STANDARD = ("RR@10", "Success@1", "Success@4", "Success@10", "R@10", "R@100", "nDCG@10", "AP")
ALL_EVIDENCE = (4, 10, 20)
STORIES = (10, 100)
PASSAGES = (4, 10)
ANSWERS = (1, 4, 10)
BUDGETS = (1, 2, 4)  # thousands of tokens
# In nearly every passage there is a "no", so finding one shows nothing.
SAY_NOTHING = {"yes", "no"}
# No part of a word, and none of a number: 400 is not in 8,400, nor in 400.5.
NOT_WITHIN = r"(?<!\w)(?<!\d[.,])", r"(?!\w)(?![.,]\d)"

# Of each measure, the number of each question for which it is defined.
Measured = dict[str, dict[str, float]]


def measure_rankings(rankings: Rankings, judgements: Judgements) -> Measured:
    """Measure rankings of articles against all judged questions; one without a ranking has found nothing."""
    return _standard(rankings, judgements) | {
        f"AllEvidence@{n}": {
            question_id: all_evidence(rankings.get(question_id, ()), gold, n)
            for question_id, gold in judgements.items()
        }
        for n in ALL_EVIDENCE
    }


def measure_passages(retrieved: Iterable[Retrieved], questions: Iterable[Question]) -> Measured:
    """Measure what only passages tell: gold articles among copies, and the list that a host application gets.

    A retriever that gives each story one place names the other versions there, which `R` does not count and `StoryR`
    does.
    """
    asked = {question.id: question for question in questions}
    cutoffs = {
        "StoryR": STORIES,
        "StoryAllEvidence": STORIES,
        "PassageSuccess": PASSAGES,
        "PassageAllEvidence": PASSAGES,
        "Answer": ANSWERS,
    }
    measured: Measured = {f"{name}@{n}": {} for name, numbers in cutoffs.items() for n in numbers}
    measured |= {f"R@{n}k tokens": {} for n in BUDGETS}
    for found in retrieved:
        for name, value in _measure_one(found, asked[found.question_id]).items():
            measured[name][found.question_id] = value
    return measured


def all_evidence(articles: Sequence[str], gold: Iterable[str], n: int) -> float:
    """Give 1 where all gold articles are among the first `n`, else 0."""
    return float(set(gold) <= set(articles[:n]))


def within(hits: Sequence[Hit], tokens: int) -> Sequence[Hit]:
    """Give the first passages of a ranking that together have at most so many tokens."""
    totals = accumulate(hit.tokens for hit in hits)
    return hits[: sum(total <= tokens for total in totals)]


def holds_answer(text: str, answers: Iterable[str]) -> bool:
    """Say whether a text holds one of the answers as whole words, whatever the case and the white space."""
    words = _plain(text)
    wanted = (answer for answer in map(_plain, answers) if answer and answer in words)
    return any(re.search(f"{NOT_WITHIN[0]}{re.escape(answer)}{NOT_WITHIN[1]}", words) for answer in wanted)


def _measure_one(found: Retrieved, question: Question) -> dict[str, float]:
    measured = {}
    if gold := question.relevance:
        for n in STORIES:
            stories = stories_of(found.depth, n)
            measured[f"StoryR@{n}"] = len(gold.keys() & stories) / len(gold)
            measured[f"StoryAllEvidence@{n}"] = float(gold.keys() <= stories)
        for n in BUDGETS:
            held = articles_of(within(found.depth, 1000 * n))
            measured[f"R@{n}k tokens"] = len(gold.keys() & set(held)) / len(gold)
        for n in PASSAGES:
            articles = articles_of(found.passages[:n])
            measured[f"PassageSuccess@{n}"] = float(not gold.keys().isdisjoint(articles))
            measured[f"PassageAllEvidence@{n}"] = all_evidence(articles, gold, len(articles))
    if question.answerable and (answers := telling((*question.answers, *question.evidence))):
        holds = [holds_answer(hit.text, answers) for hit in found.passages]
        measured |= {f"Answer@{n}": float(any(holds[:n])) for n in ANSWERS}
    return measured


def telling(texts: Iterable[str]) -> list[str]:
    """Give the texts whose being found shows something."""
    return [text for text in texts if text.strip() and _plain(text).rstrip(".") not in SAY_NOTHING]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _standard(rankings: Rankings, judgements: Judgements) -> Measured:
    import ir_measures

    measures = [ir_measures.parse_measure(name) for name in STANDARD]
    run: Mapping[str, Mapping[str, float]] = {
        question_id: {article: float(len(articles) - at) for at, article in enumerate(articles)}
        for question_id, articles in rankings.items()
    }
    measured: Measured = {name: {} for name in STANDARD}
    for metric in ir_measures.iter_calc(measures, judgements, run):
        measured[str(metric.measure)][metric.query_id] = float(metric.value)
    return measured
