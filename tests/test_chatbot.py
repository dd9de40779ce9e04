from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from rag import (
    Answer,
    ArchiveMismatch,
    ArchiveNotFound,
    ArticleNotFound,
    Chatbot,
    GenerationFailed,
    QuestionError,
    Settings,
)
from rag.archive import Archive
from rag.calibration import calibrations
from rag.embedding import Embedder
from rag.examples import suggest_questions
from rag.models import PACKAGED_READER
from rag.prompting import Prompt
from rag.retrieval import Retriever

ZARIF = "What did Zarif say about missiles?"


class ScriptedGenerator:
    """A generator of the public protocol that writes what it was given, and then fails if it was told to."""

    def __init__(self, *pieces: str, failure: str = "") -> None:
        self.pieces = pieces
        self.failure = failure

    def generate(self, prompt: Prompt) -> Iterator[str]:
        assert "Grey Heron" in prompt.user
        yield from self.pieces
        if self.failure:
            raise GenerationFailed(self.failure)


def generated(archive: Path, embedder: Embedder, generator: ScriptedGenerator) -> list[Answer]:
    with Chatbot(Retriever(Archive.open(archive), embedder), generator) as chatbot:
        return list(chatbot.stream("How many people were injured on the Grey Heron?"))


def check(answer: Answer, chatbot: Chatbot) -> None:
    """Assert what must be true of every answer."""
    for citation in answer.citations:
        article = chatbot.article(citation.article_id)
        assert citation.text == article.text[citation.start : citation.end]
        assert (citation.title, citation.source, citation.date) == (article.title, article.source, article.date)
    numbers = [citation.number for citation in answer.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    cited = {number for sentence in answer.sentences for number in sentence.citations}
    assert cited | {side.citation for side in answer.sides} == set(numbers)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (ZARIF, "it should stop selling weapons, including missiles, to regional states"),
        ("How many rials did one U.S. dollar cost on July 31, 2018?", "112,000 rials"),
        ("Why could Ward 7 reopen at night?", "has hired six nurses"),
        ("What has Mayor Ketter said about town money?", "Not one crown of town money"),
    ],
)
def test_the_sample_archive_answers_in_its_first_sentence(chatbot: Chatbot, question: str, words: str) -> None:
    answer = chatbot.ask(question)

    assert answer.state == "answered"
    assert words in answer.sentences[0].text
    assert all(
        sentence.text == answer.citations[number - 1].text
        for sentence in answer.sentences
        for number in sentence.citations
    )
    check(answer, chatbot)


def test_the_reader_chooses_the_sentences_where_the_settings_want_it(sample_archive: Path, chatbot: Chatbot) -> None:
    with Chatbot.open(sample_archive, Settings(reader=PACKAGED_READER)) as reading:
        answer, absent = reading.ask(ZARIF), reading.ask("What is the capital of France?")

    assert "it should stop selling weapons" in answer.sentences[0].text
    assert answer.sentences[1:] != chatbot.ask(ZARIF).sentences[1:]
    assert absent.state == "not_in_archive"
    check(answer, chatbot)


@pytest.mark.parametrize(
    "question", ["What is the capital of France?", "Who won the 2018 World Cup?", "How do magnets work?"]
)
def test_what_the_archive_does_not_say_is_not_in_the_archive(chatbot: Chatbot, question: str) -> None:
    answer = chatbot.ask(question)

    assert answer.reason in {"nothing", "not_said"}
    bare = replace(answer, probability=None, nearest=(), reason="")
    assert bare == Answer(question, "not_in_archive", (), (), chatbot.searched)
    assert answer.probability is not None
    assert 0 <= answer.probability < calibrations()["words"].threshold
    for near in answer.nearest:
        assert chatbot.article(near.article_id).text[near.start : near.end] == near.text
    assert (answer.searched.articles, answer.searched.first_date) == (56, "2018-07-30")


def test_an_answer_is_as_long_as_is_asked_for(chatbot: Chatbot) -> None:
    question = "Who was injured on the Grey Heron?"
    lengths = [len(chatbot.ask(question, sentences=most).sentences) for most in (1, 4, 12)]

    assert lengths[0] == 1
    assert lengths == sorted(set(lengths))


@pytest.mark.parametrize("question", ["", "  ", "a" * 2001])
def test_what_is_no_question_is_refused(chatbot: Chatbot, question: str) -> None:
    with pytest.raises(QuestionError):
        chatbot.ask(question)


