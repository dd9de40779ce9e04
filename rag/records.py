"""The record: the fields of an article as somebody wrote them, and the door through which they become an Article."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.articles import Article
from rag.cleaning import clean_line, clean_text
from rag.dates import iso_day
from rag.languages import iso_language

FIELDS = ("id", "title", "text", "source", "date", "url", "authors", "section", "language")
LONGEST_LINE = 300
LONGEST_TEXT = 2_000_000  # characters; as a line of JSON, with every one of them escaped, it can still be read back
LONGEST_URL = 2000
MOST_AUTHORS = 20
TITLE_WORDS = 12

AUTHOR_BREAK = re.compile(r"\s*;\s*|\s*,\s*(?!(?:Jr|Sr|II|III|Ph\.?D|M\.?D)\b)|\s+(?:and|&)\s+")


if TYPE_CHECKING:
    from rag.reading import Outcome

KINDS = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


class Unreadable(ValueError):
    """A file, or a line of one, gives no article; the message is for a person.

    It is skipped if it was never meant to give one or holds nothing to read, and else has failed.
    """

    def __init__(self, reason: str, state: Outcome = "failed") -> None:
        super().__init__(reason)
        self.state = state


def article_of(record: Mapping[str, Any]) -> Article:
    """Make the article of a record's FIELDS; Unreadable if that cannot be.

    Only text is required. Fields of other names are ignored. Without an id of its own an article is known by its
    content, so the same article has the same id wherever it is read.
    """
    text = clean_text(_text(record))
    if not text:
        raise Unreadable("no article text found", "skipped")
    if len(text) > LONGEST_TEXT:
        raise Unreadable(f"longer than {LONGEST_TEXT:,} characters", "skipped")
    article = Article(
        id=_id(record.get("id")),
        title=_line(record, "title") or _opening(text),
        text=text,
        source=_line(record, "source"),
        date=_date(record),
        url=_url(record),
        authors=_authors(record),
        section=_line(record, "section"),
        language=iso_language(_string(record, "language")),
    )
    return article if article.id else replace(article, id=article.digest()[:16])


def _text(record: Mapping[str, Any]) -> str:
    text = _string(record, "text")
    if not text.strip():
        raise Unreadable("field text is empty", "skipped") if text else Unreadable("field text is missing")
    return text


def _string(record: Mapping[str, Any], field: str) -> str:
    value = record.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(f"field {field} is {KINDS.get(type(value), 'something else')}, not text")
    return value


def _line(record: Mapping[str, Any], field: str) -> str:
    return _cut(_string(record, field))


def _cut(line: str) -> str:
    return clean_line(line)[:LONGEST_LINE].rstrip()


def _id(value: object) -> str:
    """Keep an id that can be shown and typed; all others give way to one derived from the content."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    usable = isinstance(value, str) and 0 < len(value) <= LONGEST_LINE and value.isprintable() and " " not in value
    return str(value) if usable else ""


def _opening(text: str) -> str:
    """Give the first words of the text, for an article without a title."""
    paragraph = text.split("\n\n", 1)[0]
    words = paragraph.split(" ", TITLE_WORDS)
    return _cut(" ".join(words[:TITLE_WORDS]).rstrip(",;:.") + "…" if len(words) > TITLE_WORDS else paragraph)


def _date(record: Mapping[str, Any]) -> str:
    value = record.get("date")
    return iso_day(value if isinstance(value, dt.date) else _string(record, "date"))


def _url(record: Mapping[str, Any]) -> str:
    url = clean_line(_string(record, "url"))
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    usable = parts.scheme in {"http", "https"} and parts.netloc and " " not in url and len(url) <= LONGEST_URL
    return url if usable else ""


def _authors(record: Mapping[str, Any]) -> tuple[str, ...]:
    value = record.get("authors")
    if isinstance(value, str):
        value = AUTHOR_BREAK.split(clean_line(value)[: LONGEST_LINE * MOST_AUTHORS].removeprefix("By "))
    if not isinstance(value, list | tuple | None) or not all(isinstance(each, str) for each in value or ()):
        raise Unreadable("field authors is neither text nor a list of names")
    names = dict.fromkeys(_cut(each) for each in value or ())
    return tuple(name for name in names if name)[:MOST_AUTHORS]
