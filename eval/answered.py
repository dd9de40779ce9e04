"""What was answered to a question: its sentences and citations, and what other ways of answering would have shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rag.answers import Answer, Citation
from rag.articles import Article

ALWAYS, LEAD, RANDOM = "always answer", "lead sentences", "random passage"


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation; `is_verbatim` says whether the archive held these characters at this place when it was asked."""

    number: int
    article_id: str
    start: int
    end: int
    text: str
    is_verbatim: bool = True
    also_in: tuple[str, ...] = ()

    @classmethod
    def of(cls, citation: Citation, article: Article | None) -> Cited:
        """Keep a citation, held against the article as it is stored."""
        also_in = tuple(copy.article_id for copy in citation.also_in)
        is_verbatim = article is not None and article.text[citation.start : citation.end] == citation.text
        place = citation.number, citation.article_id, citation.start, citation.end
        return cls(*place, citation.text, is_verbatim, also_in)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Cited:
        """Read it back."""
        return cls(**record | {"also_in": tuple(record.get("also_in", ()))})


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence that was shown, with the numbers of its citations."""

    text: str
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """Sentences that are or would be shown, and what they cite; nothing at all is a refusal."""

    sentences: tuple[Said, ...] = ()
    citations: tuple[Cited, ...] = ()

    @classmethod
    def of(cls, cited: Sequence[Cited]) -> Shown:
        """Show each citation as a sentence of its own."""
        return cls(tuple(Said(one.text, (one.number,)) for one in cited), tuple(cited))

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Shown:
        """Read it back. Raises `KeyError` or `TypeError` for what is none."""
        said = tuple(Said(one["text"], tuple(one["citations"])) for one in record["sentences"])
        return cls(said, tuple(map(Cited.from_dict, record["citations"])))

    @property
    def text(self) -> str:
        """All that is said, as one text."""
        return " ".join(sentence.text for sentence in self.sentences)

    def cited_by(self, sentence: Said) -> list[Cited]:
        """Give the citations of one of the sentences."""
        return [cited for cited in self.citations if cited.number in sentence.citations]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a question was answered with, in how many seconds, and how likely it seemed that something answers.

    `others` are other ways to answer, by their names: with what came nearest although it was held back ("always
    answer"), with the lead of the first article, with a passage drawn by lot.
    """

    question_id: str
    question: str
    state: str
    seconds: float
    likelihood: float | None
    shown: Shown
    others: Mapping[str, Shown] = field(default_factory=dict)
    notice: str = ""

    @property
    def is_refusal(self) -> bool:
        """Whether it was said that the archive does not answer."""
        return self.state != "answered"

    @classmethod
    def of(cls, question_id: str, answer: Answer, seconds: float, articles: Mapping[str, Article]) -> Answered:
        """Keep an answer, held against the articles that it cites."""
        cited, near = (
            tuple(Cited.of(one, articles.get(one.article_id)) for one in citations)
            for citations in (answer.citations, answer.nearest)
        )
        said = tuple(Said(sentence.text, sentence.citations) for sentence in answer.sentences)
        shown = Shown(said, cited)
        others = {ALWAYS: shown if said else Shown.of(near)}
        facts = question_id, answer.question, answer.state, round(seconds, 6), answer.probability
        return cls(*facts, shown, others, answer.notice)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Answered:
        """Read it back. Raises `KeyError` or `TypeError` for what is none."""
        others = {name: Shown.from_dict(shown) for name, shown in record["others"].items()}
        return cls(**record | {"shown": Shown.from_dict(record["shown"]), "others": others})

    def to_dict(self) -> dict[str, Any]:
        """Give it as one line of `answers.jsonl`."""
        return asdict(self)
