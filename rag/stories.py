"""Stories: articles that are copies or versions of one text, found as they come in.

Of an article's words we keep a sketch: the minima of many hashes over its runs of three words (MinHash; Broder 1997),
once for the whole and once for its opening. As many minima agree in two sketches as the texts have runs in common.
Groups of three minima are bands, kept in an index: texts with much in common share some band almost surely, so what
may belong to a new article is one query away. What is too short to be sketched must be equal word for word.

The minima come from `rensa`: it is imported in a millisecond and needs nothing else, where `datasketch`, just as
sound, takes a second, brings SciPy, and is many times slower.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from rag.database import Database

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.unsignedinteger]

VERSION = 1  # of what is below; sketches of another version cannot be compared with ours
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
# A newsletter that comes every day keeps its frame. What is that alike and came at another time is a story of its own,
# unless nearly all of one stands in the other.
NEAR_DAYS = 3
CERTAIN_SHARE = 0.85

# In scripts that do not part words every character counts as one.
_UNPARTED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[^\W{_UNPARTED}]+|[{_UNPARTED}]")

_CANDIDATES = """
SELECT story, runs, day, minima FROM sketches WHERE length(minima) = ? AND id IN (
    SELECT DISTINCT sketch FROM bands WHERE key IN (SELECT value FROM json_each(?)) LIMIT ?
)
"""
_INSERT = "INSERT INTO sketches (article_id, story, runs, day, minima) VALUES (?, ?, ?, ?, ?)"
_INSERT_BANDS = """
INSERT INTO bands SELECT value, (SELECT id FROM sketches WHERE article_id = ?) FROM json_each(?)
"""
_MERGE = "UPDATE sketches SET story = ? WHERE story IN (SELECT value FROM json_each(?))"
_UNSKETCHED = """
SELECT id, text, date FROM articles
WHERE id > ? AND NOT EXISTS (SELECT 1 FROM sketches WHERE article_id = articles.id) ORDER BY id LIMIT ?
"""

Candidate = tuple[str, int, int, bytes]


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is kept of a text: a label that equal texts share, how many runs it has, their minima, its band keys.

    The minima are those of the whole, then those of the opening; for a short text they are a hash of its words.
    """

    label: str
    runs: int
    minima: bytes
    keys: tuple[int, ...]


def place(database: Database, article_id: str, text: str, date: str) -> str:
    """Sort an article that has just come in into its story, as part of a transaction; give the story's label.

    A story is known by the least label of all that ever were in it, so the order in which they come does not matter.
    """
    _require_comparable(database)
    sketch, day = sketch_text(text), _ordinal(date)
    wanted = [len(sketch.minima), json.dumps(sketch.keys), MOST_CANDIDATES]
    stories = {sketch.label} | _akin(sketch, day, database.read(_CANDIDATES, wanted))
    story = min(stories)
    if len(stories) > 1:
        database.change(_MERGE, [story, json.dumps(sorted(stories - {story}))])
    database.change(_INSERT, [article_id, story, sketch.runs, day, sketch.minima])
    database.change(_INSERT_BANDS, [article_id, json.dumps(sketch.keys)])
    return story


def place_missing(database: Database, after: str, most: int) -> str | None:
    """Do the same for articles of older archives, in the order of their ids; give the last id, or None at the end."""
    _require_comparable(database)
    rows = database.read(_UNSKETCHED, [after, most])
    for article_id, text, date in rows:
        place(database, article_id, text, date)
    return str(rows[-1][0]) if rows else None


def any_missing(database: Database) -> bool:
    """Say whether some article has no sketch that can be compared with ours; reads no text."""
    [(articles, sketches)] = database.read("SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM sketches)")
    return bool(articles > sketches or (sketches and _noted_kind(database) != _kind()))


def sketch_text(text: str) -> Sketch:
    """Give the sketch of a text, in which case and punctuation do not count."""
    words = _WORD.findall(text.casefold()) or [text.strip()]
    digest = hashlib.sha256(" ".join(words).encode()).digest()
    if len(words) < FEWEST_WORDS:
        return Sketch(digest[:8].hex(), 0, digest[:16], (int.from_bytes(digest[:4]) >> 1,))
    runs = list(map(" ".join, zip(*(words[start:] for start in range(RUN_WORDS)), strict=False)))
    whole, opening = _minima(runs), _minima(runs[: OPENING_WORDS - RUN_WORDS + 1])
    minima = whole.tobytes() + opening.tobytes()
    return Sketch(digest[:8].hex(), len(set(runs)), minima, _band_keys(whole, opening))


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
    if not candidates or not sketch.runs:
        return {story for story, _, _, minima in candidates if minima == sketch.minima}
    import numpy as np

    whole, opening = _agreement(sketch.minima, [minima for _, _, _, minima in candidates])
    runs, days = (np.array([row[place] for row in candidates]) for place in (1, 2))
    # As |A n B| = J / (1 + J) * (|A| + |B|): how much of the shorter one stands in the longer one.
    contained = whole / (1 + whole) * (runs + sketch.runs) / np.minimum(runs, sketch.runs)
    alike = (whole >= VERSION_SHARE) | ((opening >= OPENING_SHARE) & (contained >= CUT_SHARE))
    near = (np.abs(days - day) <= NEAR_DAYS) | (days == 0) | (day == 0)
    found = np.flatnonzero(alike & (near | (contained >= CERTAIN_SHARE)))
    return {candidates[number][0] for number in found.tolist()}


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
