"""`onrecord verify`: everything that an archive holds, checked; each finding ends with what mends it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from rag import generations, lexical
from rag.archive import FILE_NAME, Archive, seal_of_passages
from rag.articles import Article
from rag.errors import ArchiveError
from rag.talk import counted, shown, told

from .status import writer_of

MOST_NAMED = 5
# A unit vector whose numbers are rounded to 11 bits has a length within 0.0005 of 1.
LENGTH_TOLERANCE = 0.002

_ARTICLES = """
SELECT id, title, text, source, date, url, authors, section, language, digest,
(SELECT json_group_array(json_array(first, last))
 FROM (SELECT first, last FROM passages WHERE article_id = articles.id ORDER BY passages.id))
FROM articles ORDER BY id
"""
_VECTORS = """
SELECT article_id, seal, first, last, vector FROM passages JOIN articles ON articles.id = article_id
ORDER BY article_id, passages.id
"""


@dataclass(slots=True)
class Finding:
    """Something that is wrong: how often, where (the first few places), and what mends it."""

    problem: str
    remedy: str
    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        """Count one more place."""
        self.count += 1
        if len(self.places) < MOST_NAMED and place not in self.places:
            self.places.append(shown(place))

    def write(self) -> str:
        """Write it as one line for a person."""
        more = ", ..." if self.count > len(self.places) else ""
        where = f" ({self.count:,}: {', '.join(self.places)}{more})" if self.places else ""
        return f"{self.problem}{where}. {self.remedy}" if self.remedy else self.problem


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked, and what was found."""

    archive: str
    articles: int
    passages: int
    fingerprint: str
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give it for other programs."""
        return asdict(self)


def verify(directory: Path) -> Verification:
    """Check all that an archive holds; what keeps it from being read is a finding too."""
    try:
        archive = Archive.open(directory)
    except ArchiveError as error:
        return Verification(shown(directory), 0, 0, "", (_from_error(error),))
    with archive:
        try:
            # Where one part is damaged, the parts that rest on it would only say so again.
            findings = _broken_file(archive) or _wrong_content(archive) or _wrong_indexes(archive)
            counts = archive.count(), archive.count_passages(), archive.fingerprint()
            return Verification(shown(directory), *counts, tuple(findings))
        except ArchiveError as error:
            return Verification(shown(directory), 0, 0, "", (_from_error(error, _copy_remedy(directory)),))


def _from_error(error: ArchiveError, remedy: str = "") -> Finding:
    problem, _, rest = shown(str(error)).partition("). ")
    return Finding(f"{problem})", remedy or rest, 1) if rest else Finding(problem, remedy, 1)


def write_verification(found: Verification) -> str:
    """Write what was found in lines for a person."""
    if not found.findings:
        checked = f"{counted(found.articles, 'article')}, {counted(found.passages, 'passage')} and both indexes"
        return f"Nothing is wrong with {found.archive}: {checked} were checked."
    wrong = [f"wrong  {finding.write()}" for finding in found.findings]
    return "\n".join(
        [*wrong, f"{counted(len(wrong), 'finding')} in {found.archive}. Once that is mended, verify again."]
    )


# The file


def _broken_file(archive: Archive) -> list[Finding]:
    remedy = _copy_remedy(archive.directory)
    with told("Checking the file"):
        torn = [str(line) for (line,) in archive.database.read("PRAGMA integrity_check") if line != "ok"]
        if torn:
            return [_finding("SQLite finds the file damaged", remedy, torn)]
        astray = archive.database.read("PRAGMA foreign_key_check")
    places = [f"row {row} of {table}" for table, row, _, _ in astray]
    return [_finding("Rows belong to no article", remedy, places)] if places else []


def _copy_remedy(directory: Path) -> str:
    return (
        f"Put back a copy of {FILE_NAME}, or move {shown(directory)} away and index the articles again: "
        f"onrecord index FOLDER --archive {shown(directory)}"
    )


def _finding(problem: str, remedy: str, places: Sequence[str]) -> Finding:
    finding = Finding(problem, remedy)
    for place in places:
        finding.add(place)
    return finding


# Articles, passages, vectors


def _wrong_content(archive: Archive) -> list[Finding]:
    place = shown(archive.directory)
    fetch = f"Take them out and read their files again: onrecord remove ID --archive {place}, then onrecord index FILE"
    embed = f"Cut and embed all articles anew: onrecord rebuild --embed --archive {place}"
    unreadable = Finding("Articles cannot be read", fetch)
    changed = Finding("Articles are not as they came in", fetch)
    uncovered = Finding("Passages do not cover their articles in order", embed)
    unfit = Finding("Vectors are not of unit length and the right dimension", embed)
    broken = Finding("Passages or vectors are not as they were stored", embed)
    with told("Checking the articles"):
        for article_id, article, digest, spans in _stored(archive):
            if article is None:
                unreadable.add(article_id)
            else:
                _add_if(changed, article_id, wrong=article.digest() != digest)
                _add_if(uncovered, article_id, wrong=not covers(article.text, spans))
    with told("Checking the vectors"):
        dimension = int(archive.facts.get("dimension", 0))
        for article_id, seal, passages in _sealed(archive):
            _add_if(broken, article_id, wrong=seal not in {"", seal_of_passages(passages)})
            _add_if(unfit, article_id, wrong=any(_is_unfit(vector, dimension) for _, _, vector in passages))
    found = [finding for finding in (unreadable, changed, uncovered, unfit) if finding.count]
    return found or ([broken] if broken.count else [])


def _add_if(finding: Finding, place: str, *, wrong: bool) -> None:
    if wrong:
        finding.add(place)


Span = tuple[int, int]


def _stored(archive: Archive) -> Iterator[tuple[str, Article | None, str, list[Span]]]:
    """Yield the id of each article, the article if it can be read, its digest and where its passages lie."""
    for rows in archive.database.stream(_ARTICLES, batch=100):
        for article_id, title, text, source, date, url, authors, section, language, digest, listed in rows:
            try:
                names = tuple(json.loads(authors))
                article = Article(article_id, title, text, source, date, url, names, section, language)
                yield article_id, article, digest, [(int(first), int(last)) for first, last in json.loads(listed)]
            except (ValueError, TypeError):
                yield article_id, None, digest, []


def covers(text: str, spans: Sequence[Span]) -> bool:
    """Say whether the spans lie in a text in order, without overlap, and leave out nothing but spaces."""
    end = 0
    for first, last in spans:
        if not end <= first < last <= len(text) or text[end:first].strip():
            return False
        end = last
    return not text[end:].strip()


def _sealed(archive: Archive) -> Iterator[tuple[str, str, list[tuple[int, int, bytes]]]]:
    """Yield the id of each article, the seal of its passages as it came in, and the passages with their vectors."""
    rows = (row for batch in archive.database.stream(_VECTORS) for row in batch)
    for (article_id, seal), group in groupby(rows, key=lambda row: (row[0], row[1])):
        yield article_id, seal, [(first, last, bytes(vector or b"")) for _, _, first, last, vector in group]


def _is_unfit(stored: bytes, dimension: int) -> bool:
    """Say whether a vector is not of that dimension and of unit length."""
    import numpy as np

    vector = np.frombuffer(stored, dtype=np.float16) if len(stored) == 2 * dimension > 0 else np.zeros(1)
    with np.errstate(all="ignore"):  # it may hold what is no number
        length = np.linalg.norm(vector.astype(np.float32))
    return not abs(length - 1) <= LENGTH_TOLERANCE  # so written, it is true of what is no number too


# Indexes


def _wrong_indexes(archive: Archive) -> list[Finding]:
    with told("Checking the indexes"):
        faults = {"The vector index": _damage(archive), "The word index": lexical.check(archive)}
    remedy = f"Make it afresh: onrecord rebuild --archive {shown(archive.directory)}"
    if writer := writer_of(archive.directory):
        remedy = f"Process {writer.pid} is writing to the archive; verify it again when that has finished"
    return [
        Finding(f"{index} is not as it should be: {shown(fault).rstrip('.')}", remedy, 1)
        for index, found in faults.items()
        for fault in found
    ]


def _damage(archive: Archive) -> list[str]:
    name = generations.current_name(archive.directory)
    found = generations.damage(archive)
    # A writer may have published the next generation and removed this one while it was checked.
    return found if generations.current_name(archive.directory) == name else _damage(archive)
