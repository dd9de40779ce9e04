"""Running: every question of a set is asked, and what it found is written down at once."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import Progress

import rag
from rag.archive import Archive
from rag.chatbot import PASSAGES_READ
from rag.errors import RagError
from rag.talk import counted

from .answered import Answered
from .errors import EvalError
from .questions import Question, Wording
from .retrieved import LAST_TURN, REWRITE, Retrieved, articles_of
from .runs import ANSWERS, ARTICLES, PASSAGES, Manifest, append, begin, finish, read_answered, read_retrieved, write
from .sets import QuestionSet
from .statistics import SEED
from .systems import Asked, Candidate, System

SHOWN, DEPTH = 10, 100
OWN_DAY = "question"
LIBRARIES = ("onrecord", "chromadb", "ir-measures", "numpy", "onnxruntime", "openvino", "tantivy", "tokenizers")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run: which questions, in which wording, and what they are asked of.

    `as_of` is the day on which they are asked, or `OWN_DAY` for that of each question; without it they are asked today.
    With `search_only` nothing is answered. `jobs` questions are asked at once, which changes nothing but the seconds.
    """

    asked: QuestionSet
    choice: Candidate
    wording: Wording = "question"
    as_of: str = ""
    search_only: bool = False
    jobs: int = 1

    def day_of(self, question: Question) -> str:
        """Give the day on which a question is asked, nothing for today."""
        return question.date if self.as_of == OWN_DAY else self.as_of

    def asked_of(self, question: Question) -> Asked:
        """Give a question as it is put to a system; a person's rewrite needs nothing of what was said before."""
        is_rewrite = self.wording == "rewrite" and question.rewrite
        history = () if is_rewrite else question.history
        return Asked(question.id, question.worded(self.wording), self.day_of(question), history)

    def identity(self) -> dict[str, Any]:
        """Give all that the outcome depends on. Raises `ArchiveNotFound`, and `EvalError` for another archive."""
        asked = self.asked
        questions = {"name": asked.name, "sha256": asked.sha256, "where": list(asked.where)}
        return {
            "questions": questions | {"count": len(asked.questions), "wording": self.wording, "as_of": self.as_of},
            "archive": _describe(self.choice.archive),
            "settings": self.choice.to_dict(),
            "lists": {"passages": SHOWN, "depth": DEPTH, "read": PASSAGES_READ},
            "search_only": self.search_only,
            "code": _code(),
            "versions": _versions(),
        }


def run(plan: Plan, out: Path, name: str | None = None) -> Path:
    """Ask all questions and give the folder of the run, below `out`; a run that was stopped is gone on with.

    One that is finished already is left as it is. Raises `EvalError`.
    """
    check_name(name)
    questions = plan.asked.questions
    missing = _missing_gold(questions, plan.choice.archive)
    identity = plan.identity()
    folder = out / (name or _name(plan.asked, identity))
    with _held(folder):
        given, facts = [*plan.choice.given], _machine() | {"at_once": plan.jobs}
        manifest = Manifest(folder.name, identity, given, facts, SEED, _now(), missing_gold=missing)
        manifest = begin(folder, manifest, questions)
        if not manifest.finished:
            _ask_the_rest(plan, folder)
            write(folder / ARTICLES, _article_lines(plan, folder))
            finish(folder, manifest, questions, _now())
    return folder


def _ask_the_rest(plan: Plan, folder: Path) -> None:
    done = {found.question_id for found in read_retrieved(folder)}
    if not plan.search_only:
        done &= {answered.question_id for answered in read_answered(folder)}
    left = [question for question in plan.asked.questions if question.id not in done]
    if not left:
        return
    with closing(plan.choice.open()) as system:
        _ask(system, left[0], plan)  # or its seconds would hold the loading of all parts
        for retrieved, answered in _outcomes(system, left, plan, len(done)):
            append(folder / PASSAGES, retrieved.to_dict())
            if answered:  # written last: a question without its answer is asked again
                append(folder / ANSWERS, answered.to_dict())


