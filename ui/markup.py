"""Markup: words from articles, readers and models made fit to stand between our tags.

All that comes from them passes through `escape` (or `line`, which ends in it) exactly once, where it is put between our
tags or into a quoted attribute.
"""

from __future__ import annotations

import html
import re
from datetime import date
from urllib.parse import urlsplit

from rag.answers import Answer, Citation, Searched
from rag.dates import MONTHS

_UNSHOWABLE = re.compile("[\x00\ud800-\udfff]")
_DIRECTION_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def shown_citations(answer: Answer) -> tuple[Citation, ...]:
    """Give what a turn has numbers for: the sources of the answer, or what comes nearest to one."""
    return answer.nearest if answer.reason == "not_said" else answer.citations


def escape(text: str) -> str:
    """Give HTML that shows exactly these characters, between tags or inside a quoted attribute."""
    return html.escape(_UNSHOWABLE.sub("\ufffd", text)).replace("\r", "&#13;")


def line(text: str, limit: int = 300) -> str:
    """Give a name, headline or message as one escaped line, cut at `limit` characters, reading in one direction."""
    return escape(one_line(text, limit))


def day(text: str) -> str:
    """Give "2019-07-16" as "16 July 2019", and anything else as it is."""
    known = iso_date(text)
    return f"{known.day} {MONTHS[known.month - 1]} {known.year}" if known else text


def month(text: str) -> str:
    """Give "2019-11-05" as "Nov 2019", and anything else as it is."""
    known = iso_date(text)
    return f"{MONTHS[known.month - 1][:3]} {known.year}" if known else text


def iso_date(text: str) -> date | None:
    """Give the date that is written like 2019-07-16, None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def web_address(url: str) -> str:
    """Give the address if a browser may be sent there, else nothing: http or https, a host, no user name."""
    if any(character <= " " or character == "\\" for character in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc else ""


def period(searched: Searched) -> str:
    """Give the months from the first article to the last."""
    first, last = month(searched.first_date), month(searched.last_date or searched.first_date)
    return first if first == last else f"{first} to {last}"


def place_of(source: str, published: str) -> str:
    """Give where something was published: its outlet and day, as far as they are known."""
    return ", ".join(part for part in (source, day(published)) if part)


def number_button(citation: Citation, *, current: bool = False) -> str:
    """Give the number of a source, to be chosen; `current` says that it is shown."""
    label = ", ".join(part for part in (citation.title, place_of(citation.source, citation.date)) if part)
    return (
        f'<button type="button" class="number" data-number="{citation.number:d}"{" aria-current=true" * current} '
        f'aria-label="{line(f"Source {citation.number}: {label}")}">{citation.number:d}</button>'
    )


def joined(text: str) -> str:
    """Give a text as one line, whatever its breaks and spaces were."""
    return " ".join(text.split())


def one_line(text: str, limit: int = 300) -> str:
    """Give a text as one line that reads in one direction, cut at `limit` characters."""
    words = joined(_DIRECTION_CONTROLS.sub("", text))
    return words if len(words) <= limit else f"{words[: limit - 1].rstrip()}…"
