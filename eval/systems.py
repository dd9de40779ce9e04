"""The system that is measured: one archive, asked with one choice of settings."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from rag import conversation
from rag.archive import Archive
from rag.articles import Article
from rag.chatbot import Chatbot
from rag.errors import SettingError
from rag.fusion import Ranking
from rag.generation import LanguageModel
from rag.passages import Passage
from rag.reader import open_reader
from rag.retrieval import Retriever
from rag.sentences import sentence_spans
from rag.settings import Settings, load_settings

from .answered import LEAD, RANDOM, Answered, Cited, Shown
from .errors import EvalError
from .questions import Turn
from .retrieved import Hit
from .statistics import SEED

T = TypeVar("T")
OF_SETTINGS = ("model", "reader", "llm", "passage_tokens")
USER = "user"  # all others answer
LEAD_SENTENCES = 4  # as many as an answer has at most


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is put to a system: its words, the day on which it is asked, and what was said before."""

    id: str
    words: str
    day: str = ""
    history: tuple[Turn, ...] = ()


class System(Protocol):
    """What is asked: Onrecord, or anything that finds passages as it does."""

    def search(self, asked: Asked, k: int) -> list[Hit]:
        """Give at most `k` passages, best first, as on that day."""

    def answer(self, asked: Asked, found: Sequence[Hit]) -> Answered | None:
        """Answer as on that day, None from a system that only searches; `found` is what it found for the question."""

    def close(self) -> None:
        """Release what it holds."""


class Candidate(Protocol):
    """A system that can be opened, and all that tells it from others."""

    @property
    def archive(self) -> Path:
        """The folder of the archive whose articles it searches."""

    @property
    def given(self) -> tuple[str, ...]:
        """The settings that somebody chose, as they wrote them."""

    def to_dict(self) -> dict[str, Any]:
        """Give every setting for a manifest, the defaults among them."""

    def open(self) -> System:
        """Make it ready to be asked."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The settings under which an archive is searched; `given` are those that somebody chose, as they wrote them."""

    settings: Settings
    ranking: Ranking
    given: tuple[str, ...] = ()

    @classmethod
    def of(cls, archive: Path, given: Sequence[str]) -> Choice:
        """Make it from settings of the form `key=value`: `model`, `llm`, `passage_tokens`, and all of `Ranking`.

        Raises `EvalError`.
        """
        choices = read_choices(given)
        known = load_settings(archive=archive)
        own = chosen_values(Settings, {name: choices.pop(name) for name in OF_SETTINGS if name in choices})
        try:
            settings = replace(known, **own)
        except SettingError as error:
            raise EvalError(str(error)) from error
        return cls(settings, chosen(Ranking, choices, others=OF_SETTINGS), tuple(given))

    @property
    def archive(self) -> Path:
        """The archive's folder."""
        return self.settings.archive

    def to_dict(self) -> dict[str, Any]:
        """Give every setting for a manifest, the defaults among them."""
        ranking = dataclasses.asdict(self.ranking)
        lists = {name: list(value) for name, value in ranking.items() if isinstance(value, tuple)}
        return {**{name: getattr(self.settings, name) for name in OF_SETTINGS}, **ranking, **lists}

    def open(self) -> Onrecord:
        """Open the archive; with a part of it left out, numbers would stand for a system that was not chosen."""
        retriever = Retriever.open(self.archive, self.settings, self.ranking, strict=True)
        generator = LanguageModel.open(self.settings) if self.settings.llm else None
        return Onrecord(Chatbot(retriever, generator, open_reader(self.settings)))


