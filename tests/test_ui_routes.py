from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from eval.sets import read_set
from rag import Article, Chatbot, Retriever, Settings, index_articles
from rag.archive import Archive
from rag.embedding import Embedder
from rag.indexing import locked
from tests.made_answers import HOSTILE
from tests.serving import served
from ui.app import turn_updates
from ui.bringing import LONGEST_NAME, bring_in
from ui.conversations import Conversations
from ui.desk import Desk
from ui.feedback import FILE_NAME
from ui.guarding import reader_of
from ui.limits import Limits

HELD = "2 articles · 2 outlets · Jun 2022 to Jul 2022"
OWLS = "How many barn owls nested in the mill?"
PAGE = b"""<html><head><title>The ferry sinks</title></head><body><article><h1>The ferry sinks</h1>
<p>The old ferry Petrel sank off Ferrow on Friday, and nobody on board of her drowned that day.</p>
<p>She had carried passengers between the two villages for more than forty years.</p></article></body></html>"""
STORY = {
    "title": "The ferry sinks",
    "text": "The old ferry Petrel sank off Ferrow on Friday. Nobody drowned.",
    "source": "Wire",
}


@pytest.fixture
def desk(small_archive: Path, tmp_path: Path, embedder: Embedder) -> Iterator[Desk]:
    archive = tmp_path / "archive"
    shutil.copytree(small_archive, archive, ignore=shutil.ignore_patterns("readers"))
    settings = Settings(archive=archive)
    retriever = Retriever(Archive.open(archive), embedder)
    with Chatbot(retriever) as chatbot, closing(Conversations.open(archive)) as conversations:
        yield Desk(chatbot, settings, conversations)


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    with served(desk) as address:
        yield address


@pytest.fixture
def ann(address: str) -> Iterator[httpx.Client]:
    yield from browser(address)


@pytest.fixture
def bob(address: str) -> Iterator[httpx.Client]:
    yield from browser(address)


def browser(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, headers={"Origin": address}, timeout=60) as client:
        client.get("/")
        yield client


def ask(desk: Desk, client: httpx.Client, question: str, **place: str) -> dict[str, str]:
    sent = {"conversation": "", "replaces": ""} | place
    *_, turn = turn_updates(desk, question, reader=reader_of(client.cookies), place=sent)
    return {name: str(turn[name]) for name in ("name", "conversation", "html", "text")}


def bring(client: httpx.Client, name: str, content: bytes) -> dict[str, object]:
    response = client.post("/desk/added", params={"name": name}, content=content)
    assert response.status_code == 200
    return dict(response.json())


def line(**fields: str) -> bytes:
    return json.dumps(fields).encode()


def ids(desk: Desk) -> dict[str, str]:
    return {article.title: article.id for article in desk.chatbot.retriever.archive.articles()}


# The archive at hand


def test_the_archive_says_what_it_holds(ann: httpx.Client) -> None:
    page = ann.get("/desk/archive").text
    assert "2 articles · 2 outlets" in page
    assert "Articles by time, from Jun 2022 to Jul 2022; at most 1" in page


def test_articles_are_listed_searched_filtered_and_read(ann: httpx.Client) -> None:
    everything = ann.get("/desk/articles").text
    assert everything.count("data-read") == 2
    found = ann.get("/desk/articles", params={"query": "barn owls"}).text
    assert (
        found.index("Owls return") < found.index("data-read", found.index("Owls return"))
        or found.count("data-read") == 1
    )
    assert ann.get("/desk/articles", params={"outlet": "Ferrow Herald"}).text.count("data-read") == 1
    dated = ann.get("/desk/articles", params={"since": "2022-06-20", "until": "2022-12-31"}).text
    assert (dated.count("data-read"), 'data-read="bridge"' in dated) == (1, True)
    assert "No day lies" in ann.get("/desk/articles", params={"since": "2022-06-20", "until": "2021-12-31"}).text
    assert ann.get("/desk/articles", params={"since": "yesterday"}).status_code == 422
    assert "No article was found" in ann.get("/desk/articles", params={"outlet": "Nobody"}).text
    assert "Dr. Ines Valko counted them" in ann.get("/desk/article", params={"id": "owl"}).text
    assert ann.get("/desk/article", params={"id": "../../etc/passwd"}).status_code == 404


def test_a_long_list_comes_in_pages(desk: Desk, ann: httpx.Client) -> None:
    more = [Article(f"n{n}", f"Note {n}", f"Note number {n} says little.", date="2020-01-01") for n in range(70)]
    index_articles(more, settings=desk.settings, embedder=desk.chatbot.retriever.embedder)

    first = ann.get("/desk/articles").text
    second = ann.get("/desk/articles", params={"skip": 50}).text
    assert (first.count("data-read"), 'data-more="50"' in first) == (50, True)
    assert (second.count("data-read"), "data-more" in second) == (22, False)


