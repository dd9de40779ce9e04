import importlib.metadata
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from platformdirs import user_cache_dir

from rag import Article, Settings, index_articles
from rag.answers import Gloss, Sentence
from rag.archive import Archive
from rag.calibration import calibrations
from rag.cli import main
from rag.indexing import archive_facts, locked
from tests.llm_servers import Says, Sends, scripted_server

QUESTION = "What did Zarif say about missiles?"
ABSENT = "Who won the chess championship in Norway?"
BRIDGE = "How long will the stone bridge be closed?"
KEY = "sk-CANARY-456"
FILTERS = "--author --language --outlet --section --since --until"
PASSAGE = """rank score meaning words article_id title source date url section language authors start end text
    also_in""".split()  # noqa: SIM905
CITATION = ["number", "article_id", "title", "source", "date", "url", "start", "end", "text", "also_in"]
HEAVY = {"chromadb", "gradio", "llama_index", "numpy", "sentence_transformers", "torch", "trafilatura", "uvicorn"}
HELP = """
import sys
from rag.cli import main
commands = "index status verify rebuild remove export ask search explain article trace chat"
for command in commands.split():
    try:
        main([command, "--help"])
    except SystemExit as left:
        assert left.code == 0
print(*sys.modules)
"""


WAITING = re.compile(r"^[A-Z][^:]* \.\.\.\n", re.MULTILINE)


class Ran(NamedTuple):
    """The exit code, stdout, and stderr but for the steps that a person waits for."""

    code: int
    out: str
    err: str


Onrecord = Callable[..., Ran]


@pytest.fixture
def onrecord(capsys: pytest.CaptureFixture[str]) -> Onrecord:
    """Run the command in this process, which has the model loaded already."""

    def run(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as left:
            main(list(map(str, arguments)))
        out, err = capsys.readouterr()
        return Ran(int(left.value.code or 0), out, WAITING.sub("", err))

    return run


def start(*arguments: object, before: tuple[str, ...] = (), environment: dict[str, str] | None = None) -> Ran:
    """Run the command as a person does, in a folder and with a home that hold nothing."""
    command = [*before, sys.executable, "-m", "rag", *map(str, arguments)]
    given = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "XDG_CACHE_HOME": user_cache_dir()}
    given |= environment or {}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=given, cwd="/")
    return Ran(done.returncode, done.stdout, WAITING.sub("", done.stderr))


def offline() -> tuple[str, ...]:
    """Give the words before a command that take its network away, or none where that is not permitted."""
    words = ("unshare", "--map-root-user", "--net")
    permitted = shutil.which("unshare") and not subprocess.run([*words, "true"], check=False).returncode
    return words if permitted else ()


@pytest.fixture(scope="module")
def asked(sample_archive: Path) -> Ran:
    """A question to the sample archive, asked without a network where that can be had."""
    return start("ask", QUESTION, "--json", "--archive", sample_archive, before=offline())


def test_the_version_is_printed() -> None:
    assert start("--version") == Ran(0, f"onrecord {importlib.metadata.version('onrecord')}\n", "")


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("", "--help --version"),
        ("index", "--archive --help --json --model --watch"),
        ("status", "--archive --help --json"),
        ("verify", "--archive --help --json"),
        ("rebuild", "--archive --embed --help --model"),
        ("remove", "--archive --help"),
        ("export", "--archive --help"),
        ("ask", f"--after --archive --as-of --help --json --llm --model --sentences {FILTERS}"),
        ("search", f"--archive --as-of --by --explain --fusion --help --json --k --model {FILTERS}"),
        ("explain", f"--archive --as-of --help --json --k --model {FILTERS}"),
        ("article", "--archive --help --json"),
        ("trace", "--archive --help --json"),
        ("chat", "--archive --help --host --llm --model --port"),
    ],
)
def test_help_names_every_option(onrecord: Onrecord, command: str, options: str) -> None:
    code, out, err = onrecord(*command.split(), "--help")

    assert (code, err) == (0, "")
    assert sorted(set(re.findall(r"^ +(--[a-z-]+)", out, re.MULTILINE))) == sorted(options.split())


def test_measuring_is_a_command_with_commands_of_its_own(onrecord: Onrecord) -> None:
    listed = onrecord("eval", "--help")
    refused = onrecord("eval", "report", "nowhere")

    assert listed.out.startswith("Usage: onrecord eval ")
    assert refused == (2, "", "eval: There is no run in nowhere. Give the folder that `onrecord eval run` named.\n")


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)

    assert done.stdout.count("Usage: onrecord") == 12
    assert not HEAVY & set(done.stdout.splitlines()[-1].split())


