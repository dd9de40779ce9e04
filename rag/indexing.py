"""Bringing articles into an archive: cut, embedded and stored together, then made searchable."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from filelock import BaseFileLock, FileLock, Timeout

from rag import generations, lexical
from rag.archive import LOCK_NAME, WRITER_NAME, Archive, Entry, is_archive
from rag.articles import Article
from rag.chunking import embedded_text, split_article, splitter_name
from rag.dates import iso_day
from rag.errors import ArchiveError, ArchiveLocked, ArticleError, ModelError
from rag.languages import iso_language
from rag.ledger import Ledger
from rag.models import model_facts
from rag.settings import Settings, load_settings

# So much is embedded and stored in one step, and lost if the process is killed: a few seconds of work.
BATCH_ARTICLES = 64
BATCH_CHARACTERS = 400_000
# Passages that came or left since the last generation are searched exactly and filtered out: up to so many, or to this
# share of the archive, that costs less than building the next generation.
LARGEST_DIFFERENCE = 5_000
LARGEST_SHARE = 0.2
LOCK_SECONDS = 0.2  # whoever only asks whether there is a writer holds the lock for a moment

if TYPE_CHECKING:
    from rag.embedding import Embedder

T = TypeVar("T")
Announce = Callable[[str], None]


def _say_nothing(_: str) -> None:
    pass


def archive_facts(settings: Settings) -> dict[str, str]:
    """Say what an archive must have been made with to fit these settings."""
    model = model_facts(settings.model)
    return {
        "model": settings.model,
        "model_sha256": model.sha256,
        "dimension": str(model.dimension),
        "splitter": splitter_name(settings.passage_tokens),
    }


def facts_for(directory: Path, settings: Settings) -> dict[str, str]:
    """Say the same before an archive is opened with these settings.

    Raises `ArchiveMismatch` where their model is not to be had and the archive needs another one anyway.
    """
    try:
        return archive_facts(settings)
    except ModelError:
        if is_archive(directory):
            with Archive.open(directory) as archive:
                archive.check_facts({"model": settings.model})
        raise


def index_articles(
    articles: Iterable[Article],
    archive: Path | str | None = None,
    settings: Settings | None = None,
    *,
    origin: str = "host",
    embedder: Embedder | None = None,
) -> int:
    """Add articles from a host application to an archive, made first where there is none; give how many were new.

    An article that is there already is left alone, one of the same id with other content is replaced. `origin` names
    where they come from, for `remove_origin`; an `embedder` of the settings' model that is at hand need not be loaded
    again. Raises `ArticleError` for one without an id or a text, or with a date that is no certain day.
    """
    settings = settings or load_settings()
    with writing(Path(archive or settings.archive), settings, embedder=embedder) as indexer:
        added = sum(indexer.put(batch, origin) for batch in batched(map(_checked, articles), BATCH_ARTICLES))
        indexer.publish()
        return added


def remove_origin(origin: str, archive: Path | str | None = None, settings: Settings | None = None) -> int:
    """Let go of the articles that came from one place and no other; give how many left."""
    settings = settings or load_settings()
    with changing(Path(archive or settings.archive), settings) as indexer:
        with indexer.archive.database.transaction():
            held = indexer.ledger.articles_of(origin)
            indexer.ledger.forget(origin)
            left = indexer.archive.drop(each for each in held if not indexer.ledger.origins(each))
        indexer.publish()
        indexer.archive.settle()
        return left


def _checked(article: Article) -> Article:
    """Let in what can be stored, cited and exported: a host's articles do not come through the door of the readers."""
    fields = [value for field in article.to_dict().values() for value in ([field] if isinstance(field, str) else field)]
    if not (article.id.strip() and article.id.isprintable() and article.text.strip()):
        raise ArticleError(f"The article {article.id!r} has no id that can be shown, or no text. Give it both.")
    if any(field != field.encode(errors="replace").decode() for field in fields):
        raise ArticleError(f"The article {article.id!r} holds halves of characters. Decode its text again.")
    day = iso_day(article.date)
    if article.date.strip() and not day:
        raise ArticleError(
            f"The article {article.id!r} has the date {article.date!r}, no certain day. Write it like 2019-07-16."
        )
    return replace(article, date=day, language=iso_language(article.language))


@contextmanager
def writing(
    directory: Path, settings: Settings, announce: Announce = _say_nothing, *, embedder: Embedder | None = None
) -> Iterator[Indexer]:
    """Hold an archive for writing, made first where there is none; what is put in is searchable once it is published.

    Raises `ArchiveLocked` where another process is writing to it.
    """
    with locked(directory), Archive.create(directory, facts_for(directory, settings)) as archive:
        yield Indexer(archive, settings, announce, embedder)


