from __future__ import annotations

import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.archive import FILE_NAME
from rag.generations import VECTORS
from tests.killing import (
    KILLED,
    Launcher,
    Step,
    articles_of,
    check,
    check_complete,
    launcher,
    passages_of,
)

WATCHED = ("publications", "generations", "leases", "lexical", "indexing")
STORING = ("database", "archive", "ledger")
LEAST = 100


@pytest.fixture(scope="module")
def villages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 40 short articles."""
    folder = tmp_path_factory.mktemp("kills") / "villages"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.txt").write_text(village(number))
    return folder


@pytest.fixture(scope="module")
def published(villages: Path) -> Path:
    """An archive of them, made without being disturbed."""
    archive = villages.parent / "published"
    with launcher(villages.parent / "notes") as forks:
        assert forks.run("index", villages, "--archive", archive).code == 0
    return archive


def village(number: int, goats: int = 3) -> str:
    grazing = "They graze on the hill behind it from May, and nobody counts them."
    return f"Village {number} has {goats * number} goats.\n\n{grazing}{number % 50 * ' Meh.'}"


# Publishing


def chosen(steps: list[Step], most: int) -> list[Step]:
    """Give each line at its first time, in the order they come, and as many more as are asked for."""
    first = [step for step in steps if step.time == 1]
    others = [step for step in steps if step.time > 1]
    more = random.Random(20190716).sample(others, min(len(others), max(0, most - len(first))))
    return [step for step in steps if step in {*first, *more}]


def test_publishing_survives_being_killed_at_each_of_its_steps(
    published: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    known = sorted(articles_of(published).values())
    shutil.copytree(published, tmp_path / "counted")
    with launcher(tmp_path / "notes") as forks:
        counted = forks.run("rebuild", "--archive", tmp_path / "counted", modules=WATCHED)
    # The last step first: so each process that is killed has gone through what the one before it left, but for a step.
    steps = chosen(counted.steps, pytestconfig.getoption("--kills"))[::-1]

    def kill_at(place: Path, share: list[Step]) -> list[int]:
        archive = Path(shutil.copytree(published, place))
        codes = []
        with launcher(place.with_suffix(".notes")) as forks:
            for step in share:
                codes.append(forks.run("rebuild", "--archive", archive, modules=WATCHED, step=step).code)
                check(archive, known)
                assert sorted(articles_of(archive).values()) == known
            assert forks.run("rebuild", "--archive", archive).code == 0
        check_complete(archive, known)
        return codes

    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(kill_at, [tmp_path / "one", tmp_path / "two"], [steps[::2], steps[1::2]]))

    assert counted.code == 0
    assert {"publish", "sweep", "_build", "_point_to"} <= {step.function for step in steps}
    assert len(steps) >= LEAST
    assert codes == [[KILLED] * len(steps[::2]), [KILLED] * len(steps[1::2])]


def test_a_first_index_that_was_killed_is_finished_by_the_next_run(
    villages: Path, published: Path, tmp_path: Path
) -> None:
    known = sorted(articles_of(published).values())
    new = Path(shutil.copytree(published, tmp_path / "new"))
    shutil.rmtree(new / VECTORS)
    codes = []

    with launcher(tmp_path / "notes") as forks:
        command = ("index", villages, "--archive")
        counted = forks.run(*command, fresh(new, tmp_path / "counted"), modules=WATCHED)
        steps = [step for step in chosen(counted.steps, 0) if step.module == "publications"]
        # Those before the last dozen leave nothing that a reader or the next run could take for an index.
        steps = [step for step in steps if step.function in {"publish", "_point_to"}][-12:]
        for step in steps:
            archive = fresh(new, tmp_path / "archive")
            codes.append(forks.run(*command, archive, modules=WATCHED, step=step).code)
            check(archive, known)
            codes.append(forks.run(*command, archive).code)
            check_complete(archive, known)

    assert codes == [KILLED, 0] * len(steps)


def fresh(source: Path, place: Path) -> Path:
    """Give a copy of a folder, in place of the one that was there."""
    shutil.rmtree(place, ignore_errors=True)
    return Path(shutil.copytree(source, place))


def test_publishing_survives_being_killed_while_chroma_writes(villages: Path, published: Path, tmp_path: Path) -> None:
    known, chance = sorted(articles_of(published).values()), random.Random(7)
    archive = fresh(published, tmp_path / "archive")
    codes = []

    with launcher(tmp_path / "notes") as forks:
        for _ in range(12):
            run = forks.start("rebuild", "--archive", archive)
            latest = time.monotonic() + 20  # a quick one may be over before it is seen
            while not any(archive.glob(f"{VECTORS}/unfinished*/chroma/*")) and time.monotonic() < latest:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.1))
            run.kill()
            codes.append(run.end().code)
            check(archive, known)
        assert forks.run("rebuild", "--archive", archive).code == 0

    assert set(codes) <= {KILLED, 0}
    assert codes.count(KILLED) >= 6
    check_complete(archive, known)


# Bringing articles in


class Press:
    """A folder of articles that changes every day."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir()
        self.folder = folder
        self.printed: set[str] = set()
        self._chance = random.Random(seed)
        self._last = 0
        for _ in range(3):
            self.change()

    def change(self) -> None:
        """Write articles, some with a file of their own and some together; change, move, double and remove others."""
        for _ in range(10):
            (self.folder / f"{self._number()}.txt").write_text(self._article())
        self._write_lines(self.folder / f"{self._number()}.jsonl", [f"v{self._number()}" for _ in range(15)])
        changed, moved, doubled, removed = self._chance.sample(sorted(self.folder.glob("*.txt")), 4)
        changed.write_text(self._article())
        moved.rename(self.folder / f"{self._number()}.txt")
        shutil.copy(doubled, self.folder / f"{self._number()}.txt")
        removed.unlink()
        path = self._chance.choice(sorted(self.folder.glob("*.jsonl")))
        self._write_lines(path, [json.loads(line)["id"] for line in path.read_text().splitlines()])

    def articles(self) -> set[str]:
        """Give the texts of all articles that are in the folder now."""
        lines = (line for path in self.folder.glob("*.jsonl") for line in path.read_text().splitlines())
        return {json.loads(line)["text"] for line in lines} | {path.read_text() for path in self.folder.glob("*.txt")}

    def _number(self) -> int:
        self._last += 1
        return self._last

    def _article(self) -> str:
        self.printed.add(text := village(self._number(), self._chance.randrange(10)))
        return text

    def _write_lines(self, path: Path, article_ids: list[str]) -> None:
        records = ({"id": article_id, "text": self._article()} for article_id in article_ids)
        path.write_text("".join(f"{json.dumps(record)}\n" for record in records))


