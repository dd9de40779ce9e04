"""Onrecord's side, where it must be measured inside a process: `python -m eval.ours PHASE FOLDER MODEL`.

All else is run as a person runs it, by the command `onrecord`. Prints its result as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rag import Chatbot, Settings
from rag.archive import Archive
from rag.embedding import Embedder

from .timing import time_embedding, time_searches
from .workspace import Workspace

CUT_TOKENS = 254  # with the model's two marks these are 256, all that it reads
CUT_TEXTS = 1000


def prepare(workspace: Workspace, model: str) -> dict[str, Any]:  # noqa: ARG001 # one form for all phases
    """Load the model, which is prepared for a machine when it is first used there."""
    return {"dimension": Embedder.open(model).dimension}


def rows(workspace: Workspace, model: str) -> dict[str, Any]:  # noqa: ARG001 # one form for all phases
    """Count the passages of the archive."""
    with Archive.open(workspace.ours) as archive:
        return {"rows": sum(len(ids) for ids, _ in archive.vectors())}


def warm(workspace: Workspace, model: str) -> dict[str, Any]:
    """Time many questions to the archive, and the embedding of texts that are cut here for both sides."""
    with Chatbot.open(workspace.ours, Settings(model=model)) as chatbot:
        searches = time_searches(workspace, chatbot.search)
    embedder = Embedder.open(model)
    cut_texts(workspace, embedder)
    return searches | time_embedding(workspace, "ours", embedder.embed_passages, embedder.embed_question)


def cut_texts(workspace: Workspace, embedder: Embedder) -> None:
    """Leave texts of 256 tokens, cut from the articles; the longest are taken where there are many."""
    articles = [path.read_text(encoding="utf-8") for path in sorted(workspace.articles.iterdir())]
    pieces = dict(piece for article in articles for piece in cut_text(article, embedder.count_tokens))
    longest = dict(sorted(pieces.items(), key=lambda piece: piece[1], reverse=True)[:CUT_TEXTS])
    texts = [text for text in pieces if text in longest]
    workspace.write("texts", {"texts": texts, "tokens": sum(longest.values())})


def cut_text(
    text: str, count_tokens: Callable[[Sequence[str]], list[int]], maximum_tokens: int = CUT_TOKENS
) -> Iterator[tuple[str, int]]:
    """Yield pieces of whole words, each filled, with the number of its tokens; a word that fits in none is left out."""
    words = text.split()
    piece: list[str] = []
    room = maximum_tokens
    for word, tokens in zip(words, count_tokens(words), strict=True):
        if tokens > maximum_tokens:
            continue
        if tokens > room:
            yield " ".join(piece), maximum_tokens - room
            piece, room = [], maximum_tokens
        piece.append(word)
        room -= tokens
    if piece:
        yield " ".join(piece), maximum_tokens - room


PHASES: dict[str, Callable[[Workspace, str], dict[str, Any]]] = {"prepare": prepare, "rows": rows, "warm": warm}


def main(phase: str, folder: str, model: str) -> None:
    """Run one phase."""
    print(json.dumps(PHASES[phase](Workspace(Path(folder)), model)))


if __name__ == "__main__":
    main(*sys.argv[1:])
