"""The article: what was published, as it is stored and shown."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Copy:
    """Another article of the same story, in brief: a copy, or another version."""

    article_id: str
    title: str
    source: str
    date: str
    url: str


@dataclass(frozen=True, slots=True)
class Article:
    """One published article; every offset elsewhere refers to `text`.

    `date` is an ISO day such as "2019-07-16", `language` an ISO 639 code such as "en". What is not known is empty.
    """

    id: str
    title: str
    text: str
    source: str = ""
    date: str = ""
    url: str = ""
    authors: tuple[str, ...] = ()
    section: str = ""
    language: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Give the fields in the form of one line of an article file."""
        return {
            "id": self.id,
            "title": self.title,
            "text": self.text,
            "source": self.source,
            "date": self.date,
            "url": self.url,
            "authors": list(self.authors),
            "section": self.section,
            "language": self.language,
        }

    def digest(self) -> str:
        """Give the SHA-256 of all that is published, in hexadecimal; the id is no part of it."""
        published: list[object] = [self.title, self.text, self.source, self.date, self.url, *self.authors]
        if self.section or self.language:  # the digest of an article without them is older than they are
            published.append({"section": self.section, "language": self.language})
        return hashlib.sha256(json.dumps(published).encode()).hexdigest()
