"""Answers: sentences, the citations that put them on the record, and what was searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from rag.articles import Copy

State = Literal["answered", "not_in_archive"]
Support = Literal["grounded", "weak", "unsupported"]
Reason = Literal["", "nothing", "not_said", "filtered"]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Citation:
    """The characters of an article that say it: `text` is the stored text from `start` to `end`.

    `also_in` are the copies and other versions of the article, which are no further witnesses.
    """

    number: int
    article_id: str
    title: str
    source: str
    date: str
    url: str
    start: int
    end: int
    text: str
    also_in: tuple[Copy, ...] = ()


@dataclass(frozen=True, slots=True)
class Gloss:
    """What a reader needs to understand words out of their article: `text` belongs in square brackets after `at`.

    `at` counts characters of the sentence. A gloss is ours, never a part of what is quoted.
    """

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer with the numbers of its citations, of which there may be none.

    `support` says how the sentence stands to what it cites: "grounded" in it, "weak" where not all of it is found
    there, "unsupported" where it is not. `marks` are the characters that answer, where they can be told. `said_by` is
    who says what is quoted or reported in it, as the article names them; "" where that cannot be told, None where
    nobody is quoted.
    """

    text: str
    citations: tuple[int, ...]
    support: Support = "grounded"
    marks: tuple[Span, ...] = ()
    glosses: tuple[Gloss, ...] = ()
    said_by: str | None = None

    @property
    def glossed(self) -> str:
        """The text with its glosses in square brackets."""
        parts, read = [], 0
        for gloss in self.glosses:
            parts += [self.text[read : gloss.at], f" [{gloss.text}]"]
            read = gloss.at
        return "".join([*parts, self.text[read:]])


@dataclass(frozen=True, slots=True)
class Side:
    """One of the values that independent articles give for what was asked, and the number of the citation with it.

    `kind` says whether the article gives it as a "claim", as a "correction" of an earlier one, or is a "denial".
    """

    value: str
    citation: int
    kind: Literal["claim", "correction", "denial"] = "claim"


@dataclass(frozen=True, slots=True)
class Searched:
    """What an answer was looked for in; dates are ISO days, empty where no article has one."""

    articles: int
    outlets: tuple[str, ...]
    first_date: str
    last_date: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the archive says to a question, or that it says nothing.

    With state "not_in_archive" there are no sentences and no citations, and `reason` says why: there is "nothing" about
    it; there are articles about it, but it is "not_said" in any (`nearest` are the citations that come nearest); or it
    is there, but "filtered", in the `outside` articles that the filter or the day leaves out.

    `probability` is the chance that what is shown (or, held back, would have been) answers the question, as fitted on
    questions whose answers are known; None where a language model answered. `understood_as` is the stand-alone form of
    a follow-up, empty where the question was taken as it stands. `sides` are what independent articles say differently,
    the newest last. `notice` is for the person who asked: it says what did not go as configured, for example that the
    language model could not be reached.
    """

    question: str
    state: State
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    searched: Searched
    notice: str = ""
    probability: float | None = None
    nearest: tuple[Citation, ...] = ()
    reason: Reason = ""
    outside: int = 0
    understood_as: str = ""
    sides: tuple[Side, ...] = ()

    @property
    def text(self) -> str:
        """The sentences as one paragraph, each followed by the numbers of its citations."""
        return " ".join(
            " ".join([" ".join(sentence.text.split()), *(f"[{number}]" for number in sentence.citations)])
            for sentence in self.sentences
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the object that `onrecord ask --json` prints; after `searched` comes only what there is."""
        return {name: value for name, value in asdict(self).items() if value != _DEFAULTS[name]}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Answer:
        """Give back the answer of which `to_dict` gave the object, also where that went through JSON meanwhile."""
        searched = record["searched"]
        parts = {
            "sentences": tuple(map(_sentence, record["sentences"])),
            "citations": tuple(map(_citation, record["citations"])),
            "nearest": tuple(map(_citation, record.get("nearest", ()))),
            "sides": tuple(Side(**side) for side in record.get("sides", ())),
            "searched": Searched(**{**searched, "outlets": tuple(searched["outlets"])}),
        }
        return cls(**{**record, **parts})


_DEFAULTS = {field.name: field.default for field in fields(Answer)}


def _citation(record: Mapping[str, Any]) -> Citation:
    return Citation(**{**record, "also_in": tuple(Copy(**copy) for copy in record["also_in"])})


def _sentence(record: Mapping[str, Any]) -> Sentence:
    marks = tuple((start, end) for start, end in record["marks"])
    glosses = tuple(Gloss(**gloss) for gloss in record["glosses"])
    return Sentence(**{**record, "citations": tuple(record["citations"]), "marks": marks, "glosses": glosses})
