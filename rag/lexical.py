"""Tantivy: the words of an archive's passages, in an index that follows the archive by commits of its own.

Tantivy's own commits survive a kill, but it opens files that were damaged later and answers wrongly from them. So each
commit is a publication: made beside the one before, from links to the files that stay, and put in place with the
position in the archive and the hash of each file.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rag.archive import Archive, Position
from rag.errors import ArchiveDamaged, ArchiveError
from rag.publications import Manifest, Publications, check_file
from rag.words import Word, subject_words, words

if TYPE_CHECKING:
    from tantivy import Query, Schema, Searcher, TextAnalyzer

FORMAT = "2"
WORDS = "words"
REWRITTEN = {"meta.json", ".managed.json"}  # all other files of Tantivy stay as they are once they are written

PASSAGE, ANALYZER = "passage", "english"
WEIGHTS = {"title": 1.5, "source": 0.5, "body": 1.0}
# The whole text of an article, with the first of its passages: it says what the passages of an article are about.
WHOLE = {"whole": 1.0}
TIE = 0.3  # what a word adds for each further field that has it: a title often repeats the body
QUOTED_WEIGHT, NAME_WEIGHT = 2.0, 1.0  # for a phrase as a whole, beside its single words
LONGEST_WORD = 60  # bytes; what is longer is data, not language
WRITER_BYTES = 30_000_000
SAMPLE = 50

_QUOTED = re.compile(r'["“”„«»]([^"“”„«»]+)["“”„«»]')

logger = logging.getLogger(__name__)

Weighed = Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A commit as Tantivy reads it."""

    commit: Path
    manifest: Manifest
    schema: Schema
    searcher: Searcher
    analyzer: TextAnalyzer


class WordIndex:
    """The passages of an archive by their words; safe to search from several threads, and never written to."""

    def __init__(self, archive_directory: Path, opened: _Opened) -> None:
        self._directory = archive_directory
        self._opened: _Opened | None = opened

    @classmethod
    def open(cls, archive_directory: Path) -> Self:
        """Open the latest commit, every byte of it checked. Raises `ArchiveDamaged`, also where there is none."""
        return cls(archive_directory, _open_current(archive_directory))

    @property
    def count(self) -> int:
        """How many passages it holds."""
        return self._commit.searcher.num_docs

    @property
    def position(self) -> Position:
        """How far it follows the archive."""
        return self._commit.manifest.position

    def search(
        self, question: str, k: int, among: Sequence[int] | None = None, beside: Weighed = ()
    ) -> list[tuple[int, float]]:
        """Give the ids of the at most `k` best passages (of those `among`) with their BM25 scores, best first.

        Any text is a question; nothing in it is an operator. What stands in double quotes, and names of several words,
        need not be found as a phrase, but lift the passages where they are. Words `beside` the question count by their
        weights; one of the question counts 1.
        """
        return self._search(question, k, among, beside, WEIGHTS)

    def search_articles(
        self, question: str, k: int, among: Sequence[int] | None = None, beside: Weighed = ()
    ) -> list[tuple[int, float]]:
        """Do the same for whole articles; the id is that of the first passage of each."""
        return self._search(question, k, among, beside, WHOLE)

    def _search(
        self, question: str, k: int, among: Sequence[int] | None, beside: Weighed, weights: Mapping[str, float]
    ) -> list[tuple[int, float]]:
        opened = self._commit
        query, most = _query(opened, question, beside, weights), min(k, opened.searcher.num_docs)
        if query is None or most <= 0:
            return []
        if among is not None:
            query = _only(opened, query, among)
        hits = opened.searcher.search(query, most, count=False).hits
        found = opened.searcher.fast_field_values(PASSAGE, [address for _, address in hits])
        scored = [(int(number or 0), float(score)) for number, (score, _) in zip(found, hits, strict=True)]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))

    def reload(self) -> None:
        """Go over to a later commit, if there is one. Raises `ArchiveDamaged` and stays with the old one."""
        if commits(self._directory).current() not in {None, self._commit.commit}:
            self._opened = _open_current(self._directory)

    def close(self) -> None:
        """Let go of the files; it cannot be used afterwards."""
        self._opened = None

    @property
    def _commit(self) -> _Opened:
        if self._opened is None:
            raise ArchiveError("The word index was closed. Open it again with: WordIndex.open(directory)")
        return self._opened


