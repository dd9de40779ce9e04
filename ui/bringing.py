"""Bringing in: files of articles from a browser, each into the archive with a report of what became of it."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rag.articles import Article
from rag.errors import RagError
from rag.indexing import batched, index_articles, remove_origin
from rag.reading import READABLE, Refusal
from rag.reading_apart import read_apart

from .conversations import Addition
from .desk import Desk
from .limits import Limits

AT_ONCE = 16  # articles that are embedded between two looks at the clock
MOST_REASONS = 20
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file: the articles that are in the archive now, by their ids, and what was refused, and why."""

    name: str
    articles: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    id: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self)


def bring_in(desk: Desk, reader: str, name: str, content: bytes) -> Report:
    """Bring the articles of one file into the archive, as far as the limits allow; nothing is lost by what is refused.

    Each goes by a name that its content gives it, so that it can take no other article's place.
    """
    name = _shown(name)
    suffix = next((kind for kind in reversed(READABLE) if name.lower().endswith(kind)), "")
    if not suffix:
        return Report(name, refused=(f"Not a file of {', '.join(READABLE)}.",))
    if len(content) > desk.limits.largest:
        return Report(name, refused=(f"Larger than {desk.limits.megabytes}.",))
    if len(desk.conversations.additions(reader)) >= desk.limits.additions:
        most = desk.limits.additions
        return Report(name, refused=(f"You have brought in {most} files. Remove some of them first.",))
    addition = Addition(secrets.token_urlsafe(12), name, 0, time.time())
    desk.conversations.add(reader, addition)  # first, or what came in before a crash could not be taken back
    came, refused = _index(desk, addition, content, suffix)
    if came:
        desk.conversations.add(reader, replace(addition, articles=len(came)))
    else:
        desk.conversations.take_back(reader, addition.id)
    return Report(name, tuple(came), tuple(refused[:MOST_REASONS]), addition.id if came else "")


def _index(desk: Desk, addition: Addition, content: bytes, suffix: str) -> tuple[list[str], list[str]]:
    """Put the articles of a file into the archive; give the ids of those that are in, and why others are not."""
    came, refused = dict[str, None](), list[str]()
    with tempfile.TemporaryDirectory(prefix="onrecord-") as folder:
        path = Path(folder, f"articles{suffix}")
        try:
            path.write_bytes(content)
            for batch in batched(_taken(path, desk.limits, refused), AT_ONCE):
                articles = [_own(desk, article) for article in batch]
                embedder = desk.chatbot.retriever.embedder
                index_articles(articles, settings=desk.settings, origin=_origin(addition.id), embedder=embedder)
                came |= dict.fromkeys(article.id for article in articles)
        except (RagError, OSError) as error:
            refused.append(str(error) if isinstance(error, RagError) else f"Could not be taken in: {error.strerror}.")
    return list(came), refused


def take_back(desk: Desk, reader: str, addition: str) -> int:
    """Take out of the archive what a reader brought in; give how many articles left. Raises `NotKept`."""
    if addition not in {each.id for each in desk.conversations.additions(reader)}:
        desk.conversations.take_back(reader, addition)  # which says that it is not there
    left = remove_origin(_origin(addition), settings=desk.settings)
    desk.conversations.take_back(reader, addition)
    return left


def _taken(path: Path, limits: Limits, refused: list[str]) -> Iterator[Article]:
    taken, deadline = 0, time.monotonic() + limits.seconds
    # Of what is read some may be refused, and one more says that there are more.
    for found in read_apart(path, seconds=limits.seconds, most=2 * limits.articles + 1):
        if isinstance(found, Refusal):
            refused.append(f"{found.reason[:1].upper()}{found.reason[1:]}.")
        elif taken == limits.articles:
            refused.append(f"More than {limits.articles} articles: the others were left out.")
            return
        elif time.monotonic() > deadline:
            refused.append(f"Took longer than {limits.seconds:.0f} seconds: what came until then is in.")
            return
        else:
            taken += 1
            yield found


def _own(desk: Desk, article: Article) -> Article:
    """Name an article by its content, and let it have no address under which the archive knows another one."""
    named = desk.chatbot.retriever.archive.article_at(article.url) if article.url else None
    if named and named.digest() != article.digest():
        article = replace(article, url="")
    return replace(article, id=article.digest()[:16])


def _origin(addition: str) -> str:
    return f"added:{addition}"


def _shown(name: str) -> str:
    return "".join(character if character.isprintable() else " " for character in name)[-LONGEST_NAME:].strip()
