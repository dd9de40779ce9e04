from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.__main__ import main
from eval.errors import EvalError
from eval.speakers import MEASURES, OURS, QUOTED, REPORTED, measure_speakers, read_annotated

TEXT = "“The ferry sails at nine,” said Ann Roe. Bob Lind said that it is late. The town sleeps."


def span(words: str) -> list[list[list[int]]]:
    start = TEXT.index(words)
    return [[[start, start + len(words)]]]


def write(folder: Path, attributions: list[dict[str, Any]], text: str = TEXT) -> Path:
    articles = [{"id": name, "title": "", "text": text} for name in ("a", "b")]
    (folder / "articles.jsonl").write_text("\n".join(map(json.dumps, articles)))
    records = [{"article": name, **one} for name in ("a", "b") for one in attributions]
    (folder / "attributions.jsonl").write_text("\n".join(map(json.dumps, records)))
    return folder


def means(folder: Path, kind: str) -> dict[str, float]:
    return {row.measure: row.estimate.mean for row in measure_speakers(folder) if row.kind == kind}


QUOTATION = {"source": span("Ann Roe"), "cue": span("said"), "content": span("“The ferry sails at nine,”")}
REPORT = {"source": span("Bob Lind"), "cue": [], "content": span("it is late")}


def test_speakers_whom_the_annotators_name_are_right(tmp_path: Path) -> None:
    folder = write(tmp_path, [QUOTATION, REPORT])
    for kind in (QUOTED, REPORTED, OURS):
        assert means(folder, kind) == dict.fromkeys(MEASURES, 1)


def test_another_speaker_is_wrong_and_another_content_not_found(tmp_path: Path) -> None:
    wrong = {**QUOTATION, "source": span("Bob Lind")}
    missed = {**REPORT, "content": span("The town sleeps")}
    folder = write(tmp_path, [wrong, missed])
    assert means(folder, QUOTED) == dict(zip(MEASURES, (1, 0, 0, 0), strict=True))
    assert means(folder, REPORTED) == dict(zip(MEASURES[:3], (0, 0, 0), strict=True))
    assert means(folder, OURS)["found"] == 0.5


def test_attributions_without_a_source_are_not_counted(tmp_path: Path) -> None:
    folder = write(tmp_path, [{**QUOTATION, "source": []}, REPORT])
    assert means(folder, QUOTED) == {}


def test_the_command_prints_a_table_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, [QUOTATION, REPORT])
    with pytest.raises(SystemExit, match="0"):
        main(["speakers", str(tmp_path)])
    assert "right, strictly" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["speakers", str(tmp_path), "--json"])
    first = json.loads(capsys.readouterr().out)[0]
    assert (first["kind"], first["measure"], first["mean"], first["questions"]) == (QUOTED, "found", 1, 2)


def test_a_missing_folder_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["speakers", str(tmp_path / "nowhere")])
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "fault",
    [
        {"source": [[[0, 5000]]]},
        {"content": [[[5, 2]]]},
        {"content": "words"},
        {"article": "c"},
        {"source": None},
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, fault: dict[str, Any]) -> None:
    write(tmp_path, [])
    (tmp_path / "attributions.jsonl").write_text(json.dumps({"article": "a", **QUOTATION, **fault}))
    with pytest.raises(EvalError, match="attributions.jsonl, line 1"):
        read_annotated(tmp_path)


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    write(tmp_path, [])
    (tmp_path / "articles.jsonl").write_text("{")
    with pytest.raises(EvalError, match="articles.jsonl, line 1: it is not JSON"):
        read_annotated(tmp_path)
