"""The run: a folder that holds what was asked, what was found, and all that is needed to measure it again.

`manifest.json`       what was run: hashes, settings, versions, machine
`questions.jsonl`     the questions, as they were selected
`passages.jsonl`      for each question the passages that were found, where they stand, and the seconds
`answers.jsonl`       for each question what was answered, with its citations, and what other ways would have shown
`articles.jsonl`      title, outlet, day and address of each article that is gold or cited
`run.trec`            the ranking of articles, best first
`qrels.trec`          the gold articles
`per_question.csv`    every measure of every question
`report.html`         all of it for a reader
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from .answered import Answered
from .errors import EvalError
from .questions import Question, lines_of, read_questions, select
from .retrieved import Retrieved
from .scores import Outcome, Scores, controls, score
from .trec import Judgements, qrels_lines, read_qrels, read_run, run_lines

MANIFEST, QUESTIONS, PASSAGES, ANSWERS = "manifest.json", "questions.jsonl", "passages.jsonl", "answers.jsonl"
ARTICLES, RUN, QRELS, TABLE = "articles.jsonl", "run.trec", "qrels.trec", "per_question.csv"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run is. Runs of equal `identity` would find the same.

    `given` are the settings that somebody chose, `sessions` is how often it was begun or taken up again.
    """

    name: str
    identity: dict[str, Any]
    given: list[str]
    machine: dict[str, Any]
    seed: int
    started: str
    finished: str = ""
    seconds: float = 0.0
    sessions: int = 1
    missing_gold: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run as it was read from its folder."""

    folder: Path
    manifest: Manifest
    questions: tuple[Question, ...]
    retrieved: tuple[Retrieved, ...]
    answered: tuple[Answered, ...] = ()

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Read a run. Raises `EvalError` where there is none, or one that was not finished."""
        manifest = read_manifest(folder)
        if manifest is None:
            raise EvalError(f"There is no run in {folder}. Give the folder that `onrecord eval run` named.")
        if not manifest.finished:
            raise EvalError(f"The run in {folder} is not finished. Run the same command again, and it goes on.")
        questions = tuple(read_questions(folder / QUESTIONS))
        return cls(folder, manifest, questions, tuple(read_retrieved(folder)), tuple(read_answered(folder)))

    def rankings(self) -> dict[str, list[str]]:
        """Give the articles that each question found, best first."""
        return read_run(self.folder / RUN)

    def articles(self) -> dict[str, dict[str, str]]:
        """Give title, source, date and url of the articles that are gold or cited, by their ids."""
        lines = (json.loads(line) for line in (self.folder / ARTICLES).read_text(encoding="utf-8").splitlines())
        return {record["id"]: record for record in lines}

    def scores(self, where: Sequence[str] = ()) -> Scores:
        """Measure it from its files alone."""
        return score(select(self.questions, where), self._outcome(read_qrels(self.folder / QRELS)))

    def scores_of(self, question_ids: Iterable[str]) -> Scores:
        """Measure these of its questions, in this order."""
        known = {question.id: question for question in self.questions}
        chosen = [known[question_id] for question_id in question_ids]
        return score(chosen, self._outcome(read_qrels(self.folder / QRELS)))

    def ranks(self) -> dict[str, int]:
        """Give the rank of the first gold article of each question that has one in its ranking."""
        rankings, found = self.rankings(), {}
        for question in self.questions:
            places = (at for at, name in enumerate(rankings.get(question.id, ()), 1) if name in question.relevance)
            if rank := next(places, None):
                found[question.id] = rank
        return found

    def control(self, where: Sequence[str] = ()) -> list[Scores]:
        """Measure it several times by the judgements of other questions."""
        return controls(select(self.questions, where), self._outcome({}))

    def _outcome(self, judgements: Judgements) -> Outcome:
        read = self.manifest.identity["lists"]["read"]
        return Outcome(self.rankings(), judgements, self.retrieved, self.answered, read)


def begin(folder: Path, manifest: Manifest, questions: Sequence[Question]) -> Manifest:
    """Make the folder of a run, or take up one that was left unfinished; give the manifest as it stands there.

    Raises `EvalError` where the folder holds something else, or a run of other questions, settings or articles.
    """
    known = read_manifest(folder)
    if known is None:
        _make(folder)
        write(folder / QUESTIONS, lines_of(questions))
        return _noted(folder, manifest)
    if differing := _differing(known.identity, manifest.identity):
        raise EvalError(f"The run in {folder} has other {' and '.join(differing)}. Give this one another --name.")
    if known.finished:
        return known
    for name in (PASSAGES, ANSWERS):
        _cut_half_line(folder / name)
    return _noted(folder, replace(known, sessions=known.sessions + 1))