@pytest.mark.parametrize(
    "question", ["'; DROP TABLE articles; --", "{{7*7}} %s ../../etc", "🦉 owl \ud800", "SELECT * \x00"]
)
def test_a_hostile_question_is_only_a_question(chatbot: Chatbot, question: str) -> None:
    check(chatbot.ask(question), chatbot)


def test_an_answer_reads_as_a_paragraph_with_its_numbers(chatbot: Chatbot) -> None:
    assert chatbot.ask("Why could Ward 7 reopen at night?").text.startswith(
        "Ward 7 could reopen at night on Sept. 4, 2023, because the hospital has hired six nurses, the number "
        "its head, Dr. Amara Lind, had asked for. [1]"
    )


def test_many_threads_get_the_same_answers_as_one(chatbot: Chatbot) -> None:
    questions = [ZARIF, "Why did Marlach resign?", "What is the capital of France?"] * 4
    alone = {question: chatbot.ask(question) for question in set(questions)}

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(chatbot.ask, questions)) == [alone[question] for question in questions]


def test_what_a_model_writes_grows_and_cites_passages(
    sample_archive: Path, embedder: Embedder, chatbot: Chatbot
) -> None:
    answers = generated(
        sample_archive,
        embedder,
        ScriptedGenerator("Two people ", "died in the accident [2].", " Thirty-one people", " were injured [1][9]."),
    )

    assert [len(answer.sentences) for answer in answers] == [1, 2]
    assert [sentence.text for sentence in answers[-1].sentences] == [
        "Two people died in the accident.",
        "Thirty-one people were injured.",
    ]
    assert all(sentence.citations for sentence in answers[-1].sentences)
    for answer in answers:
        check(answer, chatbot)


def test_a_model_may_say_that_the_passages_do_not_answer(sample_archive: Path, embedder: Embedder) -> None:
    [answer] = generated(sample_archive, embedder, ScriptedGenerator("NOT IN ", "THE ARCHIVE", "."))

    assert (answer.state, answer.sentences, answer.notice) == ("not_in_archive", (), "")


def test_a_model_that_fails_leaves_the_articles_own_words_and_says_so(sample_archive: Path, embedder: Embedder) -> None:
    [answer] = generated(sample_archive, embedder, ScriptedGenerator(failure="It is down. Start it."))

    assert answer.state == "answered"
    assert answer.notice == "It is down. Start it."
    assert answer.sentences[0].text == answer.citations[0].text


def test_a_model_that_breaks_off_keeps_what_it_cited_and_says_so(sample_archive: Path, embedder: Embedder) -> None:
    *_, answer = generated(
        sample_archive, embedder, ScriptedGenerator("Two people died in the accident [1]. And", failure="It broke off.")
    )

    assert (answer.sentences[0].text, answer.notice) == (
        "Two people died in the accident.",
        "It broke off.",
    )


def test_a_model_that_cites_nothing_is_not_believed(sample_archive: Path, embedder: Embedder) -> None:
    *_, answer = generated(sample_archive, embedder, ScriptedGenerator("Everybody was hurt [99]."))

    assert "Nothing that the language model wrote is in the articles" in answer.notice
    assert answer.sentences[0].text == answer.citations[0].text


def test_only_questions_that_the_archive_answers_are_examples(chatbot: Chatbot, small_archive: Path) -> None:
    assert chatbot.examples()[0] == ZARIF
    with Chatbot.open(small_archive, Settings()) as small:
        assert all(small.ask(question).state == "answered" for question in small.examples())
        assert ZARIF not in small.examples()


def test_speakers_of_an_archive_give_questions(chatbot: Chatbot) -> None:
    articles = [chatbot.article(hit.article.id) for hit in chatbot.search("mayor", 3)]

    suggested = list(suggest_questions(articles))

    assert len(suggested) == len(set(suggested))
    assert all(question.startswith(("What ", "Why ", "How ")) for question in suggested)


def test_a_missing_archive_and_a_wrong_model_are_told_before_anything_is_loaded(
    tmp_path: Path, small_archive: Path
) -> None:
    with pytest.raises(ArchiveNotFound):
        Chatbot.open(tmp_path / "nowhere", Settings())
    with pytest.raises(ArchiveMismatch):
        Chatbot.open(small_archive, Settings(model="another"))


def test_an_unknown_article_is_told(chatbot: Chatbot) -> None:
    with pytest.raises(ArticleNotFound, match="no article 'x'"):
        chatbot.article("x")
