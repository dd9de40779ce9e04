"""The folder a benchmark works in: the same texts and questions for both sides, and what each side makes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.articles import Article

QUESTIONS = 200
QUESTION_CHARACTERS = 300
CHANGED_SHARE = 0.01
ADDED_SENTENCE = "This report was corrected after it was first published."
BLOCK_BYTES = 512  # the unit of st_blocks on every system, whatever the file system's own


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where everything of one benchmark lies."""

    folder: Path

    @property
    def articles(self) -> Path:
        """One plain file an article, read by both sides."""
        return self.folder / "articles"

    @property
    def ours(self) -> Path:
        """The archive of Onrecord."""
        return self.folder / "archive"

    @property
    def stock(self) -> Path:
        """What the stock pipeline of LlamaIndex keeps."""
        return self.folder / "stock"

    @property
    def ingestion(self) -> Path:
        """What LlamaIndex's IngestionPipeline keeps."""
        return self.folder / "ingestion"

    def vectors(self, side: str) -> Path:
        """Say where a side leaves the vectors of the cut texts and of the questions."""
        return self.folder / f"{side}-vectors.npz"

    def write(self, name: str, value: Any) -> None:
        """Leave a value for the processes to come."""
        (self.folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")

    def read(self, name: str) -> Any:
        """Give a value that was left."""
        return json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))


def write_articles(workspace: Workspace, articles: Sequence[Article]) -> None:
    """Write each article as a plain file, its headline first, and leave the questions."""
    workspace.articles.mkdir()
    for number, article in enumerate(articles, start=1):
        path = workspace.articles / f"article-{number:06d}.txt"
        path.write_text(f"{article.title}\n\n{article.text}\n", encoding="utf-8")
    workspace.write("questions", pick_questions(articles))


def pick_questions(articles: Sequence[Article]) -> list[str]:
    """Give at most `QUESTIONS` different headlines, spread evenly over the articles."""
    lines = (" ".join((article.title or article.text).split())[:QUESTION_CHARACTERS] for article in articles)
    asked = list(dict.fromkeys(line for line in lines if any(map(str.isalnum, line))))
    count = min(QUESTIONS, len(asked))
    return [asked[at * len(asked) // count] for at in range(count)]


def change_articles(workspace: Workspace) -> int:
    """Add a sentence to one file in a hundred, at least to one; give how many."""
    paths = sorted(workspace.articles.iterdir())
    count = max(1, round(len(paths) * CHANGED_SHARE))
    for at in range(count):
        with paths[at * len(paths) // count].open("a", encoding="utf-8") as file:
            file.write(f"\n{ADDED_SENTENCE}\n")
    return count


def disk_megabytes(folder: Path) -> float:
    """Give the room that the files below a folder take on the disk."""
    return sum(path.lstat().st_blocks * BLOCK_BYTES for path in folder.rglob("*") if path.is_file()) / 1e6
