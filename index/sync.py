"""Bringing an archive in step with folders: new files in, changed ones replaced, vanished ones out."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rag.archive import FILE_NAME
from rag.articles import Article
from rag.errors import NothingReadable, SettingError
from rag.indexing import BATCH_ARTICLES, Indexer, batched, writing
from rag.reading import READABLE, Refusal, find_files, read_articles
from rag.settings import Settings
from rag.talk import told


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
    """What became of the files of one run, in numbers of articles and files."""

    added: int = 0
    removed: int = 0
    unchanged_files: int = 0
    articles: int = 0
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    folder: Path
    digest: str

    @property
    def name(self) -> str:
        return _name(self.path)


def synchronise(folders: Sequence[Path], settings: Settings, talk: Talk) -> Report:
    """Bring the archive of `settings` in step with the folders; it can be stopped at any moment and run again.

    Raises `SettingError` for a folder that is not there and `NothingReadable` where the folders hold no article; what
    the archive holds then stays as it is.
    """
    report = Report()
    folders = _outermost([_existing(folder, settings.archive) for folder in folders])
    with told("Looking through the folders"):
        files = [file for folder in folders for file in _scan(folder, report)]
    unread = [_name(refusal.path) for refusal in report.refusals]
    if not files:
        raise NothingReadable(_nothing(folders, report))
    with writing(settings.archive, settings, talk.announce) as indexer:
        if not any(_holds_an_article(file, indexer) for file in files):
            report.refusals += [
                found for file in files for found in read_articles(file.path) if isinstance(found, Refusal)
            ]
            raise NothingReadable(_nothing(folders, report))
        changed = [file for file in files if not _is_unchanged(file, indexer, report)]
        talk.expect(sum(_count_articles(file.path) for file in changed))
        held_up = [file for file in changed if not _bring_in(file, indexer, report, talk)]
        _drop_vanished(folders, {file.name for file in files}, unread, indexer, report)
        _try_again(held_up, indexer, report, talk)
        report.articles = indexer.archive.count()
    return report


def _existing(folder: Path, archive: Path) -> Path:
    if not folder.exists():
        raise SettingError(f"There is no folder {folder}. Give the folder that holds your articles.")
    if folder.resolve() == archive.resolve() or (folder / FILE_NAME).exists():
        raise SettingError(f"{folder} is where an archive lies. Keep the archive apart: --archive OTHER_FOLDER.")
    return folder.resolve()


def _outermost(folders: Sequence[Path]) -> list[Path]:
    """Leave out the folders that lie in another of them, or their files would be read twice."""
    return [folder for folder in dict.fromkeys(folders) if not any(other in folder.parents for other in folders)]


def _scan(folder: Path, report: Report) -> Iterator[_File]:
    for found in find_files(folder):
        if isinstance(found, Refusal):
            report.refusals.append(found)
            continue
        try:
            with found.open("rb") as stream:
                yield _File(found, folder, hashlib.file_digest(stream, "sha256").hexdigest())
        except OSError as error:
            report.refusals.append(Refusal(found, f"cannot be read ({error.strerror})"))


def _holds_an_article(file: _File, indexer: Indexer) -> bool:
    """Say whether a file holds an article, from what is known of it or else by reading it up to the first."""
    if indexer.archive.file(file.name) == (file.digest, []):
        return True
    return any(isinstance(found, Article) for found in read_articles(file.path))


def _is_unchanged(file: _File, indexer: Indexer, report: Report) -> bool:
    known = indexer.archive.file(file.name)
    if known is None or known[0] != file.digest:
        return False
    report.unchanged_files += 1
    report.refusals += [Refusal(file.path, reason) for reason in known[1]]
    return True


def _bring_in(file: _File, indexer: Indexer, report: Report, talk: Talk) -> bool:
    """Put the articles of a file into the archive; say whether none was held up by an article of another file."""
    kept: dict[str, str] = {}
    reasons: list[str] = []
    taken: list[str] = []
    for batch in batched(read_articles(file.path), BATCH_ARTICLES):
        own: list[Article] = []
        for found in batch:
            if isinstance(found, Refusal):
                reasons.append(found.reason)
            elif kept.get(found.id, found.digest()) != found.digest():
                reasons.append(f"the id {found.id!r} belongs to another article in this file too")
            elif other := _owner(found, file, indexer):
                taken.append(f"the id {found.id!r} belongs to another article, in {other}")
            else:
                kept[found.id] = found.digest()
                own.append(found)
        report.added += indexer.put(own, file.name)
        talk.advance(len(batch))
    reasons += taken
    report.refusals += [Refusal(file.path, reason) for reason in reasons]
    # Without its digest the file is read again next time: what holds it up may have changed or gone by then.
    digest = "" if taken else file.digest
    report.removed += indexer.archive.finish_file(file.name, _name(file.folder), digest, kept, reasons)
    return not taken


def _owner(article: Article, file: _File, indexer: Indexer) -> str | None:
    """Give the other file that uses the id of an article for another text: one of the two would be lost."""
    stored = indexer.archive.digests([article.id]).get(article.id)
    return None if stored in (None, article.digest()) else indexer.archive.other_origin(article.id, file.name)


def _try_again(files: Sequence[_File], indexer: Indexer, report: Report, talk: Talk) -> None:
    """Bring in the files that were held up, now that all others are as they should be."""
    paths = {file.path for file in files}
    report.refusals = [refusal for refusal in report.refusals if refusal.path not in paths]
    for file in files:
        _bring_in(file, indexer, report, talk)


def _count_articles(path: Path) -> int:
    """Give how many articles a file may hold, for the progress bar alone."""
    if not path.name.lower().endswith((".jsonl", ".jsonl.gz")):
        return 1
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            return 1 + sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b""))
    except (OSError, EOFError, zlib.error):
        return 1


def _drop_vanished(
    folders: Sequence[Path], present: set[str], unread: Sequence[str], indexer: Indexer, report: Report
) -> None:
    """Drop files that are gone, but none that is there and cannot be read for now: a disk may be out of reach."""
    for folder in folders:
        for name in indexer.archive.files_below(_name(folder)):
            if name not in present and not any(name == path or name.startswith(f"{path}/") for path in unread):
                report.removed += indexer.archive.forget_file(name)


def _name(path: Path) -> str:
    """Write a path as the archive stores it: in UTF-8, which the name of a file need not be."""
    return str(path).encode(errors="backslashreplace").decode()


def _nothing(folders: Sequence[Path], report: Report) -> str:
    places = ", ".join(str(folder) for folder in folders)
    first = next((f" Refused was {found.path.name}: {found.reason}." for found in report.refusals), "")
    others = f" So were {len(report.refusals) - 1:,} more." if len(report.refusals) > 1 else ""
    return f"No article could be read in {places}.{first}{others} Give a folder with files of {', '.join(READABLE)}."
