"""Checking: what is left of a language model's text when each sentence must stand in the passages that it read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.answers import Citation, Sentence
from rag.citing import quote, read_draft
from rag.passages import ScoredPassage
from rag.support import MOST_LINES, RANK, Judgement, Line, read_claim, read_evidence, weigh


@dataclass(frozen=True, slots=True)
class Checked:
    """The sentences that are supported, what they rest on, and the texts of the sentences that are not."""

    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    struck: tuple[str, ...] = ()

    @property
    def notice(self) -> str:
        """What a reader is to be told of the sentences that were struck out; empty where none was."""
        if not self.struck:
            return ""
        if len(self.struck) == 1:
            return "One sentence that no article supports was left out."
        return f"{len(self.struck):,} sentences that no article supports were left out."


def check(
    text: str, passages: Sequence[ScoredPassage], *, finished: bool = True, keep_unsupported: bool = False
) -> Checked:
    """Judge each sentence that a model wrote by the passages it read; of a text that still grows, all but the last.

    Where other passages support a sentence better than those cited, they are cited in their place; each citation is
    narrowed to the sentences that support. Unsupported sentences are left out, or kept without citations.
    """
    drafts, read = read_draft(text, len(passages)), tuple(passages)
    numbers: dict[tuple[int, int, int], int] = {}
    kept, struck = [], []
    for draft in drafts if finished else drafts[:-1]:
        judged = _judge(draft.text, tuple(number - 1 for number in draft.citations), read)
        support = judged[0].support
        if support == "unsupported":
            struck.append(draft.text)
        if support != "unsupported" or keep_unsupported:
            spans = dict.fromkeys(span for each in judged for span in _spans(each.lines))
            own = tuple(numbers.setdefault(span, len(numbers) + 1) for span in spans)
            kept.append(Sentence(draft.text, own, support))
    cited = (quote(number, passages[at].article, start, end) for (at, start, end), number in numbers.items())
    return Checked(tuple(kept), tuple(cited), tuple(struck))


@lru_cache(maxsize=256)  # a text that grows is checked again with each piece
def _judge(text: str, cited: tuple[int, ...], passages: tuple[ScoredPassage, ...]) -> tuple[Judgement, ...]:
    """Give the judgements that count, all of one support: by the passages cited, or by others that support better."""
    evidence = [read_evidence(found, at) for at, found in enumerate(passages)]
    claim = read_claim(text)
    alone = [weigh(claim, [evidence[at]]) for at in cited]
    together = [weigh(claim, [evidence[at] for at in cited])] if len(cited) > 1 else []
    best = max([*alone, *together], key=_rank, default=Judgement())
    if best.support != "grounded":
        others = [at for at in range(len(evidence)) if at not in cited]
        repaired = max((weigh(claim, [evidence[at]]) for at in others), key=_rank, default=best)
        if repaired.support != "grounded" and cited:
            wider = (weigh(claim, [evidence[at] for at in (*cited, other)]) for other in others)
            repaired = next((each for each in wider if each.support == "grounded"), repaired)
        if RANK[repaired.support] > RANK[best.support]:
            return (repaired,)
    return tuple(each for each in alone if each.support == best.support) or (best,)


def _rank(judgement: Judgement) -> tuple[int, float]:
    return RANK[judgement.support], judgement.share


def _spans(lines: Sequence[Line]) -> Iterator[tuple[int, int, int]]:
    """Yield the stretches of passages in which lines stand, none longer than three sentences."""
    stretch: list[Line] = []
    for line in lines:
        if stretch and (line.at != stretch[0].at or line.order - stretch[0].order >= MOST_LINES):
            yield stretch[0].at, stretch[0].start, stretch[-1].end
            stretch = []
        stretch.append(line)
    if stretch:
        yield stretch[0].at, stretch[0].start, stretch[-1].end
