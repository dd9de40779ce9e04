"""Stories: articles that are copies or versions of one text, found as they come in.

Of an article's words we keep a sketch: the minima of many hashes over its runs of three words (MinHash; Broder 1997),
once for the whole and once for its opening. As many minima agree in two sketches as the texts have runs in common.
Groups of three minima are bands, kept in an index: texts with much in common share some band almost surely, so what
may belong to a new article is one query away. What is too short to be sketched must be equal word for word.

A wrongly joined article is lost to readers, a copy shown twice is not: in doubt, two texts are two stories. Reports
written by one form are as alike as copies; they differ in their names and numbers, so these are kept, as hashes, and
must agree. A notice that stands where an article should be is equal under every title; so the titles must be alike
where a text does not say what its title says, or came at another time.

The minima come from `rensa`: it is imported in a millisecond and needs nothing else, where `datasketch`, just as
sound, takes a second, brings SciPy, and is many times slower.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import struct
import zlib
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from rag.database import Database

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.unsignedinteger]

VERSION = 2  # of what is below; sketches of another version cannot be compared with ours
MINIMA = 96
SEED = 1
RUN_WORDS = 3
OPENING_WORDS = 100
FEWEST_WORDS = 60  # in less than that, what differs between two notices of one form is the news
# Where every tenth word is another, 57 % of the runs that are in either text are in both, and 24 bands of three minima
# find 99 % of such pairs; they find 2 % of those with 10 % in both. The opening of a copy that was cut is all there.
BAND_MINIMA = 3
BANDS, OPENING_BANDS = 24, 12
ODD, ODD_STEP = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9), 0xD6E8FEB86659FD93
MOST_CANDIDATES = 200

# Versions share this much of all that is in either; of a cut copy, this much stands in the longer one, and its opening.
VERSION_SHARE = 0.43
OPENING_SHARE, CUT_SHARE = 0.5, 0.6
# A bulletin that comes every day keeps its frame, and each is near in time to the next: a chain of them could run for
# years. So more of one text must stand in the other where they are of different days, and still more where these are
# not near. (Where every twentieth word is another, 86 % of the runs are kept.)
NEAR_DAYS = 3
NEAR_SHARE, CERTAIN_SHARE = 0.8, 0.88
# Of the names and numbers of the text that has fewer, at most this share, or one, may be missing in the other text: a
# toll is corrected, but the results of another company share hardly a figure.
MISSING_SHARE = 0.2
TITLE_WORD = 4  # letters; shorter words say little of a subject
NAME, NUMBER, TOLD, UNTOLD = range(4)  # kinds of marks; the last two are words of the title, found in the text or not

# In scripts that do not part words every character counts as one.
_UNPARTED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[^\W{_UNPARTED}]+|[{_UNPARTED}]")
# A number, or what begins with a capital (or any letter but a small Latin one) and begins no sentence.
_NUMBER_OR_NAME = re.compile(r"[^\Wa-z_](?:(?<=\d)\d*(?:[.,:]\d+)*|(?<=[\w,;]\s.)\w*)")
_SITE = re.compile(r"\s[|–—-]\s[^|–—]{0,25}$")

_CANDIDATES = """
SELECT story, runs, day, minima FROM sketches WHERE (runs > 0) = ? AND id IN (
    SELECT DISTINCT sketch FROM bands WHERE key IN (SELECT value FROM json_each(?)) LIMIT ?
)
"""
_INSERT = "INSERT INTO sketches (article_id, story, runs, day, minima) VALUES (?, ?, ?, ?, ?)"
_INSERT_BANDS = """
INSERT INTO bands SELECT value, (SELECT id FROM sketches WHERE article_id = ?) FROM json_each(?)
"""
_MERGE = "UPDATE sketches SET story = ? WHERE story IN (SELECT value FROM json_each(?))"
_UNSKETCHED = """
SELECT id, title, text, date FROM articles
WHERE id > ? AND NOT EXISTS (SELECT 1 FROM sketches WHERE article_id = articles.id) ORDER BY id LIMIT ?
"""

Candidate = tuple[str, int, int, bytes]
Marks = tuple[frozenset[int], ...]


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is kept of a text: how many runs it has, their minima, its band keys, and marks of its names and numbers.

    The minima are those of the whole, then those of the opening; for a short text they are a hash of its words. Marks
    are hashes of what is in the text, sorted into sets by their kind; those of the title's words are among them.
    """

    runs: int
    minima: bytes
    keys: tuple[int, ...]
    marks: Marks

    @property
    def kept(self) -> bytes:
        """The minima and the marks as they are stored."""
        marks = [mark << 2 | kind for kind, each in enumerate(self.marks) for mark in sorted(each)]
        return self.minima + struct.pack(f"<{len(marks)}I", *marks)


