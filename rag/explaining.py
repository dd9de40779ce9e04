"""Explaining: why an article did, or did not, come up for a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.archive import Archive
from rag.articles import Article
from rag.channels import Among, Hit, Words
from rag.errors import ArchiveDamaged, ArticleNotFound
from rag.ledger import Ledger
from rag.passages import ScoredPassage, Standing

Verdict = Literal["found", "folded", "outranked", "filtered", "absent"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an article did or did not come up: the verdict, and in words the reasons for it.

    `rank` is that of its best passage among all that were weighed, 0 where none was; for a copy, that of the article
    which stands for it.
    `meaning` and `words` are where each channel puts its best passage among all that could be found.
    """

    question: str
    article_id: str
    title: str
    verdict: Verdict
    reasons: tuple[str, ...]
    rank: int = 0
    meaning: Standing | None = None
    words: Standing | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the object that `onrecord explain --json` prints."""
        standings = {"meaning": self.meaning, "words": self.words}
        return {
            "question": self.question,
            "article_id": self.article_id,
            "title": self.title,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "rank": self.rank or None,
        } | {name: {"rank": s.rank, "score": s.score} if s else None for name, s in standings.items()}


def find_article(archive: Archive, name: str) -> Article | None:
    """Give the article of an id or an address, if it is in the archive."""
    try:
        return archive.article(name)
    except ArticleNotFound:
        return archive.article_at(name)


def absent(archive: Archive, question: str, name: str) -> Explanation:
    """Explain that an article is not in the archive; it may have been removed."""
    reasons = ["It is not in the archive."]
    if day := Ledger(archive.database).last_withdrawn(name):
        reasons.append(
            f"It was removed on {day} with `onrecord remove`; naming its file to `onrecord index` readmits it."
        )
    else:
        reasons.append("What could not be read, and why, is listed by `onrecord status`.")
    return Explanation(question, name, "", "absent", tuple(reasons))


def place_of(
    article: Article, shown: Sequence[ScoredPassage], weighed: Sequence[ScoredPassage]
) -> tuple[Verdict, int, list[str]]:
    """Say where an article stands in the list that was asked for, else among all that was weighed."""
    if passage := _passage_of(article, shown):
        return "found", passage.rank, [f"Its best passage is number {passage.rank}.", *_moved(passage)]
    if passage := _stand_in(article, weighed):
        other = f"{passage.article.title} ({passage.article.id})"
        return "folded", passage.rank, [f"It is a copy or a version of {other}, which is number {passage.rank}."]
    if passage := _passage_of(article, weighed):
        needed = f"number {len(shown)} has {shown[-1].score:.3f}" if shown else "none is shown"
        behind = f"Its best passage is number {passage.rank}, with a score of {passage.score:.3f}; {needed}."
        return "outranked", passage.rank, [behind, *_moved(passage)]
    return "outranked", 0, [f"None of its passages is among the {len(weighed):,} that were weighed."]


def _passage_of(article: Article, found: Sequence[ScoredPassage]) -> ScoredPassage | None:
    return next((passage for passage in found if passage.article.id == article.id), None)


def _stand_in(article: Article, found: Sequence[ScoredPassage]) -> ScoredPassage | None:
    return next((each for each in found if any(copy.article_id == article.id for copy in each.also_in)), None)


def stand_by_meaning(
    archive: Archive, question: NDArray[np.float32], own: Sequence[int], among: Among | None
) -> Standing | None:
    """Give the rank and the cosine of the best of these passages among all, by a scan over the stored vectors."""
    if not own:
        return None
    best = float(np.max(archive.vectors_of(own)[1] @ question))
    nearer = 0
    for numbers, matrix in archive.vectors():
        others = np.isin(numbers, among.numbers) if among else np.ones(len(numbers), dtype=bool)
        others &= np.isin(numbers, own, invert=True)
        nearer += int(np.count_nonzero((matrix @ question)[others] > best))
    return Standing(nearer + 1, best)


def stand_by_words(words: Words, question: str, own: Sequence[int], count: int, among: Among | None) -> Standing | None:
    """Give the rank and the BM25 score of the best of these passages among all; none where they share no word."""
    try:
        hits: list[Hit] = words.best(question, count, among)
    except ArchiveDamaged:
        return None
    mine = set(own)
    return next((Standing(rank, score) for rank, (number, score) in enumerate(hits, 1) if number in mine), None)


def _moved(passage: ScoredPassage) -> list[str]:
    # The first reason is where the channels put it, which is told of the whole archive.
    return [f"{reason[0].upper()}{reason[1:]}." for reason in passage.why[1:]]
