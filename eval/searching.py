"""Onrecord's side of the speed of search: `python -m eval.searching PHASE FOLDER MODEL`. Prints its result as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.archive import Archive
from rag.channels import Among, Hit, Meaning, Words
from rag.embedding import Embedder
from rag.fusion import Ranking
from rag.retrieval import Retriever
from rag.settings import Settings

from .synthetic import SEED, Sentences, dated_filter, make_archive, rare_filters, read_texts
from .turns import WARM_UPS, answer_turns, milliseconds
from .workspace import Workspace

K = 10
FILTERED = 50
THREADS = (1, 2, 4)
# Scores of one passage may differ by as much between two ways to compute them: so near ones are equal.
SAME = 1e-4


def make(workspace: Workspace, model: str) -> dict[str, Any]:
    """Make the archive that is searched, and the questions."""
    plan = workspace.read("plan")
    texts = read_texts(Path(plan["articles"]) if plan["articles"] else None)
    sentences = Sentences.of(texts, SEED + 1)
    asked: dict[str, None] = {}
    while len(asked) < plan["questions"]:
        asked[sentences.question()] = None
    workspace.write("questions", list(asked))
    seconds = make_archive(workspace.ours, plan["passages"], texts, Settings(model=model))
    return {"publishing": seconds}


def warm(workspace: Workspace, model: str) -> dict[str, Any]:
    """Time the questions one after the other."""
    with _retriever(workspace, model) as retriever:
        return {"milliseconds": _times(workspace, lambda question: retriever.retrieve(question, k=K))}


def turns(workspace: Workspace, model: str) -> dict[str, Any]:
    """Answer in turn with another side."""
    with _retriever(workspace, model) as retriever:
        answer_turns(lambda question: retriever.retrieve(question, k=K))
    return {}


def threads(workspace: Workspace, model: str) -> dict[str, Any]:
    """Give the questions that are answered in a second by so many threads."""
    with _retriever(workspace, model) as retriever:
        questions = workspace.read("questions")
        _times(workspace, retriever.retrieve, 1)
        found = {}
        for count in THREADS:
            # A question that was asked before is embedded no more.
            asked = [f"{question} {count}" for question in questions]
            started = time.perf_counter()
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(retriever.retrieve, asked))
            found[str(count)] = len(asked) / (time.perf_counter() - started)
        return found


def filtered(workspace: Workspace, model: str) -> dict[str, Any]:
    """Time questions behind filters that more and more passages meet, the first one of each apart."""
    cases: dict[str, dict[str, Any]] = {
        "a filter of 1 %": {"filters": rare_filters()["dates"]},
        "a filter of 10 %": {"filters": dated_filter(0.1)},
        "a filter of 50 %": {"filters": dated_filter(0.5)},
        "as of a day in the middle": {"as_of": dated_filter(0.5).until},
    }
    found = {}
    for name, options in cases.items():
        with _retriever(workspace, model) as retriever:
            _times(workspace, retriever.retrieve, 1)
            ask = _asking(retriever, options)
            first = milliseconds(ask, "What was reported of the filter?")
            found[name] = {"first": first, "milliseconds": _times(workspace, ask, FILTERED)}
    return found


def exact(workspace: Workspace, model: str) -> dict[str, Any]:
    """Compare what the index of vectors gives with an exact search, and both channels behind rare filters."""
    with Archive.open(workspace.ours) as archive:
        embedder, meaning, words = Embedder.open(model), Meaning(archive), Words(archive)
        questions = workspace.read("questions")
        vectors = np.array([embedder.embed_question(question) for question in questions])
        cosines = Cosines.of(archive, vectors)
        nearest = [cosines.agreement(row, meaning.best(vector, K), K) for row, vector in enumerate(vectors)]
        found = {"all": float(np.mean(nearest))}
        for name, filters in rare_filters().items():
            among = Among(archive, archive.filed(filters))
            found[name] = min(
                _agreement_of_meaning(cosines, meaning, vectors[:FILTERED], among),
                _agreement_of_words(archive.count_passages(), words, questions[:FILTERED], among),
            )
        meaning.close()
        words.close()
        return found


@dataclass(frozen=True, slots=True)
class Cosines:
    """The cosines of some questions with all passages, shape (questions, passages), the ids of these in order."""

    numbers: NDArray[np.int64]
    table: NDArray[np.float32]

    @classmethod
    def of(cls, archive: Archive, vectors: NDArray[np.float32]) -> Cosines:
        """Compute them from the stored vectors."""
        parts = [(numbers, vectors @ matrix.T) for numbers, matrix in archive.vectors()]
        numbers = np.concatenate([np.array(ids) for ids, _ in parts])
        return cls(numbers, np.concatenate([part for _, part in parts], axis=1))

    def agreement(self, row: int, found: Sequence[Hit], k: int, among: Among | None = None) -> float:
        """Give the share of the `k` nearest that were found; what is as near as the last of them counts as well."""
        cosines = self.table[row]
        allowed = cosines if among is None else cosines[np.searchsorted(self.numbers, among.numbers)]
        nearest = np.sort(allowed)[::-1][:k].tolist()
        places = np.searchsorted(self.numbers, [number for number, _ in found])
        return share_as_good([float(cosines[place]) for place in places], nearest)


def share_as_good(found: Sequence[float], best: Sequence[float]) -> float:
    """Give the share of the best scores that what was found has as well."""
    if not best:
        return float(not found)
    return sum(score >= best[-1] - SAME for score in found) / max(len(best), len(found))


def _agreement_of_meaning(cosines: Cosines, meaning: Meaning, vectors: NDArray[np.float32], among: Among) -> float:
    depth = Ranking().depth
    hits = [meaning.best(vector, depth, among) for vector in vectors]
    return min(
        cosines.agreement(row, each, depth, among) if _are_among(each, among) else 0.0 for row, each in enumerate(hits)
    )


def _agreement_of_words(passages: int, words: Words, questions: Sequence[str], among: Among) -> float:
    depth = Ranking().depth
    shares = []
    for question in questions:
        hits, best = words.best(question, depth, among), among.keep(words.best(question, passages))[:depth]
        share = share_as_good([score for _, score in hits], [score for _, score in best])
        shares.append(share if _are_among(hits, among) else 0.0)
    return min(shares)


def _are_among(hits: Sequence[Hit], among: Among) -> bool:
    return len(among.keep(hits)) == len(hits)


def _asking(retriever: Retriever, options: dict[str, Any]) -> Callable[[str], Sequence[object]]:
    return lambda question: retriever.retrieve(question, k=K, **options)


def _times(workspace: Workspace, search: Callable[[str], Sequence[object]], most: int | None = None) -> list[float]:
    questions = workspace.read("questions")
    for question in questions[:WARM_UPS]:
        search(f"{question} again")
    return [milliseconds(search, question) for question in questions[:most]]


def _retriever(workspace: Workspace, model: str) -> Retriever:
    return Retriever.open(workspace.ours, Settings(model=model))


PHASES: dict[str, Callable[[Workspace, str], dict[str, Any]]] = {
    "make": make,
    "warm": warm,
    "turns": turns,
    "threads": threads,
    "filtered": filtered,
    "exact": exact,
}


def main(phase: str, folder: str, model: str) -> None:
    """Run one phase."""
    print(json.dumps(PHASES[phase](Workspace(Path(folder)), model)))


if __name__ == "__main__":
    main(*sys.argv[1:])
