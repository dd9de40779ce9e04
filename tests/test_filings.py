from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.archive import Archive, Entry
from rag.articles import Article, Copy
from rag.filings import _COPIES, _FILED, _FILINGS, Filing, Holdings
from rag.filters import Field, Filters
from rag.passages import Passage

ARTICLES = [
    Article(
        "bridge", "T", "Old bridge. Closed.", "Lima Post", "2019-07-16", "", ("Ana Quispe", "Bo Li"), "World", "en"
    ),
    Article("owl", "T", "Owls. Return.", "ÉCHO", "2022-06-14", "", ("Bo Li",), "Nature", "fr"),
    Article("ferry", "T", "Ferry. Late.", "Écho", "2022-06-15", "", (), "", "fr"),
    Article("rumour", "T", "No date. Here.", "", "", "", ("Ána",), "nature", ""),
]
IDS = {"bridge": [1, 2], "owl": [3, 4], "ferry": [5, 6], "rumour": [7, 8]}
# Hosts could once store any date.
NO_DAYS = ["16 July 2019", "2019-07-17T10:00:00Z", "20190716", "2019-02-30", "0000-01-01", "-4713-11-24", "now", " "]
DATED_BY_HOSTS = [Article(f"host-{n}", "T", "Any date. Here.", "Cafe\u0301", date) for n, date in enumerate(NO_DAYS)]
FILED = {article.id: [2 * n + 1, 2 * n + 2] for n, article in enumerate([*ARTICLES, *DATED_BY_HOSTS])}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive", {"model": "some-model"}) as created:
        created.put(map(entry, ARTICLES))
        yield created


def entry(article: Article) -> Entry:
    middle, end = article.text.index(" "), len(article.text)
    spans = [(0, middle), (middle + 1, end)]
    passages = tuple(Passage(article.id, first, last, article.text[first:last]) for first, last in spans)
    return Entry(article, passages, np.ones((2, 4), dtype=np.float32))


@pytest.mark.parametrize(
    ("filters", "articles"),
    [
        (Filters(), ["bridge", "owl", "ferry", "rumour"]),
        (Filters(outlets=("écho",)), ["owl", "ferry"]),
        (Filters(outlets=("LIMA POST ", "Écho")), ["bridge", "owl", "ferry"]),
        (Filters(outlets=("Lima",)), []),
        (Filters(authors=("bo li",)), ["bridge", "owl"]),
        (Filters(authors=("ána", "ana quispe")), ["bridge", "rumour"]),
        (Filters(sections=("NATURE",)), ["owl", "rumour"]),
        (Filters(languages=("fr-CA",)), ["owl", "ferry"]),
        (Filters(languages=("eng", "fr")), ["bridge", "owl", "ferry"]),
        (Filters(languages=("Klingon",)), []),
        (Filters(since="2022-06-14"), ["owl", "ferry"]),
        (Filters(until="14 June 2022"), ["bridge", "owl"]),
        (Filters(since="2022-06-14", until="2022-06-14"), ["owl"]),
        (Filters(since="2020-01-01", authors=("Bo Li",), languages=("fr",)), ["owl"]),
        (Filters(outlets=("Lima Post",), sections=("Nature",)), []),
    ],
)
def test_the_passages_of_the_articles_that_meet_all_filters_are_found(
    archive: Archive, filters: Filters, articles: list[str]
) -> None:
    found = archive.filed(filters)

    assert found.tolist() == [number for name in articles for number in IDS[name]]
    assert found.dtype == np.int64


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.create(tmp_path_factory.mktemp("filed") / "archive", {"model": "some-model"}) as created:
        created.put(map(entry, [*ARTICLES, *DATED_BY_HOSTS]))
        yield created


NAMES: st.SearchStrategy[list[str]] = st.just([]) | st.lists(
    st.sampled_from(["Lima Post", "CAFÉ", "écho", "ÉCHO", "Ána", "bo li", "nature", "World", "en", "FR", "x"]),
    max_size=3,
)
DAYS = st.sampled_from(["", "2019-07-16", "2022-06-14", "2022-06-15", "2023-01-01"])


