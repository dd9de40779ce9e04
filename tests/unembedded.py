"""Archives without a model's vectors: all that a search by words needs, made in no time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rag import Article, Passage
from rag.archive import Archive, Entry
from rag.lexical import update


def make_archive(folder: Path, articles: Iterable[Article] = ()) -> Path:
    """Put articles into an archive, a passage for each paragraph, and give its folder."""
    with Archive.create(folder, {"model": "none"}) as archive:
        archive.put(map(_entry, articles))
        update(archive)
    return folder


def _entry(article: Article) -> Entry:
    passages, at = [], 0
    for paragraph in article.text.split("\n\n"):
        passages.append(Passage(article.id, at, at + len(paragraph), paragraph))
        at += len(paragraph) + 2
    return Entry(article, tuple(passages), np.ones((len(passages), 4), dtype=np.float32))