def _outcomes(
    system: System, questions: Sequence[Question], plan: Plan, done: int
) -> Iterator[tuple[Retrieved, Answered | None]]:
    """Yield what each question found as soon as it is known, and show on stderr how far it is."""
    console = Console(stderr=True, highlight=False)
    before = f", after {done:,} of an earlier session" if done else ""
    console.print(f"Asking {counted(len(questions), 'question')}{before} ...")
    progress = Progress(console=console, transient=True, disable=not console.is_terminal)
    with progress, ThreadPoolExecutor(plan.jobs) as threads:
        asked = [threads.submit(_ask, system, question, plan) for question in questions]
        try:
            yield from progress.track((each.result() for each in asked), len(asked), description="Asking")
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def _ask(system: System, question: Question, plan: Plan) -> tuple[Retrieved, Answered | None]:
    asked = plan.asked_of(question)
    try:
        started = time.perf_counter()
        passages = system.search(asked, SHOWN)
        seconds = round(time.perf_counter() - started, 6)
        depth = system.search(asked, DEPTH)
        wordings = _wordings(system, question, asked.day)
        answered = None if plan.search_only else system.answer(asked, passages)
    except RagError as error:
        raise EvalError(f"Question {question.id!r} could not be asked: {error}") from error
    bare = tuple(replace(hit, text="") for hit in depth)
    return Retrieved(question.id, seconds, tuple(passages), bare, wordings), answered


def _wordings(system: System, question: Question, day: str) -> dict[str, tuple[str, ...]]:
    """Search for a follow-up in the wordings between which any understanding of it lies."""
    if not (question.history and question.rewrite):
        return {}
    worded: dict[str, Wording] = {LAST_TURN: "question", REWRITE: "rewrite"}
    return {
        name: tuple(articles_of(system.search(Asked(question.id, question.worded(wording), day), DEPTH)))
        for name, wording in worded.items()
    }


def _article_lines(plan: Plan, folder: Path) -> Iterator[str]:
    """Yield of each article that is gold or cited what a reader of the run must know to recognise it."""
    wanted = {gold for question in plan.asked.questions for gold in question.gold_articles}
    for answered in read_answered(folder):
        for shown in (answered.shown, *answered.others.values()):
            wanted.update(cited.article_id for cited in shown.citations)
    with Archive.open(plan.choice.archive) as archive:
        for article_id in sorted(archive.digests(wanted)):
            article = archive.article(article_id)
            fields = ("id", "title", "source", "date", "url")
            yield json.dumps({name: getattr(article, name) for name in fields}, ensure_ascii=False) + "\n"


def _missing_gold(questions: Sequence[Question], archive: Path) -> int:
    """Count the gold articles that the archive does not hold, and say so; they count as not found."""
    gold = {article_id for question in questions for article_id in question.relevance}
    with Archive.open(archive) as opened:
        missing = sorted(gold - opened.digests(gold).keys())
    if gold and len(missing) == len(gold):
        raise EvalError(f"The archive at {archive} holds no gold article of these questions. Give their archive.")
    if missing:
        told = f"Of {counted(len(gold), 'gold article')} {len(missing):,} are not in the archive and count as not found"
        print(f"{told}; the first is {missing[0]!r}.", file=sys.stderr)
    return len(missing)


def _describe(directory: Path) -> dict[str, Any]:
    with Archive.open(directory) as archive:
        made = {name: archive.facts.get(name, "") for name in ("model", "model_sha256", "splitter")}
        counts = {"articles": archive.count(), "passages": archive.count_passages()}
        return {"name": directory.resolve().name, "fingerprint": archive.fingerprint(), **counts, **made}


def _code() -> str:
    """Give one SHA-256 over the library that is measured: its version does not move while it is worked on."""
    digest = hashlib.sha256()
    for path in sorted(Path(str(rag.__file__)).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    found = ((name, each.version) for name in LIBRARIES for each in importlib.metadata.distributions(name=name))
    return {"python": platform.python_version(), **dict(found)}


def _machine() -> dict[str, Any]:
    return {"system": platform.platform(), "processor": platform.machine(), "cpus": os.cpu_count()}


def check_name(name: str | None) -> None:
    """Refuse what names no folder, or one that lies elsewhere."""
    if name is None:
        return
    if not name.strip(" .") or not name.isprintable() or {"/", "\\"} & {*name}:
        raise EvalError(f"A run cannot be named {name!r}. Give another --name, of letters and numbers.")


def _name(asked: QuestionSet, identity: dict[str, Any]) -> str:
    return f"{asked.name}-{hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:8]}"


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep a second process from writing the same run."""
    lock = folder.parent / f".{folder.name}.lock"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock, timeout=0):
            yield
    except Timeout as error:
        raise EvalError(f"Another process writes the run in {folder}. Wait for it, or give another --name.") from error
    except OSError as error:
        raise EvalError(f"The folder {folder} cannot be written ({error.strerror}). Give another to --out.") from error
