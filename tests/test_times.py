from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.periods import Period
from rag.times import read_period

TODAY = dt.date(2023, 11, 15)  # a Wednesday

WAYS = (
    "{0:%B} {0.day}, {0.year}",
    "{0:%B} {0.day} {0.year}",
    "{0:%A}, {0:%B} {0.day}, {0.year}",
    "{0.day} {0:%B} {0.year}",
    "{0:%A} {0.day} {0:%B} {0.year}",
    "the {0.day}th of {0:%B}, {0.year}",
    "{0:%b} {0.day}, {0.year}",
    "{0.year}-{0:%m}-{0:%d}",
    "{0.year}/{0:%m}/{0:%d}",
    "{0:%B} {0.day}th, {0.year}",
)
WORDS = re.findall(r"\w+", "who may march sun second half the in on of by since before to fall week a q")
PIECES = re.findall(
    r"\S+",
    "since after before by from between and to in on the of last this past week years ago Tuesday today July Feb. 30 "
    "30th 2019 2020, 1/2/2019 Q3 winter 999 three month yesterday later - 2019-07-16 end",
)


def _read(question: str) -> tuple[str, str]:
    period = read_period(question, TODAY)
    return str(period.since or ""), str(period.until or "")


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("Who won in July 2019?", "2019-07-01", "2019-07-31"),
        ("who won in may 2019", "2019-05-01", "2019-05-31"),
        ("Who won in late July 2019?", "2019-07-01", "2019-07-31"),
        ("Who won in mid-July of 2019?", "2019-07-01", "2019-07-31"),
        ("Who won in February 2020?", "2020-02-01", "2020-02-29"),
        ("Who won in 2019?", "2019-01-01", "2019-12-31"),
        ("Who won at the end of 2019?", "2019-01-01", "2019-12-31"),
        ("In 2019, who won?", "2019-01-01", "2019-12-31"),
        ("Who won in 2019 and 2021?", "2019-01-01", "2021-12-31"),
        ("What do articles from 2019 say?", "2019-01-01", "2019-12-31"),
        ("Who won during the summer of 2019?", "2019-06-01", "2019-08-31"),
        ("Who won in fall 2019?", "2019-09-01", "2019-11-30"),
        ("Who won in the winter of 2019?", "2019-01-01", "2020-02-29"),
        ("Who won in Q3 2023?", "2023-07-01", "2023-09-30"),
        ("Who won in the fourth quarter of 2022?", "2022-10-01", "2022-12-31"),
        ("Who won in the second half of 2022?", "2022-07-01", "2022-12-31"),
        ("What was said on Sept. 4, 2023?", "2023-09-04", "2023-09-04"),
        ("What was said on 9/14/2023?", "2023-09-14", "2023-09-14"),
        ("What was said on July 16-18, 2019?", "2019-07-16", "2019-07-18"),
        ("What was said on 16–18 July 2019?", "2019-07-16", "2019-07-18"),
    ],
)
def test_a_time_is_read_from_its_first_day_to_its_last(question: str, since: str, until: str) -> None:
    assert _read(question) == (since, until)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What changed between March and May 2020?", "2020-03-01", "2020-05-31"),
        ("What changed from 3 March to 5 April 2020?", "2020-03-03", "2020-04-05"),
        ("What changed between July 16 and 18, 2019?", "2019-07-16", "2019-07-18"),
        ("What changed from November to January 2020?", "2019-11-01", "2020-01-31"),
        ("What changed from July 2019 to May 2020?", "2019-07-01", "2020-05-31"),
        ("What changed between 1990 and 1993?", "1990-01-01", "1993-12-31"),
        ("What changed in 2010-2015?", "2010-01-01", "2015-12-31"),
        ("How do the reports of Oct 3, 2023 and of Nov 5, 2023 differ?", "2023-10-03", "2023-11-05"),
        ("How do the reports of Oct 3 and of Nov 5, 2023 differ?", "2023-10-03", "2023-11-05"),
    ],
)
def test_several_dates_are_the_days_from_the_first_to_the_last(question: str, since: str, until: str) -> None:
    assert _read(question) == (since, until)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What changed since July 2019?", "2019-07-01", ""),
        ("What changed since the end of 2020?", "2020-12-31", ""),
        ("What changed from 2010 onwards?", "2010-01-01", ""),
        ("What changed after July 16, 2019?", "2019-07-17", ""),
        ("What changed after 2019?", "2020-01-01", ""),
        ("What was known before 2019?", "", "2018-12-31"),
        ("What was known until July 2019?", "", "2019-07-31"),
        ("What was known by the end of 2020?", "", "2020-12-31"),
        ("What was known after March 2019 and before May 2020?", "2019-04-01", "2020-04-30"),
        ("What changed after the vote of July 16, 2019?", "2019-07-16", ""),
        ("What was known before the vote of July 16, 2019?", "", "2019-07-16"),
        ("Does the report of July 16, 2019 agree with the one published later?", "2019-07-16", ""),
        ("What changed since last week?", "2023-11-06", ""),
        ("What was known before yesterday?", "", "2023-11-13"),
    ],
)
def test_a_period_may_be_open_on_one_side(question: str, since: str, until: str) -> None:
    assert _read(question) == (since, until)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What did he say today?", "2023-11-15", "2023-11-15"),
        ("What is in today's news?", "2023-11-15", "2023-11-15"),
        ("What happened yesterday?", "2023-11-14", "2023-11-14"),
        ("Who died this week?", "2023-11-09", "2023-11-19"),
        ("Who died last week?", "2023-11-06", "2023-11-12"),
        ("Who died this month?", "2023-11-01", "2023-11-30"),
        ("Who died last month?", "2023-10-01", "2023-10-31"),
        ("Who won this year’s cup?", "2023-01-01", "2023-12-31"),
        ("Who won last year?", "2022-01-01", "2022-12-31"),
        ("Who died in the past three days?", "2023-11-12", "2023-11-15"),
        ("Who died over the last 2 weeks?", "2023-11-01", "2023-11-15"),
        ("Who died within the past month?", "2023-10-15", "2023-11-15"),
        ("Who resigned two weeks ago?", "2023-10-30", "2023-11-05"),
        ("Who resigned one week ago?", "2023-11-06", "2023-11-12"),
        ("Who resigned a month ago?", "2023-10-01", "2023-10-31"),
        ("Who resigned 5 days ago?", "2023-11-10", "2023-11-10"),
        ("Who resigned three months ago?", "2023-08-01", "2023-08-31"),
        ("Who resigned last Tuesday?", "2023-11-14", "2023-11-14"),
        ("Who resigned last Wednesday?", "2023-11-08", "2023-11-08"),
        ("Who resigned on Wednesday?", "2023-11-15", "2023-11-15"),
        ("Who resigned on Friday?", "2023-11-10", "2023-11-10"),
        ("Who resigned last December?", "2022-12-01", "2022-12-31"),
        ("Who died this week, and what did she write in 1997?", "2023-11-09", "2023-11-19"),
    ],
)
def test_a_relative_time_is_counted_from_today(question: str, since: str, until: str) -> None:
    assert _read(question) == (since, until)


