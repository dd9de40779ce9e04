"""Fusion: what several searches found becomes one list, moved by what the question says, one slot for each story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal, get_args

from rag.errors import SettingError
from rag.passages import Standing

if TYPE_CHECKING:
    from rag.hints import Hints

Channel = Literal["meaning", "words"]
Fusion = Literal["scores", "ranks"]

RANK_CONSTANT = 60  # Cormack, Clarke and Büttcher, "Reciprocal rank fusion" (SIGIR 2009)
SAME_SCORE = 0.1  # versions of a story that score so near to its best are the same for a reader, but for their date
HALF_LIFE = 30  # days


@dataclass(frozen=True, slots=True)
class Ranking:
    """How passages are ranked; the defaults were chosen on news questions, see docs/retrieval.md.

    Each channel gives its `depth` best passages, and all of them are weighed. `meaning`, `words` and `article` weigh
    the three signals: the cosine of the vectors, the BM25 score of the passage and that of its whole article, each as a
    share of the best ("scores"), or by their ranks ("ranks"). A passage rises by `outlet`, `period` or `latest` where
    it meets what the question names, on a scale where 1 is the best of all signals. An article gives at most
    `per_article` passages; where the question compares, one, and each passage costs the next of its outlet `variety`.
    The vector of a further wording of the question counts `wording` beside that of the question itself. Raises
    `SettingError`.
    """

    channels: tuple[Channel, ...] = get_args(Channel)
    fusion: Fusion = "scores"
    depth: int = 50
    meaning: float = 0.4
    words: float = 0.3
    article: float = 0.3
    outlet: float = 0.2
    period: float = 0.2
    latest: float = 0.1
    per_article: int = 3
    variety: float = 0.04
    wording: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what nothing can be ranked by."""
        if not self.channels or not set(self.channels) <= set(get_args(Channel)):
            raise SettingError(f"The channels {self.channels!r} are not known. Give one or both of meaning and words.")
        if self.fusion not in get_args(Fusion):
            raise SettingError(f"The fusion {self.fusion!r} is not known. Give scores or ranks.")
        if min(self.depth, self.per_article) < 1:
            raise SettingError("A ranking needs a depth and a number of passages per article of 1 or more.")
        weights = self.meaning, self.words, self.article, self.outlet, self.period, self.latest, self.variety
        if min(*weights, self.wording) < 0:
            raise SettingError("The weights of a ranking cannot be negative.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may be shown: where it is filed, where each channel put it, and the signals of its score.

    A signal is a share of the best of its kind, from 0 to 1.
    """

    number: int
    article_id: str
    story: str
    source: str
    day: str
    signals: Mapping[str, float]
    meaning: Standing | None = None
    words: Standing | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score, and in words what raised it."""

    candidate: Candidate
    score: float
    raised: tuple[str, ...] = ()


def shares(scores: Mapping[int, float], fusion: Fusion = "scores") -> dict[int, float]:
    """Give each score as a share of the best: by its size, or by its rank alone."""
    if fusion == "ranks":
        order = sorted(scores, key=lambda number: (-scores[number], number))
        return {number: (RANK_CONSTANT + 1) / (RANK_CONSTANT + rank) for rank, number in enumerate(order, 1)}
    best = max(scores.values(), default=0.0)
    return {number: max(0.0, score) / best if best > 0 else 0.0 for number, score in scores.items()}


def rank(candidates: Iterable[Candidate], hints: Hints, ranking: Ranking) -> list[Ranked]:
    """Score the candidates, best first; of equals the newest comes first."""
    given = list(candidates)
    newest = max((candidate.day for candidate in given), default="")
    scored = [_scored(candidate, hints, ranking, newest) for candidate in given]
    by_day = sorted(scored, key=lambda ranked: (ranked.candidate.day, -ranked.candidate.number), reverse=True)
    return sorted(by_day, key=lambda ranked: -ranked.score)


def give_slots(ranked: Sequence[Ranked], k: int, ranking: Ranking, *, compares: bool = False) -> list[Ranked]:
    """Choose at most `k` of what is ranked: one article a story, few passages an article, varied where one compares."""
    standing = _representatives(ranked)
    given: Counter[str] = Counter()
    kept: list[Ranked] = []
    for each in ranked:
        name = each.candidate.article_id
        if standing[each.candidate.story] == name and given[name] < (1 if compares else ranking.per_article):
            given[name] += 1
            kept.append(each)
    return _varied(kept, k, ranking.variety) if compares else kept[: max(k, 0)]


def _varied(ranked: Sequence[Ranked], k: int, cost: float) -> list[Ranked]:
    """Choose the best one after the other, where each makes the next of its outlet dearer."""
    left, chosen = list(ranked), list[Ranked]()
    outlets: Counter[str] = Counter()
    while left and len(chosen) < k:
        best = max(left, key=lambda each: each.score - cost * outlets[each.candidate.source])
        left.remove(best)
        chosen.append(best)
        outlets[best.candidate.source] += 1
    return chosen


def _scored(candidate: Candidate, hints: Hints, ranking: Ranking, newest: str) -> Ranked:
    weights = {name: getattr(ranking, name) for name in candidate.signals}
    total = sum(weights.values()) or 1.0
    score = sum(weights[name] * share for name, share in candidate.signals.items()) / total
    raises = list(_raises(candidate, hints, ranking, newest))
    return Ranked(candidate, score + sum(by for by, _ in raises), tuple(reason for _, reason in raises))


def _raises(candidate: Candidate, hints: Hints, ranking: Ranking, newest: str) -> Iterator[tuple[float, str]]:
    if candidate.source in hints.outlets:
        yield ranking.outlet, f"the question names {candidate.source}"
    if (hints.since or hints.until) and candidate.day and hints.since <= candidate.day <= (hints.until or "9999"):
        yield ranking.period, f"published {candidate.day}, in the time that the question names"
    if hints.latest and candidate.day:
        age = (date.fromisoformat(newest) - date.fromisoformat(candidate.day)).days
        yield (
            ranking.latest * 0.5 ** (age / HALF_LIFE),
            f"published {candidate.day}, and the question asks for the latest",
        )


def _representatives(ranked: Sequence[Ranked]) -> dict[str, str]:
    """Name the article that stands for each story: the newest of those whose best passage scores near the best."""
    chosen: dict[str, Ranked] = {}
    best: dict[str, float] = {}
    for each in ranked:
        known = chosen.setdefault(each.candidate.story, each)
        top = best.setdefault(each.candidate.story, each.score)
        if each.score >= top * (1 - SAME_SCORE) and each.candidate.day > known.candidate.day:
            chosen[each.candidate.story] = each
    return {story: each.candidate.article_id for story, each in chosen.items()}
