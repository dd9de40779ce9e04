"""Paging: what a run reached and answered becomes the page that a reader opens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from . import page as paged
from .answer_measures import is_right
from .answered import ALWAYS, Answered, Cited
from .glossary import TERMS, Term, chapters_of
from .page import Asked, Group, Histogram, Page, Row, Slice, Slices, Value
from .questions import Question
from .rendering import write_page
from .reporting import Report, describe, notes
from .retrieval_measures import telling
from .scores import outcome_rows
from .statistics import Estimate, Numbers, estimate
from .whole_measures import calibration_bins, risk_coverage

HEADLINE = ("nDCG@10", "Success@10", "AnswerFirst", "AnswerShown", "RightAndCited", "Rejection", "Utility")
MOST_HEADLINES = 6
SLICED = ("RR@10", "Success@4", "AnswerShown", "RightAndCited", "Utility")
SHOWN_OF_EACH = ("RR@10", "nDCG@10", "AP", "F1", "Utility", "CitationPrecision", "CitationRecall", "Supported")
LOSSES = {
    "AnswerRead": "in the passages read",
    "AnswerSelected": "in the sentences chosen",
    "AnswerShown": "in the answer shown",
    "AnswerFirst": "in its first sentence",
}
MOST_SLICES = 12

Articles = Mapping[str, Mapping[str, str]]

REST, NONE = "all others", "none"
HOW_TO_READ = (
    "Intervals are 95 %, by a bootstrap that draws whole clusters: questions that share a gold article or a "
    "conversation. Shuffled judges each question by what another one wants (the mean of ten ways): that is chance."
)


def write_report(report: Report, path: Path) -> None:
    """Write the page of a run."""
    write_page(page_of(report), path)


def page_of(report: Report) -> Page:
    """Put together all that the page shows."""
    scores, answered = report.scores, {one.question_id: one for one in report.run.answered}
    answerable, right = outcome_rows(scores.questions, list(answered.values()))
    known = right[~np.isnan(right).any(axis=1)]
    articles = report.run.articles()
    return Page(
        title=f"{report.run.manifest.identity['questions']['name']}: {report.run.manifest.name}",
        summary=describe(report.run),
        headline=tuple(_row(report, TERMS[name]) for name in HEADLINE if name in report.estimates)[:MOST_HEADLINES],
        groups=tuple(_groups(report)),
        losses=tuple((said, report.estimates[name].mean) for name, said in LOSSES.items() if name in report.estimates),
        risk_coverage=tuple(_curves(known)),
        operating_point=_operating_point(scores.questions, answered),
        calibration=tuple(paged.Bin(*one) for one in calibration_bins(known)) if len(known) else (),
        histograms=tuple(_histograms(report, answerable, right)),
        slices=tuple(_slices(report, articles)),
        questions=tuple(_asked(report, one, answered.get(one.id), articles) for one in scores.questions),
        facts=tuple(_facts(report)),
        notes=(*notes(report), HOW_TO_READ),
    )


def value_of(found: Estimate) -> Value:
    """Give an estimate as the page has it."""
    return Value(found.mean, found.low, found.high, found.questions)


def _groups(report: Report) -> Iterator[Group]:
    for chapter, terms in chapters_of(report.estimates):
        yield Group(chapter.title, chapter.says, tuple(_row(report, term) for term in terms))


def _row(report: Report, term: Term) -> Row:
    beside = {name: means[term.name] for name, means in report.others.items() if term.name in means}
    return Row(term.name, value_of(report.estimates[term.name]), beside, term.unit, term.says)


def _curves(known: Numbers) -> Iterator[paged.Curve]:
    if not len(known):
        return
    share = 1 - float(known[:, 1].mean())
    yield paged.Curve("by likelihood", tuple(risk_coverage(known)))
    yield paged.Curve("by lot", ((0.0, share), (1.0, share)))


def _operating_point(questions: Sequence[Question], answered: Mapping[str, Answered]) -> tuple[float, float] | None:
    judged = [(one, answered[one.id]) for one in questions if one.id in answered and _is_judged(one)]
    given = [(question, one) for question, one in judged if not one.is_refusal]
    if not given:
        return None
    wrong = sum(not is_right(one.shown, question) for question, one in given)
    return len(given) / len(judged), wrong / len(given)


def _histograms(report: Report, answerable: Numbers, right: Numbers) -> Iterator[Histogram]:
    named = {
        "right": right[right[:, 1] == 1, 0],
        "wrong": right[(right[:, 1] == 0) & (answerable[:, 1] == 1), 0],
        "unanswerable": answerable[answerable[:, 1] == 0, 0],
    }
    likely = {name: tuple(values[~np.isnan(values)].tolist()) for name, values in named.items()}
    yield Histogram("Likelihood", "", {name: values for name, values in likely.items() if values})
    asked = {question.id for question in report.scores.questions}
    for name, timed in (("search", report.run.retrieved), ("answer", report.run.answered)):
        taken = tuple(1000 * one.seconds for one in timed if one.question_id in asked)
        marks = {
            share: report.estimates[f"{name} {share}"].mean
            for share in ("p50", "p95")
            if f"{name} {share}" in report.estimates
        }
        yield Histogram(
            f"Time of {'a search' if name == 'search' else 'an answer'}", "ms", {name: taken}, marks, logarithmic=True
        )


def _slices(report: Report, articles: Articles) -> Iterator[Slices]:
    """Divide the questions by their kind, and by outlet and month of the first gold article."""
    for dimension in ("kind", "outlet", "month"):
        divided: dict[str, list[Question]] = defaultdict(list)
        for question in report.scores.questions:
            divided[_place(question, dimension, articles) or NONE].append(question)
        if len(divided) > 1:
            yield Slices(dimension, tuple(_sliced(report, _largest(divided, dimension))))


def _place(question: Question, dimension: str, articles: Articles) -> str:
    first = next((articles[name] for name in question.gold_articles if name in articles), {})
    return {"kind": question.kind, "outlet": first.get("source", ""), "month": first.get("date", "")[:7]}[dimension]


def _largest(divided: Mapping[str, list[Question]], dimension: str) -> dict[str, list[Question]]:
    """Keep the largest slices, and what is left as one; months stand in their order."""
    by_size = sorted(divided, key=lambda value: (-len(divided[value]), value))
    kept = {value: divided[value] for value in by_size[:MOST_SLICES]}
    if dimension == "month":
        kept = dict(sorted(kept.items()))
    rest = [question for value in by_size[MOST_SLICES:] for question in divided[value]]
    return {**kept, REST: rest} if rest else kept


def _sliced(report: Report, divided: Mapping[str, list[Question]]) -> Iterator[Slice]:
    scores = report.scores
    names = [name for name in SLICED if name in scores.measures]
    table, clusters = scores.table(names), np.array(scores.clusters)
    place = {question.id: at for at, question in enumerate(scores.questions)}
    for value, questions in divided.items():
        rows = [place[question.id] for question in questions]
        yield Slice(value, len(questions), dict(_values(names, table[rows], clusters[rows].tolist())))


def _values(names: Sequence[str], table: Numbers, clusters: Sequence[int]) -> Iterator[tuple[str, Value]]:
    known = np.flatnonzero(~np.isnan(table).all(axis=0)).tolist()
    if known:
        for at, found in zip(known, estimate(table[:, known], clusters), strict=True):
            yield names[at], value_of(found)


def _asked(report: Report, question: Question, one: Answered | None, articles: Articles) -> Asked:
    measured = report.scores.measured
    return Asked(
        id=question.id,
        question=question.question,
        kind=question.kind,
        outcome=_outcome(question, one),
        date=question.date,
        history=tuple((turn.role, turn.text) for turn in question.history),
        rewrite=question.rewrite,
        likelihood=one.likelihood if one else None,
        sentences=one.shown.sentences if one else (),
        citations=tuple(_cited(one.shown.citations, question, articles)) if one else (),
        nearest=tuple(_cited(one.others[ALWAYS].citations, question, articles)) if one and one.is_refusal else (),
        notice=one.notice if one else "",
        answers=question.answers,
        gold=tuple(_gold(question, articles)),
        evidence=question.evidence,
        rank=report.ranks.get(question.id),
        measures={name: measured[name][question.id] for name in SHOWN_OF_EACH if question.id in measured.get(name, {})},
        milliseconds=1000 * one.seconds if one else None,
    )


def _outcome(question: Question, one: Answered | None) -> paged.Outcome:
    if one is None or not _is_judged(question):
        return "not judged"
    if not question.answerable:
        return "refused rightly" if one.is_refusal else "answered wrongly"
    if one.is_refusal:
        return "refused wrongly"
    return "right" if is_right(one.shown, question) else "wrong"


def _is_judged(question: Question) -> bool:
    return not question.answerable or bool(telling(question.answers))


def _cited(citations: Iterable[Cited], question: Question, articles: Articles) -> Iterator[paged.CitedPassage]:
    for cited in citations:
        about = articles.get(cited.article_id, {})
        title, source, day, url = (about.get(name, "") for name in ("title", "source", "date", "url"))
        is_gold = not {cited.article_id, *cited.also_in}.isdisjoint(question.relevance)
        place = cited.number, cited.article_id
        yield paged.CitedPassage(*place, title, source, day, url, cited.text, is_gold, cited.is_verbatim)


def _gold(question: Question, articles: Articles) -> Iterator[paged.GoldArticle]:
    for name in question.gold_articles:
        about = articles.get(name, {})
        yield paged.GoldArticle(name, *(about.get(field, "") for field in ("title", "source", "date", "url")))


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    manifest, identity = report.run.manifest, report.run.manifest.identity
    questions, archive = identity["questions"], identity["archive"]
    yield "Questions", f"{questions['count']:,} of {questions['name']}, SHA-256 {questions['sha256']}"
    yield "Archive", f"{archive['articles']:,} articles, {archive['passages']:,} passages, {archive['fingerprint']}"
    yield "Model", f"{archive['model']}, SHA-256 {archive['model_sha256']}"
    yield "Settings", ", ".join(f"{name} {value}" for name, value in identity["settings"].items())
    yield "Code", f"SHA-256 {identity['code']}"
    yield "Versions", ", ".join(f"{name} {version}" for name, version in identity["versions"].items())
    yield "Machine", ", ".join(f"{name} {value}" for name, value in manifest.machine.items())
    yield "Seed", str(manifest.seed)
    yield "Time", f"{manifest.started} to {manifest.finished}, {manifest.seconds:,.1f} s of searching and answering"