# Conversations


def test_a_conversation_is_there_after_a_reload_for_its_reader_alone(
    desk: Desk, ann: httpx.Client, bob: httpx.Client
) -> None:
    turn = ask(desk, ann, OWLS)
    opened = ann.get(f"/desk/conversations/{turn['conversation']}").json()

    assert [each["html"] for each in opened["turns"]] == [turn["html"]]
    assert set(opened["turns"][0]["sources"]) == set(opened["turns"][0]["cards"]) != set()
    assert OWLS in ann.get("/desk/conversations", params={"query": ""}).text
    assert OWLS not in bob.get("/desk/conversations", params={"query": ""}).text
    for method, path in (
        ("GET", f"/desk/conversations/{turn['conversation']}"),
        ("DELETE", f"/desk/conversations/{turn['conversation']}"),
        ("GET", f"/conversations/{turn['conversation']}.md"),
        ("GET", f"/conversations/{turn['conversation']}.html"),
    ):
        assert bob.request(method, path).status_code == 404
    renamed = bob.patch(f"/desk/conversations/{turn['conversation']}", content=line(title="Mine"))
    assert renamed.status_code == 404


def test_a_conversation_can_be_renamed_and_deleted(desk: Desk, ann: httpx.Client) -> None:
    name = ask(desk, ann, OWLS)["conversation"]
    assert ann.patch(f"/desk/conversations/{name}", content=line(title=HOSTILE)).status_code == 204
    assert "<script>" not in ann.get("/desk/conversations", params={"query": ""}).text
    for bad in (b"", b"[]", b"{}", line(title=" "), b'{"title": 7}', b"\xff", b"[" * 60_000):
        assert ann.patch(f"/desk/conversations/{name}", content=bad).status_code == 422
    assert ann.patch(f"/desk/conversations/{name}", content=line(title="x" * 99_000)).status_code == 413
    assert ann.delete(f"/desk/conversations/{name}").status_code == 204
    assert ann.get(f"/desk/conversations/{name}").status_code == 404


def test_a_follow_up_is_understood_after_its_own_conversation(desk: Desk, ann: httpx.Client) -> None:
    first = ask(desk, ann, OWLS)
    assert "Understood as" in ask(desk, ann, "When was that?", conversation=first["conversation"])["html"]
    assert "Understood as" not in ask(desk, ann, "When was that?")["html"]


def test_a_question_in_another_readers_conversation_is_refused(
    desk: Desk, ann: httpx.Client, bob: httpx.Client
) -> None:
    theirs = ask(desk, ann, OWLS)
    assert (
        "This conversation is not here any more." in ask(desk, bob, OWLS, conversation=theirs["conversation"])["html"]
    )
    assert len(desk.conversations.answers(reader_of(ann.cookies), theirs["conversation"])) == 1


def test_an_answer_that_cannot_be_kept_is_shown_and_says_so(desk: Desk, ann: httpx.Client) -> None:
    with closing(sqlite3.connect(desk.settings.archive / "conversations.sqlite3")) as other:
        other.execute("DROP TABLE answers")
    turn = ask(desk, ann, OWLS)
    assert (turn["name"], "barn owls have nested" in turn["html"]) == ("", True)
    assert "This could not be kept" in turn["html"]


# Answers that are carried along


def test_a_link_shows_the_same_answer_and_says_when_its_article_is_gone(desk: Desk, ann: httpx.Client) -> None:
    report = bring(ann, "ferry.jsonl", line(**STORY))
    turn = ask(desk, ann, "What sank off Ferrow?")
    page = ann.get(f"/answers/{turn['name']}")
    assert "The old ferry Petrel sank off Ferrow on Friday." in page.text
    assert "script" not in page.headers["content-security-policy"]
    assert "no longer holds" not in page.text

    ann.delete(f"/desk/added/{report['id']}")
    later = ann.get(f"/answers/{turn['name']}").text
    assert "The old ferry Petrel sank off Ferrow on Friday." in later
    assert "no longer holds this article" in later


def test_an_answer_and_a_conversation_are_exported_with_the_quoted_words(desk: Desk, ann: httpx.Client) -> None:
    turn = ask(desk, ann, OWLS)
    for path in (f"/answers/{turn['name']}.md", f"/conversations/{turn['conversation']}.md"):
        exported = ann.get(path)
        assert "[^1-1]: “Three barn owls have nested in the old mill at Ferrow.”" in exported.text
        assert exported.headers["content-disposition"] == "attachment"
    assert "<blockquote>Three barn owls" in ann.get(f"/conversations/{turn['conversation']}.html").text
    assert ann.get(f"/conversations/{turn['conversation']}.exe").status_code == 404
    assert ann.get("/answers/nothing").status_code == 404


