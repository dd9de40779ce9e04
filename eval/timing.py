"""What is timed inside a process, by the same lines for both sides."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .workspace import Workspace

SEARCHES = 100
WARM_UPS = 3
WARM_UP_TEXTS = 16


def time_searches(workspace: Workspace, search: Callable[[str], Sequence[object]]) -> dict[str, Any]:
    """Ask the questions one after the other, after a few that are not counted; give the milliseconds of each."""
    questions = workspace.read("questions")[:SEARCHES]
    for question in questions[:WARM_UPS]:
        search(question)
    return {"milliseconds": [_seconds(search, question) * 1000 for question in questions]}


def time_embedding(
    workspace: Workspace,
    side: str,
    embed_texts: Callable[[list[str]], ArrayLike],
    embed_question: Callable[[str], ArrayLike],
) -> dict[str, Any]:
    """Embed the cut texts, after a few that are not counted, and leave all vectors to be compared."""
    texts = workspace.read("texts")["texts"]
    embed_texts(texts[:WARM_UP_TEXTS])
    started = time.perf_counter()
    vectors = embed_texts(texts)
    seconds = time.perf_counter() - started
    asked = [embed_question(question) for question in workspace.read("questions")]
    np.savez(workspace.vectors(side), texts=np.asarray(vectors), questions=np.asarray(asked))
    return {"seconds": seconds}


def _seconds(search: Callable[[str], Sequence[object]], question: str) -> float:
    started = time.perf_counter()
    search(question)
    return time.perf_counter() - started