# Asking


def test_an_answer_is_json_of_the_documented_keys(asked: Ran) -> None:
    answer = json.loads(asked.out)

    assert (asked.code, asked.err) == (0, "")
    assert list(answer) == ["question", "state", "sentences", "citations", "searched", "probability"]
    assert (answer["question"], answer["state"]) == (QUESTION, "answered")
    assert {tuple(sentence) for sentence in answer["sentences"]} == {
        ("text", "citations", "support", "marks", "glosses", "said_by")
    }
    assert {tuple(citation) for citation in answer["citations"]} == {tuple(CITATION)}
    assert list(answer["searched"]) == ["articles", "outlets", "first_date", "last_date"]
    numbers = [citation["number"] for citation in answer["citations"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(sentence["citations"] and set(sentence["citations"]) <= {*numbers} for sentence in answer["sentences"])


def test_every_citation_is_in_its_article(asked: Ran, onrecord: Onrecord, sample_archive: Path) -> None:
    for citation in json.loads(asked.out)["citations"]:
        article = json.loads(onrecord("article", citation["article_id"], "--json", "--archive", sample_archive).out)

        assert article["text"][citation["start"] : citation["end"]] == citation["text"]
        shared = ("title", "source", "date", "url")
        assert [article[name] for name in shared] == [citation[name] for name in shared]


def test_no_network_is_needed(asked: Ran) -> None:
    if not offline():
        pytest.skip("this system permits no namespace without a network")
    assert (asked.code, asked.err) == (0, "")


def glossed(sentence: dict[str, Any]) -> str:
    return Sentence(sentence["text"], (), glosses=tuple(Gloss(**gloss) for gloss in sentence["glosses"])).glossed


def test_an_answer_is_printed_before_its_citations(onrecord: Onrecord, asked: Ran, sample_archive: Path) -> None:
    answer = json.loads(asked.out)

    code, out, err = onrecord("ask", QUESTION, "--archive", sample_archive)

    assert (code, err) == (0, "")
    *sentences, chance, citations = out.split("\n\n")
    assert [" ".join(sentence.split("\n    ")[0].split()) for sentence in sentences[: len(answer["sentences"])]] == [
        f"{' '.join(glossed(sentence).split())} [{sentence['citations'][0]}]" for sentence in answer["sentences"]
    ]
    assert re.fullmatch(r"Chance of being right: [0-9]{1,2} %", chance)
    assert [line for line in citations.splitlines() if line.startswith("    article")] == [
        f"    article {citation['article_id']}, characters {citation['start']} to {citation['end']}"
        for citation in answer["citations"]
    ]
    assert max(map(len, out.splitlines())) <= 100


def test_what_is_not_in_the_archive_is_said_with_what_was_searched(onrecord: Onrecord, small_archive: Path) -> None:
    answer = json.loads(onrecord("ask", ABSENT, "--json", "--archive", small_archive).out)

    assert answer.pop("probability") < calibrations()["words"].threshold
    assert {tuple(citation) for citation in answer.pop("nearest")} == {tuple(CITATION)}
    assert answer == {
        "question": ABSENT,
        "state": "not_in_archive",
        "sentences": [],
        "citations": [],
        "searched": {
            "articles": 2,
            "outlets": ["County Wire", "Ferrow Herald"],
            "first_date": "2022-06-14",
            "last_date": "2022-07-02",
        },
        "reason": "nothing",
    }
    searched = "Searched 2 articles from 2 outlets, 2022-06-14 to 2022-07-02."
    code, out, err = onrecord("ask", ABSENT, "--archive", small_archive)
    assert (code, " ".join(out.split()), err) == (0, f"Not in the archive. Nothing in it is about this. {searched}", "")


def test_a_follow_up_is_understood_after_what_was_asked_before(onrecord: Onrecord, small_archive: Path) -> None:
    out = onrecord("ask", "And how much will that cost?", "--after", BRIDGE, "--archive", small_archive).out

    assert out.startswith("Understood as: And how much will that cost? (")
    assert "The repairs will cost 2.4 million crowns. [1]" in out


def test_the_archive_may_be_named_by_the_environment(
    onrecord: Onrecord, small_archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONRECORD_ARCHIVE", str(small_archive))

    assert json.loads(onrecord("article", "owl", "--json").out)["title"] == "Owls return to the old mill"


def test_an_article_is_printed_as_it_is_stored(
    onrecord: Onrecord, small_archive: Path, articles: list[Article]
) -> None:
    owl = articles[0]

    assert json.loads(onrecord("article", "owl", "--json", "--archive", small_archive).out) == owl.to_dict()
    assert onrecord("article", "owl", "--archive", small_archive).out == (
        "Owls return to the old mill\nid: owl\nsource: Ferrow Herald\ndate: 2022-06-14\nauthors: Tomas Reed\n"
        f"url: https://ferrow-herald.example/owls\n\n{owl.text}\n"
    )


def test_nothing_in_an_article_steers_the_terminal(onrecord: Onrecord, tmp_path: Path) -> None:
    hostile = Article("h", "The \x1b]0;owned\x07 title", "The \x1b[2Jstone bridge will close for \u202eeleven weeks.")
    index_articles([hostile], tmp_path, Settings())

    printed = [onrecord(*words, "--archive", tmp_path).out for words in (("ask", BRIDGE), ("article", "h"))]

    assert all("eleven weeks" in out and out.replace("\n", "").isprintable() for out in printed)


# Searching


@pytest.mark.parametrize(("options", "most"), [((), 10), (("--k", "3"), 3), (("--k", "1"), 1)])
def test_search_gives_the_k_nearest_passages(
    onrecord: Onrecord, sample_archive: Path, options: tuple[str, ...], most: int
) -> None:
    found = json.loads(onrecord("search", "missiles", "--json", *options, "--archive", sample_archive).out)

    assert list(found) == ["question", "articles", "origins", "passages"]
    assert [passage["rank"] for passage in found["passages"]] == list(range(1, most + 1))
    assert {tuple(passage) for passage in found["passages"]} == {tuple(PASSAGE)}
    scores = [passage["score"] for passage in found["passages"]]
    assert scores == sorted(scores, reverse=True)


def test_found_passages_are_in_their_articles(onrecord: Onrecord, small_archive: Path, articles: list[Article]) -> None:
    found = json.loads(onrecord("search", "\udcff bridge", "--json", "--archive", small_archive).out)

    assert found["question"] == "bridge"
    assert [passage["article_id"] for passage in found["passages"]] == ["bridge", "owl"]
    texts = {article.id: article.text for article in articles}
    assert all(texts[p["article_id"]][p["start"] : p["end"]] == p["text"] for p in found["passages"])


def test_a_filter_leaves_out_what_does_not_meet_it(onrecord: Onrecord, small_archive: Path) -> None:
    def ids(*options: str) -> list[str]:
        printed = onrecord("search", "Ferrow", "--json", *options, "--archive", small_archive)
        return [passage["article_id"] for passage in json.loads(printed.out)["passages"]]

    assert ids("--outlet", "county wire") == ["bridge"]
    assert ids("--author", "Tomas Reed") == ["owl"]
    assert ids("--as-of", "2022-06-30") == ["owl"]
    assert ids("--since", "2022-06-15", "--until", "2022-07-02") == ["bridge"]
    assert ids("--section", "Sport") == []


def test_a_filter_that_no_article_meets_is_told_of(onrecord: Onrecord, small_archive: Path) -> None:
    searched = onrecord("search", "Ferrow", "--outlet", "Herald", "--archive", small_archive)
    asked = onrecord("ask", BRIDGE, "--outlet", "Ferrow Herald", "--archive", small_archive)

    assert searched.out == "Nothing found.\n"
    assert searched.err == "The outlets of this archive do not include 'Herald'. Try one of: Ferrow Herald.\n"
    assert " ".join(asked.out.split()) == (
        "Not found under this filter. 1 article outside it answers this. Searched 1 article from 1 outlet, 2022-06-14."
    )
    assert asked.err == ""


def test_a_day_that_is_none_is_refused(onrecord: Onrecord, small_archive: Path) -> None:
    refused = onrecord("search", "Ferrow", "--as-of", "lately", "--archive", small_archive)

    assert refused == (2, "", "onrecord: 'lately' is not one certain day. Write it like 2019-07-16.\n")


def test_search_says_what_brought_a_passage_there(onrecord: Onrecord, small_archive: Path) -> None:
    lines = onrecord("search", BRIDGE, "--explain", "--k", "1", "--archive", small_archive).out.splitlines()
    by_words = onrecord("search", BRIDGE, "--by", "words", "--explain", "--archive", small_archive).out
    unknown = onrecord("search", BRIDGE, "--by", "magic", "--archive", small_archive)

    assert re.fullmatch(r"   number 1 by meaning \(0\.\d\d\), number 1 by words \(\d\.\d\d\)", lines[2])
    assert "by meaning" not in by_words
    assert unknown.err.startswith("onrecord: The channels ('magic',) are not known.")


def test_explain_says_why_an_article_comes_up_or_not(onrecord: Onrecord, small_archive: Path) -> None:
    def explained(*arguments: str) -> list[str]:
        return onrecord("explain", BRIDGE, *arguments, "--archive", small_archive).out.splitlines()

    assert explained("bridge")[:2] == [
        "It comes up: Ferrow bridge to close for repairs (article bridge)",
        "- Its best passage is number 1.",
    ]
    assert explained("https://ferrow-herald.example/owls", "--k", "1")[0].startswith("It does not come up: Owls")
    assert explained("owl", "--since", "2022-07-01")[1] == (
        "- The filters refuse it: it was published 2022-06-14, before 2022-07-01."
    )
    assert explained("heron")[:2] == ["It is not there: heron", "- It is not in the archive."]
    assert explained("\udcff\udcfe")[1] == "- It is not in the archive."  # bytes of a terminal that are no text


def test_search_prints_where_each_passage_is(onrecord: Onrecord, small_archive: Path, articles: list[Article]) -> None:
    end = len(articles[1].text)
    lines = onrecord("search", BRIDGE, "--k", "1", "--archive", small_archive).out.splitlines()

    assert lines[0] == "1. Ferrow bridge to close for repairs (County Wire, 2022-07-02)"
    assert re.fullmatch(rf"   score 1\.000, article bridge, characters 0 to {end}", lines[1])
    assert lines[2].startswith(
        "   The stone bridge at Ferrow will close for eleven weeks from Aug. 1, the county said."
    )


def test_of_many_copies_five_are_printed_and_all_are_in_the_json(onrecord: Onrecord, tmp_path: Path) -> None:
    text = "The county council voted on Monday to close the old fish market for eleven weeks of repairs."
    copies = [Article(f"copy-{n}", "Fish market", text, f"Wire {n}", f"2021-03-0{n}") for n in range(1, 9)]
    index_articles(copies, tmp_path, Settings())
    question = "Who voted to close the fish market?"
    options = ("--archive", tmp_path)

    for command in ("ask", "search"):
        lines = [line.strip() for line in onrecord(command, question, *options).out.splitlines()]
        named = [line for line in lines if line.startswith(("also in", "and "))]
        assert named == [f"also in Fish market (Wire {n}, 2021-03-0{n}), article copy-{n}" for n in range(7, 2, -1)] + [
            "and 2 more"
        ]
    assert len(json.loads(onrecord("ask", question, *options, "--json").out)["citations"][0]["also_in"]) == 7
    [found] = json.loads(onrecord("search", question, *options, "--json").out)["passages"]
    assert [copy["id"] for copy in found["also_in"]] == [f"copy-{n}" for n in range(7, 0, -1)]


# Errors


class Place(NamedTuple):
    archive: Path
    empty: Path
    papers: Path
    missing: Path
    port: int


@pytest.fixture(scope="module")
def place(small_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Things that are there, and that are not as they should be."""
    folder = tmp_path_factory.mktemp("errors")
    Archive.create(folder / "empty", archive_facts(Settings())).close()
    (folder / "papers").mkdir()
    (folder / "papers" / "page.pdf").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield Place(small_archive, folder / "empty", folder / "papers", folder / "missing", taken.getsockname()[1])


ERRORS = {
    "a missing archive": ("ask x --archive {missing}", "No archive at {missing}. Make one with: onrecord index"),
    "an empty archive": ("ask x --archive {empty}", "The archive at {empty} is empty. Add articles with: onrecord"),
    "an archive for search": ("search x --archive {missing}", "No archive at {missing}. Make one with: onrecord index"),
    "an archive for chat": ("chat --port 0 --archive {missing}", "No archive at {missing}. Make one with: onrecord"),
    "an empty question": ("ask  --archive {archive}", "The question is empty. Ask one in words"),
    "a question of signs": ("search ?! --archive {archive}", "The question is empty. Ask one in words"),
    "a long question": (f"ask {'x' * 100_000} --archive {{archive}}", "The question has 100,000 characters, at most"),
    "another model": ("ask x --model other --archive {archive}", "The archive at {archive} was made with model"),
    "an archive for status": ("status --archive {missing}", "No archive at {missing}. Make one with: onrecord index"),
    "an archive for export": ("export --archive {missing}", "No archive at {missing}. Make one with: onrecord index"),
    "a place for an export": ("export {missing}/a.jsonl --archive {empty}", "{missing}/a.jsonl cannot be written (No"),
    "an archive to rebuild": ("rebuild --archive {missing}", "No archive at {missing}. Make one with: onrecord index"),
    "an archive to remove from": ("remove x --archive {missing}", "No archive at {missing}. Make one with: onrecord"),
    "an unknown article to remove": (
        "remove x owl --archive {archive}",
        "The archive at {archive} holds no article and",
    ),
    "an unknown article": (
        "article no-such --archive {archive}",
        "The archive at {archive} holds no article 'no-such'.",
    ),
    "a port in use": ("chat --port {port} --archive {archive}", "Port {port} is in use. Choose another with --port."),
    "a missing folder": ("index {missing} --archive {empty}", "There is no folder {missing}. Give the folder"),
    "nothing readable": (
        "index {papers} --archive {empty}",
        "No article could be read in {papers}. Refused was ",
    ),
    "a language model": ("ask x --llm gpt --archive {archive}", "The language model 'gpt' is not understood. Set"),
}


@pytest.mark.parametrize(("words", "message"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_one_line_with_the_next_step(place: Place, words: str, message: str) -> None:
    arguments = [word.format(**place._asdict()) for word in words.split(" ")]

    code, out, err = start(*arguments)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"onrecord: {message.format(**place._asdict())}")
    assert not place.missing.exists()


KEEPING = {
    "index": ("index {folder}", "The archive at {archive} was made with splitter"),
    "index where an archive lies": ("index {archive}", "{archive} is where an archive lies. Keep the archive apart"),
    "rebuild with another model": (
        "rebuild --embed --model {folder}",
        "The embedding model '{folder}' cannot be loaded",
    ),
}


@pytest.fixture
def foreign(small_archive: Path, tmp_path: Path) -> Path:
    """An archive of another splitter, and beside it a folder with an article."""
    archive = shutil.copytree(small_archive, tmp_path / "archive")
    with Archive.open(archive) as opened:
        opened.note("splitter", "words-9")
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "a.txt").write_text("Three barn owls have nested in the old mill at Ferrow.")
    return archive


@pytest.mark.parametrize(("words", "message"), KEEPING.values(), ids=KEEPING)
def test_a_command_that_keeps_an_archive_fails_with_1(
    onrecord: Onrecord, foreign: Path, words: str, message: str
) -> None:
    names = {"archive": foreign, "folder": foreign.parent / "news"}

    code, out, err = onrecord(*words.format(**names).split(), "--archive", foreign)

    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"onrecord: {message.format(**names)}")


@pytest.mark.parametrize("words", ["index {papers}", "index {papers} --watch", "rebuild", "remove owl"])
def test_a_second_writer_is_refused_at_once_with_4(onrecord: Onrecord, place: Place, words: str) -> None:
    with locked(place.archive):
        began = time.monotonic()
        code, out, err = onrecord(*words.format(papers=place.papers).split(), "--archive", place.archive)
        seconds = time.monotonic() - began

    assert (code, out, err.count("\n")) == (4, "", 1)
    assert err.startswith(f"onrecord: Another process ({os.getpid()}, since ")
    assert seconds < 1


@pytest.mark.parametrize(("name", "code"), [("archive", 0), ("missing", 1)])
def test_verify_tells_by_its_exit_code(onrecord: Onrecord, place: Place, name: str, code: int) -> None:
    archive = place._asdict()[name]
    ran = onrecord("verify", "--archive", archive)
    as_json = onrecord("verify", "--json", "--archive", archive)

    assert (ran.code, ran.err, as_json.code, as_json.err) == (code, "", code, "")
    assert ran.out.startswith(f"wrong  No archive at {archive}. Make one" if code else "Nothing is wrong with ")
    found = json.loads(as_json.out)
    assert list(found) == ["archive", "articles", "passages", "fingerprint", "findings"]
    assert len(found["findings"]) == code


def test_an_archive_is_kept_from_end_to_end(onrecord: Onrecord, small_archive: Path, tmp_path: Path) -> None:
    archive, again = shutil.copytree(small_archive, tmp_path / "archive"), tmp_path / "again"

    rebuilt = onrecord("rebuild", "--archive", archive)
    written = onrecord("export", tmp_path / "all.jsonl", "--archive", archive)
    printed = onrecord("export", "--archive", archive)
    indexed = onrecord("index", tmp_path / "all.jsonl", "--archive", again)
    one, two = (json.loads(onrecord("status", "--json", "--archive", place).out) for place in (archive, again))
    removed = onrecord("remove", "owl", "--archive", again)

    assert re.fullmatch(rf"Made the indexes of {archive} afresh in .* s: 2 articles in 2 passages\.\n", rebuilt.out)
    assert written == Ran(0, f"2 articles written to {tmp_path}/all.jsonl.\n", "")
    assert printed == Ran(0, (tmp_path / "all.jsonl").read_text(), "")
    assert indexed == Ran(0, f"2 articles in {again}: 2 added, 0 removed, 0 files unchanged, 0 refused.\n", "")
    assert one["fingerprint"] == two["fingerprint"]
    assert removed.out.startswith(f"Removed 1 article from {again}:\n  owl  Owls return to the old mill\nWhat left ")
    assert onrecord("status", "--archive", again).out.startswith(f"Archive    {again}: 1 article in 1 passage, 2022-07")


def test_an_export_that_nobody_reads_to_its_end_says_nothing(sample_archive: Path) -> None:
    command = [sys.executable, "-m", "rag", "export", "--archive", str(sample_archive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()

        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ONRECORD_LLM", "gpt", "The language model 'gpt' is not understood."),
        ("ONRECORD_ARCHVE", "x", "The setting ONRECORD_ARCHVE is not known. Did you mean ONRECORD_ARCHIVE?"),
    ],
)
def test_a_wrong_variable_is_one_line(place: Place, name: str, value: str, message: str) -> None:
    code, out, err = start("ask", "x", "--archive", place.archive, environment={name: value})

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"onrecord: {message}")


def test_a_model_that_is_not_there_is_told_soon(tmp_path: Path) -> None:
    (tmp_path / "owls.txt").write_text("Three barn owls have nested in the old mill at Ferrow.")
    model = tmp_path / "no-model"

    code, out, err = start("index", tmp_path, "--model", model, "--archive", tmp_path / "archive", before=offline())

    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"onrecord: The embedding model '{model}' cannot be loaded from {model} (")


# With a language model


@pytest.fixture
def ask_model(
    onrecord: Onrecord, small_archive: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[Any, str]]:
    """Ask with a language model at an address; give the answer and what was said on stderr. The key is in neither."""

    def ask(url: str) -> tuple[Any, str]:
        for name, value in (("ONRECORD_LLM", "openai/test"), ("OPENAI_BASE_URL", url), ("OPENAI_API_KEY", KEY)):
            monkeypatch.setenv(name, value)
        code, out, err = onrecord("ask", BRIDGE, "--json", "--archive", small_archive)
        assert code == 0
        assert KEY not in out + err
        return json.loads(out), err

    return ask


AskModel = Callable[[str], tuple[Any, str]]


def test_a_language_model_writes_and_its_citations_are_checked(ask_model: AskModel) -> None:
    with scripted_server(Says(["It will be closed ", "for eleven weeks [1][7]. ", "Repairs are dear [9]."])) as server:
        answer, err = ask_model(f"{server.url}/v1")

    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert err == "One sentence that no article supports was left out.\n"
    assert [(said["text"], said["citations"]) for said in answer["sentences"]] == [
        ("It will be closed for eleven weeks.", [1])
    ]
    assert [citation["article_id"] for citation in answer["citations"]] == ["bridge"]


@pytest.mark.parametrize("reply", [Sends([KEY.encode()], 401), Sends([KEY.encode()], 400)], ids=["key", "request"])
def test_a_language_model_that_refuses_is_told_and_the_articles_are_quoted(ask_model: AskModel, reply: Sends) -> None:
    with scripted_server(reply) as server:
        answer, err = ask_model(f"{server.url}/v1")

    check_quoted(answer, err, f"The language model test at {server.url}/v1 refused the ")


def test_a_language_model_that_is_down_is_told_and_the_articles_are_quoted(ask_model: AskModel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"

    answer, err = ask_model(url)

    check_quoted(answer, err, f"The language model test at {url} cannot be reached. ")


def check_quoted(answer: Any, err: str, notice: str) -> None:
    assert list(answer) == ["question", "state", "sentences", "citations", "searched", "notice", "probability"]
    assert answer["notice"].startswith(notice)
    assert err == f"{answer['notice']}\n"
    assert answer["citations"][0]["article_id"] == "bridge"
    assert [sentence["text"] for sentence in answer["sentences"]] == [c["text"] for c in answer["citations"]]
