"""Filters: what an article must be for its passages to be found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Literal, get_args
from unicodedata import normalize

from rag.articles import Article
from rag.dates import iso_day, known_day
from rag.errors import FilterError
from rag.languages import iso_language

Field = Literal["outlets", "authors", "sections", "languages"]
Day = str | dt.date | None
FIELDS: tuple[Field, ...] = get_args(Field)


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions on articles, all of which must hold; an empty one is none.

    Of several outlets, authors, sections or languages one must be the article's, upper and lower case alike. `since`
    and `until` are days in any absolute form, both included; an article without a date meets neither. Raises
    `FilterError` for what is no day or no name, and where no day lies between the two.
    """

    outlets: Sequence[str] = ()
    authors: Sequence[str] = ()
    sections: Sequence[str] = ()
    languages: Sequence[str] = ()
    since: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        """Bring the days into the form that articles have, and the names into tuples."""
        for name in ("since", "until"):
            object.__setattr__(self, name, read_day(getattr(self, name)))
        for name in FIELDS:
            object.__setattr__(self, name, tuple(_read_names(getattr(self, name), name)))
        self._check_days()

    def __bool__(self) -> bool:
        """Say whether there is any condition."""
        return any(getattr(self, field.name) for field in fields(self))

    def as_of(self, day: Day) -> Filters:
        """Give the same filters for a reader who lives on that day: nothing that was published later."""
        last = read_day(day)
        if not last:
            return self
        until = min(last, self.until or last)
        kind = type(self) if self.since <= until else _Unmeetable
        return kind(self.outlets, self.authors, self.sections, self.languages, self.since, until)

    def unmet(self, article: Article) -> str:
        """Say which condition an article does not meet; nothing where it meets all."""
        for name in FIELDS:
            wanted = {folded(value, name) for value in getattr(self, name)}
            stored = [value for value in _stored(article, name) if value]
            if wanted and wanted.isdisjoint(folded(value, name) for value in stored):
                has = f"it has {', '.join(stored)}" if stored else "it has none"
                return f"of the {name} it should be {' or '.join(getattr(self, name))}; {has}"
        day = known_day(article.date)
        if (self.since or self.until) and not day:
            return "it has no date"
        if day < self.since:
            return f"it was published {day}, before {self.since}"
        if self.until and day > self.until:
            return f"it was published {day}, after {self.until}"
        return ""

    def _check_days(self) -> None:
        if self.until and self.since > self.until:
            raise FilterError(f"No day lies from {self.since} until {self.until}. Change one of the two.")


class _Unmeetable(Filters):
    """Filters of a reader who lives before the first day that is asked for: there is nothing yet, which is no error."""

    __slots__ = ()

    def _check_days(self) -> None:
        pass


def unknown_value(filters: Filters, values: Callable[[Field], Sequence[str]]) -> str:
    """Say which outlet, author, section or language an archive of these values has not; nothing where it has all."""
    for name in FIELDS:
        known = {folded(value, name): value for value in values(name)} if getattr(filters, name) else {}
        for value in getattr(filters, name):
            if folded(value, name) not in known:
                near = get_close_matches(folded(value, name), known, n=3, cutoff=0.5) or sorted(known)[:5]
                hint = f" Try one of: {', '.join(known[each] for each in near)}." if near else ""
                return f"The {name} of this archive do not include {value!r}.{hint}"
    return ""


def folded(value: str, field: Field) -> str:
    """Give a value as it is compared."""
    return (field == "languages" and iso_language(value)) or normalize("NFC", value).strip().casefold()


def _stored(article: Article, field: Field) -> tuple[str, ...]:
    if field == "authors":
        return article.authors
    return ({"outlets": article.source, "sections": article.section, "languages": article.language}[field],)


def _read_names(given: object, field: Field) -> Iterator[str]:
    """Yield the names of one filter, which may come from any host."""
    names = (given,) if isinstance(given, str) else () if given is None else given
    for name in names if isinstance(names, Iterable) else (names,):
        if not isinstance(name, str):
            raise FilterError(f"A filter for {field} is {name!r}, not text. Name one of the {field}, or leave it out.")
        if not name.strip():
            raise FilterError(f"A filter for {field} is empty. Name one of the {field}, or leave it out.")
        yield name


def read_day(written: Day) -> str:
    """Give an ISO day for one in any absolute form, nothing for nothing. Raises `FilterError`."""
    day = iso_day(written)
    if written and not day:
        raise FilterError(f"{written!r} is not one certain day. Write it like 2019-07-16.")
    return day