@pytest.mark.parametrize(
    "question",
    [
        "What happened on February 30, 2020?",
        "What happened on July 45, 2019?",
        "What happened on 9/4/2023?",
        "What happened on 2010-11-31?",
        "What happened in July?",
        "What happened in May, and who may march in spring?",
        "What did Theresa May say on July 16?",
        "Who led the March on Washington?",
        "Who met on Monday, November 6?",
        "Who spoke on Monday Night Football?",
        "Who will speak on Friday?",
        "Who resigned last July?",
        "Who fed 1984 people in 2000 homes?",
        "Where is route 2019, and who paid $2020 or 2,019 in 1999 dollars?",
        "Who survived the 2004 tsunami?",
        "What was sung in the 1960s, and in 1970's films?",
        "What was played in 2019-20?",
        "Who acted in 2001: A Space Odyssey?",
        "How does it compare to a year ago, and to two weeks' work?",
        "Who was elected in the last week of the summer, over the past years?",
        "What are the reports between May 2020 and March 2020?",
        "What was known before 2010 or after 2020?",
        "What is it worth today?",
        "How is today's society?",
        "",
    ],
)
def test_what_is_no_certain_time_counts_for_nothing(question: str) -> None:
    assert _read(question) == ("", "")


@given(st.dates(dt.date(1400, 1, 1), dt.date(2099, 12, 31)), st.sampled_from(WAYS), st.sampled_from(["", "on "]))
def test_every_day_is_read_in_every_way_to_write_it(day: dt.date, way: str, preposition: str) -> None:
    question = f"Who won {preposition}{way.format(day)}, and why?"

    assert read_period(question, TODAY) == Period(day, day)


@given(st.lists(st.sampled_from(WORDS)))
def test_words_without_digits_and_times_name_no_days(words: list[str]) -> None:
    assert _read(" ".join(words)) == ("", "")


@given(st.text(), st.dates())
def test_any_text_can_be_read_on_any_day(question: str, today: dt.date) -> None:
    read_period(question, today)


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.dates())
def test_a_period_never_ends_before_it_begins(pieces: list[str], today: dt.date) -> None:
    period = read_period(" ".join(pieces), today)

    assert not period.since or not period.until or period.since <= period.until
