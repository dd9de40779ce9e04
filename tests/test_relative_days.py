import datetime as dt

import pytest

from rag.relative_days import day_glosses

TUESDAY = dt.date(2019, 7, 16)


def days(sentence: str, published: dt.date = TUESDAY, before: str = "") -> list[str]:
    return [text for _, text in day_glosses(before + sentence, len(before), len(before + sentence), published)]


@pytest.mark.parametrize(
    ("sentence", "day"),
    [
        ("The quay was closed on Monday.", "15 July 2019"),
        ("The quay was closed Tuesday morning.", "16 July 2019"),
        ("On Friday, the council closed the quay.", "12 July 2019"),
        ("The council on Sunday also closed the quay.", "14 July 2019"),
        ("It has been closed since Saturday.", "13 July 2019"),
        ("Monday’s storm damaged the quay.", "15 July 2019"),
        ("The council will meet on Thursday.", "18 July 2019"),
        ("The quay is expected to reopen by Friday.", "19 July 2019"),
        ("Thursday will be dry.", "18 July 2019"),
        ("A ferry sailed last Thursday.", "11 July 2019"),
        ("A ferry sails next Monday.", "22 July 2019"),
        ("The council will meet this Friday.", "19 July 2019"),
        ("A storm came yesterday evening.", "15 July 2019"),
        ("A storm came last night.", "15 July 2019"),
        ("The port announced today that it is closed.", "16 July 2019"),
        ("It reopened this morning.", "16 July 2019"),
        ("The ferry will sail tonight.", "16 July 2019"),
        ("The ferry will sail tomorrow.", "17 July 2019"),
        ("It rained last week.", "8–14 July 2019"),
        ("It rained this week.", "15–21 July 2019"),
        ("The port reopens next week.", "22–28 July 2019"),
        ("It rained last month.", "June 2019"),
        ("The port reopens next month.", "August 2019"),
        ("It rained last year.", "2018"),
        ("It rained this year.", "2019"),
        ("The port reopens next year.", "2020"),
        ("A ferry sank last October.", "2018"),
        ("A ferry sank in early May.", "2019"),
        ("The council meets on Thursday, July 18.", "2019"),
        ("The council meets on Thursday 18 July.", "2019"),
    ],
)
def test_a_relative_day_is_counted_from_the_day_of_publication(sentence: str, day: str) -> None:
    assert days(sentence) == [day]


@pytest.mark.parametrize(
    "sentence",
    [
        "It is dry on Thursday.",  # when it is open
        "The council had to meet on Thursday.",
        "It would open on Thursday.",
        "A hearing scheduled for Thursday was calm.",
        "The fair returns Saturday for the first time since it was closed.",
        "It was closed on Wednesday.",  # six days back, or the day after the article's own
        "The council will meet on Tuesday.",
        "A ferry sailed last Monday.",  # yesterday to some
        "A ferry sails next Thursday.",
        "A ferry sank last April.",
        "A ferry sank in April 1988.",
        "A ferry sank in March, 2018.",
        "A ferry sank in November.",
        "Shops opened on Black Friday.",  # names, habits and stretches
        "She read the Sunday Times.",
        "Every Monday the council met.",
        "They met on a Monday.",
        "It was closed Monday through Friday.",
        "She sang on Monday Night Music.",
        "The council met on Mondays.",
        "Over the last week it rained.",
        "It was her last year at the port.",
        "It was the inn’s last night.",
        "Ferries are rare today.",
        "It was an inn of tomorrow.",
        "It rained on Tuesday, July 16, 2019.",  # what has all of its date
        "It rained on Friday, July 16.",  # no such day near
        "I was told so yesterday.",  # what somebody says in the first person
        "You will hear it tomorrow.",
    ],
)
def test_what_does_not_settle_the_day_is_left_alone(sentence: str) -> None:
    assert days(sentence) == []


def test_the_gloss_follows_the_day_and_its_part() -> None:
    sentence = "The quay was closed on Monday evening after a storm."
    assert [sentence[:at] for at, _ in day_glosses(sentence, 0, len(sentence), TUESDAY)] == [
        "The quay was closed on Monday evening"
    ]


def test_a_month_beside_another_year_is_left_alone() -> None:
    assert days("A ferry sank in May.") == ["2019"]
    assert days("A ferry sank in May.", before="The port opened in 1988. ") == []


def test_a_week_may_end_in_another_month_or_year() -> None:
    assert days("It rained last week.", dt.date(2019, 7, 9)) == ["1–7 July 2019"]
    assert days("It rained last week.", dt.date(2019, 8, 6)) == ["29 July – 4 August 2019"]
    assert days("It rained last week.", dt.date(2019, 1, 8)) == ["31 December 2018 – 6 January 2019"]


def test_on_a_sunday_it_is_open_which_week_is_meant() -> None:
    assert days("It rained last week and this week.", dt.date(2019, 7, 14)) == []


def test_a_page_that_tells_of_later_days_has_none_to_count_from() -> None:
    assert days("It leaked on Monday.", before="A ferry sank on Friday, July 19.\n") == []
    assert days("It leaked on Monday.", before="Friday, July 19\n") == []
    assert days("It leaked on Monday.", before="The ferry sails on Friday, July 19.\n") == ["15 July 2019"]


@pytest.mark.parametrize("published", [dt.date.min, dt.date.max])
def test_at_the_ends_of_the_calendar_nothing_is_raised(published: dt.date) -> None:
    assert (
        len(days("It rained yesterday, last week and last year; it will rain next week and tomorrow.", published)) < 5
    )
