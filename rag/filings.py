"""Filings: under which outlet, day and story the passages of an archive are filed; no text is read for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answers import Searched
from rag.articles import Copy
from rag.database import Database
from rag.filters import Field, Filters, folded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COLUMNS: dict[Field, str] = {
    "outlets": "source",
    "authors": "authors",
    "sections": "section",
    "languages": "language",
}
# In a row of its own table whatever stands behind an article's text is reached through all of the text.
_BRIEF = "articles INDEXED BY articles_in_brief"
# As `dates.known_day` has it; SQLite looks whether a month has such a day only when it counts days.
_DAY = "iif(date(date, '+0 days') IS date AND date > '0001', date, '')"
_FILINGS = f"""
SELECT passages.id, articles.id, source, {_DAY}, coalesce(story, '')
FROM passages JOIN {_BRIEF} ON articles.id = passages.article_id
LEFT JOIN sketches ON sketches.article_id = passages.article_id
WHERE passages.id IN (SELECT value FROM json_each(?))
"""  # noqa: S608
_FILED = f"""
SELECT passages.id FROM {_BRIEF} CROSS JOIN passages INDEXED BY passages_by_article ON article_id = articles.id
"""  # noqa: S608
# A title stands before the text, an address behind it; of 1,500 copies of 3 to 30 KB all is still read in 20 ms.
_COPIES = f"""
SELECT story, articles.id, headline, source, date, address
FROM sketches JOIN {_BRIEF} ON articles.id = article_id
JOIN (SELECT rowid AS number, title AS headline, url AS address FROM articles) ON number = articles.rowid
WHERE story IN (SELECT value FROM json_each(?))
"""  # noqa: S608
_LISTED = f"""
SELECT id, title, source, date, url FROM articles
WHERE id IN (SELECT articles.id FROM {_BRIEF} WHERE %s ORDER BY {_DAY} DESC, articles.id LIMIT ? OFFSET ?)
ORDER BY {_DAY} DESC, id
"""  # noqa: S608
_AMONG = "(SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class Filing:
    """Where a passage belongs: its article, the outlet and day of that, and the label of its story ("": not known)."""

    article_id: str
    source: str
    date: str
    story: str


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an archive holds: how many articles of each outlet, the most first, and of each month ("2019-07") that has.

    `synchronised` is when it was last brought in step with its folders, empty where that was never done.
    """

    articles: int
    outlets: tuple[tuple[str, int], ...]
    months: tuple[tuple[str, int], ...]
    synchronised: str


def filings(database: Database, passage_ids: Sequence[int]) -> dict[int, Filing]:
    """Give where those of the passages belong that are in the archive."""
    rows = database.read(_FILINGS, [json.dumps(list(map(int, passage_ids)))])
    return {number: Filing(*filed) for number, *filed in rows}


def filed(database: Database, filters: Filters) -> NDArray[np.int64]:
    """Give the ids of the passages whose articles meet the filters, in order."""
    import numpy as np

    where, given = _where(database, filters)
    rows = database.read(f"{_FILED} WHERE {where}", given)
    found = np.fromiter((number for (number,) in rows), dtype=np.int64, count=len(rows))
    found.sort()
    return found


def searched(database: Database, filters: Filters) -> Searched:
    """Say how many articles meet the filters, of which outlets and days."""
    where, given = _where(database, filters)
    query = f"""
        SELECT source, count(*), coalesce(min(nullif({_DAY}, '')), ''), max({_DAY}) FROM {_BRIEF}
        WHERE {where} GROUP BY source ORDER BY source
    """  # noqa: S608
    rows = database.read(query, given)
    days = sorted({day for _, _, *days in rows for day in days} - {""})
    outlets = tuple(source for source, *_ in rows if source)
    return Searched(sum(count for _, count, *_ in rows), outlets, *(days[:1] or [""]), *(days[-1:] or [""]))


def holdings(database: Database) -> Holdings:
    """Count what there is, by outlet and by month."""
    outlets = _counts(database, "source", "2 DESC, 1")
    months = _counts(database, f"substr({_DAY}, 1, 7)", "1")
    noted = database.read("SELECT value FROM facts WHERE name = 'synchronised'")
    known = ((name, count) for name, count in outlets if name)
    dated = ((month, count) for month, count in months if month)
    return Holdings(sum(count for _, count in outlets), tuple(known), tuple(dated), str(noted[0][0]) if noted else "")


def _counts(database: Database, what: str, order: str) -> list[tuple[str, int]]:
    return database.read(f"SELECT {what}, count(*) FROM {_BRIEF} GROUP BY 1 ORDER BY {order}")  # noqa: S608


def listed(database: Database, filters: Filters, most: int, skip: int) -> list[Copy]:
    """Give at most so many of the articles that meet the filters, newest first, after those to skip; reads no text."""
    where, given = _where(database, filters)
    return [Copy(*row) for row in database.read(_LISTED % where, [*given, most, skip])]


def copies(database: Database, labels: Iterable[str], filters: Filters) -> dict[str, list[Copy]]:
    """Give the articles of the stories with these labels that meet the filters, those of each story newest first."""
    where, given = _where(database, filters)
    query = f"{_COPIES} AND {where} ORDER BY story, {_DAY} DESC, articles.id"
    found: dict[str, list[Copy]] = {}
    for label, *row in database.read(query, [json.dumps(list(labels)), *given]):
        found.setdefault(label, []).append(Copy(*row))
    return found


def values(database: Database, field: Field) -> tuple[str, ...]:
    """Give all outlets, authors, sections or languages of the articles, each once, in order."""
    column = _COLUMNS[field]
    stored = [value for (value,) in database.read(f"SELECT DISTINCT {column} FROM {_BRIEF}")]  # noqa: S608
    found = {name for names in _lists(stored) for name in names} if field == "authors" else set(stored)
    return tuple(sorted(found - {""}))


def _where(database: Database, filters: Filters) -> tuple[str, list[str]]:
    conditions = list(_conditions(database, filters))
    return " AND ".join(condition for condition, _ in conditions) or "TRUE", [value for _, value in conditions]


def _conditions(database: Database, filters: Filters) -> Iterator[tuple[str, str]]:
    """Yield what SQL asks of an article, each with the value for it; SQLite alone knows no case beyond ASCII."""
    for field, column in _COLUMNS.items():
        if wanted := frozenset(folded(value, field) for value in getattr(filters, field)):
            rows = database.read(f"SELECT DISTINCT {column} FROM {_BRIEF}")  # noqa: S608
            yield f"{column} IN {_AMONG}", json.dumps(_matching([value for (value,) in rows], wanted, field))
    if filters.since:
        yield f"{_DAY} >= ?", filters.since
    if filters.until:
        yield f"{_DAY} BETWEEN '0' AND ?", filters.until


def _matching(stored: Sequence[str], wanted: frozenset[str], field: Field) -> list[str]:
    if field != "authors":
        return [value for value in stored if folded(value, field) in wanted]
    pairs = zip(stored, _lists(stored), strict=True)
    return [value for value, names in pairs if any(folded(name, field) in wanted for name in names)]


def _lists(stored: Sequence[str]) -> list[list[str]]:
    """Read many lists as one, which is quicker; one that is broken is told by whoever reads the article."""
    try:
        return list(json.loads(f"[{','.join(stored)}]"))
    except ValueError:
        return [_list(each) for each in stored]


def _list(stored: str) -> list[str]:
    try:
        found = json.loads(stored)
    except ValueError:
        return []
    return found if isinstance(found, list) else []
