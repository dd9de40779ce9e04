"""Metadata: what other frameworks are told about a passage, under names that are the same in each of them."""

from __future__ import annotations

from typing import Any

from rag.passages import Passage, ScoredPassage


def passage_id(passage: Passage) -> str:
    """Give an id that stays as long as the article does: its own and the characters of the passage."""
    return f"{passage.article_id}:{passage.start}-{passage.end}"


def metadata_of(found: ScoredPassage) -> dict[str, Any]:
    """Give all that is known of a passage but its text, in values that JSON can hold; every name is always there."""
    article, passage = found.article, found.passage
    return {
        "article_id": article.id,
        "title": article.title,
        "source": article.source,
        "date": article.date,
        "url": article.url,
        "authors": ", ".join(article.authors),
        "section": article.section,
        "language": article.language,
        "start": passage.start,
        "end": passage.end,
        "rank": found.rank,
        "score": found.score,
        "meaning_rank": found.meaning.rank if found.meaning else None,
        "meaning_score": found.meaning.score if found.meaning else None,
        "words_rank": found.words.rank if found.words else None,
        "words_score": found.words.score if found.words else None,
        "also_in": [copy.article_id for copy in found.also_in],
    }
