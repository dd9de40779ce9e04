from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.__main__ import main
from eval.disagreement import CLAIMED, RIGHT, SHOWN, Document, Row, measure, read_rows
from eval.errors import EvalError

QUESTION = "How many people were injured when the pier at Ferrow collapsed?"
DIFFERENT = [
    {"text": f"{count} people were injured when the old pier at Ferrow collapsed.", "type": kind, "answer": count}
    for count, kind in (("12", "correct"), ("19", "misinfo"), ("12", "correct"))
]
RAMDOCS = {
    "question": QUESTION,
    "documents": [*DIFFERENT, {"text": "Gulls sat there.", "type": "noise", "answer": "-"}],
}
RGB = {
    "query": QUESTION,
    "answer": [["12", "twelve"]],
    "fakeanswer": "19",
    "positive": ["Twelve people were injured when the old pier at Ferrow collapsed."],
    "positive_wrong": ["19 people were injured when the old pier at Ferrow collapsed."],
    "negative": ["Gulls sat on the pier."],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rows of both forms, of which the second and the fourth are the half to report on."""
    rows = [RAMDOCS, RAMDOCS, RGB, RGB]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def test_rows_of_both_forms_are_documents_with_the_ways_to_write_their_answers(folder: Path) -> None:
    _, row, _, other = read_rows(folder / "rows.jsonl")

    assert [document.answers for document in row.documents] == [("12",), ("19",), ("12",), ()]
    assert [document.answers for document in other.documents] == [("12", "twelve"), ("19",), ()]
    assert row.alike() == (row.documents[0], row.documents[2])
    assert Row("Who?", (Document("Nobody."),)).alike() == ()


def test_what_differs_is_shown_and_what_does_not_is_not(folder: Path) -> None:
    found = {(one.asked, one.measure): one.estimate.mean for one in measure(folder, None, "report")}

    differing, alike = "documents that answer differently", "documents with one answer"
    assert found == {(differing, SHOWN): 1, (differing, RIGHT): 1, (differing, CLAIMED): 1, (alike, CLAIMED): 0}


def test_questions_are_asked_of_an_archive(sample_archive: Path, tmp_path: Path) -> None:
    lines = (
        {"id": "1", "question": "How many people were injured on the Grey Heron?", "gold_articles": ["a"]},
        {"id": "2", "question": "Who built the Sorley Yard?", "gold_articles": ["b"]},
        {"id": "3", "question": "Who built the Halven Barrier?", "gold_articles": ["c"]},
    )
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, lines)))

    [found] = measure(tmp_path, sample_archive, "report")

    assert found.measure == CLAIMED
    assert 0 < found.estimate.questions <= len(lines)


def test_the_command_prints_shares_or_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["disagreement", str(folder)])
    printed = capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["disagreement", str(folder), "--json"])

    assert SHOWN in printed
    assert json.loads(capsys.readouterr().out)[0]["questions"] == 2


def test_what_is_no_row_is_named_with_its_line(folder: Path) -> None:
    (folder / "rows.jsonl").write_text(json.dumps(RGB) + '\n{"query": 1}')

    with pytest.raises(EvalError, match="line 2"):
        measure(folder, None, "report")
    with pytest.raises(EvalError, match="--archive"):
        measure(folder / "none", None, "report")
