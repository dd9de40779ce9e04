"""Bringing in: files of articles from a browser, each into the archive with a report of what became of it."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from rag.articles import Article
from rag.errors import RagError
from rag.indexing import index_articles, remove_origin
from rag.reading import READABLE, Refusal, read_articles

from .conversations import Addition
from .desk import Desk

ACCEPTED = READABLE
LARGEST = 10_000_000  # bytes
MOST_FILES, MOST_ARTICLES = 20, 200
MOST_ADDITIONS = 500  # of one reader
LONGEST_SECONDS = 60
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
    suffix = next((kind for kind in reversed(ACCEPTED) if name.lower().endswith(kind)), "")
    if not suffix:
        return Report(name, refused=(f"Not a file of {', '.join(ACCEPTED)}.",))
    if len(content) > LARGEST:
        return Report(name, refused=(f"Larger than {megabytes(LARGEST)}.",))
    if len(desk.conversations.additions(reader)) >= MOST_ADDITIONS:
        return Report(name, refused=(f"You have brought in {MOST_ADDITIONS} files. Remove some of them first.",))
    addition, deadline = secrets.token_urlsafe(12), time.monotonic() + LONGEST_SECONDS
    came, refused = list[str](), list[str]()
    with tempfile.TemporaryDirectory(prefix="onrecord-") as folder:
        path = Path(folder, f"articles{suffix}")
        path.write_bytes(content)
        try:
            for batch in _batches(_taken(path, refused, deadline)):
                articles = [_own(desk, article) for article in batch]
                index_articles(
                    articles, settings=desk.settings, origin=_origin(addition), embedder=desk.chatbot.retriever.embedder
                )
                came += [article.id for article in articles]
        except RagError as error:
            refused.append(str(error))
    if came:
        desk.conversations.add(reader, Addition(addition, name, len(set(came)), time.time()))
    return Report(name, tuple(dict.fromkeys(came)), tuple(refused[:MOST_REASONS]), addition if came else "")


def take_back(desk: Desk, reader: str, addition: str) -> int:
    """Take out of the archive what a reader brought in; give how many articles left. Raises `NotKept`."""
    if addition not in {each.id for each in desk.conversations.additions(reader)}:
        desk.conversations.take_back(reader, addition)  # which says that it is not there
    left = remove_origin(_origin(addition), settings=desk.settings)
    desk.conversations.take_back(reader, addition)
    return left


def megabytes(size: int) -> str:
    """Write a size for a person."""
    return f"{size // 1_000_000} MB"


def _taken(path: Path, refused: list[str], deadline: float) -> Iterator[Article]:
    taken = 0
    for found in read_articles(path):
        if isinstance(found, Refusal):
            refused.append(f"{found.reason[:1].upper()}{found.reason[1:]}.")
        elif taken == MOST_ARTICLES:
            refused.append(f"More than {MOST_ARTICLES} articles: the others were left out.")
            return
        elif time.monotonic() > deadline:
            refused.append(f"Took longer than {LONGEST_SECONDS} seconds: what came until then is in.")
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


def _batches(articles: Iterator[Article]) -> Iterator[Sequence[Article]]:
    while batch := list(islice(articles, AT_ONCE)):
        yield batch


def _origin(addition: str) -> str:
    return f"added:{addition}"


def _shown(name: str) -> str:
    return "".join(character if character.isprintable() else " " for character in name)[-LONGEST_NAME:].strip()
