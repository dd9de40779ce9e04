"""Measures of answers, a number for each question: whether it is right, what it cites, and what it is worth.

No judge is asked: an answer is right where a short answer of the question stands in it as whole words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rag.words import subject_words, words

from .answered import ALWAYS, Answered, Cited, Said, Shown
from .questions import Question
from .retrieval_measures import Measured, holds_answer, telling
from .retrieved import Retrieved

REFUSE = "always refuse"
# Of the subject words of a sentence so many must stand in what it cites, beside all its names and numbers.
SUPPORTING_SHARE = 0.5

_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = re.compile(r"[^\w\s]")


def measure_answers(answered: Iterable[Answered], questions: Iterable[Question]) -> Measured:
    """Measure what was shown to each question."""
    asked = {question.id: question for question in questions}
    rows = {one.question_id: _measure_one(one, asked[one.question_id]) for one in answered if one.question_id in asked}
    return _columns(rows)


def measure_others(answered: Iterable[Answered], questions: Iterable[Question]) -> dict[str, Measured]:
    """Measure what other ways to answer would have shown, by their names; the last one refuses everything."""
    asked = {question.id: question for question in questions}
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for one in answered:
        if question := asked.get(one.question_id):
            for name, shown in {**one.others, REFUSE: Shown()}.items():
                rows.setdefault(name, {})[question.id] = measure_shown(shown, question)
    return {name: _columns(measured) for name, measured in rows.items()}


def measure_reading(
    answered: Iterable[Answered], retrieved: Iterable[Retrieved], questions: Iterable[Question], read: int
) -> Measured:
    """Say where an answer was lost on its way: from the passages read, by the sentences chosen, by what was shown."""
    passages = {one.question_id: one.passages[:read] for one in retrieved}
    asked = {question.id: question for question in questions if question.answerable}
    measured: Measured = {"AnswerRead": {}, "AnswerSelected": {}}
    for one in answered:
        if (question := asked.get(one.question_id)) and (answers := telling(question.answers)):
            texts = [hit.text for hit in passages.get(question.id, ())]
            measured["AnswerRead"][question.id] = float(any(holds_answer(text, answers) for text in texts))
            measured["AnswerSelected"][question.id] = float(holds_answer(one.others[ALWAYS].text, answers))
    return measured


def measure_shown(shown: Shown, question: Question) -> dict[str, float]:
    """Measure sentences that were shown, or would have been, against what the question wants."""
    answers = telling(question.answers) if question.answerable else []
    measured = {"F1": _f1(shown, question)} if answers or not question.answerable else {}
    if answers:
        first = shown.sentences[0].text if shown.sentences else ""
        measured["AnswerFirst"] = float(holds_answer(first, answers))
        measured["AnswerShown"] = float(holds_answer(shown.text, answers))
    if shown.sentences:
        measured["Words"] = float(len(shown.text.split()))
    if answers or not question.answerable:
        measured["Utility"] = float(2 * is_right(shown, question) - 1) if shown.sentences else 0.0
    return measured | (_citing(shown, question, answers) if question.relevance else {})


def is_right(shown: Shown, question: Question) -> bool:
    """Say whether an answer stands in what is shown; to an unanswerable question nothing is right."""
    return question.answerable and holds_answer(shown.text, telling(question.answers))


def is_supported(sentence: Said, cited: Sequence[Cited]) -> bool:
    """Say whether a sentence keeps to what it cites: by its own characters, or by its names, numbers and words.

    A stand-in for a person's judgement, which needs no model: all names and numbers must stand in the cited passages,
    and half of the other subject words.
    """
    if any(" ".join(sentence.text.split()) in " ".join(one.text.split()) for one in cited):
        return True
    there = {word.stem for one in cited for word in words(one.text)}
    said = subject_words(sentence.text)
    firm = [word.stem in there for word in said if word.capital or any(map(str.isdigit, word.text))]
    held = [word.stem in there for word in said]
    return bool(cited) and all(firm) and sum(held) >= SUPPORTING_SHARE * len(held)


def count_violations(shown: Shown) -> int:
    """Count the citations that are not the article's own characters, and the quotations that no cited passage has."""
    altered = sum(not cited.is_verbatim for cited in shown.citations)
    for sentence in shown.sentences:
        texts = [" ".join(one.text.split()) for one in shown.cited_by(sentence)]
        quoted = (" ".join(filter(None, match.groups())) for match in _QUOTED.finditer(" ".join(sentence.text.split())))
        altered += sum(len(quote.split()) > 1 and not any(quote in text for text in texts) for quote in quoted)
    return altered


def _measure_one(one: Answered, question: Question) -> dict[str, float]:
    measured = measure_shown(one.shown, question)
    if question.answerable:
        measured["FalseRefusal"] = float(one.is_refusal)
    else:
        measured["Rejection"] = float(one.is_refusal)
    if one.shown.sentences:
        supported = [is_supported(sentence, one.shown.cited_by(sentence)) for sentence in one.shown.sentences]
        measured["Supported"] = sum(supported) / len(supported)
        measured["Violations"] = float(count_violations(one.shown))
    return measured


def _citing(shown: Shown, question: Question, answers: Sequence[str]) -> dict[str, float]:
    gold = question.relevance.keys()
    right = [cited for cited in shown.citations if _stands_for(cited, gold)]
    reached = {name for cited in shown.citations for name in gold if _stands_for(cited, {name})}
    measured = {"CitationRecall": len(reached) / len(gold)}
    if shown.citations:
        measured["CitationPrecision"] = len(right) / len(shown.citations)
    if answers:
        good = {cited.number for cited in right}
        measured["RightAndCited"] = float(
            any(holds_answer(one.text, answers) and good.intersection(one.citations) for one in shown.sentences)
        )
    return measured


def _stands_for(cited: Cited, gold: Iterable[str]) -> bool:
    return not {cited.article_id, *cited.also_in}.isdisjoint(gold)


def _f1(shown: Shown, question: Question) -> float:
    """Give the best overlap of the first sentence with an answer in words (SQuAD 2.0; Rajpurkar et al., ACL 2018)."""
    said = _tokens(shown.sentences[0].text) if shown.sentences else []
    if not question.answerable:
        return float(not said)
    return max((_overlap(said, _tokens(answer)) for answer in telling(question.answers)), default=0.0)


def _overlap(said: Sequence[str], answer: Sequence[str]) -> float:
    common = sum((Counter(said) & Counter(answer)).values())
    return 2 * common / (len(said) + len(answer)) if common else 0.0


def _tokens(text: str) -> list[str]:
    return _ARTICLES.sub(" ", _PUNCTUATION.sub("", text.casefold())).split()


def _columns(rows: dict[str, dict[str, float]]) -> Measured:
    measured: Measured = {name: {} for name in NAMES}
    for question_id, values in rows.items():
        for name, value in values.items():
            measured[name][question_id] = value
    return {name: values for name, values in measured.items() if values}


NAMES = (
    *("AnswerFirst", "AnswerShown", "F1", "Words"),
    *("RightAndCited", "CitationPrecision", "CitationRecall", "Supported", "Violations"),
    *("Rejection", "FalseRefusal", "Utility"),
)