def place(database: Database, article_id: str, title: str, text: str, date: str) -> str:
    """Sort an article that has just come in into its story, as part of a transaction; give the story's label.

    A story is known by the least label of all that ever were in it, so the order in which they come does not matter.
    """
    _require_comparable(database)
    sketch, day = sketch_text(text, title), _ordinal(date)
    candidates = database.read(_CANDIDATES, [sketch.runs > 0, json.dumps(sketch.keys), MOST_CANDIDATES])
    stories = {_label(article_id, title, text)} | _akin(sketch, day, candidates)
    story = min(stories)
    if len(stories) > 1:
        database.change(_MERGE, [story, json.dumps(sorted(stories - {story}))])
    database.change(_INSERT, [article_id, story, sketch.runs, day, sketch.kept])
    database.change(_INSERT_BANDS, [article_id, json.dumps(sketch.keys)])
    return story


def place_missing(database: Database, after: str, most: int) -> str | None:
    """Do the same for articles of older archives, in the order of their ids; give the last id, or None at the end."""
    _require_comparable(database)
    rows = database.read(_UNSKETCHED, [after, most])
    for row in rows:
        place(database, *row)
    return str(rows[-1][0]) if rows else None


def any_missing(database: Database) -> bool:
    """Say whether some article has no sketch that can be compared with ours; reads no text."""
    [(articles, sketches)] = database.read("SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM sketches)")
    return bool(articles > sketches or (sketches and _noted_kind(database) != _kind()))


def sketch_text(text: str, title: str = "") -> Sketch:
    """Give the sketch of a text, in which case and punctuation do not count."""
    words = _WORD.findall(text.casefold()) or [text.strip()]
    marks = _marks(text, title, words)
    digest = hashlib.sha256(" ".join(words).encode()).digest()
    equal = -(int.from_bytes(digest[:4]) >> 1)  # below all bands, so that equal texts are the first to be found
    if len(words) < FEWEST_WORDS:
        return Sketch(0, digest[:16], (equal,), marks)
    runs = list(map(" ".join, zip(*(words[start:] for start in range(RUN_WORDS)), strict=False)))
    whole, opening = _minima(runs), _minima(runs[: OPENING_WORDS - RUN_WORDS + 1])
    minima = whole.tobytes() + opening.tobytes()
    return Sketch(len(set(runs)), minima, (equal, *_band_keys(whole, opening)), marks)


def _label(article_id: str, title: str, text: str) -> str:
    """Give what no other article has, nor this one in another version: labels of those who left may live on."""
    return hashlib.sha256(json.dumps([article_id, title, text]).encode()).hexdigest()[:16]


def _marks(text: str, title: str, words: Sequence[str]) -> Marks:
    """Find names (capitals inside sentences), numbers, and the words of the title less the name of a site."""
    found, known = set(_NUMBER_OR_NAME.findall(text)), set(words)
    numbers = {each for each in found if each[0].isdigit()}
    names = {each.casefold() for each in found if each[0].isupper()}
    subject = {word for word in _WORD.findall(_SITE.sub("", title).casefold()) if len(word) >= TITLE_WORD}
    kinds = (names, numbers, subject & known, subject - known)
    return tuple(frozenset(zlib.crc32(word.encode()) >> 2 for word in kind) for kind in kinds)


def _minima(runs: Sequence[str]) -> Numbers:
    import numpy as np
    import rensa

    sketch = rensa.RMinHash(num_perm=MINIMA, seed=SEED)
    sketch.update(runs)
    return np.array(sketch.digest(), dtype="<u4")


def _band_keys(whole: Numbers, opening: Numbers) -> tuple[int, ...]:
    """Hash each band, and its number, to 31 bits, which SQLite keeps in 4 bytes (multiply-shift hashing)."""
    import numpy as np

    numbers = np.array([*range(BANDS), *range(OPENING_BANDS)], dtype=np.uint64)
    minima = np.concatenate([whole[: BANDS * BAND_MINIMA], opening[: OPENING_BANDS * BAND_MINIMA]])
    hashed = minima.astype(np.uint64).reshape(-1, BAND_MINIMA) @ np.array(ODD, dtype=np.uint64)
    keys = (hashed + numbers * np.uint64(ODD_STEP)) >> np.uint64(33)
    return tuple(sorted({*keys.tolist()}))


