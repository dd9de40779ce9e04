import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.quantities import quantities, relative_days


def values(text: str) -> list[set[str]]:
    return [set(quantity.values) for quantity in quantities(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("three thousand", "3,000"),
        ("3k", "3 thousand"),
        ("$3bn", "$3 billion"),
        ("3.50", "3.5"),
        ("two hundred and fifty thousand", "250,000"),
        ("a million", "1,000,000"),
        ("twenty-five", "25"),
        ("twenty-first", "21st"),
        ("the third", "the 3rd"),
        ("a dozen", "12"),
        ("16 July 2019", "16 July 2019"),
        ("Aug. 3", "August 3"),
        ("Seven", "007"),
        ("the 1990s", "1990"),
    ],
)
def test_a_number_has_one_value_however_it_is_written(one: str, other: str) -> None:
    assert all(not first.isdisjoint(second) for first, second in zip(values(one), values(other), strict=True))
    assert values(one)


def test_a_short_scale_may_be_a_unit() -> None:
    assert values("$5m") == [{"5", "5000000"}]


def test_a_day_in_figures_is_its_year_its_month_and_its_day() -> None:
    assert values("on 2019-07-06.") == [{"2019"}, {"july"}, {"6"}]


def test_what_is_mostly_no_number_is_none() -> None:
    assert values("First, a second half, dozens of them may march twice") == []


def test_each_number_is_known_by_its_place() -> None:
    text = "In May, nine of 1,200 owls left."
    assert [text[quantity.start : quantity.end] for quantity in quantities(text)] == ["May", "nine", "1,200"]


def test_a_weekday_is_the_last_one_or_the_next_one() -> None:
    published = dt.date(2019, 7, 18)
    assert set(relative_days("on Tuesday", published)) == {"2019", "july", "16", "23"}
    assert set(relative_days("yesterday and last year", published)) == {"2019", "july", "17", "2018"}
    assert list(relative_days("today", dt.date.max)) == ["9999", "december", "31"]


@given(st.integers(0, 10**20))
def test_any_whole_number_is_read_with_and_without_commas(number: int) -> None:
    assert values(f"{number:,}") == values(str(number)) == [{str(number)}]


@pytest.mark.parametrize("text", ["1,", "1,000", "9", "one ", "one-", "hundred and ", "a million ", "2019-07-", "Jan"])
def test_hostile_text_is_read_in_linear_time(text: str) -> None:
    hostile = text * (50_000 // len(text))
    started = time.process_time()
    assert all(quantity.start < quantity.end for quantity in quantities(hostile))
    assert not list(relative_days(hostile, dt.date(2019, 7, 16)))
    assert time.process_time() - started < 1
