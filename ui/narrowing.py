"""Narrowing: which of the articles a reader wants to hear, as the page offers it, sends it and says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rag.chatbot import Chatbot
from rag.errors import FilterError
from rag.filters import FIELDS, Filters, read_day

from .markup import day

DAYS = ("since", "until", "as_of")
MOST_NAMES = 200
LONGEST_NAME = 1000
UNREADABLE = "This filter cannot be read. Reload the page and choose it again."

LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish",
    "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian",
    "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_CODES = {name: code for code, name in LANGUAGES.items()}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The articles that meet the filters, read as on the day `as_of` ("": today). False where it leaves nothing out."""

    filters: Filters
    as_of: str = ""

    def __bool__(self) -> bool:
        """Say whether there is any condition."""
        return bool(self.filters or self.as_of)

    def __str__(self) -> str:
        """Say it as a reader would: "In The Ledger, until 16 July 2019"."""
        filters = self.filters
        conditions = (
            ("in", filters.outlets),
            ("by", filters.authors),
            ("in the section", filters.sections),
            ("in", (LANGUAGES.get(code, code) for code in filters.languages)),
            ("from", _days(filters.since)),
            ("until", _days(filters.until)),
            ("as of", _days(self.as_of)),
        )
        alternatives = ((word, " or ".join(names)) for word, names in conditions)
        told = ", ".join(f"{word} {names}" for word, names in alternatives if names)
        return told[:1].upper() + told[1:]


def offered(chatbot: Chatbot) -> dict[str, Any]:
    """Give what the page can offer: the names of each field, and the first and last day of the archive."""
    names = {field: list(chatbot.values(field)) for field in FIELDS}
    names["languages"] = sorted(LANGUAGES.get(code, code) for code in names["languages"])
    searched = chatbot.searched
    return {"names": names, "first": searched.first_date, "last": searched.last_date}


def read_narrowing(sent: object) -> Narrowing:
    """Read what a page sent, which may be anything. Raises `FilterError`."""
    if sent is None:
        return Narrowing(Filters())
    if not isinstance(sent, dict) or not sent.keys() <= {*FIELDS, *DAYS}:
        raise FilterError(UNREADABLE)
    names = {field: _names(sent.get(field, [])) for field in FIELDS}
    names["languages"] = tuple(_CODES.get(name, name) for name in names["languages"])
    since, until, as_of = (read_day(_text(sent.get(name, ""))) for name in DAYS)
    last = min(filter(None, (until, as_of)), default="")
    if last and since > last:
        raise FilterError(f"No day lies from {day(since)} until {day(last)}. Change one of the two.")
    return Narrowing(Filters(**names, since=since, until=until), as_of)


def _names(sent: object) -> tuple[str, ...]:
    if not isinstance(sent, list) or len(sent) > MOST_NAMES:
        raise FilterError(UNREADABLE)
    return tuple(map(_text, sent))


def _text(sent: object) -> str:
    if not isinstance(sent, str) or len(sent) > LONGEST_NAME:
        raise FilterError(UNREADABLE)
    return sent


def _days(written: str) -> Iterable[str]:
    return (day(written),) if written else ()
