"""Filings: under which outlet, day and story the passages of an archive are filed; no text is read for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answers import Searched
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
_FILINGS = f"""
SELECT passages.id, articles.id, source, date, coalesce(story, '')
FROM passages JOIN {_BRIEF} ON articles.id = passages.article_id
LEFT JOIN sketches ON sketches.article_id = passages.article_id
WHERE passages.id IN (SELECT value FROM json_each(?))
"""  # noqa: S608
_FILED = f"""
SELECT passages.id FROM {_BRIEF} CROSS JOIN passages INDEXED BY passages_by_article ON article_id = articles.id
"""  # noqa: S608
_AMONG = "(SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class Filing:
    """Where a passage belongs: its article, the outlet and day of that, and the label of its story ("": not known)."""

    article_id: str
    source: str
    date: str
    story: str


def filings(database: Database, passage_ids: Sequence[int]) -> dict[int, Filing]:
    """Give where those of the passages belong that are in the archive."""
    rows = database.read(_FILINGS, [json.dumps(list(map(int, passage_ids)))])
    return {number: Filing(*filed) for number, *filed in rows}


def filed(database: Database, filters: Filters) -> NDArray[np.int64]:
    """Give the ids of the passages whose articles meet the filters, in order."""
    import numpy as np

    conditions = list(_conditions(database, filters))
    where = " AND ".join(condition for condition, _ in conditions) or "TRUE"
    rows = database.read(f"{_FILED} WHERE {where}", [value for _, value in conditions])
    found = np.fromiter((number for (number,) in rows), dtype=np.int64, count=len(rows))
    found.sort()
    return found


def searched(database: Database, filters: Filters) -> Searched:
    """Say how many articles meet the filters, of which outlets and days."""
    conditions = list(_conditions(database, filters))
    where = " AND ".join(condition for condition, _ in conditions) or "TRUE"
    query = f"""
        SELECT source, count(*), coalesce(min(nullif(date, '')), ''), coalesce(max(date), '') FROM {_BRIEF}
        WHERE {where} GROUP BY source ORDER BY source
    """  # noqa: S608
    rows = database.read(query, [value for _, value in conditions])
    days = sorted({day for _, _, *days in rows for day in days} - {""})
    outlets = tuple(source for source, *_ in rows if source)
    return Searched(sum(count for _, count, *_ in rows), outlets, *(days[:1] or [""]), *(days[-1:] or [""]))


def values(database: Database, field: Field) -> tuple[str, ...]:
    """Give all outlets, authors, sections or languages of the articles, each once, in order."""
    column = _COLUMNS[field]
    stored = [value for (value,) in database.read(f"SELECT DISTINCT {column} FROM {_BRIEF}")]  # noqa: S608
    found = {name for names in _lists(stored) for name in names} if field == "authors" else set(stored)
    return tuple(sorted(found - {""}))


def _conditions(database: Database, filters: Filters) -> Iterator[tuple[str, str]]:
    """Yield what SQL asks of an article, each with the value for it; SQLite alone knows no case beyond ASCII."""
    for field, column in _COLUMNS.items():
        if wanted := frozenset(folded(value, field) for value in getattr(filters, field)):
            rows = database.read(f"SELECT DISTINCT {column} FROM {_BRIEF}")  # noqa: S608
            yield f"{column} IN {_AMONG}", json.dumps(_matching([value for (value,) in rows], wanted, field))
    if filters.since:
        yield "date >= ?", filters.since
    if filters.until:
        yield "date <> '' AND date <= ?", filters.until


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