def commits(archive: Path) -> Publications:
    """Give the place of an archive's word indexes."""
    return Publications(archive / WORDS)


# Upkeep: the caller holds the archive for writing


def update(archive: Archive) -> None:
    """Bring the index of an archive in step with it; made afresh where there is none that can be used.

    Raises `ArchiveError` where it cannot be written; the commit before then stays.
    """
    since = _usable(archive, _verified)
    if since is None:
        rebuild(archive)
    elif since.position != archive.position:
        try:
            _commit(archive, since)
        except _Astray:
            logger.warning("The word index of %s is made afresh: it did not hold what it should", archive.directory)
            rebuild(archive)


def rebuild(archive: Archive) -> None:
    """Make the index of an archive afresh: nothing of what left the archive stays in its files."""
    _commit(archive, None)


def tidy(archive: Archive) -> None:
    """Remove what killed processes left, and an index that is not of this archive, before it could seem to be."""
    published = commits(archive.directory)
    if published.current() and _usable(archive, Manifest.read) is None:
        published.drop()
    else:
        published.sweep()


def check(archive: Archive) -> list[str]:
    """Say what is wrong with the index of an archive, every byte of it checked; empty where it is in step."""
    published = commits(archive.directory)
    commit = published.current()
    if commit is None:
        return ["there is no word index"] if archive.count_passages() else []
    named = [] if published.is_named() else [f"CURRENT does not name {commit.name}"]
    try:
        return named + _faults(archive, _open(commit))
    except ArchiveDamaged as error:
        return [*named, f"{commit.name}: {error}"]


def _faults(archive: Archive, opened: _Opened) -> list[str]:
    if opened.manifest.position != archive.position:
        return ["the word index is not in step with the archive"]
    if (counted := opened.searcher.num_docs) != (expected := archive.count_passages()):
        return [f"the word index holds {counted:,} passages instead of {expected:,}"]
    lost = [number for number in _sample(archive) if not opened.searcher.doc_freq(PASSAGE, number)]
    return [f"{len(lost)} passages are not in the word index, number {lost[0]} among them"] if lost else []


