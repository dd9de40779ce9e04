import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.__main__ import main
from eval.errors import EvalError
from eval.runs import Run
from eval.sweeping import combinations
from rag import Article, Settings
from rag.archive import Archive
from rag.indexing import index_articles
from tests.conftest import ARTICLES

RECORDS: list[dict[str, Any]] = [
    {
        "id": "owls",
        "question": "Where have the owls nested?",
        "answers": ["the old mill"],
        "gold_articles": ["owl"],
    },
    {
        "id": "cost",
        "question": "What will the repairs of the bridge cost?",
        "answers": ["2.4 million crowns"],
        "gold_articles": ["bridge"],
    },
]
VARIED = ("channels=words", "passage_tokens=128")
FOLDERS = {"default", *VARIED}


def call(*arguments: object) -> int:
    """Run the command as `python -m eval` does; give its exit code."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with an article that is longer than a passage."""
    made = tmp_path_factory.mktemp("long") / "archive"
    cranes = "\n\n".join(f"Crane {n} lifted {n} crates of herring from the boats on Tuesday." for n in range(60))
    index_articles([*ARTICLES, Article("cranes", "The cranes of the harbour", cranes)], made, Settings())
    return made


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> tuple[object, ...]:
    """What every sweep here is given."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "owls.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    return ("--questions", folder / "owls.jsonl", "--archive", archive, "--out", folder, "--search-only")


@pytest.fixture(scope="module")
def swept(options: tuple[object, ...]) -> Path:
    """The folder of a sweep of two settings, each by itself."""
    out = Path(str(options[5]))
    assert call("sweep", *options, "--vary", VARIED[0], "--vary", "channels=meaning,words", "--name", "channels") == 0
    assert call("sweep", *options, "--vary", VARIED[1], "--name", "tokens") == 0
    return out


# Combinations


def test_a_key_given_again_has_another_value_and_another_key_makes_every_pair() -> None:
    assert combinations(["depth=20", "fusion=ranks", "depth=100"]) == [
        ("depth=20", "fusion=ranks"),
        ("depth=100", "fusion=ranks"),
    ]
    assert combinations(["channels=words,meaning"]) == [("channels=words,meaning",)]
    assert combinations([]) == [()]
    with pytest.raises(EvalError, match="The setting 'depth' is not understood. Write it as key=value."):
        combinations(["depth"])


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from("abcd"), st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)))
def test_every_choice_of_one_value_a_key_is_tried_once(values: dict[str, list[int]]) -> None:
    found = combinations([f"{key}={value}" for key, several in values.items() for value in several])

    assert len(set(found)) == len(found)
    size = 1
    for several in values.values():
        size *= len(several)
    assert len(found) == size
    assert all([each.partition("=")[0] for each in one] == [*values] for one in found)


# The command


def test_the_default_is_run_and_each_combination(swept: Path) -> None:
    folders = {path.name for path in (swept / "channels").iterdir() if path.is_dir()}

    assert folders == {"default", "channels=words", "channels=meaning,words"}
    runs = {name: Run.open(swept / "channels" / name).manifest for name in folders}
    assert {name: manifest.given for name, manifest in runs.items()} == {
        name: [] if name == "default" else [name] for name in folders
    }
    assert runs["channels=words"].identity["settings"]["channels"] == ["words"]
    assert runs["default"].identity["settings"] == runs["channels=meaning,words"].identity["settings"]


def test_a_sweep_leaves_a_page_with_every_configuration(swept: Path) -> None:
    page = (swept / "channels" / "sweep.html").read_text()

    assert all(name in page for name in ("default", "channels=words", "channels=meaning,words", "RR@10"))
    assert "owls: channels" in page
    assert not list(swept.rglob("*.part"))


def test_other_passages_make_another_archive_of_the_same_articles(swept: Path, archive: Path) -> None:
    default, cut = (Run.open(swept / "tokens" / name).manifest.identity for name in ("default", "passage_tokens=128"))

    (folder,) = (swept / ".archives").iterdir()
    with Archive.open(folder) as recut, Archive.open(archive) as original:
        assert folder.name == f"{original.fingerprint()[:16]}-128"
        assert [*recut.articles()] == [*original.articles()]
        assert recut.fingerprint() == original.fingerprint()
        assert cut["archive"]["passages"] == recut.count_passages() > original.count_passages()
    assert default["archive"]["fingerprint"] == cut["archive"]["fingerprint"]
    assert (default["settings"]["passage_tokens"], cut["settings"]["passage_tokens"]) == (256, 128)


def test_a_sweep_again_asks_nothing_again(
    swept: Path, options: tuple[object, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [path for name in ("channels", "tokens") for path in swept.glob(f"{name}/*/*")]
    assert len(runs) == 5 * 7  # without answers.jsonl and a page of its own
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in runs}
    page = (swept / "tokens" / "sweep.html").read_bytes()

    assert call("sweep", *options, "--vary", VARIED[1], "--name", "tokens", "--json") == 0

    told = capsys.readouterr()
    assert "Asking" not in told.err
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in runs} == before
    assert (swept / "tokens" / "sweep.html").read_bytes() == page
    default, cut = json.loads(told.out)
    assert (default["name"], default["given"], default["differences"]) == ("default", [], {})
    assert (cut["name"], cut["given"]) == ("passage_tokens=128", ["passage_tokens=128"])
    assert "archives do not hold the same articles" not in told.err
    assert cut["differences"]["RR@10"]["difference"]["questions"] == 2


def test_the_table_holds_each_configuration_against_the_first(
    swept: Path, options: tuple[object, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert swept
    assert call("sweep", *options, "--vary", VARIED[1], "--name", "tokens") == 0

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for name, figures in (("default", "1.000 0.000 to 1.000"), (VARIED[1], "1.000 0.000 to 1.000 1.000")):
        rows = [line for line in lines if line.startswith(f"{name} {figures}")]
        assert " ".join(rows).count(figures) == 5


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--vary", "depth=20", "--vary", "colour=red"), "There is no setting 'colour'."),
        (("--vary", "depth=20", "--vary", "depth=0"), "depth and a number of passages"),
        (("--vary", "passage_tokens=5"), "Passages of 5 tokens are too short."),
        (("--vary", "depth"), "The setting 'depth' is not understood."),
        (("--vary", "depth=20", "--name", "../none"), "A run cannot be named '../none'."),
        ((), "Missing option '--vary'"),
    ],
)
def test_a_sweep_that_cannot_be_run_whole_is_not_begun(
    options: tuple[object, ...], given: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(str(options[5]))

    assert call("sweep", *options, "--name", "none", *given) == 2

    assert told in " ".join(capsys.readouterr().err.split())
    assert [*out.parent.rglob("none*"), *out.parent.rglob(".none*")] == []
