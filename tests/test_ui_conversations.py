from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rag.conversation import TURNS_READ, Turn
from tests.made_answers import ABSENT, ANSWER, BAD
from ui.conversations import FILE_NAME, Addition, Conversations, Kept, NotKept


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Conversations]:
    with closing(Conversations.open(tmp_path)) as conversations:
        yield conversations


def test_an_answer_is_the_same_tomorrow(tmp_path: Path) -> None:
    with closing(Conversations.open(tmp_path)) as today:
        answers = [today.keep("ann", Kept(answer, "In Wire", 7)) for answer in (ANSWER, ABSENT, BAD)]
    with closing(Conversations.open(tmp_path)) as tomorrow:
        assert [tomorrow.answer(each.id) for each in answers] == answers
    assert [each.answer for each in answers] == [ANSWER, ABSENT, BAD]


def test_a_question_continues_the_conversation_that_it_names(kept: Conversations) -> None:
    first = kept.keep("ann", Kept(ANSWER))
    second = kept.keep("ann", Kept(ABSENT, conversation=first.conversation))

    assert kept.answers("ann", first.conversation) == [first, second]
    [conversation] = kept.search("ann")
    assert (conversation.title, conversation.answers, conversation.changed) == (ANSWER.question, 2, second.asked)


def test_what_was_said_is_read_as_history_up_to_what_is_asked_anew(kept: Conversations) -> None:
    assert kept.history("ann", "") == ()
    first = kept.keep("ann", Kept(ANSWER))
    second = kept.keep("ann", Kept(ABSENT, conversation=first.conversation))
    said = Turn("Were rates held?", "Rates were held. Prices rose.")

    assert kept.history("ann", first.conversation) == (said, Turn("Who left?"))
    assert kept.history("ann", first.conversation, before=second.id) == (said,)
    for _ in range(TURNS_READ):
        kept.keep("ann", Kept(ANSWER, conversation=first.conversation))
    assert kept.history("ann", first.conversation) == (said,) * TURNS_READ


def test_an_answer_that_is_asked_for_anew_takes_the_place_of_the_old_one(kept: Conversations) -> None:
    first = kept.keep("ann", Kept(ANSWER))
    second = kept.keep("ann", Kept(ABSENT, conversation=first.conversation))
    third = kept.keep("ann", Kept(ANSWER, conversation=first.conversation), replaces=second.id)

    assert kept.answers("ann", first.conversation) == [first, third]
    with pytest.raises(NotKept):
        kept.answer(second.id)


def test_what_replaces_nothing_of_its_conversation_leaves_all_as_it_is(kept: Conversations) -> None:
    first, other = kept.keep("ann", Kept(ANSWER)), kept.keep("ann", Kept(ABSENT))
    kept.keep("ann", Kept(ANSWER, conversation=other.conversation), replaces="nothing")
    kept.keep("ann", Kept(ANSWER, conversation=other.conversation), replaces=first.id)

    assert len(kept.answers("ann", other.conversation)) == 3
    assert kept.answers("ann", first.conversation) == [first]


def test_nobody_sees_or_changes_what_another_reader_asked(kept: Conversations) -> None:
    mine = kept.keep("ann", Kept(ANSWER))

    assert kept.search("bob") == []
    for forbidden in (
        lambda: kept.answers("bob", mine.conversation),
        lambda: kept.find("bob", mine.conversation),
        lambda: kept.history("bob", mine.conversation),
        lambda: kept.rename("bob", mine.conversation, "Mine"),
        lambda: kept.delete("bob", mine.conversation),
        lambda: kept.keep("bob", Kept(ABSENT, conversation=mine.conversation)),
    ):
        with pytest.raises(NotKept):
            forbidden()
    assert kept.answers("ann", mine.conversation) == [mine]


def test_a_conversation_can_be_renamed_and_deleted_with_its_answers(kept: Conversations) -> None:
    mine = kept.keep("ann", Kept(ANSWER))
    kept.rename("ann", mine.conversation, "  Rates\n" + "x" * 500)
    assert kept.find("ann", mine.conversation).title == "Rates " + "x" * 114

    kept.delete("ann", mine.conversation)
    assert kept.search("ann") == []
    with pytest.raises(NotKept):
        kept.answer(mine.id)


@pytest.mark.parametrize(
    ("query", "found"),
    [("", 2), ("RATES held", 1), ("prices", 1), ("left", 1), ("held left", 0), ("%", 0), ("1] OR", 0)],
)
def test_conversations_are_found_by_all_words_of_what_was_asked_and_answered(
    kept: Conversations, query: str, found: int
) -> None:
    kept.keep("ann", Kept(ANSWER))
    kept.keep("ann", Kept(ABSENT))
    assert len(kept.search("ann", query)) == found


def test_what_a_reader_brought_in_is_listed_for_them_alone_until_it_is_struck_out(kept: Conversations) -> None:
    addition = Addition("x", "news.html", 3, 12.5)
    kept.add("ann", addition)

    assert (kept.additions("ann"), kept.additions("bob")) == ([addition], [])
    with pytest.raises(NotKept):
        kept.take_back("bob", "x")
    kept.take_back("ann", "x")
    assert kept.additions("ann") == []


def test_the_file_is_for_its_owner_alone(kept: Conversations, tmp_path: Path) -> None:
    kept.keep("ann", Kept(ANSWER))
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("broken", ["missing/folder", "damaged"])
def test_where_nothing_can_be_written_conversations_last_as_long_as_the_program(
    tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    if broken == "damaged":
        (tmp_path / broken).mkdir()
        (tmp_path / broken / FILE_NAME).write_bytes(b"no database at all" * 400)
    with closing(Conversations.open(tmp_path / broken)) as conversations:
        mine = conversations.keep("ann", Kept(ANSWER))
        assert conversations.answers("ann", mine.conversation) == [mine]
    assert "Conversations are not kept" in caplog.text
