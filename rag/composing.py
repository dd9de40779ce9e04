"""Composing: an answer in the articles' own words, with all that a reader needs to understand them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.answers import Citation, Sentence, Side
from rag.articles import Article
from rag.citing import quote
from rag.disagreeing import Contrary, disagreements
from rag.evidence import Evidence
from rag.extraction import MAXIMUM_SENTENCES, Excerpt, extract
from rag.glosses import gloss
from rag.marking import mark
from rag.passages import ScoredPassage
from rag.questions import Question
from rag.statements import Statement, asks_for_statement, find_statements, is_by, speaker_of

# To whom asks what somebody said, a sentence in which they say it is worth this much of another one's odds.
ODDS_OF_STATEMENT = 6.0


@dataclass(frozen=True, slots=True)
class Composed:
    """Sentences, each with the citation it is copied from, and what articles say differently."""

    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    sides: tuple[Side, ...] = ()


def compose(
    question: Question,
    ranked: Sequence[Evidence],
    passages: Sequence[ScoredPassage],
    most: int = MAXIMUM_SENTENCES,
) -> Composed:
    """Answer with at most so many of the likeliest sentences.

    Where articles disagree, one of each side comes first, before them a correction.
    """
    contrary = disagreements(question, ranked)
    foremost = sorted(contrary, key=lambda one: (one.kind != "correction", -one.evidence.likelihood))
    excerpts = extract(_statements_first(question, ranked), [one.evidence for one in foremost], most)
    cited = tuple(_cite(number, excerpt, passages) for number, excerpt in enumerate(excerpts, start=1))
    said = (_say(question, excerpt, number) for number, excerpt in enumerate(excerpts, start=1))
    citations, sides = set_beside(contrary, cited, passages)
    return Composed(tuple(said), citations, sides)


def set_beside(
    contrary: Sequence[Contrary], citations: Sequence[Citation], passages: Sequence[ScoredPassage]
) -> tuple[tuple[Citation, ...], tuple[Side, ...]]:
    """Give the sides of a disagreement, and the citations of an answer with those more that the sides need."""
    cited, sides = list(citations), []
    for one in contrary:
        holding = next((each for each in cited if _holds(each, one.evidence)), None)
        if holding is None:
            number = 1 + max((each.number for each in cited), default=0)
            holding = _cite(number, Excerpt(one.evidence.article, one.evidence.start, one.evidence.end, 1), passages)
            cited.append(holding)
        sides.append(Side(one.value, holding.number, one.kind))
    return tuple(cited), tuple(sides)


def nearest(ranked: Sequence[Evidence], passages: Sequence[ScoredPassage]) -> tuple[Citation, ...]:
    """Cite what comes nearest to an answer that the articles do not give."""
    return tuple(_cite(number, excerpt, passages) for number, excerpt in enumerate(extract(ranked), start=1))


def _statements_first(question: Question, ranked: Sequence[Evidence]) -> list[Evidence]:
    """Rank higher what somebody says, for a question what they said; the rest keeps its order."""
    name = asks_for_statement(question.text)
    if not name:
        return list(ranked)
    weighed = [_favoured(each) if _says(name, each) else each for each in ranked]
    return sorted(weighed, key=lambda each: -each.likelihood)


def _favoured(evidence: Evidence) -> Evidence:
    odds = ODDS_OF_STATEMENT * evidence.likelihood / max(1 - evidence.likelihood, 1e-9)
    return replace(evidence, likelihood=odds / (1 + odds))


def _says(name: str, evidence: Evidence) -> bool:
    return any(
        is_by(statement, name) and statement.start < evidence.end and evidence.start < statement.end
        for statement in _statements(evidence.article)
    )


def _say(question: Question, excerpt: Excerpt, number: int) -> Sentence:
    return Sentence(
        excerpt.text,
        (number,),
        marks=mark(question.text, excerpt.text),
        glosses=gloss(excerpt.article, excerpt.start, excerpt.end),
        said_by=speaker_of(_statements(excerpt.article), excerpt.start, excerpt.end),
    )


def _cite(number: int, excerpt: Excerpt, passages: Sequence[ScoredPassage]) -> Citation:
    """Cite an excerpt, with the other articles that its passage stands for."""
    copies = (found.also_in for found in passages if found.article.id == excerpt.article.id)
    citation = quote(number, excerpt.article, excerpt.start, excerpt.end)
    return replace(citation, also_in=next(copies, ()))


def _holds(citation: Citation, evidence: Evidence) -> bool:
    same = citation.article_id == evidence.article.id
    return same and citation.start <= evidence.start and evidence.end <= citation.end


@lru_cache(maxsize=64)
def _statements(article: Article) -> tuple[Statement, ...]:
    return find_statements(article.text, article.title)
