from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.hints import Hints, read_hints

OUTLETS = ("CNN", "Fortune", "TechCrunch", "The Verge")
TODAY = dt.date(2023, 11, 15)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who won the cup?", Hints()),
        ("What did CNN report in July 2019?", Hints(("CNN",), "2019-07-01", "2019-07-31")),
        ("What is the latest on the strike since 2022?", Hints(since="2022-01-01", latest=True)),
        ("Do CNN and The Verge agree?", Hints(("CNN", "The Verge"), compares=True)),
        ("What happened today?", Hints(since="2023-11-15", until="2023-11-15")),
    ],
)
def test_a_question_says_where_and_when(question: str, expected: Hints) -> None:
    assert read_hints(question, OUTLETS, TODAY) == expected


@pytest.mark.parametrize(
    ("question", "latest"),
    [
        ("What is the latest on the strike?", True),
        ("What is the most recent report?", True),
        ("Who is currently the prime minister?", True),
        ("Who is the current prime minister?", True),
        ("Where is he now?", True),
        ("What is oil worth today?", True),
        ("What is new in the case? Is it up to date?", True),
        ("Why do currents flow, and what is the current of a river?", False),
        ("What was known until now?", False),
        ("Who must leave at the latest?", False),
        ("What did USA Today report?", False),
        ("Now that he is gone, who leads the now-defunct party?", False),
        ("Who nowhere knows?", False),
    ],
)
def test_some_questions_ask_for_the_newest(question: str, latest: bool) -> None:
    assert read_hints(question, OUTLETS, TODAY).latest is latest


@pytest.mark.parametrize(
    ("question", "compares"),
    [
        ("Compare what the two ministers said.", True),
        ("Do both articles name him?", True),
        ("How do the reports differ?", True),
        ("Who is named in an article by The Times and another by The Herald?", True),
        ("Is the report from The Herald consistent with the later report by The Verge?", True),
        ("Who was praised by Fortune while TechCrunch accused him?", True),
        ("What does the CNN article say about the war between the two countries?", False),
        ("How does the new law differ from the old one?", False),
        ("In which article does the treaty forbid it?", False),
    ],
)
def test_some_questions_set_articles_side_by_side(question: str, compares: bool) -> None:
    assert read_hints(question, OUTLETS, TODAY).compares is compares


@pytest.mark.parametrize("outlets", [list(OUTLETS), set(OUTLETS), dict.fromkeys(OUTLETS).keys()])
def test_outlets_may_come_in_any_collection(outlets: list[str]) -> None:
    assert read_hints("What did The Verge and CNN report?", outlets, TODAY).outlets == ("The Verge", "CNN")


@given(st.text(), st.lists(st.text(max_size=20), max_size=6), st.dates())
def test_any_text_has_hints_that_hold(question: str, outlets: list[str], today: dt.date) -> None:
    hints = read_hints(question, outlets, today)

    assert set(hints.outlets) <= set(outlets)
    assert not hints.since or not hints.until or hints.since <= hints.until