# Bringing in


def test_what_is_brought_in_answers_at_once_and_is_gone_when_taken_back(desk: Desk, ann: httpx.Client) -> None:
    report = bring(ann, "ferry.jsonl", line(**STORY))
    assert (report["name"], len(report["articles"]), report["refused"]) == ("ferry.jsonl", 1, [])  # type: ignore[arg-type]
    assert "The old ferry Petrel sank off Ferrow on Friday." in ask(desk, ann, "What sank off Ferrow?")["text"]
    assert "ferry.jsonl" in ann.get("/desk/added").text

    assert str(report["held"]).startswith("3 articles · 3 outlets")
    assert ann.delete(f"/desk/added/{report['id']}").json() == {"left": 1, "held": HELD}
    assert "Petrel" not in ask(desk, ann, "What sank off Ferrow?")["text"]
    assert set(ids(desk).values()) == {"owl", "bridge"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"The ferry sinks\n\nThe old ferry Petrel sank off Ferrow on Friday."),
        ("a.md", b"---\ntitle: The ferry sinks\n---\nThe old ferry Petrel sank off Ferrow on Friday."),
        ("A.HTML", PAGE),
        ("a.jsonl", line(**STORY) + b"\n"),
        ("a.jsonl.gz", gzip.compress(line(**STORY) + b"\n")),
    ],
)  # fmt: skip
def test_every_kind_of_file_that_the_library_reads_comes_in(
    desk: Desk, ann: httpx.Client, name: str, content: bytes
) -> None:
    assert bring(ann, name, content)["refused"] == []
    assert "Petrel" in ask(desk, ann, "What sank off Ferrow?")["text"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pdf", b"%PDF", "Not a file of .txt, .md,"),
        ("../../a", b"x", "Not a file of"),
        ("a.txt", b"", "Empty."),
        ("a.txt", b"...", "No article text found."),
        ("a.jsonl", b"{", "Line 1: "),
        ("a.jsonl.gz", b"no gzip", ""),
    ],
)
def test_what_cannot_come_in_says_why_and_leaves_all_as_it_is(
    desk: Desk, ann: httpx.Client, name: str, content: bytes, reason: str
) -> None:
    report = bring(ann, name, content)
    assert (report["articles"], report["id"]) == ([], "")
    assert reason in str(report["refused"])
    assert set(ids(desk).values()) == {"owl", "bridge"}


def test_the_good_lines_of_a_file_come_in_beside_the_bad_ones(ann: httpx.Client) -> None:
    report = bring(ann, "mixed.jsonl", b"\n".join([line(**STORY), b"{", line(text="")]))
    assert (len(report["articles"]), len(report["refused"])) == (1, 2)  # type: ignore[arg-type]


def test_the_limits_hold(desk: Desk) -> None:
    many = b"\n".join(line(text=f"The ferry number {n} sank off Ferrow.") for n in range(5))
    few = replace(desk, limits=Limits(largest=2000, articles=2, additions=1))
    first = bring_in(few, "ann", "many.jsonl", many)
    assert (len(first.articles), first.refused) == (2, ("More than 2 articles: the others were left out.",))
    assert bring_in(few, "ann", "one.jsonl", line(**STORY)).refused == (
        "You have brought in 1 files. Remove some of them first.",
    )
    assert bring_in(few, "bob", "large.txt", b"x" * 2001).refused == ("Larger than 0 MB.",)
    assert "Took longer than 0 seconds" in str(
        bring_in(replace(desk, limits=Limits(seconds=0.01)), "bob", "slow.jsonl", many).refused
    )


def test_a_body_beyond_the_limit_is_cut_off(desk: Desk, ann: httpx.Client) -> None:
    large = b"x" * (desk.limits.largest + 1)
    assert ann.post("/desk/added", params={"name": "a.txt"}, content=large).status_code == 413


def test_an_article_that_is_brought_in_takes_no_others_place(desk: Desk, ann: httpx.Client) -> None:
    before = desk.chatbot.article("owl")
    report = bring(
        ann, "owl.jsonl", line(id="owl", url=before.url, date="2030-01-01", text="There were never any owls.")
    )
    assert report["articles"] not in ([], ["owl"])
    assert desk.chatbot.article("owl") == before
    assert desk.chatbot.retriever.archive.article_at(before.url) == before
    ann.delete(f"/desk/added/{report['id']}")
    assert desk.chatbot.article("owl") == before


