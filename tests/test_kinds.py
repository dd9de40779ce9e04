from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.kinds import KINDS, expected, is_personal


@pytest.mark.parametrize(
    ("question", "kind", "noun"),
    [
        ("Who counted the owls?", "person", ""),
        ("Whose boat sank off Ferrow?", "person", ""),
        ("Which minister resigned?", "person", "minist"),
        ("where did the owls nest", "place", ""),
        ("In which village was the mill?", "place", "villag"),
        ("When does the bridge reopen?", "time", ""),
        ("What year was the mill built?", "time", "year"),
        ("What was the date of the flood?", "time", "date"),
        ("How many barn owls are there?", "quantity", "owl"),
        ("How old is Dr. Valko?", "quantity", "year"),
        ("What percentage of the town voted?", "quantity", "percentag"),
        ("How much will the repairs cost?", "money", ""),
        ("What was the price of the ferry?", "money", "price"),
        ("What does the new pier cost?", "money", ""),
        ("Why did the birds come back?", "reason", ""),
        ("What caused the flood?", "reason", ""),
        ("What did the mayor say about the pier?", "statement", ""),
        ("Which company has the ferry?", "thing", "compani"),
        ("What kind of bird is it?", "thing", "kind"),
        ("How did the ferry sink?", "other", ""),
        ("Did the ferry sink?", "other", ""),
    ],
)
def test_the_word_that_asks_and_its_noun_tell_the_kind(question: str, kind: str, noun: str) -> None:
    asked = expected(question)

    assert (asked.kind, asked.noun) == (kind, noun)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("The ferry was named for which animal?", "thing"),
        ("The new pier will open on what date?", "time"),
        ("A storm closed the pier this week. Who owns it?", "person"),
        ("After the storm had passed, who reopened the pier?", "person"),
        ("When she resigned, what did the mayor say?", "statement"),
        ("She named a pilot who works at which port?", "place"),
        ("Number of ferries bought", "quantity"),
        ("The pier was closed by ____.", "other"),
    ],
)
def test_a_quiz_asks_late(question: str, kind: str) -> None:
    assert expected(question).kind == kind


def test_the_words_of_the_question_keep_their_order() -> None:
    asked = expected("Whom did Valko meet at the mill?")

    assert asked.order == ("valko", "meet", "mill")
    assert asked.stems == {"valko", "meet", "mill"}
    assert asked.acted_on
    assert not expected("Who met Valko?").acted_on


def test_nouns_for_people_are_told_from_others_that_end_like_them() -> None:
    assert all(map(is_personal, ["minister", "spokeswoman", "winners", "people", "pianist"]))
    assert not any(map(is_personal, ["river", "numbers", "october", "newspaper", "of", ""]))


@given(st.text(max_size=300))
def test_every_text_has_a_kind(text: str) -> None:
    assert expected(text).kind in KINDS


@pytest.mark.parametrize("piece", ["who ", ", what ", "_", "what is the ", "'s ", ". ", "er"])
def test_a_long_question_is_read_quickly(piece: str) -> None:
    begun = time.process_time()

    expected("What is " + piece * (50_000 // len(piece)))

    assert time.process_time() - begun < 1
