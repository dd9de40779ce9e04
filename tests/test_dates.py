import datetime as dt

import pytest

from rag.dates import iso_day, known_day


@pytest.mark.parametrize(
    "written",
    [
        "2019-07-16",
        "2019/07/16",
        "2019-7-16",
        "20190716",
        "2019-07-16T23:30:00-05:00",
        "2019-07-16T10:00:00.000Z",
        "2019-07-16 10:00",
        "16 July 2019",
        "July 16, 2019",
        "July 16, 2019 at 4:05 pm EDT",
        "Tue, 16 Jul 2019 23:50:00 -0700",
        "16. Juli 2019",
        "16.07.2019",
        "07/16/2019",
        dt.date(2019, 7, 16),
        dt.datetime(2019, 7, 16, 23, tzinfo=dt.UTC),
    ],
)
def test_any_way_to_write_a_day_gives_the_same_iso_day(written: object) -> None:
    assert iso_day(written) == "2019-07-16"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "03/04/2024",
        "2024-13-45",
        "0001-01-01",
        "9999-01-01",
        "yesterday",
        "3 days ago",
        "now",
        "2019",
        "May 2019",
        "May 2",
    ],
)
def test_what_is_no_certain_day_is_empty(written: str) -> None:
    assert iso_day(written) == ""


@pytest.mark.parametrize("value", ["2019 " * 1000, dt.date(1, 1, 1), 2019, None, float("nan")])
def test_what_is_no_date_at_all_is_empty(value: object) -> None:
    assert iso_day(value) == ""


@pytest.mark.parametrize(
    "stored", ["", " ", "20190716", "2019-W29-2", "2019-07-16T10:00:00Z", "16 July 2019", "2019-02-30"]
)
def test_of_a_stored_date_only_the_iso_day_is_known(stored: str) -> None:
    assert known_day(stored) == ""
    assert known_day("2019-07-16") == "2019-07-16"
