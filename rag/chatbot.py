"""The chatbot: an archive that answers questions. This is what a host application embeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from rag.answers import Answer, Reason, Searched
from rag.articles import Article
from rag.checking import check
from rag.citing import declines, may_decline
from rag.composing import compose, nearest, set_beside
from rag.conversation import Turn, Understood, leans, read_standalone, search, understand, write_standalone_prompt
from rag.disagreeing import disagreements
from rag.errors import GenerationFailed
from rag.evidence import Verdict, are_about, likely, weigh_evidence
from rag.examples import suggest_questions
from rag.extraction import MAXIMUM_SENTENCES
from rag.filters import Day, Field, Filters
from rag.generation import Generator, LanguageModel
from rag.passages import ScoredPassage
from rag.prompting import write_prompt
from rag.questions import MAXIMUM_CHARACTERS, Question, read_question
from rag.reader import Reader, open_reader
from rag.retrieval import Retriever
from rag.settings import Settings, load_settings

PASSAGES_READ = 8
PASSAGES_PROMPTED = 6
NEWEST_READ = 20
SENTENCE_ENDS = (".", "!", "?", "]", "”", '"')


class Chatbot:
    """Answers questions from one archive, on the record; safe to use from several threads."""

    def __init__(self, retriever: Retriever, generator: Generator | None = None, reader: Reader | None = None) -> None:
        self.retriever = retriever
        self._generator = generator
        self._reader = reader

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
            reader = open_reader(settings)
            opened.pop_all()
            return cls(retriever, generator, reader)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        as_of: Day = None,
        sentences: int = MAXIMUM_SENTENCES,
    ) -> Answer:
        """Answer a question, or say that the archive does not. Raises `QuestionError` and `FilterError`."""
        *_, answer = self.stream(question, history=history, filters=filters, as_of=as_of, sentences=sentences)
        return answer

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        as_of: Day = None,
        sentences: int = MAXIMUM_SENTENCES,
    ) -> Iterator[Answer]:
        """Yield the answer as it grows; the last one is complete.

        The question is understood after the `history`, what was asked and answered before it, oldest first. Only
        articles that meet the filters are read, and none that was published after the day `as_of`. Without a language
        model it has at most so many `sentences`, of some twenty words each; more only where one leans on those before
        it, or articles disagree and each side has one. Raises `QuestionError` and `FilterError`.
        """
        asked = read_question(question)
        blank = Answer(asked.text, "not_in_archive", (), (), self.retriever.searched(filters=filters, as_of=as_of))
        understood, blank = self._understand(asked, history, blank)
        put = _Put(asked, understood, filters, as_of, sentences)
        passages = self._retrieve(put, filters, as_of)
        if self._generator is None or not passages or blank.notice:
            yield self._extract(blank, put, passages)
        else:
            yield from self._generate(blank, put, passages, self._generator)

    def search(
        self,
        question: str,
        k: int = 10,
        *,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        as_of: Day = None,
        explain: bool = False,
    ) -> list[ScoredPassage]:
        """Give the at most `k` best passages for a question after what was said before it, best first.

        Raises `QuestionError` and `FilterError`.
        """
        return search(self.retriever, question, history, k=k, filters=filters, as_of=as_of, explain=explain)

    def examples(self, most: int = 4) -> list[str]:
        """Give at most so many questions that the archive answers, for a reader who does not know it yet."""
        tried = map(read_question, suggest_questions(self.retriever.archive.newest(NEWEST_READ)))
        found = ((question, self.retriever.retrieve(question.text, k=PASSAGES_READ)) for question in tried)
        answered = (
            question.text
            for question, passages in found
            if weigh_evidence(question, passages, self.retriever.embedder, self._reader).answers
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

    def _understand(self, asked: Question, history: Sequence[Turn], blank: Answer) -> tuple[Understood, Answer]:
        """Understand a question after what was said, with the help of the language model where there is one."""
        standalone = ""
        if self._generator and history and leans(asked.text):
            try:
                written = "".join(self._generator.generate(write_standalone_prompt(asked, history)))
            except GenerationFailed as error:
                blank = replace(blank, notice=str(error))
            else:
                standalone = read_standalone(written, asked, history)
        understood = understand(asked, history, standalone)
        return understood, replace(blank, understood_as=understood.text if understood.context else "")

    def _retrieve(self, put: _Put, filters: Filters | None = None, as_of: Day = None) -> list[ScoredPassage]:
        return self.retriever.retrieve(
            put.question.text, k=PASSAGES_READ, filters=filters, as_of=as_of, context=put.understood.context
        )

    def _extract(self, blank: Answer, put: _Put, passages: Sequence[ScoredPassage]) -> Answer:
        verdict = self._weigh(put, passages)
        if not verdict.answers:
            return self._refuse(blank, put, passages, verdict)
        composed = compose(put.question, verdict.ranked, passages, put.sentences)
        return replace(
            blank,
            state="answered",
            sentences=composed.sentences,
            citations=composed.citations,
            sides=composed.sides,
            probability=verdict.probability,
        )

    def _weigh(self, put: _Put, passages: Sequence[ScoredPassage]) -> Verdict:
        """Weigh sentences by what was asked, and whether they answer also by what that means.

        With the words that are carried over, sentences that merely repeat the subject come first (of 22 follow-ups .50
        are right at once without them, .23 with them); but "When was that?" alone is like nothing.
        """
        verdict = weigh_evidence(put.question, passages, self.retriever.embedder, self._reader)
        if put.understood.context is None:
            return verdict
        by_meaning = weigh_evidence(put.meant, passages, self.retriever.embedder, self._reader)
        return replace(verdict, probability=max(verdict.probability, by_meaning.probability))

    def _refuse(
        self, blank: Answer, put: _Put, passages: Sequence[ScoredPassage], verdict: Verdict | None = None
    ) -> Answer:
        """Say why there is no answer, and show what comes nearest to one."""
        verdict = verdict or self._weigh(put, passages)
        outside = self._count_outside(put)
        about: Reason = "not_said" if are_about(passages, put.meant) else "nothing"
        return replace(
            blank,
            reason="filtered" if outside else about,
            outside=outside,
            probability=verdict.probability,
            nearest=nearest(verdict.ranked, passages),
        )

    def _count_outside(self, put: _Put) -> int:
        """Count the articles with an answer that the filters, or the day, leave out."""
        narrowed = (put.filters or Filters()).as_of(put.as_of)
        if not narrowed:
            return 0
        verdict = self._weigh(put, self._retrieve(put))
        answering = verdict.ranked if verdict.answers else ()
        return len({each.article.id for each in likely(answering) if narrowed.unmet(each.article)})

    def _generate(
        self, blank: Answer, put: _Put, passages: Sequence[ScoredPassage], generator: Generator
    ) -> Iterator[Answer]:
        read = passages[:PASSAGES_PROMPTED]
        notice, text, shown = "", "", 0
        try:
            for piece in generator.generate(write_prompt(put.understood.text, read)):
                text += piece
                answer = None if may_decline(text) else _checked(blank, text, read, finished=False)
                if answer and len(answer.sentences) > shown:  # a sentence is shown once it is finished and checked
                    shown = len(answer.sentences)
                    yield answer
        except GenerationFailed as error:
            notice = str(error)
        if declines(text):
            yield self._refuse(blank, put, passages)
            return
        whole = not notice or text.rstrip().endswith(SENTENCE_ENDS)
        checked = _checked(blank, text, read, finished=whole)
        if not checked.sentences:
            unusable = "Nothing that the language model wrote is in the articles, so these are their own words."
            yield self._extract(replace(blank, notice=notice or unusable), put, passages)
        else:
            contrary = disagreements(put.question, self._weigh(put, passages).ranked)
            citations, sides = set_beside(contrary, checked.citations, passages)
            notices = " ".join(filter(None, [notice, checked.notice]))
            yield replace(checked, citations=citations, sides=sides, notice=notices)


@dataclass(frozen=True, slots=True)
class _Put:
    """A question as it was asked, how it is understood, of which articles it is asked, and for how long an answer."""

    question: Question
    understood: Understood
    filters: Filters | None
    as_of: Day
    sentences: int

    @property
    def meant(self) -> Question:
        """The question in its form that stands alone."""
        return read_question(self.understood.text[:MAXIMUM_CHARACTERS]) if self.understood.context else self.question


def _checked(blank: Answer, text: str, passages: Sequence[ScoredPassage], *, finished: bool) -> Answer:
    """Give what a model wrote, as far as the passages that it read support it."""
    checked = check(text, passages, finished=finished)
    copies = {found.article.id: found.also_in for found in passages}
    cited = (replace(citation, also_in=copies.get(citation.article_id, ())) for citation in checked.citations)
    return replace(blank, state="answered", sentences=checked.sentences, citations=tuple(cited), notice=checked.notice)
