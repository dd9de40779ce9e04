"""Composing: an answer in the articles' own words, with all that a reader needs to understand them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.answers import Citation, Sentence
from rag.articles import Article
from rag.citing import quote
from rag.evidence import Evidence
from rag.extraction import Excerpt, extract
from rag.glosses import gloss
from rag.marking import mark
from rag.passages import ScoredPassage
from rag.questions import Question
from rag.statements import Statement, asks_for_statement, find_statements, is_by, speaker_of

# To whom asks what somebody said, a sentence in which they say it is worth this much of another one's odds.
ODDS_OF_STATEMENT = 6.0


@dataclass(frozen=True, slots=True)
class Composed:
    """Sentences, each with the citation it is copied from."""

    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()


def compose(question: Question, ranked: Sequence[Evidence], passages: Sequence[ScoredPassage]) -> Composed:
    """Answer with the likeliest sentences of the articles."""
    excerpts = extract(_statements_first(question, ranked))
    cited = (_cite(number, excerpt, passages) for number, excerpt in enumerate(excerpts, start=1))
    said = (_say(question, excerpt, number) for number, excerpt in enumerate(excerpts, start=1))
    return Composed(tuple(said), tuple(cited))


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


@lru_cache(maxsize=64)
def _statements(article: Article) -> tuple[Statement, ...]:
    return find_statements(article.text, article.title)