Killer = Callable[[Launcher, Press, Path], int]


def survive(press: Press, place: Path, kill: Killer, times: int) -> None:
    """Have the indexing of a changing folder killed so many times, and compare with what is made without that."""
    archive, killed = place / "archive", 0
    with launcher(place / "notes") as forks:
        while killed < times:
            killed += kill(forks, press, archive) == KILLED
            if (archive / FILE_NAME).exists():
                check(archive, press.printed)
            press.change()
        ended = [forks.run("index", press.folder, "--archive", place / name) for name in ("archive", "undisturbed")]
    assert [run.code for run in ended] == [0, 0]
    check_complete(archive, press.articles())
    assert articles_of(archive) == articles_of(place / "undisturbed")
    assert passages_of(archive) == passages_of(place / "undisturbed")


def test_indexing_survives_being_killed_at_any_moment(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    chance, press = random.Random(20190716), Press(tmp_path / "press", 1)
    with launcher(tmp_path / "first") as forks:
        forks.run("--version")  # by then all is imported
        begun = time.monotonic()
        forks.run("index", press.folder, "--archive", tmp_path / "measured")
        longest = time.monotonic() - begun

    def kill(forks: Launcher, press: Press, archive: Path) -> int:
        run = forks.start("index", press.folder, "--archive", archive)
        time.sleep(chance.uniform(0, longest))
        kept = set(articles_of(archive).values()) & press.articles()
        run.kill()
        code = run.end().code
        assert kept <= set(articles_of(archive).values())
        return code

    survive(press, tmp_path, kill, pytestconfig.getoption("--kills") // 8)


def test_indexing_survives_being_killed_within_its_transactions(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    chance, press = random.Random(20190716), Press(tmp_path / "press", 2)
    with launcher(tmp_path / "first") as forks:
        steps = forks.run("index", press.folder, "--archive", tmp_path / "counted", modules=STORING).steps
    times = Counter(step._replace(time=0) for step in steps)

    def kill(forks: Launcher, press: Press, archive: Path) -> int:
        step = chance.choice(list(times))
        step = step._replace(time=chance.randint(1, min(times[step], 40)))
        return forks.run("index", press.folder, "--archive", archive, modules=STORING, step=step).code

    survive(press, tmp_path, kill, pytestconfig.getoption("--kills") // 8)