def _sample(archive: Archive) -> Iterator[int]:
    last = archive.position.passages
    for start in range(0, last, max(1, last // SAMPLE)):
        yield from (number for number, _, _ in next(archive.passages_after(start, batch=1), []))


class _Astray(Exception):
    """Following an archive led to another count of passages than the archive has."""


def _usable(archive: Archive, read: Callable[[Path], Manifest]) -> Manifest | None:
    """Give the manifest of the latest commit if the archive can be followed from there; else say in the log why not."""
    commit = commits(archive.directory).current()
    if commit is None:
        return None
    try:
        manifest = read(commit)
        _check_use(archive, manifest)
    except ArchiveDamaged as error:
        logger.warning("The word index at %s is made afresh: %s", commit, error)
        return None
    return manifest if manifest.made_by == _maker() else None


def _check_use(archive: Archive, manifest: Manifest) -> None:
    """Raise `ArchiveDamaged` where no commit to this archive could have led to this state."""
    manifest.check(archive)
    old, new = manifest.position, archive.position
    if len(archive.departed(old.departures)) != new.departures - old.departures:
        raise ArchiveDamaged("the archive has forgotten what left since then")
    if old == new and manifest.passages != archive.count_passages():
        raise ArchiveDamaged("it is of another state than the archive")


def _commit(archive: Archive, since: Manifest | None) -> None:
    with _told(archive.directory):
        commits(archive.directory).publish(partial(_make, archive, since))


def _make(archive: Archive, since: Manifest | None, unfinished: Path) -> Manifest:
    """Make a commit in a folder. Raises `_Astray` where following led to another count of passages."""
    position = archive.position  # what comes in from here on is for the next commit
    known = since.files if since else {}
    with _workshop(unfinished) as work:
        if latest := commits(archive.directory).current():
            _link(latest, work, known)
        passages = _write(archive, work, since.position if since else Position(), position)
        if since and passages != archive.count_passages():
            raise _Astray
        names = _live_files(work)
        _link(work, unfinished, names)
    kept = {name: known[name] for name in names if name in known and name not in REWRITTEN}
    return Manifest(_maker(), {"identity": archive.facts["identity"]}, position, passages, kept)


@contextmanager
def _workshop(unfinished: Path) -> Iterator[Path]:
    """Give a folder for Tantivy: its threads go on tidying up for a while, so what counts is taken out of there."""
    work = unfinished.with_name(f"{unfinished.name}-work")
    work.mkdir()
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _live_files(work: Path) -> list[str]:
    """Name the files of the segments that Tantivy's last commit consists of, and those that name the segments."""
    segments = json.loads((work / "meta.json").read_bytes())["segments"]
    live = {segment["segment_id"].replace("-", "") for segment in segments}
    return sorted(path.name for path in work.iterdir() if path.name.partition(".")[0] in live or path.name in REWRITTEN)


def _write(archive: Archive, directory: Path, since: Position, until: Position) -> int:
    """Write into a folder what came and left between two positions; give how many passages are in it then."""
    import tantivy

    schema = _schema()
    index = tantivy.Index(schema, str(directory))
    index.register_tokenizer(ANALYZER, _analyzer())
    index.config_reader("manual")  # or a thread would look for commits, and leave locks here
    writer = index.writer(WRITER_BYTES, 1)
    if gone := archive.departed(since.departures):
        # In Tantivy 0.27 `delete_documents_by_term` deletes nothing where the field is a number, and does not say so.
        writer.delete_documents_by_query(tantivy.Query.term_set_query(schema, PASSAGE, gone))
    for fields in _documents(archive, since.passages, until.passages):
        writer.add_document(tantivy.Document.from_dict(fields, schema))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    passages = index.searcher().num_docs
    for lock in directory.glob("*.lock"):
        lock.unlink(missing_ok=True)
    return passages


def _documents(archive: Archive, after: int, until: int) -> Iterator[dict[str, str | int]]:
    last = ""
    for batch in archive.passages_after(after):
        for number, passage, article in batch:
            if number > until:
                return
            texts = {"title": article.title, "source": article.source, "body": passage.text}
            if article.id != last:  # the passages of an article come in together
                texts["whole"] = f"{article.title}\n{article.text}"
                last = article.id
            yield {PASSAGE: number, **{name: _plain(text) for name, text in texts.items()}}


# Searching


def _query(opened: _Opened, question: str, beside: Weighed, fields: Mapping[str, float]) -> Query | None:
    """Give what is searched for a question in some fields, or None where it holds no word."""
    from tantivy import Occur, Query

    weights: dict[tuple[str, ...], float] = {}
    for text, weight in _sought(question, beside):
        stems = tuple(opened.analyzer.analyze(text))
        if stems:
            weights[stems] = max(weight, weights.get(stems, 0.0))
    found = [
        (Occur.Should, Query.boost_query(_anywhere(opened, stems, fields), weight)) for stems, weight in weights.items()
    ]
    return Query.boolean_query(found) if found else None


def _only(opened: _Opened, query: Query, among: Sequence[int]) -> Query:
    from tantivy import Occur, Query

    allowed = Query.const_score_query(Query.term_set_query(opened.schema, PASSAGE, list(among)), 0.0)
    return Query.boolean_query([(Occur.Must, query), (Occur.Must, allowed)])


def _sought(question: str, beside: Weighed) -> Iterator[tuple[str, float]]:
    subject = subject_words(_plain(question))
    # The words of "When was that?" are sought where there are no others.
    yield from _parts(_plain(question), subject or ([] if beside else words(_plain(question))))
    for text, weight in beside:
        yield from ((part, weight * own) for part, own in _parts(_plain(text), subject_words(_plain(text))))


def _parts(question: str, subject: Sequence[Word]) -> Iterator[tuple[str, float]]:
    yield from ((word.text, 1.0) for word in subject)
    yield from ((phrase, QUOTED_WEIGHT) for phrase in _QUOTED.findall(question))
    yield from ((f"{one.text} {two.text}", NAME_WEIGHT) for one, two in pairwise(subject) if _is_name(one, two))


def _is_name(one: Word, two: Word) -> bool:
    return one.capital and two.capital and two.start - one.start - len(one.text) == 1


def _anywhere(opened: _Opened, stems: tuple[str, ...], weights: Mapping[str, float]) -> Query:
    """Give the search for a word, or for several that follow one another, in some fields."""
    from tantivy import Query

    def within(field: str) -> Query:
        if len(stems) == 1:
            return Query.term_query(opened.schema, field, stems[0])
        return Query.phrase_query(opened.schema, field, list(stems))

    fields = [Query.boost_query(within(field), weight) for field, weight in weights.items()]
    return Query.disjunction_max_query(fields, TIE)


# Tantivy's view of an archive


def _schema() -> Schema:
    from tantivy import SchemaBuilder

    builder = SchemaBuilder().add_unsigned_field(PASSAGE, indexed=True, fast=True)
    for field in WEIGHTS | WHOLE:
        builder = builder.add_text_field(field, tokenizer_name=ANALYZER)
    return builder.build()


def _analyzer() -> TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple())
    for step in (Filter.remove_long(LONGEST_WORD), Filter.lowercase(), Filter.ascii_fold(), Filter.stemmer("english")):
        builder = builder.filter(step)
    return builder.build()


def _plain(text: str) -> str:
    # Half of a surrogate pair is no text to Tantivy, and an accent that stands apart would part its word.
    return unicodedata.normalize("NFKC", text.encode(errors="replace").decode())


def _maker() -> dict[str, str]:
    from tantivy.tantivy import __version__

    # Another release may stem otherwise than the index was stemmed.
    return {"format": FORMAT, "tantivy": __version__}


# Commits on disk


def _open_current(archive: Path) -> _Opened:
    commit = commits(archive).current()
    if commit is None:
        raise _unusable(archive, "there is none")
    try:
        return _open(commit)
    except ArchiveDamaged as error:
        if commits(archive).current() != commit:  # a writer put another one in its place while it was read
            return _open_current(archive)
        raise _unusable(archive, str(error)) from error


def _unusable(archive: Path, reason: str) -> ArchiveDamaged:
    return ArchiveDamaged(
        f"The word index of {archive} cannot be used: {reason}. "
        f"Make it afresh with: onrecord rebuild --archive {archive}"
    )


def _open(commit: Path) -> _Opened:
    """Open a commit, every byte of it checked. Raises `ArchiveDamaged`."""
    from tantivy import Index

    manifest = _verified(commit)
    if manifest.made_by.get("format") != FORMAT:
        raise ArchiveDamaged(f"its format is {manifest.made_by.get('format')}, not {FORMAT}")
    # Tantivy writes a lock where it opens, and has all files in memory when it is open.
    with _refused(), _passing_folder() as place:
        for name in manifest.files:
            (place / name).symlink_to(commit.absolute() / name)
        searcher = Index.open(str(place)).searcher()
    return _Opened(commit, manifest, _schema(), searcher, _analyzer())


@contextmanager
def _passing_folder() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="onrecord-"))
    try:
        yield place
    finally:
        for _ in range(5):  # a thread of Tantivy looks for commits there once, and may put a lock where we remove
            shutil.rmtree(place, ignore_errors=True)
            if not place.exists():
                break


