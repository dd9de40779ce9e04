import json
from pathlib import Path
from typing import Any

import pytest

from eval.__main__ import main
from eval.errors import EvalError
from eval.peer import KNOWN_PEERS, installed_peers
from eval.peers import run_one
from eval.runs import Run

PEERS = ("langchain", "llamaindex")
RECORDS: list[dict[str, Any]] = [
    {"id": "owls", "question": "Where have the owls nested?", "answers": ["old mill"], "gold_articles": ["owl"]},
    {"id": "cost", "question": "What will the bridge cost?", "answers": ["2.4 million"], "gold_articles": ["bridge"]},
]


def call(*arguments: object) -> int:
    """Run the command as `python -m eval` does; give its exit code."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


def asked_of(path: Path, records: list[dict[str, Any]], archive: Path, out: Path) -> tuple[object, ...]:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return ("--questions", path, "--archive", archive, "--out", out)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, small_archive: Path) -> Path:
    """The runs of two peers and ourselves."""
    if missing := {*PEERS} - {known.name for known in installed_peers()}:
        pytest.skip(f"{missing} are not installed: pip install onrecord[peers]")
    folder = tmp_path_factory.mktemp("peers")
    options = asked_of(folder / "owls.jsonl", RECORDS, small_archive, folder)
    assert call("peers", *options, *(word for name in PEERS for word in ("--only", name))) == 0
    return folder


def test_each_peer_has_a_run_like_ours(out: Path) -> None:
    runs = {name: out / f"owls-{name}" for name in ("onrecord", *PEERS)}

    assert {path.name for path in out.iterdir() if path.is_dir() and path.name != ".peers"} == {
        path.name for path in runs.values()
    }
    files = {name: {path.name for path in folder.iterdir()} for name, folder in runs.items()}
    assert files["langchain"] == files["llamaindex"] == files["onrecord"]
    assert {"manifest.json", "passages.jsonl", "run.trec", "qrels.trec", "per_question.csv"} < files["onrecord"]
    assert len({(folder / "qrels.trec").read_bytes() for folder in runs.values()}) == 1


def test_a_peer_is_measured_as_we_are(out: Path) -> None:
    ours, langchain, llamaindex = (Run.open(out / f"owls-{name}") for name in ("onrecord", *PEERS))

    for run in (ours, langchain, llamaindex):
        assert run.scores().measured["Success@10"] == {"owls": 1, "cost": 1}
        assert run.scores().measures == ours.scores().measures
        assert all(0 < hit.tokens <= 300 and hit.text for found in run.retrieved for hit in found.passages)
        assert run.manifest.identity["archive"] == ours.manifest.identity["archive"]
    assert llamaindex.manifest.identity["settings"]["peer"] == "LlamaIndex"
    (known,) = [known for known in KNOWN_PEERS if known.name == "llamaindex"]
    assert known.versions().items() <= llamaindex.manifest.identity["settings"].items()


def test_report_and_compare_read_the_run_of_a_peer(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, peer = out / "owls-onrecord", out / "owls-llamaindex"

    assert call("report", ours, peer) == 0
    assert "owls-llamaindex: 2 questions of owls" in capsys.readouterr().out
    assert call("compare", ours, peer, "--json") == 0

    found = json.loads(capsys.readouterr().out)
    assert found["notes"] == []
    (success,) = [one for one in found["differences"] if one["measure"] == "Success@10"]
    assert (success["a"], success["b"], success["ties"]) == (1, 1, 2)


def test_the_page_has_all_of_them(out: Path) -> None:
    page = (out / "owls-peers.html").read_text()

    assert all(name in page for name in ("onrecord", *PEERS, "RR@10"))


def test_what_a_peer_stored_is_used_again(out: Path, small_archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = {path: path.stat().st_mtime_ns for path in out.glob(".peers/*/*/made.json")}
    assert {path.parent.name for path in made} == {*PEERS}
    questions = asked_of(out / "bridge.jsonl", RECORDS[1:], small_archive, out)[1]

    folder = run_one("langchain", Path(str(questions)), small_archive, out)

    assert "Storing" not in capsys.readouterr().err
    assert folder == out / "bridge-langchain"
    assert Run.open(folder).scores().measured["Success@10"] == {"cost": 1}
    assert {path: path.stat().st_mtime_ns for path in out.glob(".peers/*/*/made.json")} == made


def test_what_a_peer_left_unfinished_is_not_used(out: Path, small_archive: Path, tmp_path: Path) -> None:
    (made,) = out.glob(".peers/*/langchain/made.json")
    half = tmp_path / ".peers" / made.parent.parent.name / "langchain"
    half.mkdir(parents=True)
    (half / "documents").touch()

    with pytest.raises(EvalError, match=f"What LangChain keeps in {half} was left unfinished. Remove that folder."):
        run_one("langchain", out / "owls.jsonl", small_archive, tmp_path)


def test_a_peer_that_is_not_known_is_told(
    tmp_path: Path, small_archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = asked_of(tmp_path / "owls.jsonl", RECORDS, small_archive, tmp_path)

    assert call("peers", *options, "--only", "oracle") == 2

    told = capsys.readouterr().err
    assert told == "eval: There is no peer 'oracle'. Choose from llamaindex, langchain, haystack, txtai.\n"
    assert not (tmp_path / ".peers").exists()