@contextmanager
def changing(directory: Path, settings: Settings, announce: Announce = _say_nothing) -> Iterator[Indexer]:
    """Hold an archive that is there for changes that embed nothing, or embed everything anew."""
    Archive.open(directory).close()  # or the lock would make a folder at a mistyped path
    with locked(directory), Archive.open(directory) as archive:
        yield Indexer(archive, settings, announce)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep other writers out of an archive's folder, made first where there is none."""
    lock = _lock(directory)
    note = directory / WRITER_NAME
    try:
        with suppress(OSError):  # a full disk: it is for those alone who find the lock taken
            note.write_text(json.dumps({"pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}))
        yield
    finally:
        with suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


def _lock(directory: Path) -> BaseFileLock:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory / LOCK_NAME)
        lock.acquire(timeout=LOCK_SECONDS)
    except Timeout as error:
        raise ArchiveLocked(
            f"Another process{_writer(directory)} is writing to the archive at {directory}. "
            "Wait for it to finish, then run this again."
        ) from error
    except OSError as error:
        raise ArchiveError(
            f"The archive at {directory} cannot be written ({error.strerror}). "
            "Choose another folder with --archive or ONRECORD_ARCHIVE."
        ) from error
    return lock


def _writer(directory: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        writer = json.loads((directory / WRITER_NAME).read_bytes())
        return f" ({int(writer['pid'])}, since {str(writer['since'])[:19]})"
    return ""


class Indexer:
    """Puts articles into one archive; the embedding model is loaded only when there is something to embed."""

    def __init__(
        self, archive: Archive, settings: Settings, announce: Announce, embedder: Embedder | None = None
    ) -> None:
        with suppress(OSError):  # what is left lying about is harmless; a disk may be full
            generations.tidy(archive)
            lexical.tidy(archive)
        self.archive = archive
        self.ledger = Ledger(archive.database)
        self._announce = announce
        self._settings = settings
        self._embedder = embedder

    def put(self, articles: Iterable[Article], origin: str) -> int:
        """Add the articles of one place in one transaction; give how many were not there as they are."""
        given = {article.id: article for article in articles}
        fresh = self.embed(given.values())
        with self.archive.database.transaction():
            if fresh:
                self.archive.put(fresh)
            self.ledger.add_origins(origin, given, time.time_ns())
        return len(fresh)

    def embed(self, articles: Iterable[Article]) -> list[Entry]:
        """Cut and embed those of the articles that the archive does not hold as they are."""
        given = list(articles)
        stored = self.archive.digests(article.id for article in given)
        fresh = [article for article in given if stored.get(article.id) != article.digest()]
        return self._entries(fresh) if fresh else []

    def embed_anew(self) -> None:
        """Cut and embed all articles again, with the model of the settings, in one transaction."""
        with self.archive.database.transaction():
            for batch in batched(self.archive.articles(), BATCH_ARTICLES):
                self.archive.put(self._entries(batch))
            self.archive.describe(archive_facts(self._settings), anew=True)

    def publish(self, *, anew: bool = False) -> None:
        """Bring the indexes in step with the archive; `anew` makes them afresh."""
        self.archive.catch_up()
        lexical.rebuild(self.archive) if anew else lexical.update(self.archive)
        if anew or self._is_generation_due():
            self._announce("Publishing the index")
            generations.publish(self.archive)
        manifest = generations.current_manifest(self.archive)
        followed = manifest.position if manifest else self.archive.position
        self.archive.forget_departures(followed.departures)

    def _is_generation_due(self) -> bool:
        manifest = generations.current_manifest(self.archive)
        if manifest is None:
            return self.archive.count_passages() > 0
        came = self.archive.count_passages(after=manifest.position.passages)
        left = len(self.archive.departed(manifest.position.departures))
        return came + left > max(LARGEST_DIFFERENCE, LARGEST_SHARE * manifest.passages)

    def _entries(self, articles: Sequence[Article]) -> list[Entry]:
        import numpy as np

        embedder = self._open_embedder()
        wanted = self._settings.passage_tokens
        limit = min(wanted, embedder.maximum_tokens or wanted)
        cut = [tuple(split_article(article, embedder.count_tokens, limit)) for article in articles]
        texts = [
            embedded_text(article, passage.text)
            for article, passages in zip(articles, cut, strict=True)
            for passage in passages
        ]
        borders = np.cumsum([len(passages) for passages in cut])[:-1]
        parts = np.split(embedder.embed_passages(texts), borders)
        return [Entry(*entry) for entry in zip(articles, cut, parts, strict=True)]

    def _open_embedder(self) -> Embedder:
        if self._embedder is None:
            from rag.embedding import Embedder

            self._announce("Loading the embedding model")
            self._embedder = Embedder.open(self._settings.model, announce=self._announce)
        return self._embedder


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of at most `size` items."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
