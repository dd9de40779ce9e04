"""Finds: what the channels found for one question, and the signals by which it is weighed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rag.archive import Archive
from rag.channels import Hit
from rag.filings import Filing
from rag.fusion import Candidate, Ranking, shares
from rag.passages import Standing

Scorer = Callable[[list[int]], Sequence[Hit]]


@dataclass
class Finds:
    """The hits of each channel that are still in the archive, where each was filed, and their scores by signal.

    `everywhere` holds the hits of each channel in the whole search; those among what the question names are `named`.
    """

    archive: Archive
    depth: int
    everywhere: dict[str, list[Hit]] = field(default_factory=dict)
    named: list[Hit] = field(default_factory=list)
    scores: dict[str, dict[int, float]] = field(default_factory=dict)
    filed: dict[int, Filing] = field(default_factory=dict)
    missed: bool = False

    def keep(self, hits: Sequence[Hit]) -> list[Hit]:
        """Give those of the hits whose passages are in the archive."""
        if unknown := [number for number, _ in hits if number not in self.filed]:
            self.filed |= self.archive.filings(unknown)
        kept = [hit for hit in hits if hit[0] in self.filed]
        if len(kept) < len(hits):
            self.missed = True
        return kept

    @property
    def numbers(self) -> list[int]:
        """The passages that were found, each once."""
        return sorted({number for hits in (*self.everywhere.values(), self.named) for number, _ in hits})

    def score(self, signal: str, scorer: Scorer) -> None:
        """Let a signal score every passage that was found, not only those that its own channel gave."""
        self.scores[signal] = dict(scorer(self.numbers))

    def score_articles(self, scorer: Scorer) -> None:
        """Let every passage have the score of its article, which is known by its first passage."""
        articles = {number: self.filed[number].article_id for number in self.numbers}
        firsts = self.archive.first_passages(set(articles.values()))
        scores = dict(scorer(sorted(firsts.values())))
        self.scores["article"] = {n: scores.get(firsts.get(article, 0), 0.0) for n, article in articles.items()}

    def candidates(self, ranking: Ranking) -> Iterator[Candidate]:
        """Yield what was found, to be ranked."""
        signals = {name: shares(scores, ranking.fusion) for name, scores in self.scores.items()}
        meaning, words = (_standings(self.everywhere.get(name, ())) for name in ("meaning", "words"))
        for number in self.numbers:
            filing = self.filed[number]
            yield Candidate(
                number,
                filing.article_id,
                filing.story or filing.article_id,
                filing.source,
                filing.date,
                {name: found.get(number, 0.0) for name, found in signals.items()},
                meaning.get(number),
                words.get(number),
            )


def _standings(hits: Sequence[Hit]) -> dict[int, Standing]:
    return {number: Standing(place, score) for place, (number, score) in enumerate(hits, 1)}
