"""The article: what was published, as it is stored and shown."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Article:
    """One published article; every offset elsewhere refers to `text`.

    `date` is an ISO day such as "2019-07-16". What is not known is empty.
    """

    id: str
    title: str
    text: str
    source: str = ""
    date: str = ""
    url: str = ""
    authors: tuple[str, ...] = ()

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
        }

    def digest(self) -> str:
        """Give the SHA-256 of all that is published, in hexadecimal; the id is no part of it."""
        published = [self.title, self.text, self.source, self.date, self.url, *self.authors]
        return hashlib.sha256(json.dumps(published).encode()).hexdigest()
