from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.comparing import can_compare, differ
from rag.kinds import KINDS, Kind


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("quantity", "31", "47"),
        ("quantity", "three", "4"),
        ("quantity", "about 1,200", "more than 4,000"),
        ("money", "$2.4 million", "$3.1 million"),
        ("time", "July 16, 2019", "17 July 2019"),
        ("time", "July 2019", "August 2019"),
        ("time", "1999", "the 18th century"),
        ("time", "1990s", "2004"),
        ("person", "Ana Brandt", "Tomas Reed"),
        ("person", "Ana Brandt", "Ana Reed"),
        ("place", "Ferrow", "Orrin"),
    ],
)
def test_values_that_exclude_each_other_differ(kind: Kind, one: str, other: str) -> None:
    assert can_compare(kind, one)
    assert can_compare(kind, other)
    assert differ(kind, one, other)
    assert differ(kind, other, one)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("quantity", "three", "3"),
        ("quantity", "3,000", "three thousand"),
        ("quantity", "about 35", "36"),
        ("quantity", "1,183", "1,200"),
        ("quantity", "38 percent", "1,200"),
        ("money", "$5 million", "€7 million"),
        ("time", "July 2019", "16 July 2019"),
        ("time", "July 16", "2019"),
        ("time", "1994", "the 20th century"),
        ("time", "Monday", "Tuesday"),
        ("time", "1798-1800", "1799"),
        ("person", "Brandt", "Ana Brandt"),
        ("person", "Ana Maria Brandt", "Ana Brandt"),
        ("person", "Ferrow", "Ana Brandt"),
        ("place", "Iran", "Iranian"),
    ],
)
def test_a_value_is_no_other_than_a_more_precise_one_or_one_of_another_sort(kind: Kind, one: str, other: str) -> None:
    assert not differ(kind, one, other)
    assert not differ(kind, other, one)


def test_what_names_no_value_cannot_be_compared() -> None:
    assert not can_compare("quantity", "dozens")
    assert not can_compare("quantity", "third")
    assert not can_compare("time", "Monday")
    assert not can_compare("person", "the mayor")
    assert not can_compare("reason", "Ferrow")


VALUES = st.lists(
    st.sampled_from(
        ["about", "3", "1,200", "two", "million", "$", "%", "July", "16", "2019", "1990s", "Ana", "Brandt", "-"]
    ),
    max_size=6,
).map(" ".join)


@given(st.sampled_from(KINDS), VALUES, VALUES)
def test_no_value_differs_from_itself_and_the_order_does_not_matter(kind: Kind, one: str, other: str) -> None:
    assert not can_compare(kind, one) or not differ(kind, one, one)
    assert differ(kind, one, other) == differ(kind, other, one)
