"""The chatbot: an archive that answers questions. This is what a host application embeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from rag.answers import Answer, Citation, Searched, Sentence
from rag.articles import Article
from rag.citing import cite, declines, may_decline, quote
from rag.errors import GenerationFailed
from rag.evidence import weigh_evidence
from rag.examples import suggest_questions
from rag.extraction import extract
from rag.filters import Day, Field, Filters
from rag.generation import Generator, LanguageModel
from rag.passages import ScoredPassage
from rag.prompting import write_prompt
from rag.questions import Question, read_question
from rag.retrieval import Retriever
from rag.settings import Settings, load_settings

PASSAGES_READ = 8
PASSAGES_PROMPTED = 6
NEWEST_READ = 20


class Chatbot:
    """Answers questions from one archive, on the record; safe to use from several threads."""

    def __init__(self, retriever: Retriever, generator: Generator | None = None) -> None:
        self.retriever = retriever
        self._generator = generator

    @classmethod
    def open(cls, archive: Path | str | None = None, settings: Settings | None = None) -> Self:
        """Open an archive for questions; without settings, those of the environment hold.

        Raises `ArchiveError` where the archive is missing, empty or made with another model, `SettingError` and
        `ModelError`.
        """
        settings = settings or load_settings()
        with ExitStack() as opened:
            retriever = opened.enter_context(Retriever.open(archive, settings))
            retriever.searched()
            generator = LanguageModel.open(settings) if settings.llm else None
            opened.pop_all()
            return cls(retriever, generator)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, question: str, *, filters: Filters | None = None, as_of: Day = None) -> Answer:
        """Answer a question, or say that the archive does not. Raises `QuestionError` and `FilterError`."""
        *_, answer = self.stream(question, filters=filters, as_of=as_of)
        return answer

    def stream(self, question: str, *, filters: Filters | None = None, as_of: Day = None) -> Iterator[Answer]:
        """Yield the answer as it grows; the last one is complete.

        Only articles that meet the filters are read, and none that was published after the day `as_of`. Raises
        `QuestionError` and `FilterError`.
        """
        asked = read_question(question)
        searched = self.retriever.searched(filters=filters, as_of=as_of)
        passages = self.retriever.retrieve(asked.text, k=PASSAGES_READ, filters=filters, as_of=as_of)
        if self._generator is None or not passages:
            yield self._extract(asked, passages, searched)
        else:
            yield from self._generate(asked, passages, searched, self._generator)

    def search(
        self, question: str, k: int = 10, *, filters: Filters | None = None, as_of: Day = None, explain: bool = False
    ) -> list[ScoredPassage]:
        """Give the at most `k` best passages for a question, best first. Raises `QuestionError` and `FilterError`."""
        return self.retriever.retrieve(question, k=k, filters=filters, as_of=as_of, explain=explain)

    def examples(self, most: int = 4) -> list[str]:
        """Give at most so many questions that the archive answers, for a reader who does not know it yet."""
        tried = map(read_question, suggest_questions(self.retriever.archive.newest(NEWEST_READ)))
        found = ((question, self.retriever.retrieve(question.text, k=PASSAGES_READ)) for question in tried)
        answered = (
            question.text
            for question, passages in found
            if weigh_evidence(question, passages, self.retriever.embedder).answers
        )
        return list(islice(answered, most))

    def article(self, article_id: str) -> Article:
        """Give an article as it is stored. Raises `ArticleNotFound`."""
        return self.retriever.archive.article(article_id)

    @property
    def searched(self) -> Searched:
        """What every question is looked for in."""
        return self.retriever.archive.searched()

    def values(self, field: Field) -> tuple[str, ...]:
        """Give all that filters of one kind could ask for ("outlets", "authors", ...), each once, in order."""
        return self.retriever.archive.values(field)

    def close(self) -> None:
        """Release the archive."""
        self.retriever.close()

    def _extract(
        self, question: Question, passages: list[ScoredPassage], searched: Searched, notice: str = ""
    ) -> Answer:
        verdict = weigh_evidence(question, passages, self.retriever.embedder)
        excerpts = extract(verdict.ranked)
        quoted = (quote(number, e.article, e.start, e.end) for number, e in enumerate(excerpts, start=1))
        found = _with_copies(quoted, passages)
        if not verdict.answers:
            return Answer(question.text, "not_in_archive", (), (), searched, notice, verdict.likelihood, found)
        sentences = tuple(Sentence(citation.text, (citation.number,)) for citation in found)
        return Answer(question.text, "answered", sentences, found, searched, notice, verdict.likelihood)

    def _generate(
        self, question: Question, passages: list[ScoredPassage], searched: Searched, generator: Generator
    ) -> Iterator[Answer]:
        read = passages[:PASSAGES_PROMPTED]
        answer = None
        notice = ""
        text = ""
        try:
            for piece in generator.generate(write_prompt(question.text, read)):
                text += piece
                if not may_decline(text):
                    answer = _cited(question, text, read, searched)
                    yield answer
        except GenerationFailed as error:
            notice = str(error)
        if declines(text):
            yield Answer(question.text, "not_in_archive", (), (), searched)
        elif answer is None or not answer.citations:
            unusable = "The language model cited no passage, so these are the articles' own words."
            yield self._extract(question, passages, searched, notice or unusable)
        elif notice:
            yield replace(answer, notice=notice)


def _with_copies(citations: Iterable[Citation], passages: Iterable[ScoredPassage]) -> tuple[Citation, ...]:
    """Name beside each citation the other articles that its passage stands for."""
    copies = {found.article.id: found.also_in for found in passages}
    return tuple(replace(citation, also_in=copies.get(citation.article_id, ())) for citation in citations)


def _cited(question: Question, text: str, passages: list[ScoredPassage], searched: Searched) -> Answer:
    sentences, citations = cite(text, passages)
    return Answer(question.text, "answered", sentences, _with_copies(citations, passages), searched)
