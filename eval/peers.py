"""Peers on the same questions: each is indexed and asked in a process of its own, and measured as we are."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rag.archive import Archive
from rag.embedding import Embedder
from rag.models import PACKAGED_MODEL
from rag.talk import counted

from .answered import Answered
from .children import run_phase
from .errors import EvalError
from .peer import KNOWN_PEERS, KnownPeer, Peer, installed_peers, open_peer
from .retrieved import Hit
from .running import Plan, run
from .sets import QuestionSet, read_set
from .systems import Asked, Choice

STORES = ".peers"  # below the runs: what each peer keeps of an archive, which the next questions use again
MADE = "made.json"


@dataclass(frozen=True)
class PeerChoice:
    """A peer over the articles of an archive, which it stores below `stores`."""

    archive: Path
    name: str
    stores: Path
    given: tuple[str, ...] = ()

    @cached_property
    def known(self) -> KnownPeer:
        """What is known of the peer."""
        return next(known for known in KNOWN_PEERS if known.name == self.name)

    def to_dict(self) -> dict[str, Any]:
        """Give the peer and its versions for a manifest."""
        return {"peer": self.known.title, "as": self.known.words, **self.known.versions()}

    def open(self) -> PeerSystem:
        """Open what the peer has stored of the archive, or let it store that first."""
        embedder = Embedder.open(PACKAGED_MODEL)
        with Archive.open(self.archive) as archive:
            folder = self.stores / archive.fingerprint()[:16] / self.name
            if not (folder / MADE).exists():
                _store(self, archive, folder, embedder)
        return PeerSystem(open_peer(self.name, folder, embedder), embedder)


class PeerSystem:
    """A peer as a system that is measured; it only searches."""

    def __init__(self, peer: Peer, embedder: Embedder) -> None:
        self._peer = peer
        self._embedder = embedder

    def search(self, asked: Asked, k: int) -> list[Hit]:
        """Give the at most `k` best chunks for the words alone: no peer knows of days, or of what was said before."""
        found = self._peer.search(asked.words, k)
        lengths = self._embedder.count_tokens([one.text for one in found])
        return [
            Hit(one.article_id, 0, 0, one.score, text=one.text, tokens=tokens)
            for one, tokens in zip(found, lengths, strict=True)
        ]

    def answer(self, asked: Asked, found: Sequence[Hit]) -> Answered | None:  # noqa: ARG002
        """Answer nothing."""
        return None

    def close(self) -> None:
        """Release the peer's files."""
        self._peer.close()


def run_peers(
    questions: Path,
    archive: Path,
    out: Path,
    *,
    where: Sequence[str] = (),
    qrels: Path | None = None,
    only: Sequence[str] = (),
) -> list[Path]:
    """Run ourselves and every peer that is installed, one after the other; give the folders of the runs, ours first.

    Raises `EvalError` where no peer is installed, and `BenchError` where one fails.
    """
    names = _chosen(only)
    asked = read_set(questions, where, qrels)
    options = [*(word for each in where for word in ("--where", each)), *(("--qrels", str(qrels)) if qrels else ())]
    command = [f"{__package__}.peers", str(questions), str(archive), str(out)]
    for name in ["onrecord", *names]:
        run_phase(f"{name} on {asked.name}", [*command, name, *options], {**os.environ, "PYTHONUNBUFFERED": "1"})
    return [out / _run_name(asked, where, name) for name in ("onrecord", *names)]


def run_one(
    name: str, questions: Path, archive: Path, out: Path, *, where: Sequence[str] = (), qrels: Path | None = None
) -> Path:
    """Run one of them in this process; "onrecord" is our own retriever."""
    asked = read_set(questions, where, qrels)
    choice = Choice.of(archive, ()) if name == "onrecord" else PeerChoice(archive, name, out / STORES)
    plan = Plan(asked, choice, search_only=True)
    return run(plan, out, _run_name(asked, where, name))


def _chosen(only: Sequence[str]) -> list[str]:
    """Give the names of the peers that are wanted, else of all that are installed. Raises `EvalError`."""
    there, known = [one.name for one in installed_peers()], [one.name for one in KNOWN_PEERS]
    if strange := [name for name in only if name not in known]:
        raise EvalError(f"There is no peer {strange[0]!r}. Choose from {', '.join(known)}.")
    if missing := [name for name in only or known if name not in there and (only or not there)]:
        told = " and ".join(missing)
        raise EvalError(f'Not installed: {told}. Install all peers with: pip install "onrecord[peers]"')
    return [name for name in there if not only or name in only]


def _run_name(asked: QuestionSet, where: Sequence[str], name: str) -> str:
    parts = [asked.name, *(condition.replace("=", "-").replace("/", "-") for condition in where), name]
    return "-".join(parts)


def _store(choice: PeerChoice, archive: Archive, folder: Path, embedder: Embedder) -> None:
    print(f"Storing {counted(archive.count(), 'article')} in {choice.known.title} ...", file=sys.stderr)
    if folder.exists() and any(folder.iterdir()):
        raise EvalError(f"What {choice.known.title} keeps in {folder} was left unfinished. Remove that folder.")
    peer, started = open_peer(choice.name, folder, embedder), time.perf_counter()
    chunks = peer.add(archive.articles())
    peer.close()
    made = {"chunks": chunks, "seconds": round(time.perf_counter() - started, 1)}
    (folder / MADE).write_text(json.dumps(made), encoding="utf-8")


def main(questions: str, archive: str, out: str, name: str, *options: str) -> None:
    """Run one of them: `python -m eval.peers QUESTIONS ARCHIVE OUT NAME [--where CONDITION]... [--qrels FILE]`."""
    given = list(zip(options[::2], options[1::2], strict=True))
    where = [value for option, value in given if option == "--where"]
    qrels = next((Path(value) for option, value in given if option == "--qrels"), None)
    print(run_one(name, Path(questions), Path(archive), Path(out), where=where, qrels=qrels))


if __name__ == "__main__":
    main(*sys.argv[1:])
