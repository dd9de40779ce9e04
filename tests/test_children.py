from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rag.children import run_module


def test_a_module_of_ours_runs_whatever_lies_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rag.py").write_text("print('not ours')")
    monkeypatch.chdir(tmp_path)

    child = run_module("rag", ["--version"])

    assert (child.returncode, child.stderr) == (0, "")
    assert child.stdout.startswith("onrecord ")


def test_what_is_written_is_its_input() -> None:
    child = run_module("json.tool", ["--compact"], written='{"a": 1}')

    assert child.stdout == '{"a":1}\n'


def test_one_that_takes_too_long_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_module("http.server", ["--bind", "127.0.0.1", "0"], seconds=0.5)
