from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rag.articles import Article
from rag.errors import FilterError
from rag.filters import FIELDS, Field, Filters, read_day, unknown_value

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


def test_a_reader_of_a_day_before_the_first_one_finds_nothing_which_is_no_error() -> None:
    early = Filters(since="2019-07-17").as_of("2019-07-16")

    assert (early.since, early.until) == ("2019-07-17", "2019-07-16")
    assert early.unmet(ARTICLE) == "it was published 2019-07-16, before 2019-07-17"
    assert replace(early, outlets=("The Ledger",)).as_of("2020-01-01").until == "2019-07-16"


def test_a_first_day_after_the_last_is_refused() -> None:
    with pytest.raises(FilterError, match=r"^No day lies from 2019-07-17 until 2019-07-16\. Change one of the two\.$"):
        Filters(since="17 July 2019", until="2019-07-16")


NAMES: list[tuple[Any, str]] = [
    ([""], "A filter for {} is empty. Name one of the {}, or leave it out."),
    (" \n", "A filter for {} is empty. Name one of the {}, or leave it out."),
    (["CNN", None], "A filter for {} is None, not text. Name one of the {}, or leave it out."),
    (7, "A filter for {} is 7, not text. Name one of the {}, or leave it out."),
    (b"CNN", "A filter for {} is 67, not text. Name one of the {}, or leave it out."),
]


@pytest.mark.parametrize(("given", "message"), NAMES)
@pytest.mark.parametrize("name", FIELDS)
def test_what_is_no_name_is_refused(name: str, given: object, message: str) -> None:
    conditions: dict[str, Any] = {name: given}

    with pytest.raises(FilterError, match=f"^{re.escape(message.format(name, name))}$"):
        Filters(**conditions)


@pytest.mark.parametrize("name", FIELDS)
def test_none_is_no_condition(name: str) -> None:
    conditions: dict[str, Any] = {name: None}

    assert Filters(**conditions) == Filters()


def test_letters_are_equal_however_they_are_composed() -> None:
    article = Article("id", "Title", "Text.", "Cafe\u0301", authors=("Zo\u00eb",))

    assert Filters(outlets="CAF\u00c9", authors="zoe\u0308").unmet(article) == ""


def test_a_reader_of_an_uncertain_day_is_refused() -> None:
    with pytest.raises(FilterError, match="'03/04/2024' is not one certain day"):
        Filters().as_of("03/04/2024")


@given(DAYS_OR_NONE, DAYS_OR_NONE, DAYS_OR_NONE)
def test_as_of_never_widens(since: str, until: str, day: str) -> None:
    assume(not until or since <= until)
    filters = Filters(since=since, until=until)
    narrowed = filters.as_of(day)

    assert narrowed.since == filters.since
    assert (narrowed.until or "9999") <= (until or "9999")
    assert not day or narrowed.until <= day
    assert narrowed.as_of(day) == narrowed


@given(DAYS)
def test_an_iso_day_reads_as_itself(day: str) -> None:
    assert read_day(day) == day


ARTICLE = Article("id", "Title", "Text.", "The Ledger", "2019-07-16", authors=("Ida Holm", "Ole Brandt"), language="en")


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        (Filters(), ""),
        (Filters(outlets="the ledger", authors=["OLE BRANDT"], languages=("en-GB",), since="2019-07-16"), ""),
        (Filters(outlets=("Wire", "Post")), "of the outlets it should be Wire or Post; it has The Ledger"),
        (Filters(sections=("Sport",)), "of the sections it should be Sport; it has none"),
        (Filters(since="2019-07-17"), "it was published 2019-07-16, before 2019-07-17"),
        (Filters(until="2019-07-15"), "it was published 2019-07-16, after 2019-07-15"),
    ],
)
def test_a_filter_says_why_it_refuses_an_article(filters: Filters, reason: str) -> None:
    assert filters.unmet(ARTICLE) == reason


def test_an_article_without_a_date_meets_no_days() -> None:
    undated = Article("id", "Title", "Text.")

    assert Filters(until="2019-07-15").unmet(undated) == "it has no date"
    assert Filters(since="2019-07-15").unmet(undated) == "it has no date"
    assert Filters(until="2019-07-15").unmet(replace(undated, date="16 July 2019")) == "it has no date"


def test_a_name_alone_is_a_list_of_one_and_a_date_is_a_day() -> None:
    assert Filters(outlets="CNN") == Filters(outlets=("CNN",))
    assert Filters().as_of(dt.date(2019, 7, 16)) == Filters(until="2019-07-16")


def test_what_no_article_has_is_named_with_what_is_near() -> None:
    known = {"outlets": ("The Ledger", "Capital Wire"), "authors": ()}

    def values(field: Field) -> tuple[str, ...]:
        return known.get(field, ())

    assert unknown_value(Filters(outlets=("the ledger",)), values) == ""
    assert unknown_value(Filters(outlets=("Leger",)), values) == (
        "The outlets of this archive do not include 'Leger'. Try one of: The Ledger."
    )
    assert unknown_value(Filters(authors=("Ida",)), values) == "The authors of this archive do not include 'Ida'."
