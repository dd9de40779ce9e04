from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import FilterError
from rag.filters import Filters, read_day

DAYS = st.dates(dt.date(1400, 1, 1), dt.date(2100, 12, 31)).map(dt.date.isoformat)
DAYS_OR_NONE = st.just("") | DAYS


def test_filters_without_a_condition_are_false() -> None:
    assert not Filters()


@pytest.mark.parametrize(
    "filters",
    [
        Filters(outlets=("CNN",)),
        Filters(authors=("Jane Roe",)),
        Filters(sections=("World",)),
        Filters(languages=("en",)),
        Filters(since="2019-07-16"),
        Filters(until="2019-07-16"),
    ],
)
def test_filters_with_any_condition_are_true(filters: Filters) -> None:
    assert filters


def test_days_are_brought_into_the_form_of_articles() -> None:
    filters = Filters(since="16 July 2019", until="2019/7/18")

    assert filters == Filters(since="2019-07-16", until="2019-07-18")


@pytest.mark.parametrize("written", ["yesterday", "03/04/2024", "2024-13-45", "2019", " "])
@pytest.mark.parametrize("name", ["since", "until"])
def test_what_is_no_certain_day_is_refused(name: str, written: str) -> None:
    conditions: dict[str, Any] = {name: written}

    with pytest.raises(FilterError, match=r"Write it like 2019-07-16\.$"):
        Filters(**conditions)


def test_a_reader_of_a_day_sees_nothing_later() -> None:
    filters = Filters(outlets=("CNN",), since="2019-01-01", until="2020-01-01")

    assert filters.as_of("16 July 2019") == Filters(outlets=("CNN",), since="2019-01-01", until="2019-07-16")


def test_a_reader_of_no_day_sees_all() -> None:
    filters = Filters(until="2020-01-01")

    assert filters.as_of("") is filters


def test_a_reader_of_an_uncertain_day_is_refused() -> None:
    with pytest.raises(FilterError, match="'03/04/2024' is not one certain day"):
        Filters().as_of("03/04/2024")


@given(DAYS_OR_NONE, DAYS_OR_NONE, DAYS_OR_NONE)
def test_as_of_never_widens(since: str, until: str, day: str) -> None:
    filters = Filters(since=since, until=until)
    narrowed = filters.as_of(day)

    assert narrowed.since == filters.since
    assert (narrowed.until or "9999") <= (until or "9999")
    assert not day or narrowed.until <= day
    assert narrowed.as_of(day) == narrowed


@given(DAYS)
def test_an_iso_day_reads_as_itself(day: str) -> None:
    assert read_day(day) == day
