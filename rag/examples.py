"""Questions to begin with, for a reader who does not know the archive yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rag.articles import Article
from rag.words import subject_words, words

# About the sample archive. Whether the archive at hand answers them is for the caller to find out.
SAMPLE_QUESTIONS = (
    "What did Zarif say about missiles?",
    "Why could Ward 7 reopen at night?",
    "What has Mayor Ketter said about town money?",
    "Why did Marlach resign?",
)
_NAME = r"[A-Z][^\W\d_]+(?:[-’'][^\W\d_]+)*"
_SPEAKER = re.compile(rf"\b({_NAME} {_NAME})(?:, [^,.]{{3,80}},)? (?:said|says|told)\b")


def suggest_questions(articles: Iterable[Article]) -> Iterator[str]:
    """Yield questions, best to try first: those about the sample, then one for each speaker whom an article names."""
    yield from SAMPLE_QUESTIONS
    names = (match[1] for article in articles for match in _SPEAKER.finditer(article.text))
    for name in dict.fromkeys(names):
        if len(subject_words(name)) == len(words(name)):
            yield f"What did {name} say?"
