"""`onrecord rebuild` and `onrecord remove`: an archive's indexes made afresh, articles taken out for good."""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag import lexical
from rag.archive import Archive
from rag.articles import Article
from rag.database import findable
from rag.errors import ArticleNotFound
from rag.indexing import Indexer, changing
from rag.ledger import Ledger
from rag.settings import Settings
from rag.talk import counted, shown, told

from .command import Meter
from .files import is_gone, name_of

MOST_SHOWN = 20
MOST_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was made afresh, and how long that took."""

    articles: int
    passages: int
    embedded: bool
    seconds: float


def rebuild(settings: Settings, *, embed: bool = False) -> Rebuilt:
    """Make the indexes of an archive afresh from its stored vectors; `embed` makes these anew first."""
    began = time.monotonic()
    with Meter() as meter, changing(settings.archive, settings, meter.announce) as indexer:
        archive = indexer.archive
        if embed:
            meter.announce(f"Embedding {counted(archive.count(), 'article')} anew")
            indexer.embed_anew()
        indexer.publish(anew=True)
        archive.settle()
        return Rebuilt(archive.count(), archive.count_passages(), embed, time.monotonic() - began)


def write_rebuilt(rebuilt: Rebuilt, settings: Settings) -> str:
    """Write what was made afresh in one line for a person."""
    embedded = f", all embedded anew with {shown(settings.model)}" if rebuilt.embedded else ""
    return (
        f"Made the indexes of {shown(settings.archive)} afresh in {rebuilt.seconds:,.1f} s: "
        f"{counted(rebuilt.articles, 'article')} in {counted(rebuilt.passages, 'passage')}{embedded}."
    )


@dataclass(frozen=True, slots=True)
class Removed:
    """The articles that left, and the files that hold them and are still there.

    `settled` is False where somebody still reads the archive as it was before, so that its log could not be emptied.
    """

    articles: tuple[Article, ...]
    files: tuple[str, ...]
    settled: bool


def remove(names: Sequence[str], settings: Settings) -> Removed:
    """Take articles out, each named by its id or by the path of the file that holds it, and keep them out.

    Raises `ArticleNotFound`, and removes nothing, where one of the names fits nothing.
    """
    with Meter() as meter, changing(settings.archive, settings, meter.announce) as indexer:
        archive, ledger = indexer.archive, indexer.ledger
        leaving = [archive.article(article_id) for article_id in _find_all(archive, ledger, names)]
        files = sorted({path for article in leaving for path in ledger.origins(article.id)})
        _take_out(indexer, leaving, names)
        indexer.publish()
        lexical.rebuild(archive)  # following the archive, it would keep the words of what left
        there = tuple(path for path in files if os.path.lexists(path))
        with told("Waiting for those who still read the text"):
            return Removed(tuple(leaving), there, archive.settle())


def write_removed(removed: Removed, settings: Settings) -> str:
    """Write what left in lines for a person."""
    place = shown(settings.archive)
    lines = [f"Removed {counted(len(removed.articles), 'article')} from {place}:"]
    lines += _first([f"  {shown(article.id)}  {shown(article.title)}" for article in removed.articles])
    if removed.files:
        lines.append("What left stays out, though files that hold it are still there. To bring it back:")
        lines += _first([f"  onrecord index {shown(path)} --archive {place}" for path in removed.files])
    if not removed.settled:
        lines.append("Another process still reads the archive as it was. The text leaves the file when that has ended.")
    return "\n".join(lines)


def _first(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MOST_SHOWN else [*lines[:MOST_SHOWN], f"  and {len(lines) - MOST_SHOWN:,} more"]


def _take_out(indexer: Indexer, leaving: Sequence[Article], names: Sequence[str]) -> None:
    day, ledger = time.strftime("%Y-%m-%d"), indexer.ledger
    gone = [path for name in names for path in (name, _stored_path(name)) if ledger.find(path) and is_gone(path)]
    with indexer.archive.database.transaction():
        for article in leaving:
            # A file that is gone cannot bring it back, and another one that holds it may.
            if article.id in names or not {*ledger.origins(article.id)} <= {*gone}:
                ledger.withdraw(article.id, article.digest(), day)
        indexer.archive.drop(article.id for article in leaving)
        for path in gone:
            ledger.forget(path)


def _find_all(archive: Archive, ledger: Ledger, names: Sequence[str]) -> list[str]:
    found = {name: _find(archive, ledger, name) for name in names}
    unknown = [name for name, article_ids in found.items() if not article_ids]
    if unknown:
        raise ArticleNotFound(
            f"The archive at {archive.directory} holds no article and no file {', '.join(map(repr, unknown))}, so "
            f"nothing was removed.{_candidates(archive, unknown)} "
            f"All ids and titles: onrecord export --archive {archive.directory}"
        )
    return list(dict.fromkeys(article_id for article_ids in found.values() for article_id in article_ids))


def _find(archive: Archive, ledger: Ledger, name: str) -> list[str]:
    """Give the article of an id, or the articles of a file."""
    known = findable(name)
    if archive.digests([known]):
        return [known]
    return ledger.articles_of(known) or ledger.articles_of(_stored_path(name))


def _stored_path(name: str) -> str:
    path = Path(name)
    return name_of(path.parent.resolve() / path.name)


def _candidates(archive: Archive, unknown: Sequence[str]) -> str:
    """Name what the unknown names may have meant."""
    query = "SELECT id FROM articles UNION SELECT path FROM origins"
    known = [name for rows in archive.database.stream(query) for (name,) in rows]
    near = [
        candidate
        for name in unknown
        for candidate in (
            *(one for one in known if name and name in one),
            *difflib.get_close_matches(name, known, n=MOST_CANDIDATES),
        )
    ]
    named = list(dict.fromkeys(near))[:MOST_CANDIDATES]
    return f" Did you mean {' or '.join(named)}?" if named else ""
