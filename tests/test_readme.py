from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eval.__main__ import app
from eval.glossary import TERMS
from eval.runs import ANSWERS, ARTICLES, MANIFEST, PASSAGES, QRELS, QUESTIONS, RUN, TABLE
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(sample_archive: Path, tmp_path: Path) -> Path:
    """A folder in which ./archive is the archive of the sample."""
    shutil.copytree(sample_archive, tmp_path / "archive")
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_examples_in_python_print_what_the_readme_shows(folder: Path) -> None:
    examples = re.findall(r"```python\n([^`]*?)```\n\n```\n([^`]*?)```", README)

    assert len(examples) == 2
    assert [run(folder, "-c", program) for program, _ in examples] == [shown for _, shown in examples]


def test_every_session_prints_what_the_readme_shows(folder: Path) -> None:
    sessions = re.findall(r"```\n(\$ .*?)```", README, re.DOTALL)
    commands = [
        command
        for session in sessions
        for command in re.findall(r"^\$ \.venv/bin/onrecord (.*)\n((?:(?!\$ ).*\n)*)", session, re.MULTILINE)
    ]

    assert [shlex.split(words)[0] for words, _ in commands] == ["ask", "ask", "explain", "verify", "export"]
    for words, shown in commands:
        assert run(folder, "-m", "rag", *shlex.split(words)).strip() == shown.strip()


def test_every_link_leads_to_a_file() -> None:
    links = [link for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", README) if link]

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_readme_of_the_evaluation_says_what_every_measure_means() -> None:
    readme = (ROOT / "eval" / "README.md").read_text(encoding="utf-8")

    missing = [name for name, term in TERMS.items() if f"| `{name}` | {term.says}" not in readme]
    assert missing == []


def test_the_readme_of_the_evaluation_names_every_command_and_file() -> None:
    readme = (ROOT / "eval" / "README.md").read_text(encoding="utf-8")

    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    files = (MANIFEST, QUESTIONS, PASSAGES, ANSWERS, ARTICLES, RUN, QRELS, TABLE, "report.html")
    assert [name for name in commands if f"onrecord eval {name}" not in readme and f"`{name}`" not in readme] == []
    assert [name for name in files if f"`{name}`" not in readme] == []
