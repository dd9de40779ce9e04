from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from rag.articles import Article
from rag.reading import Refusal, read_articles
from rag.reading_apart import read_apart
from tests.conftest import CORPUS


@pytest.mark.parametrize("path", [next(CORPUS.rglob("*.html")), next(CORPUS.rglob("*.jsonl"))], ids=str)
def test_a_file_is_read_as_it_is_otherwise(path: Path) -> None:
    assert list(read_apart(path, seconds=60, most=1000)) == list(read_articles(path))


def test_so_many_are_read_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text("\n".join(json.dumps({"text": f"Note {n}."}) for n in range(9)) + "\n{\n")
    assert [type(found) for found in read_apart(path, seconds=60, most=4)] == [Article] * 4
    assert [type(found) for found in read_apart(path, seconds=60, most=99)] == [Article] * 9 + [Refusal]


def test_what_takes_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("A note.")
    assert list(read_apart(path, seconds=0.01, most=1)) == [Refusal(path, "took longer than 0 seconds to read")]


def test_a_file_that_swells_when_it_is_unpacked_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b'{"text": "')
        for _ in range(300):
            file.write(b"a" * 1_000_000)
        file.write(b'"}\n')
    assert {type(found) for found in read_apart(path, seconds=60, most=9)} == {Refusal}