def _akin(sketch: Sketch, day: int, candidates: Sequence[Candidate]) -> set[str]:
    """Give the stories of those candidates that are copies or versions of the sketched text."""
    alike = _alike(sketch, day, candidates) if candidates and sketch.runs else _equal(sketch, candidates)
    return {story for story, _, their_day, kept in alike if _same_news(sketch, kept, near=_near(day, their_day))}


def _equal(sketch: Sketch, candidates: Sequence[Candidate]) -> list[Candidate]:
    return [row for row in candidates if row[3].startswith(sketch.minima)]


def _alike(sketch: Sketch, day: int, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Give those candidates that have enough words in common with a text, the more the further apart they are."""
    import numpy as np

    whole, opening = _agreement(sketch.minima, [kept[: len(sketch.minima)] for _, _, _, kept in candidates])
    runs, days = (np.array([row[place] for row in candidates]) for place in (1, 2))
    # As |A n B| = J / (1 + J) * (|A| + |B|): how much of the shorter one stands in the longer one.
    contained = whole / (1 + whole) * (runs + sketch.runs) / np.minimum(runs, sketch.runs)
    alike = (whole >= VERSION_SHARE) | ((opening >= OPENING_SHARE) & (contained >= CUT_SHARE))
    apart = np.where((days == 0) | (day == 0), 0, np.abs(days - day))
    wanted = np.select([apart == 0, apart <= NEAR_DAYS], [0, NEAR_SHARE], CERTAIN_SHARE)
    return [candidates[number] for number in np.flatnonzero(alike & (contained >= wanted)).tolist()]


def _same_news(sketch: Sketch, kept: bytes, *, near: bool) -> bool:
    """Say whether two texts that are alike name the same names and numbers, and are on one subject by their titles."""
    ours, theirs = sketch.marks, _unpacked(kept[len(sketch.minima) :])
    together = [marks[NAME] | {~mark for mark in marks[NUMBER]} for marks in (ours, theirs)]
    pairs = [(ours[NAME], theirs[NAME]), (ours[NUMBER], theirs[NUMBER]), together]
    return all(_agree(one, other) for one, other in pairs) and _same_subject(ours, theirs, near=near)


def _agree(one: AbstractSet[int], other: AbstractSet[int]) -> bool:
    fewer = min(len(one), len(other))
    return fewer - len(one & other) <= max(1, MISSING_SHARE * fewer)


def _same_subject(ours: Marks, theirs: Marks, *, near: bool) -> bool:
    """Say whether two titles share half their words, or, in texts that are near in time, each fits its own text."""
    one, other = (marks[TOLD] | marks[UNTOLD] for marks in (ours, theirs))
    if 2 * len(one & other) >= min(len(one), len(other)):
        return True
    return near and all(len(marks[TOLD]) >= len(marks[UNTOLD]) for marks in (ours, theirs))


def _unpacked(marks: bytes) -> Marks:
    numbers = struct.unpack(f"<{len(marks) // 4}I", marks)
    return tuple(frozenset(number >> 2 for number in numbers if number & 3 == kind) for kind in range(UNTOLD + 1))


def _near(day: int, other: int) -> bool:
    return not day or not other or abs(day - other) <= NEAR_DAYS


def _agreement(minima: bytes, others: Sequence[bytes]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimate what a text has in common with others: on the whole, and where one of the two may be only an opening."""
    import numpy as np

    whole, opening = np.frombuffer(minima, dtype="<u4").reshape(2, MINIMA)
    theirs = np.frombuffer(b"".join(others), dtype="<u4").reshape(-1, 2, MINIMA)
    with_whole, with_opening = ((theirs == mine).mean(axis=2) for mine in (whole, opening))
    return with_whole[:, 0], np.maximum(with_opening.max(axis=1), with_whole[:, 1])


def _ordinal(date: str) -> int:
    with suppress(ValueError):
        return dt.date.fromisoformat(date).toordinal()
    return 0


def _require_comparable(database: Database) -> None:
    """Drop sketches that another version made; their articles are sketched again like those that never were."""
    noted = _noted_kind(database)
    if noted != _kind():
        if noted:
            database.change("DELETE FROM sketches")
        database.change("INSERT OR REPLACE INTO facts VALUES ('sketches', ?)", [_kind()])


def _noted_kind(database: Database) -> str:
    rows = database.read("SELECT value FROM facts WHERE name = 'sketches'")
    return str(rows[0][0]) if rows else ""


@cache
def _kind() -> str:
    import rensa

    return f"{VERSION} of rensa {rensa.RMinHash.ALGORITHM_VERSION}"