@given(filters=st.builds(Filters, NAMES, NAMES, NAMES, NAMES, since=DAYS), until=DAYS)
def test_the_database_and_the_article_agree_on_who_meets_a_filter(filed: Archive, filters: Filters, until: str) -> None:
    filters = filters.as_of(until)
    meeting = [article.id for article in [*ARTICLES, *DATED_BY_HOSTS] if not filters.unmet(article)]

    assert filed.filed(filters).tolist() == sorted(number for name in meeting for number in FILED[name])
    assert filed.searched(filters).articles == len(meeting)
    copies = filed.copies(labels(filed), filters).values()
    assert sorted(copy.article_id for found in copies for copy in found) == sorted(meeting)


def test_what_is_no_day_is_none_for_ranking_and_for_what_was_searched(filed: Archive) -> None:
    days = {filing.article_id: filing.date for filing in filed.filings(range(1, 25)).values()}

    assert days == {article.id: article.date for article in ARTICLES} | {article.id: "" for article in DATED_BY_HOSTS}
    assert (filed.searched().first_date, filed.searched().last_date) == ("2019-07-16", "2022-06-15")
    assert filed.searched(Filters(outlets=("Café",))).last_date == ""


def test_a_passage_is_filed_under_article_outlet_day_and_story(archive: Archive) -> None:
    story = {copy.article_id: label for label, found in archive.copies(labels(archive)).items() for copy in found}

    assert archive.filings([4, 7, 99]) == {
        4: Filing("owl", "ÉCHO", "2022-06-14", story["owl"]),
        7: Filing("rumour", "", "", story["rumour"]),
    }


def labels(archive: Archive) -> set[str]:
    return {filing.story for filing in archive.filings(range(1, 25)).values()}


def test_what_can_be_asked_for_is_listed_once_and_in_order(archive: Archive) -> None:
    fields: list[Field] = ["outlets", "authors", "sections", "languages"]

    assert [archive.values(field) for field in fields] == [
        ("Lima Post", "ÉCHO", "Écho"),
        ("Ana Quispe", "Bo Li", "Ána"),
        ("Nature", "World", "nature"),
        ("en", "fr"),
    ]
    assert archive.outlets() == archive.searched().outlets == archive.values("outlets")


def test_authors_that_cannot_be_read_hide_no_others(archive: Archive) -> None:
    archive.database.read("UPDATE articles SET authors = '[' WHERE id = 'rumour'")

    assert archive.values("authors") == ("Ana Quispe", "Bo Li")
    assert archive.filed(Filters(authors=("Bo Li",))).tolist() == [1, 2, 3, 4]


def test_what_is_held_is_counted_by_outlet_and_by_month(archive: Archive) -> None:
    archive.put(map(entry, [replace(ARTICLES[0], id="again"), *DATED_BY_HOSTS[:2]]))
    assert archive.holdings() == Holdings(
        7,
        (("Cafe\u0301", 2), ("Lima Post", 2), ("ÉCHO", 1), ("Écho", 1)),
        (("2019-07", 2), ("2022-06", 2)),
        "",
    )
    archive.note("synchronised", "2026-01-02 03:04:05")
    assert archive.holdings().synchronised == "2026-01-02 03:04:05"


def test_articles_are_listed_newest_first_in_pages_behind_filters(archive: Archive) -> None:
    assert [each.article_id for each in archive.listed()] == ["ferry", "owl", "bridge", "rumour"]
    assert [each.article_id for each in archive.listed(most=2, skip=1)] == ["owl", "bridge"]
    assert archive.listed(Filters("écho", until="2022-06-14")) == [Copy("owl", "T", "ÉCHO", "2022-06-14", "")]
    assert archive.listed(skip=9) == []


def plan_of(archive: Archive, query: str) -> list[str]:
    values = ["[1]"] * query.count("?")
    plan = [step for _, _, _, step in archive.database.read(f"EXPLAIN QUERY PLAN {query}", values)]
    return [step for step in plan if " articles " in step]


@pytest.mark.parametrize("query", [_FILED + "WHERE date > ''", _FILINGS], ids=["filed", "filings"])
def test_no_text_is_walked_for_it(archive: Archive, query: str) -> None:
    reading = plan_of(archive, query)

    assert reading
    assert all("USING COVERING INDEX articles_in_brief" in step for step in reading)


def test_of_a_copy_the_row_itself_is_looked_up_once(archive: Archive) -> None:
    assert plan_of(archive, _COPIES) == [
        "SEARCH articles USING COVERING INDEX articles_in_brief (id=?)",
        "SEARCH articles USING INTEGER PRIMARY KEY (rowid=?)",
    ]
