"""Conversations: what a reader asked and was answered, kept so that it is there tomorrow, with the same sources."""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.answers import Answer
from rag.conversation import TURNS_READ, Turn
from rag.errors import RagError

logger = logging.getLogger(__name__)

FILE_NAME = "conversations.sqlite3"
LONGEST_TITLE = 120
MOST_LISTED = 100
_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, reader TEXT NOT NULL, title TEXT NOT NULL, changed REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS conversations_of_reader ON conversations (reader, changed);
CREATE TABLE IF NOT EXISTS answers (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    within TEXT NOT NULL, whole INTEGER NOT NULL, asked REAL NOT NULL, answer TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_of_conversation ON answers (conversation, number);
CREATE TABLE IF NOT EXISTS additions (
    id TEXT PRIMARY KEY, reader TEXT NOT NULL, name TEXT NOT NULL, articles INTEGER NOT NULL, brought REAL NOT NULL
) WITHOUT ROWID;
"""


class NotKept(RagError):
    """There is no such conversation or answer, or it is another reader's."""

    def __init__(self) -> None:
        super().__init__("This conversation is not here any more. Begin a new one.")


class KeepingFailed(RagError):
    """What was asked and answered could not be written down; the answer itself is none the worse for it."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation in brief; `changed` is when something was last asked in it, in seconds since 1970."""

    id: str
    title: str
    changed: float
    answers: int


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is kept, and what it was found in: `within` as a reader would say it, of `whole` articles."""

    answer: Answer
    within: str = ""
    whole: int = 0
    id: str = ""
    conversation: str = ""
    asked: float = 0.0


@dataclass(frozen=True, slots=True)
class Addition:
    """A file of articles that a reader brought in, by its name and when, in seconds since 1970."""

    id: str
    name: str
    articles: int
    brought: float


class Conversations:
    """The conversations of all readers of one archive, in a file beside it; safe to use from several threads.

    A reader is known by a secret of their browser, and sees no other reader's. An answer has a name that nobody can
    guess, by which anybody may see it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        connection.executescript(f"PRAGMA foreign_keys = ON; {_SCHEMA}")

    @classmethod
    def open(cls, folder: Path) -> Conversations:
        """Open those of an archive; where nothing can be written there, they last as long as the program."""
        path = folder / FILE_NAME
        try:
            path.touch(mode=0o600)
            return cls(_connect(str(path)))
        except (OSError, sqlite3.Error) as error:
            logger.warning("Conversations are not kept when the chat ends: %s cannot be written (%s).", path, error)
            return cls(_connect(":memory:"))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def keep(self, reader: str, kept: Kept, *, replaces: str = "") -> Kept:
        """Keep an answer at the end of its conversation, a new one where it has none; give it with its names.

        With `replaces` it takes the place of that answer, and of all after it. Raises `NotKept` and `KeepingFailed`.
        """
        now = time.time()
        with self._changing() as connection:
            conversation = kept.conversation or self._begin(reader, kept.answer.question)
            self._require(reader, conversation)
            if replaces:
                connection.execute(_DELETE_FROM, [conversation, replaces])
            kept = replace(kept, id=secrets.token_urlsafe(16), conversation=conversation, asked=now)
            written = json.dumps(kept.answer.to_dict())
            row = [kept.id, conversation, kept.within, kept.whole, now, written]
            connection.execute(
                "INSERT INTO answers (id, conversation, within, whole, asked, answer) VALUES (?, ?, ?, ?, ?, ?)", row
            )
            connection.execute("UPDATE conversations SET changed = ? WHERE id = ?", [now, conversation])
            return kept

    def search(self, reader: str, query: str = "") -> list[Conversation]:
        """Give a reader's conversations, the latest first; with a query those in which all of its words are said."""
        conditions, values = ["reader = ?"], [reader]
        for word in query.split()[:8]:
            conditions.append(
                "EXISTS (SELECT 1 FROM answers WHERE conversation = conversations.id AND _said(title, answer, ?))"
            )
            values.append(word)
        rows = self._read(
            f"{_BRIEF} WHERE {' AND '.join(conditions)} ORDER BY changed DESC LIMIT {MOST_LISTED}", values
        )
        return [Conversation(*row) for row in rows]

    def find(self, reader: str, conversation: str) -> Conversation:
        """Give a conversation of a reader. Raises `NotKept`."""
        self._require(reader, conversation)
        [row] = self._read(f"{_BRIEF} WHERE id = ?", [conversation])
        return Conversation(*row)

    def answers(self, reader: str, conversation: str) -> list[Kept]:
        """Give all answers of a conversation, in order. Raises `NotKept`."""
        self._require(reader, conversation)
        return [_kept(row) for row in self._read(f"{_KEPT} WHERE conversation = ? ORDER BY number", [conversation])]

    def answer(self, name: str) -> Kept:
        """Give the answer of that name, to whoever has it. Raises `NotKept`."""
        rows = self._read(f"{_KEPT} WHERE id = ?", [name])
        if not rows:
            raise NotKept
        return _kept(rows[0])

    def history(self, reader: str, conversation: str, *, before: str = "") -> tuple[Turn, ...]:
        """Give what was last said in a conversation, oldest first, `before` an answer of it. Raises `NotKept`."""
        said = self.answers(reader, conversation) if conversation else []
        names = [kept.id for kept in said]
        said = said[: names.index(before)] if before in names else said
        return tuple(Turn(kept.answer.question, _text(kept.answer)) for kept in said[-TURNS_READ:])

    def rename(self, reader: str, conversation: str, title: str) -> None:
        """Give a conversation another title. Raises `NotKept`."""
        self._require(reader, conversation)
        with self._changing() as connection:
            connection.execute("UPDATE conversations SET title = ? WHERE id = ?", [_titled(title), conversation])

    def delete(self, reader: str, conversation: str) -> None:
        """Delete a conversation with its answers. Raises `NotKept`."""
        self._require(reader, conversation)
        with self._changing() as connection:
            connection.execute("DELETE FROM conversations WHERE id = ?", [conversation])

    # What readers brought in

    def add(self, reader: str, addition: Addition) -> None:
        """Note a file that a reader brought in."""
        row = [addition.id, reader, addition.name, addition.articles, addition.brought]
        with self._changing() as connection:
            connection.execute("INSERT OR REPLACE INTO additions VALUES (?, ?, ?, ?, ?)", row)

    def additions(self, reader: str) -> Sequence[Addition]:
        """Give what a reader brought in, the latest first."""
        query = "SELECT id, name, articles, brought FROM additions WHERE reader = ? ORDER BY brought DESC, id"
        return [Addition(*row) for row in self._read(query, [reader])]

    def take_back(self, reader: str, name: str) -> None:
        """Strike out what a reader brought in. Raises `NotKept`."""
        with self._changing() as connection:
            struck = connection.execute("DELETE FROM additions WHERE id = ? AND reader = ?", [name, reader]).rowcount
        if not struck:
            raise NotKept

    def _begin(self, reader: str, question: str) -> str:
        name = secrets.token_urlsafe(16)
        row = [name, reader, _titled(question), time.time()]
        self._connection.execute("INSERT INTO conversations VALUES (?, ?, ?, ?)", row)
        return name

    def _require(self, reader: str, conversation: str) -> None:
        if not self._read("SELECT 1 FROM conversations WHERE id = ? AND reader = ?", [conversation, reader]):
            raise NotKept

    def _read(self, query: str, values: Sequence[object]) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock, self._connection:
                yield self._connection
        except sqlite3.Error as error:
            raise KeepingFailed(f"This could not be kept ({error}). It is not in your conversations.") from error


_DELETE_FROM = """
DELETE FROM answers
WHERE conversation = ?1 AND number >= (SELECT number FROM answers WHERE conversation = ?1 AND id = ?2)
"""
_BRIEF = """
SELECT id, title, changed, (SELECT count(*) FROM answers WHERE conversation = conversations.id) FROM conversations
"""
_KEPT = "SELECT answer, within, whole, id, conversation, asked FROM answers"


def _connect(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=5, check_same_thread=False)
    connection.create_function("_said", 3, _is_said, deterministic=True)
    connection.execute("PRAGMA journal_mode = WAL")
    return connection


def _is_said(title: str, answer: str, word: str) -> bool:
    wanted = word.casefold()
    if wanted in title.casefold():
        return True
    record = json.loads(answer)
    said = [record["question"], *(sentence["text"] for sentence in record["sentences"])]
    return any(wanted in text.casefold() for text in said)


def _kept(row: Sequence[Any]) -> Kept:
    answer, *facts = row
    return Kept(Answer.from_dict(json.loads(answer)), *facts)


def _text(answer: Answer) -> str:
    return " ".join(sentence.text for sentence in answer.sentences)


def _titled(text: str) -> str:
    return " ".join(text.split())[:LONGEST_TITLE] or "Untitled"
