"""The programs under examples/, each run as a person runs it, in a process that may open no connection."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.test_shape import ROOT, modules

# Python imports a module of this name before all others.
GUARD = """
import os, sys
def forbid(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.sendto"}:
        os.write(2, f"{event} {arguments}".encode())
        os._exit(99)
sys.addaudithook(forbid)
"""
PROGRAMS = ("plain", "llamaindex_chat", "langchain_chain")
TITLE = "Ward 7 open at night again after seven months"
LONG_AGO = "2023-01-31"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("guard")
    (folder / "sitecustomize.py").write_text(GUARD)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LANGSMITH_", "LANGCHAIN_"))}
    return kept | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


@contextmanager
def started(environment: dict[str, str], name: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, str(ROOT / "examples" / f"{name}.py"), *map(str, arguments)]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def printed(environment: dict[str, str], sample_archive: Path) -> dict[str, list[str]]:
    """What the programs that end by themselves print, in lines."""

    def run(name: str) -> list[str]:
        with started(environment, name, sample_archive) as process:
            out, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (0, "")
        return out.splitlines()

    with ThreadPoolExecutor() as pool:
        return dict(zip(PROGRAMS, pool.map(run, PROGRAMS), strict=True))


def test_every_example_is_run_here() -> None:
    assert {path.stem for path in modules("examples")} == {*PROGRAMS, "fastapi_route"}


@pytest.mark.parametrize("name", [*PROGRAMS, "fastapi_route"])
def test_without_an_archive_an_example_says_how_to_make_one(
    environment: dict[str, str], tmp_path: Path, name: str
) -> None:
    with started(environment, name, tmp_path) as process:
        out, error = process.communicate(timeout=60)

    made = f"No archive at {tmp_path}. Make one with: onrecord index FOLDER --archive {tmp_path}\n"
    assert (process.returncode, out, error) == (1, "", made)


def test_the_guard_ends_a_process_that_opens_a_connection(environment: dict[str, str]) -> None:
    connect = "import socket; socket.create_connection(('127.0.0.1', 9))"
    done = subprocess.run([sys.executable, "-c", connect], env=environment, capture_output=True, check=False)

    assert done.returncode == 99


def test_plain_python_prints_passages_and_an_answer_with_sources(printed: dict[str, list[str]]) -> None:
    lines = printed["plain"]

    assert lines[0] == f"1. {TITLE} (The Halvenmouth Courier, 2023-09-05)"
    assert re.fullmatch(r" {3}characters \d+ to \d+: .{60}…", lines[1])
    assert "six nurses" in lines[6]
    assert re.fullmatch(r"\[1\] The Halvenmouth Courier, 2023-09-05, characters \d+ to \d+", lines[7])


def test_a_llamaindex_chat_prints_the_sources_of_each_answer(printed: dict[str, list[str]]) -> None:
    lines = printed["llamaindex_chat"]

    assert lines[:2] == ["Why could Ward 7 reopen at night?", " ".join(["text"] * 8)]
    assert re.fullmatch(rf"  1\.\d+ {TITLE} \(The Halvenmouth Courier, 2023-09-05, characters \d+ to \d+\)", lines[2])
    assert len(lines) == 10
    assert "Wrenfield elected mayor" in lines[7]


def test_a_langchain_chain_prints_its_answer_and_what_it_rests_on(printed: dict[str, list[str]]) -> None:
    lines = printed["langchain_chain"]

    assert lines[0] == "Because the hospital has hired six nurses [1]."
    assert re.fullmatch(rf"\[1\] {TITLE} \(The Halvenmouth Courier, characters \d+ to \d+\)", lines[1])
    assert len(lines) == 4


def test_a_fastapi_route_searches_and_says_what_was_wrong(environment: dict[str, str], sample_archive: Path) -> None:
    with started(environment, "fastapi_route", sample_archive, 0) as process, httpx.Client(trust_env=False) as client:
        assert process.stderr
        told = next(line for line in process.stderr if "running on" in line)
        client.base_url = re.findall(r"http://127\.0\.0\.1:\d+", told)[0]

        question = {"q": "Why could Ward 7 reopen at night?"}
        found = client.get("/search", params=question).json()
        narrowed = client.get("/search", params=question | {"outlet": "Radio Halven", "k": 2}).json()
        early = client.get("/search", params=question | {"as_of": LONG_AGO}).json()
        empty = client.get("/search", params={"q": "?"})
        undated = client.get("/search", params=question | {"as_of": "someday"})
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda _: client.get("/search", params=question).json(), range(16)))

    assert [entry["rank"] for entry in found] == [*range(1, 11)]
    assert found[0]["title"] == TITLE
    assert [entry["source"] for entry in narrowed] == ["Radio Halven"] * 2
    assert max(entry["date"] for entry in early) <= LONG_AGO
    assert (empty.status_code, undated.status_code) == (400, 400)
    assert empty.json()["error"].startswith("The question is empty.")
    assert undated.json() == {"error": "'someday' is not one certain day. Write it like 2019-07-16."}
    assert together == [found] * 16
