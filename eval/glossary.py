"""The glossary: what every measure says, in which group it stands, and which way is better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Better = Literal["more", "less", "neither"]


@dataclass(frozen=True, slots=True)
class Term:
    """One measure: its name, what it says in a line, its unit ("" for a share), and which way is better.

    One that is not judged depends on no gold article and no answer, so that chance says nothing of it.
    """

    name: str
    says: str
    unit: str = ""
    better: Better = "more"
    is_judged: bool = True


@dataclass(frozen=True, slots=True)
class Chapter:
    """Measures that belong together."""

    title: str
    says: str
    terms: tuple[Term, ...]


CHAPTERS = (
    Chapter(
        "Finding",
        "Articles, each where its first passage stands, and the passages that a host application gets.",
        (
            Term("RR@10", "one divided by the rank of the first gold article, 0 below ten"),
            Term("Success@1", "the first article is a gold one"),
            *(Term(f"Success@{n}", f"a gold article is among the first {n}") for n in (4, 10)),
            *(Term(f"R@{n}", f"share of the gold articles among the first {n}") for n in (10, 100)),
            Term("nDCG@10", "graded relevance, discounted by rank (Järvelin and Kekäläinen 2002)"),
            Term("AP", "average precision: the precision at each gold article"),
            *(Term(f"AllEvidence@{n}", f"all gold articles are among the first {n}") for n in (4, 10, 20)),
            *(Term(f"R@{n}k tokens", f"share of the gold articles in the first {n},000 tokens") for n in (1, 2, 4)),
            *(Term(f"StoryR@{n}", f"R@{n}, where copies named beside an article count as found") for n in (10, 100)),
            *(Term(f"StoryAllEvidence@{n}", f"all gold articles or copies among the first {n}") for n in (10, 100)),
            *(Term(f"PassageSuccess@{n}", f"a gold article is among the first {n} passages") for n in (4, 10)),
            *(Term(f"PassageAllEvidence@{n}", f"all gold articles are in the first {n} passages") for n in (4, 10)),
            Term("Answer@1", "an answer or its evidence stands in the first passage"),
            *(Term(f"Answer@{n}", f"an answer or its evidence stands in the first {n} passages") for n in (4, 10)),
        ),
    ),
    Chapter(
        "Answering",
        "An answer is right where a short answer of the question stands in it as whole words.",
        (
            Term("AnswerRead", "an answer stands in the passages that were read"),
            Term("AnswerSelected", "an answer stands in the sentences chosen, refused or not"),
            Term("AnswerShown", "an answer stands in what was shown"),
            Term("AnswerFirst", "an answer stands in the first sentence shown"),
            Term("F1", "overlap of the first sentence with an answer in words; unanswerable: 1 if refused (SQuAD 2.0)"),
            Term("Words", "length of an answer that was given", "words", "less", is_judged=False),
        ),
    ),
    Chapter(
        "Citing",
        "Whether what is cited is there, belongs to the answer, and is the evidence that was wanted.",
        (
            Term("RightAndCited", "a shown sentence holds an answer and cites a gold article"),
            Term("CitationPrecision", "share of the citations that are of gold articles or their copies"),
            Term("CitationRecall", "share of the gold articles that are cited; 0 where it was refused"),
            Term(
                "Supported",
                "share of the sentences whose names, numbers and words stand in what they cite",
                is_judged=False,
            ),
            Term(
                "Violations",
                "altered citations and quotations an answer, which must be 0",
                "each",
                "less",
                is_judged=False,
            ),
        ),
    ),
    Chapter(
        "Refusing",
        "Whether it says so when the archive does not answer, and how far its likelihood can be trusted.",
        (
            Term("Rejection", "share of the unanswerable questions that were refused"),
            Term("FalseRefusal", "share of the answerable questions that were refused", better="less"),
            Term("Utility", "+1 for a right answer, 0 for a refusal, -1 for a wrong one; the mean", "points"),
            Term("AUROC", "how often an answerable question seems likelier than an unanswerable one"),
            Term("Rejection@5FR", "share of the unanswerable refused where 5 % of the answerable are"),
            Term("Rejection@10FR", "the same where 10 % are"),
            Term("Coverage@95P", "share of all questions that can be answered with 95 % right"),
            Term("AURC", "mean share of wrong answers over all coverages", better="less"),
            Term("ECE", "distance of likelihood from the share that is right (15 bins)", better="less"),
        ),
    ),
    Chapter(
        "Follow-ups",
        "0 is the last turn taken alone, 1 is a person's rewrite that stands alone.",
        tuple(
            Term(f"GapClosed {name}", f"share of the way between the two that {name} goes")
            for name in ("nDCG@10", "R@10")
        ),
    ),
    Chapter(
        "Speed",
        "Wall-clock time of a warm search of ten passages, and of a whole answer.",
        tuple(
            Term(f"{what} {share}", f"{says} of the questions take no longer", "ms", "less", is_judged=False)
            for what in ("search", "answer")
            for share, says in (("p50", "half"), ("p95", "95 %"))
        ),
    ),
)
TERMS = {term.name: term for chapter in CHAPTERS for term in chapter.terms}


def in_order(names: Iterable[str]) -> list[str]:
    """Put the names of measures in the order of the glossary."""
    given = set(names)
    return [name for name in TERMS if name in given]


def chapters_of(names: Iterable[str]) -> Iterator[tuple[Chapter, list[Term]]]:
    """Yield each chapter that has one of these measures, and those."""
    given = set(names)
    for chapter in CHAPTERS:
        if terms := [term for term in chapter.terms if term.name in given]:
            yield chapter, terms
