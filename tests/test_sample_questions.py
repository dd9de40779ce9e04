"""The question set of the sample archive, held against the archive that it asks of."""

from collections import Counter
from pathlib import Path

import pytest

from eval.questions import Question, read_questions
from rag.archive import Archive

SET = Path(__file__).parent.parent / "eval" / "questions" / "sample.jsonl"

AT_LEAST = {
    "plain": 60,
    "unanswerable": 25,
    "follow-up": 20,
    "two articles": 12,
    "speaker": 6,
    "conflict": 6,
    "outlet": 5,
    "date": 5,
}
ON_TOPIC, ELSEWHERE = "topic", "elsewhere"


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    return read_questions(SET)


@pytest.fixture(scope="module")
def texts(sample_archive: Path) -> dict[str, str]:
    """The stored text of each article by its id."""
    with Archive.open(sample_archive) as archive:
        return {article.id: article.text for article in archive.articles()}


def test_there_are_enough_questions_of_each_kind(questions: list[Question]) -> None:
    counts = Counter(question.kind for question in questions)

    assert len(questions) >= 120
    assert set(counts) == set(AT_LEAST)
    assert {kind: counts[kind] for kind, least in AT_LEAST.items() if counts[kind] < least} == {}
    assert counts["outlet"] + counts["date"] >= 10


def test_most_that_cannot_be_answered_are_on_the_topics_of_the_archive(questions: list[Question]) -> None:
    labels = Counter(question.label for question in questions if not question.answerable)

    assert labels[ON_TOPIC] >= 15
    assert labels[ELSEWHERE] >= 5
    assert set(labels) == {ON_TOPIC, ELSEWHERE}
    assert [question.id for question in questions if question.answerable and question.label] == []


def test_no_two_questions_are_the_same(questions: list[Question]) -> None:
    asked = Counter(" ".join(question.worded("rewrite").casefold().split()).rstrip("?.") for question in questions)

    assert [words for words, times in asked.items() if times > 1] == []
    assert len({question.id for question in questions}) == len(questions)


def test_what_can_be_answered_names_articles_of_the_archive(questions: list[Question], texts: dict[str, str]) -> None:
    unknown = {gold for question in questions for gold in question.gold_articles if gold not in texts}
    bare = [
        question.id
        for question in questions
        if question.answerable and not (question.gold_articles and question.answers and question.evidence)
    ]

    assert unknown == set()
    assert bare == []
    assert {gold for question in questions for gold in question.gold_articles} == set(texts)  # no article is left out


def test_what_cannot_be_answered_has_nothing_to_be_found(questions: list[Question]) -> None:
    judged = [
        question.id
        for question in questions
        if not question.answerable and (question.gold_articles or question.answers or question.evidence)
    ]

    assert judged == []
    assert {question.kind for question in questions if not question.answerable} == {"unanswerable", "follow-up"}
    assert [question.id for question in questions if question.kind == "unanswerable" and question.answerable] == []


def test_evidence_stands_in_the_gold_articles_character_by_character(
    questions: list[Question], texts: dict[str, str]
) -> None:
    for question in questions:
        gold = [texts[article_id] for article_id in question.gold_articles]
        assert [text for text in question.evidence if not any(text in stored for stored in gold)] == [], question.id
        idle = [stored for stored in gold if not any(text in stored for text in question.evidence)]
        assert idle == [], f"{question.id} has a gold article without evidence"


def test_every_answer_stands_in_the_evidence(questions: list[Question]) -> None:
    for question in questions:
        evidence = [text.casefold() for text in question.evidence]
        lost = [answer for answer in question.answers if not any(answer.casefold() in text for text in evidence)]
        assert lost == [], question.id


def test_questions_of_several_articles_have_several(questions: list[Question]) -> None:
    assert [one.id for one in questions if one.kind == "two articles" and len(one.gold_articles) != 2] == []
    assert [one.id for one in questions if one.kind == "conflict" and len(one.gold_articles) < 2] == []


def test_a_follow_up_has_its_conversation_and_a_form_that_stands_alone(questions: list[Question]) -> None:
    follow_ups = [question for question in questions if question.kind == "follow-up"]
    opened = Counter(question.history[0].text for question in follow_ups)

    for question in follow_ups:
        roles = [turn.role for turn in question.history]
        assert roles == ["user", "assistant"] * (len(roles) // 2), question.id
        assert roles, question.id
        assert all(turn.text.strip() for turn in question.history), question.id
        assert question.rewrite.strip(), question.id
        assert question.rewrite != question.question, question.id
    assert [one.id for one in questions if one.kind != "follow-up" and (one.history or one.rewrite)] == []
    assert sum(1 for turns in opened.values() if turns > 1) >= 5
