"""Bringing an archive in step with folders: new files in, changed ones replaced, vanished ones out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Protocol

from rag.archive import Entry, is_archive
from rag.articles import Article
from rag.errors import ArchiveError, NothingReadable, SettingError
from rag.indexing import Indexer, batched, writing
from rag.ledger import FileRecord, Stamp
from rag.reading import READABLE, Refusal, find_files, read_articles
from rag.settings import Settings
from rag.talk import told

from .arrivals import Arrival, Objection, Reading, record_of, refusals_of, windows
from .files import File, is_file, is_gone, name_of

SEEN_BATCH = 1000
EMPTY_FOLDER = (
    "nothing is there any more; what came from there is kept, since its disk may be out of reach. "
    "Let go of a file with: onrecord remove FILE"
)


class Talk(Protocol):
    """Whoever is told how far the work is."""

    def announce(self, step: str) -> None:
        """Tell that a step begins."""

    def expect(self, articles: int) -> None:
        """Tell how many articles are about to be read."""

    def advance(self, articles: int) -> None:
        """Tell how many more are done."""


@dataclass(slots=True)
class Report:
    """What became of the files of one run, in numbers of articles and files, and what kept an index from being made."""

    added: int = 0
    removed: int = 0
    unchanged_files: int = 0
    moved_files: int = 0
    duplicate_files: int = 0
    articles: int = 0
    trouble: str = ""
    refusals: list[Refusal] = field(default_factory=list)


def synchronise(folders: Sequence[Path], settings: Settings, talk: Talk) -> Report:
    """Bring the archive of `settings` in step with the folders; it can be stopped at any moment and run again.

    Raises `NothingReadable` for a folder that is not there or where the folders hold no article; what the archive holds
    then stays as it is.
    """
    folders = _outermost([_existing(folder, settings.archive) for folder in folders])
    if not is_archive(settings.archive):
        _require_an_article(folders)
    with writing(settings.archive, settings, talk.announce) as indexer:
        report = Sync(indexer, folders, talk).run()
        try:
            indexer.publish()
        except ArchiveError as error:
            report.trouble = str(error)
        return report


class Sync:
    """One run over some folders."""

    def __init__(self, indexer: Indexer, folders: Sequence[Path], talk: Talk) -> None:
        self._indexer = indexer
        self._archive = indexer.archive
        self._ledger = indexer.ledger
        self._transaction = indexer.archive.database.transaction
        self._folders = folders
        self._talk = talk
        self._report = Report()
        self._unread: list[Refusal] = []
        self._holds_articles = False
        self._found_in: set[str] = set()
        self._left: set[str] = set()
        self._run = time.time_ns()

    def run(self) -> Report:
        """Bring the archive in step and say what was done."""
        self._ledger.begin_run()
        with told("Looking through the folders"):
            expected = self._look()
        if not self._holds_articles:
            raise NothingReadable(_nothing(self._folders, self._all_refusals()))
        self._talk.expect(expected)
        held_up = self._bring_in(self._changed()) if expected else []
        held_up = self._bring_in(held_up)  # whose bytes were known from a file that has just changed
        self._drop_vanished()
        self._bring_in(held_up, for_good=True)
        self._drop_orphans()
        self._note_unread()
        self._report.articles = self._archive.count()
        return self._report

    # Looking

    def _files(self) -> Iterator[File | Refusal]:
        for folder in self._folders:
            for batch in batched(find_files(folder), SEEN_BATCH):
                self._found_in.add(name_of(folder))
                looked = [found if isinstance(found, Refusal) else File.look(found, folder) for found in batch]
                self._ledger.see(file.name for file in looked if isinstance(file, File))
                yield from looked

    def _look(self) -> int:
        """Note what is there and what is beyond doubt unchanged; give how many articles the other files may hold."""
        expected = 0
        for file in self._files():
            if isinstance(file, Refusal):
                self._unread.append(file)
            elif known := self._still(file):
                self._keep(known, file)
            else:
                expected += file.count_articles()
                self._holds_articles = self._holds_articles or _holds_an_article(file)
        return expected

    def _still(self, file: File) -> FileRecord | None:
        """Give what is known of a file that has not changed."""
        known = self._ledger.find(file.name)
        return known if known and known.is_still(file.stamp) and not self._may_readmit(file) else None

    def _may_readmit(self, file: File) -> bool:
        """Say whether a file may bring back what was removed: a person has named the very file."""
        return is_file(file.folder) and self._ledger.any_withdrawn()

    def _keep(self, known: FileRecord, file: File) -> None:
        self._holds_articles = True
        self._report.unchanged_files += 1
        self._report.refusals += refusals_of(file.path, known)

    def _all_refusals(self) -> list[Refusal]:
        read = (found for file in self._files() if isinstance(file, File) for found in read_articles(file.path))
        return [*self._unread, *(found for found in read if isinstance(found, Refusal))]

    def _changed(self) -> Iterator[File]:
        """Yield the files that may have changed, with the hash of their bytes."""
        for file in self._files():
            hashed = None if isinstance(file, Refusal) or self._still(file) else file.hashed()
            if isinstance(hashed, Refusal):
                self._unread.append(hashed)
            elif hashed:
                yield hashed

    # What is known by its bytes

    def _source(self, file: File) -> FileRecord | None:
        """Give the file, this one or another, whose bytes this one has and that was taken in."""
        if not file.digest or self._may_readmit(file):
            return None
        known = self._ledger.find(file.name)
        return known if known and known.digest == file.digest else self._twin(file)

    def _twin(self, file: File) -> FileRecord | None:
        return self._ledger.twin(file.name, file.digest, file.suffix)

    def _settle(self, reading: Reading) -> None:
        """Let a file have what its bytes are known to hold; what was known may just have changed, then it is read."""
        file = reading.file
        source = self._source(file)
        if source is None:
            reading.held_up = True
        elif source.path == file.name:
            self._keep(source, file)
            self._ledger.note(replace(source, stamp=file.stamp, checked=file.checked))
        else:
            self._take_over(file, source)

    def _take_over(self, file: File, twin: FileRecord) -> None:
        self._ledger.add_origins(file.name, self._ledger.articles_of(twin.path), self._run)
        self._ledger.drop_origins(file.name, but_of=self._run)
        if is_gone(twin.path):
            self._ledger.forget(twin.path)
            self._left.add(twin.folder)
            self._report.moved_files += 1
            self._ledger.note(record_of(file, twin.state))
        else:
            self._report.duplicate_files += 1
            self._ledger.note(record_of(file, "duplicate"))

    # Bringing in

    def _bring_in(self, files: Iterable[File], *, for_good: bool = False) -> list[File]:
        """Put the articles of files into the archive; give the files that were held up by what others held."""
        held_up: list[File] = []
        for window in windows(self._arrivals(files)):
            fresh = self._indexer.embed(
                found
                for reading, found in window
                if isinstance(found, Article) and self._objection(reading, found) is None
            )
            entries = {(entry.article.id, entry.article.digest()): entry for entry in fresh}
            with self._transaction():
                for reading, found in window:
                    self._receive(reading, found, entries)
            ended = [reading for reading, found in window if found is None]
            held_up += [reading.file for reading in ended if reading.held_up]
            for reading in ended:
                if (for_good or not reading.held_up) and not reading.known:
                    self._report.duplicate_files += reading.outcome == "duplicate"
                    self._report.refusals += refusals_of(reading.file.path, reading.record())
            self._talk.advance(sum(found is not None or reading.known for reading, found in window))
        return held_up

    def _arrivals(self, files: Iterable[File]) -> Iterator[Arrival]:
        """Yield what is found in each file and, after that, nothing: what is known by its bytes need not be read."""
        for file in files:
            reading = Reading(file, known=self._source(file) is not None)
            for found in [] if reading.known else read_articles(file.path):
                yield reading, found
            yield reading, None

    def _receive(self, reading: Reading, found: Article | Refusal | None, entries: Entries) -> None:
        if isinstance(found, Article):
            self._take(reading, found, entries)
        elif found is not None:
            reading.refuse(Objection(found.reason, found.state))
        elif reading.known:
            self._settle(reading)
        else:
            self._ledger.drop_origins(reading.file.name, but_of=self._run)
            self._ledger.note(reading.record())

    def _take(self, reading: Reading, article: Article, entries: Entries) -> None:
        name, digest = reading.file.name, article.digest()
        objection = self._objection(reading, article)
        if objection is not None:
            reading.refuse(objection)
            return
        if self._archive.digests([article.id]).get(article.id) != digest:
            self._archive.put([entries.get((article.id, digest)) or self._indexer.embed([article])[0]])
            self._report.added += 1
        elif self._ledger.other_origin(article.id, name):
            reading.shared += 1
        self._ledger.readmit(article.id)
        self._ledger.add_origins(name, [article.id], self._run)
        reading.kept += 1

    def _objection(self, reading: Reading, article: Article) -> Objection | None:
        """Say why an article cannot come in: of two that share an id one would be lost; what was removed stays out."""
        name, digest = reading.file.name, article.digest()
        if not is_file(reading.file.folder) and self._ledger.withdrawn(article.id, digest):
            return Objection("")
        if self._archive.digests([article.id]).get(article.id) in {None, digest}:
            return None
        if self._ledger.holds(name, article.id, self._run):
            return Objection(f"the id {article.id!r} belongs to another article in this file too")
        others = [other for other in self._ledger.origins(article.id) if other != name and not self._has_left(other)]
        if others:
            return Objection(f"the id {article.id!r} belongs to another article, in {others[0]}", held_up=True)
        return None

    def _has_left(self, path: str) -> bool:
        """Say whether a file that lies in none of the folders given is gone: it holds nothing up any more."""
        given = (name_of(folder) for folder in self._folders)
        return not any(_is_below(path, {folder}) for folder in given) and path.startswith("/") and is_gone(path)

    # Letting go

    def _drop_vanished(self) -> None:
        """Drop files that are gone, but none that is there and cannot be read for now: a disk may be out of reach."""
        there = {name_of(refusal.path) for refusal in self._unread}
        for folder in map(name_of, self._folders):
            unseen = self._ledger.unseen(folder)
            if unseen and folder not in self._found_in:
                self._unread.append(Refusal(Path(folder), EMPTY_FOLDER, "skipped"))
            else:
                self._forget(name for name in unseen if not _is_below(name, there))
        for folder in self._left:
            self._forget(filter(is_gone, self._ledger.unseen(folder)))
        self._drop_orphans()

    def _forget(self, names: Iterable[str]) -> None:
        for batch in batched(names, SEEN_BATCH):
            with self._transaction():
                for name in batch:
                    self._ledger.forget(name)

    def _drop_orphans(self) -> None:
        """Let the articles leave that no file holds any more: not before, since a file may only have moved."""
        self._report.removed += self._archive.drop(self._ledger.orphans())

    def _note_unread(self) -> None:
        """Write down what could not be read at all, unless that is known, and when all of this was done."""
        with self._transaction():
            for refusal in self._unread:
                record = _unread_record(refusal, self._folders)
                if self._ledger.find(record.path) != record:
                    self._ledger.note(record)
            self._archive.note("synchronised", time.strftime("%Y-%m-%d %H:%M:%S"))
        self._report.refusals = sorted([*self._report.refusals, *self._unread], key=lambda refusal: refusal.path)


Entries = dict[tuple[str, str], Entry]


def _holds_an_article(file: File) -> bool:
    return any(isinstance(found, Article) for found in read_articles(file.path))


def _unread_record(refusal: Refusal, folders: Sequence[Path]) -> FileRecord:
    folder = next((folder for folder in folders if folder in refusal.path.parents), refusal.path)
    return FileRecord(name_of(refusal.path), name_of(folder), "", Stamp(), -1, refusal.state, 1, (refusal.reason,))


def _is_below(name: str, paths: set[str]) -> bool:
    return name in paths or any(str(parent) in paths for parent in PurePath(name).parents)


def _existing(folder: Path, archive: Path) -> Path:
    if not folder.exists():
        raise NothingReadable(f"There is no folder {folder}. Give the folder that holds your articles.")
    if folder.resolve() == archive.resolve() or is_archive(folder):
        raise SettingError(f"{folder} is where an archive lies. Keep the archive apart: --archive OTHER_FOLDER.")
    return folder.resolve()


def _outermost(folders: Sequence[Path]) -> list[Path]:
    """Leave out the folders that lie in another of them, or their files would be read twice."""
    return [folder for folder in dict.fromkeys(folders) if not any(other in folder.parents for other in folders)]


def _require_an_article(folders: Sequence[Path]) -> None:
    """Raise `NothingReadable` before anything is made for folders that hold no article."""
    refusals: list[Refusal] = []
    for folder in folders:
        for found in find_files(folder):
            for read in [found] if isinstance(found, Refusal) else read_articles(found):
                if isinstance(read, Article):
                    return
                refusals.append(read)
    raise NothingReadable(_nothing(folders, refusals))


def _nothing(folders: Sequence[Path], refusals: Sequence[Refusal]) -> str:
    places = ", ".join(str(folder) for folder in folders)
    first = next((f" Refused was {found.path.name}: {found.reason}." for found in refusals), "")
    others = f" So were {len(refusals) - 1:,} more." if len(refusals) > 1 else ""
    return f"No article could be read in {places}.{first}{others} Give a folder with files of {', '.join(READABLE)}."