def test_the_same_article_brought_in_twice_stays_until_both_are_taken_back(
    desk: Desk, ann: httpx.Client, bob: httpx.Client
) -> None:
    mine, theirs = (bring(client, "ferry.jsonl", line(**STORY)) for client in (ann, bob))
    assert mine["articles"] == theirs["articles"]
    assert ann.delete(f"/desk/added/{theirs['id']}").status_code == 404
    assert ann.delete(f"/desk/added/{mine['id']}").json()["left"] == 0
    assert STORY["title"] in ids(desk)
    assert bob.delete(f"/desk/added/{theirs['id']}").json()["left"] == 1


def test_while_another_program_writes_nothing_is_lost(desk: Desk, ann: httpx.Client) -> None:
    with locked(desk.settings.archive):
        report = bring(ann, "ferry.jsonl", line(**STORY))
        assert "is writing to the archive" in str(report["refused"])
    assert len(bring(ann, "ferry.jsonl", line(**STORY))["articles"]) == 1  # type: ignore[arg-type]


def test_a_file_name_is_only_shown(ann: httpx.Client, tmp_path: Path) -> None:
    name = f"../../{HOSTILE}\x00\n{'x' * 500}.jsonl"
    report = bring(ann, name, line(**STORY))
    assert len(str(report["name"])) <= LONGEST_NAME
    assert "<script>" not in ann.get("/desk/added").text


def test_who_keeps_no_cookie_brings_nothing_in(desk: Desk, address: str) -> None:
    response = httpx.post(
        f"{address}/desk/added", params={"name": "a.txt"}, content=b"A note.", headers={"Origin": address}
    )
    assert (response.status_code, "keeps no cookie" in response.text) == (403, True)
    assert set(ids(desk).values()) == {"owl", "bridge"}


# Feedback


def test_what_a_person_wrote_into_the_feedback_stays_and_what_cannot_be_written_is_told(
    desk: Desk, ann: httpx.Client
) -> None:
    path = desk.settings.archive / FILE_NAME
    path.write_text("# my notes\n[7]\n")
    given = {"answer": ask(desk, ann, OWLS)["name"], "verdict": "right", "word": "", "missed": ""}
    for _ in range(2):
        assert ann.post("/desk/feedback", content=line(**given)).status_code == 204
    assert path.read_text().splitlines()[:2] == ["# my notes", "[7]"]
    assert len(path.read_text().splitlines()) == 3
    path.unlink()
    path.mkdir()
    refused = ann.post("/desk/feedback", content=line(**given))
    assert (refused.status_code, "could not be noted" in refused.text) == (422, True)


def test_what_readers_say_is_a_question_set_that_an_evaluation_takes(desk: Desk, ann: httpx.Client) -> None:
    right = ask(desk, ann, OWLS)
    asked_on = ask(desk, ann, "When was that?", conversation=right["conversation"])
    absent = ask(desk, ann, "What is the capital of France?")
    for name, verdict, missed in (
        (right["name"], "wrong", ""), (right["name"], "right", ""), (asked_on["name"], "wrong", "bridge"),
        (absent["name"], "right", ""),
    ):  # fmt: skip
        given = {"answer": name, "verdict": verdict, "word": "  As I said.", "missed": missed}
        assert ann.post("/desk/feedback", content=line(**given)).status_code == 204

    one, two, three = read_set(desk.settings.archive / FILE_NAME, []).questions
    assert (one.question, one.label, one.gold_articles) == (OWLS, "right", ("owl",))
    assert "Three barn owls have nested" in one.evidence[0]
    assert (two.gold_articles, next(each.text for each in two.history)) == (("bridge",), OWLS)
    assert (three.answerable, three.kind) == (False, "feedback")
    assert '"note": "As I said."' in (desk.settings.archive / FILE_NAME).read_text()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"answer": "x", "verdict": "right", "word": "", "missed": ""},
        {"answer": "", "verdict": "maybe"},
        {"word": 7},
    ],
)
def test_feedback_on_nothing_is_refused(desk: Desk, ann: httpx.Client, given: dict[str, str]) -> None:
    assert ann.post("/desk/feedback", content=json.dumps(given).encode()).status_code in {404, 422}
    assert not (desk.settings.archive / FILE_NAME).exists()


def test_feedback_names_only_articles_that_are_there(desk: Desk, ann: httpx.Client) -> None:
    given = {"answer": ask(desk, ann, OWLS)["name"], "verdict": "wrong", "word": "", "missed": "nothing"}
    assert ann.post("/desk/feedback", content=line(**given)).status_code == 422