def finish(folder: Path, manifest: Manifest, questions: Sequence[Question], finished: str) -> None:
    """Write all that follows from what was found; the manifest comes last and says that the run is whole."""
    found = {one.question_id: one for one in read_retrieved(folder)}
    retrieved = [found[question.id] for question in questions]
    answered = read_answered(folder)
    judgements = {question.id: question.relevance for question in questions if question.relevance}
    rankings = {one.question_id: one.articles for one in retrieved}
    write(folder / RUN, run_lines(rankings, manifest.name))
    write(folder / QRELS, qrels_lines(judgements))
    for name, articles in _rankings_of_wordings(retrieved).items():
        write(folder / f"{name.replace(' ', '-')}.trec", run_lines(articles, name))
    read = manifest.identity["lists"]["read"]
    scores = score(questions, Outcome(rankings, judgements, retrieved, answered, read))
    write(folder / TABLE, _table_lines(scores, retrieved))
    seconds = sum(one.seconds for one in retrieved) + sum(one.seconds for one in answered)
    _noted(folder, replace(manifest, finished=finished, seconds=round(seconds, 3)))


def read_manifest(folder: Path) -> Manifest | None:
    """Give the manifest of a run, None where there is none. Raises `EvalError` for one that cannot be read."""
    try:
        return Manifest(**json.loads((folder / MANIFEST).read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        raise EvalError(f"{folder / MANIFEST} cannot be read. Remove {folder} and run it again.") from error


def read_retrieved(folder: Path) -> list[Retrieved]:
    """Give what was retrieved so far. Raises `EvalError` for a line that was changed since."""
    found = _read_lines(folder / PASSAGES, Retrieved.from_dict)
    return list({one.question_id: one for one in found}.values())  # one that was begun twice counts once


def read_answered(folder: Path) -> list[Answered]:
    """Give what was answered so far. Raises `EvalError` for a line that was changed since."""
    found = _read_lines(folder / ANSWERS, Answered.from_dict)
    return list({one.question_id: one for one in found}.values())


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Add a line to a file, and hand it to the system at once."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


def _read_lines(path: Path, read: Callable[[dict[str, Any]], T]) -> list[T]:
    if not path.exists():
        return []
    found = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                found.append(read(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                again = f"Remove {path.parent}, run it again."
                raise EvalError(f"{path}, line {number}: it is damaged. {again}") from error
    return found


def _rankings_of_wordings(retrieved: Iterable[Retrieved]) -> dict[str, dict[str, tuple[str, ...]]]:
    named: dict[str, dict[str, tuple[str, ...]]] = {}
    for one in retrieved:
        for name, articles in one.wordings.items():
            named.setdefault(name, {})[one.question_id] = articles
    return named


def write(path: Path, lines: Iterable[str]) -> None:
    """Write a file that is there whole or not at all."""
    beside = path.with_name(f".{path.name}.part")
    with beside.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A run that was killed before it had a manifest may have left these.
        begun = {QUESTIONS, f".{QUESTIONS}.part", f".{MANIFEST}.part"}
        strange = [path.name for path in folder.iterdir() if path.name not in begun]
    except OSError as error:
        raise EvalError(f"The folder {folder} cannot be used ({error.strerror}). Give another to --out.") from error
    if strange:
        raise EvalError(f"The folder {folder} is no run and not empty. Give another --name.")


def _noted(folder: Path, manifest: Manifest) -> Manifest:
    write(folder / MANIFEST, [json.dumps(asdict(manifest), ensure_ascii=False, indent=2), "\n"])
    return manifest


def _differing(known: dict[str, Any], given: dict[str, Any]) -> list[str]:
    return [name for name in {**known, **given} if known.get(name) != given.get(name)]


def _cut_half_line(path: Path) -> None:
    """Take away the line that a killed run was writing."""
    if path.exists():
        written = path.read_bytes()
        os.truncate(path, written.rfind(b"\n") + 1)


def _table_lines(scores: Scores, retrieved: Sequence[Retrieved]) -> Iterable[str]:
    seconds = {one.question_id: one.seconds for one in retrieved}
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(["question_id", "cluster", "seconds", *scores.measures])
    for question, cluster in zip(scores.questions, scores.clusters, strict=True):
        values = [scores.measured[name].get(question.id, "") for name in scores.measures]
        table.writerow([question.id, cluster, seconds[question.id], *values])
    yield lines.getvalue()
