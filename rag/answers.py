"""Answers: sentences, the citations that put them on the record, and what was searched."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from rag.articles import Copy

State = Literal["answered", "not_in_archive"]


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
class Sentence:
    """One sentence of an answer with the numbers of its citations, of which there may be none."""

    text: str
    citations: tuple[int, ...]


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

    With state "not_in_archive" there are no sentences and no citations. `notice` is for the person who asked: it says
    what did not go as configured, for example that the language model could not be reached. `likelihood` is how likely
    it seems, from 0 to 1, that the best sentence of the articles answers (not calibrated; None where a language model
    answered), and `nearest` are the citations that an answer would have had which was held back for want of it.
    """

    question: str
    state: State
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    searched: Searched
    notice: str = ""
    likelihood: float | None = None
    nearest: tuple[Citation, ...] = ()

    @property
    def text(self) -> str:
        """The sentences as one paragraph, each followed by the numbers of its citations."""
        return " ".join(
            " ".join([" ".join(sentence.text.split()), *(f"[{number}]" for number in sentence.citations)])
            for sentence in self.sentences
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the object that `onrecord ask --json` prints; of notice, likelihood and nearest what there is."""
        absent = {"notice": "", "likelihood": None, "nearest": ()}
        return {name: value for name, value in asdict(self).items() if name not in absent or value != absent[name]}