def _verified(commit: Path) -> Manifest:
    """Give the manifest of a commit whose files are as they were written. Raises `ArchiveDamaged`."""
    manifest = Manifest.read(commit)
    for name, seal in manifest.files.items():
        check_file(commit / name, seal)
    return manifest


def _link(commit: Path, place: Path, names: Iterable[str]) -> None:
    for name in names:
        if name not in REWRITTEN:
            with suppress(OSError):  # a file system without links
                (place / name).hardlink_to(commit / name)
                continue
        shutil.copyfile(commit / name, place / name)


@contextmanager
def _refused() -> Iterator[None]:
    """Turn what Tantivy says to files that it cannot open into `ArchiveDamaged`."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, (ValueError, OSError)) and not _is_panic(error):
            raise
        raise ArchiveDamaged(f"it cannot be opened ({error})") from error


@contextmanager
def _told(directory: Path) -> Iterator[None]:
    """Turn what a full or a closed disk does to Tantivy into a line of ours."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, (ValueError, OSError)) and not _is_panic(error):
            raise
        free = shutil.disk_usage(directory).free / 1e6
        raise ArchiveError(
            f"The word index of {directory} could not be written ({error}; {free:,.0f} MB are free there). All "
            f"articles are kept. See that there is room and that you may write there, then run: onrecord rebuild "
            f"--archive {directory}"
        ) from error


def _is_panic(error: BaseException) -> bool:
    return type(error).__name__ == "PanicException"  # PyO3 gives no name to import, and derives it from BaseException