class Onrecord:
    """Our own chatbot as a system that is measured; safe to use from several threads."""

    def __init__(self, chatbot: Chatbot) -> None:
        self._chatbot = chatbot
        self._count = chatbot.retriever.embedder.count_tokens
        self._last_passage = chatbot.retriever.archive.position.passages

    def search(self, asked: Asked, k: int) -> list[Hit]:
        """Give the at most `k` best passages."""
        found = self._chatbot.search(asked.words, k, history=turns_of(asked.history), as_of=asked.day)
        return [Hit.of(*each) for each in zip(found, self._count([one.passage.text for one in found]), strict=True)]

    def answer(self, asked: Asked, found: Sequence[Hit]) -> Answered:
        """Answer, and say what the lead of the first article and a passage drawn by lot would have shown."""
        started = time.perf_counter()
        answer = self._chatbot.ask(asked.words, history=turns_of(asked.history), as_of=asked.day)
        seconds = time.perf_counter() - started
        names = {citation.article_id for citation in (*answer.citations, *answer.nearest)}
        articles = {name: self._chatbot.article(name) for name in names}
        answered = Answered.of(asked.id, answer, seconds, articles)
        return replace(answered, others={**answered.others, **self._others(asked.id, found)})

    def close(self) -> None:
        """Release the archive."""
        self._chatbot.close()

    def _others(self, question_id: str, found: Sequence[Hit]) -> dict[str, Shown]:
        drawn = drawn_passage(self._chatbot.retriever.archive, question_id, self._last_passage)
        lead = lead_of(self._chatbot.article(found[0].article_id)) if found else Shown()
        return {LEAD: lead, RANDOM: sentences_of(drawn[1], drawn[0].start, drawn[0].end) if drawn else Shown()}


def turns_of(history: Sequence[Turn]) -> list[conversation.Turn]:
    """Give what was said before as Onrecord reads it: each question with all that was said after it."""
    turns: list[conversation.Turn] = []
    for said in history:
        if said.role == USER:
            turns.append(conversation.Turn(said.text))
        elif turns:
            turns[-1] = replace(turns[-1], answer=f"{turns[-1].answer} {said.text}".strip())
    return turns


def lead_of(article: Article) -> Shown:
    """Show the first sentences of an article."""
    return sentences_of(article, 0, len(article.text))


def sentences_of(article: Article, start: int, end: int) -> Shown:
    """Show the first whole sentences between two places of an article, each as a citation of its own."""
    spans = [span for span in sentence_spans(article.text) if start <= span[0] and span[1] <= end][:LEAD_SENTENCES]
    cited = (Cited(n, article.id, *span, article.text[slice(*span)]) for n, span in enumerate(spans, 1))
    return Shown.of(tuple(cited))


def drawn_passage(archive: Archive, question_id: str, last: int) -> tuple[Passage, Article] | None:
    """Draw a passage of an archive by lot, the same for a question each time; None from one that is empty."""
    generator = np.random.default_rng([SEED, *question_id.encode()])
    for number in generator.integers(1, last + 1, size=50).tolist() if last else []:
        if found := archive.passages([number]):
            return found[number]
    return None


def read_choices(written: Sequence[str]) -> dict[str, str]:
    """Read choices of the form `key=value`. Raises `EvalError`."""
    choices = dict(choice.partition("=")[::2] for choice in written)
    if wrong := [choice for choice in written if "=" not in choice]:
        raise EvalError(f"The setting {wrong[0]!r} is not understood. Write it as key=value.")
    return choices


def chosen(kind: type[T], choices: Mapping[str, str], others: Sequence[str] = ()) -> T:
    """Make a value of a dataclass from choices as they are written; `others` are named where one is not known.

    Raises `EvalError` for what the dataclass has not, or refuses.
    """
    try:
        return kind(**chosen_values(kind, choices, others))
    except SettingError as error:
        raise EvalError(str(error)) from error


def chosen_values(kind: type[Any], choices: Mapping[str, str], others: Sequence[str] = ()) -> dict[str, Any]:
    """Read choices in the types that the fields of a dataclass have. Raises `EvalError`."""
    types = get_type_hints(kind)
    for name in choices:
        if name not in types:
            raise EvalError(f"There is no setting {name!r}. Choose from {', '.join(sorted([*types, *others]))}.")
    return {name: _value(name, types[name], value) for name, value in choices.items()}


def _value(name: str, kind: Any, written: str) -> Any:
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        return tuple(_value(name, inner, part.strip()) for part in written.split(",") if part.strip())
    if kind is bool:
        if written not in {"true", "false"}:
            raise EvalError(f"The setting {name} is {written!r}. Write true or false.")
        return written == "true"
    if kind in {int, float}:
        try:
            return kind(written)
        except ValueError as error:
            raise EvalError(f"The setting {name} is {written!r}, not a number.") from error
    allowed = [str(each) for each in get_args(kind) if isinstance(each, str)]
    if allowed and written not in allowed:
        raise EvalError(f"The setting {name} is {written!r}. Choose from {', '.join(allowed)}.")
    return written
