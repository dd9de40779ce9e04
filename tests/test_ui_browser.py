"""The chat in a real browser against the real server."""

import re
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from time import sleep
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from rag import Answer, Article, Chatbot, Citation, Settings
from rag.answers import Gloss, Searched, Sentence, Side
from rag.conversation import Turn
from rag.errors import QuestionError, SettingError
from rag.filters import Field, Filters
from tests.browsing import contrast, watch
from tests.serving import served
from ui.conversations import Conversations
from ui.desk import Desk
from ui.guarding import HEADERS
from ui.markup import day
from ui.queue import Queue
from ui.server import serve

QUESTION = "What did Zarif say about missiles?"
ABSENT = "What is the capital of France?"
UNSAID = "What did Zarif say about football?"
FOREIGN = "How do I cook a mushroom risotto?"
ROOT = Path(__file__).parent.parent
PHONE = {"width": 390, "height": 844}

HOSTILE = Article(
    "hostile",
    "<img src=//evil.example/a onerror=\"document.title='owned'\">${document.title='owned'}{{constructor}}",
    "<script>document.title='owned'</script> ![x](http://evil.example/b) ${alert(1)} {{value}} said it.\n\n"
    + "\n\n".join("Filler <b>goes on</b> for a while so that the page has something to scroll. " * 4 for _ in range(20))
    + "\n\nAnd &lt;this&gt; is <i>the end</i>.",
    "<svg onload=document.title='owned'>",
    "2024-01-02",
    "javascript:document.title='owned'",
    ("<iframe src=//evil.example/c>",),
)
CALM = Article("calm", "A quiet day", "Nothing happened. Nobody came.", "Wire", "2024-01-03", "https://wire.example/1")


def cited(number: int, article: Article, quotation: str) -> Citation:
    start = article.text.index(quotation)
    facts = (article.title, article.source, article.date, article.url)
    return Citation(number, article.id, *facts, start, start + len(quotation), quotation)


class ScriptedChatbot:
    """Has the methods of a chatbot; what it is asked says how it answers."""

    searched = Searched(2, ("Wire",), "2024-01-02", "2024-01-03")

    def __init__(self) -> None:
        self.closed = threading.Event()

    def examples(self) -> list[str]:
        return ["<b>Is it calm?</b> ${1+1} {{value}}"]

    def article(self, article_id: str) -> Article:
        return {"hostile": HOSTILE, "calm": CALM}[article_id]

    def values(self, field: Field) -> tuple[str, ...]:
        return {"outlets": ("Wire", HOSTILE.source), "authors": tuple(f"Author {n}" for n in range(1000))}.get(
            field, ()
        )

    def stream(self, question: str, *, history: Sequence[Turn], filters: Filters, as_of: str) -> Iterator[Answer]:
        if "long" in question:
            raise QuestionError("The question is too long.")
        if "broken" in question:
            raise RuntimeError("wires crossed")
        if "slow" in question:
            yield from self._slow(question)
        elif "hostile" in question:
            citations = (cited(1, HOSTILE, "![x](http://evil.example/b)"), cited(2, HOSTILE, "And &lt;this&gt;"))
            text = "<img src=http://evil.example/d> ![x](http://evil.example/e) ${alert(1)} {{value}}"
            sentence = Sentence(text, (1, 2), "weak", ((0, 9),), (Gloss(len(text), "<s>${alert(1)}</s>"),), "<u>X</u>")
            answer = self._answer(question, (sentence, Sentence("So they say.", ())), citations)
            sides = (Side("<u>one</u>", 1), Side("two", 2, "correction"))
            yield replace(answer, sides=sides, probability=0.72)
        else:
            said = " / ".join(f"{turn.question} {turn.answer}" for turn in history)
            answer = self._answer(
                question, (Sentence("Nothing happened.", (1,)),), (cited(1, CALM, "Nothing happened."),)
            )
            yield replace(answer, understood_as=said)

    def _slow(self, question: str) -> Iterator[Answer]:
        try:
            for number in range(100):
                yield self._answer(question, (Sentence("Nothing happened.", ()),) * (number + 1), ())
                sleep(0.2)
        finally:
            self.closed.set()

    def _answer(self, question: str, sentences: tuple[Sentence, ...], citations: tuple[Citation, ...]) -> Answer:
        return Answer(question, "answered", sentences, citations, self.searched, "<u>A notice.</u>")


expect.set_options(timeout=30_000)  # a busy machine is slow, which is no fault of the page


@pytest.fixture(scope="module")
def address(sample_archive: Path) -> Iterator[str]:
    """The chat over the sample archive, started as a person starts it; it must end cleanly when told to."""
    command = [sys.executable, "-m", "ui", "--archive", str(sample_archive), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("Onrecord is at http://127.0.0.1:")
        yield line.split()[-1]
        process.terminate()
        assert process.wait(15) == 0
        assert process.stdout.read() == ""


@pytest.fixture(scope="module")
def scripted() -> ScriptedChatbot:
    return ScriptedChatbot()


@pytest.fixture(scope="module")
def scripted_address(scripted: ScriptedChatbot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The chat over the scripted chatbot, in this process."""
    folder = tmp_path_factory.mktemp("scripted")
    with ExitStack() as opened:
        conversations = opened.enter_context(closing(Conversations.open(folder)))
        desk = Desk(cast("Chatbot", scripted), Settings(archive=folder), conversations)
        yield opened.enter_context(served(desk))


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens pages; at the end none of them may have complained or have asked anyone but its own server."""
    contexts: list[BrowserContext] = []
    faults: list[list[str]] = []

    def open_page(address: str, **options: Any) -> Page:
        context = browser.new_context(viewport=options.pop("viewport", {"width": 1280, "height": 800}), **options)
        contexts.append(context)
        page = context.new_page()
        faults.append(watch(page, address))
        page.goto(address)
        expect(page.get_by_role("textbox", name="Question")).to_be_visible(timeout=30_000)
        expect(page.locator("#welcome")).to_be_visible(timeout=30_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [fault for each in faults for fault in each] == []


def ask(page: Page, question: str) -> None:
    """Ask by the Enter key and wait for the whole answer."""
    turns = page.locator(".turn").count()
    page.get_by_role("textbox", name="Question").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(turns + 1)
    expect(page.locator(".turn").last).to_have_attribute("aria-busy", "false", timeout=60_000)


def shown_quotation(page: Page) -> str:
    return "".join(page.locator("#panel mark.selected").all_text_contents())


def narrow(page: Page, **fields: str) -> None:
    """Open the filter if it is closed, and fill in fields by their labels, "_" for a space."""
    if page.locator("#filter-fields").is_hidden():
        page.get_by_role("button", name="Filter", exact=True).click()
    for label, text in fields.items():
        field = page.get_by_label(label.replace("_", " "), exact=True)
        field.fill(text)
        field.press("Enter")


def get(address: str, **headers: str) -> int:
    return send(urllib.request.Request(address, headers={k.replace("_", "-"): v for k, v in headers.items()}))


def send(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request) as response:
            status, answered = response.status, response.headers
    except urllib.error.HTTPError as error:
        with error:
            status, answered = error.code, error.headers
    assert {name: answered[name] for name in HEADERS} == HEADERS
    return int(status)


def test_a_question_gets_an_answer_with_numbered_citations(visit: Visit, address: str, chatbot: Chatbot) -> None:
    page = visit(address)
    ask(page, QUESTION)
    answer = chatbot.ask(QUESTION)
    expect(page.locator(".turn .question")).to_have_text(QUESTION)
    assert page.locator(".sentence .number").all_text_contents() == [
        str(number) for sentence in answer.sentences for number in sentence.citations
    ]
    for sentence in answer.sentences:
        expect(page.locator(".turn")).to_contain_text(" ".join(sentence.glossed.split()))


def test_clicking_a_number_shows_the_article_with_exactly_the_cited_characters_marked(
    visit: Visit, address: str, chatbot: Chatbot
) -> None:
    page = visit(address)
    ask(page, QUESTION)
    for citation in chatbot.ask(QUESTION).citations:
        page.locator(f'.turn .number[data-number="{citation.number}"]').first.click()
        article = chatbot.article(citation.article_id)
        assert page.locator("#panel .text").text_content() == article.text
        assert shown_quotation(page) == citation.text.replace("\n", "")
        expect(page.locator("#panel h2")).to_have_text(article.title)
        expect(page.locator("#panel mark.selected").first).to_be_in_viewport()


def test_a_question_that_is_not_in_the_archive_says_so_with_what_was_searched_and_what_comes_nearest(
    visit: Visit, address: str, chatbot: Chatbot
) -> None:
    page = visit(address)
    ask(page, UNSAID)
    expect(page.locator(".absent")).to_contain_text("Not in the archive. Articles are about it")
    expect(page.locator(".absent")).to_contain_text("Searched ")
    expect(page.locator("#panel")).to_contain_text("no source to show. Choose a number to read what comes nearest.")
    page.locator(".absent .number").first.click()
    assert shown_quotation(page) == chatbot.ask(UNSAID).nearest[0].text.replace("\n", "")


def test_a_follow_up_is_understood_after_what_was_answered_and_not_after_what_failed(
    visit: Visit, scripted_address: str
) -> None:
    page = visit(scripted_address)
    ask(page, "broken")
    ask(page, "long")
    ask(page, "calm?")
    expect(page.locator(".taken")).to_have_count(0)
    ask(page, "And then?")
    expect(page.locator(".taken")).to_have_text("Understood as: calm? Nothing happened.")


def test_an_example_is_asked_by_clicking_it(visit: Visit, address: str, chatbot: Chatbot) -> None:
    page = visit(address)
    examples = page.locator(".example")
    expect(examples).to_have_text(chatbot.examples())
    examples.first.click()
    expect(page.locator(".turn .number").first).to_be_visible(timeout=60_000)
    expect(examples).to_have_count(0)


def test_a_filter_holds_until_its_chip_is_removed_and_each_answer_says_which_it_was_given_under(
    visit: Visit, address: str, chatbot: Chatbot
) -> None:
    page = visit(address)
    toggle = page.get_by_role("button", name="Filter", exact=True)
    toggle.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Outlet")).to_be_focused()
    page.keyboard.type("ledg\n")
    expect(page.get_by_role("button", name="Remove filter")).to_have_text("The Ledger")
    expect(page.get_by_label("Section")).to_be_hidden()
    ask(page, QUESTION)
    expect(page.locator("#filter-fields")).to_be_hidden()
    expect(page.locator(".turn .within")).to_have_text("In The Ledger")
    places = page.locator(".sentence small bdi:last-child").all_text_contents()
    assert {place.split(",")[0] for place in places} == {"The Ledger"}
    page.get_by_role("button", name="Remove filter: The Ledger").click()
    expect(toggle).to_be_focused()
    ask(page, QUESTION)
    expect(page.locator(".within")).to_have_count(1)
    assert page.locator(".turn").last.locator(".sentence .number").count() == len(chatbot.ask(QUESTION).citations)


def test_read_as_of_a_day_nothing_published_later_is_found(visit: Visit, address: str, chatbot: Chatbot) -> None:
    page = visit(address)
    last = max(citation.date for citation in chatbot.ask(QUESTION).citations)
    before = (date.fromisoformat(last) - timedelta(days=1)).isoformat()
    narrow(page, As_of=before)
    page.get_by_role("button", name=QUESTION).click()
    expect(page.locator(".turn")).to_have_attribute("aria-busy", "false", timeout=60_000)
    expect(page.locator(".turn .within")).to_have_text(f"As of {day(before)}")
    expect(page.locator(".turn .number").first).to_be_visible()
    expect(page.locator(".turn small", has_text=day(last))).to_have_count(0)


def test_a_filter_that_finds_nothing_says_what_was_searched(visit: Visit, address: str, chatbot: Chatbot) -> None:
    page = visit(address)
    whole = chatbot.searched.articles
    narrow(page, Published_until="1999-12-31")
    ask(page, QUESTION)
    expect(page.locator(".absent p")).to_have_text(re.compile(r"No article meets this filter. \d articles? outside it"))
    expect(page.locator(".absent small")).to_have_text(f"The archive holds {whole} articles.")
    narrow(page, Published_from="2019-07-17", Published_until="2019-07-16")
    expect(page.locator("#filter-note")).to_have_text(re.compile("No day lies from 17 July 2019 until 16 July 2019."))
    ask(page, QUESTION)
    expect(page.locator(".turn .problem")).to_have_text(re.compile("No day lies from 17 July 2019"))
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("button", name="Remove filter")).to_have_count(0)
    narrow(page, Outlet="Capital Wire")
    ask(page, FOREIGN)
    searched = chatbot.ask(FOREIGN, filters=Filters("Capital Wire")).searched
    expect(page.locator(".turn").last.locator(".absent")).to_contain_text(f"Searched {searched.articles} of {whole}")


def test_the_filter_finds_names_among_many_and_shows_each_as_text(visit: Visit, scripted_address: str) -> None:
    page = visit(scripted_address)
    narrow(page, Author="thor 77")
    expect(page.locator("#filter-note")).to_have_text(re.compile("“thor 77” is part of more than one name"))
    assert page.locator("#filter-authors-list option").count() == 11
    narrow(page, Author=" THOR 777", Outlet="svg")
    expect(page.get_by_role("button", name="Remove filter")).to_have_text([HOSTILE.source, "by Author 777"])
    assert page.locator("#ask :is(svg, img)").count() == 0
    ask(page, "calm?")
    expect(page.locator(".within")).to_have_text(f"In {HOSTILE.source}, by Author 777")


def test_on_a_phone_nothing_overflows_and_a_number_brings_its_source_into_view(visit: Visit, address: str) -> None:
    page = visit(address, viewport=PHONE, has_touch=True, is_mobile=True)
    ask(page, QUESTION)
    number = page.locator(".turn .number").first
    expect(page.locator("#panel")).not_to_be_visible()
    number.tap()
    expect(page.locator("#panel mark.selected").first).to_be_in_viewport(ratio=0.9)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("panel.scrollWidth <= panel.clientWidth")
    page.get_by_role("button", name="Back to the conversation").tap()
    expect(page.locator("#panel")).not_to_be_visible()
    expect(number).to_be_focused()
    number.tap()
    page.go_back()
    expect(page.locator("#panel")).not_to_be_visible()
    expect(page.locator(".turn")).to_have_count(1)


def test_fingers_find_what_can_be_touched_on_a_phone(visit: Visit, scripted_address: str) -> None:
    page = visit(scripted_address, viewport=PHONE, has_touch=True, is_mobile=True)
    small = "e => { const r = e.getBoundingClientRect(); return Math.min(r.width, r.height) }"
    assert page.locator(".example").evaluate(small) >= 44
    narrow(page, Outlet="Wire", As_of="2024-01-02")
    assert all(target.evaluate(small) >= 44 for target in page.locator("#ask :is(button, input):visible").all())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ask(page, "hostile")
    page.locator(".turn .number").first.tap()
    assert all(button.evaluate(small) >= 44 for button in page.locator("#panel button:visible").all())


def test_a_hostile_article_is_shown_as_text_and_asks_nobody(visit: Visit, scripted_address: str) -> None:
    page = visit(scripted_address)
    expect(page.locator(".example")).to_have_text("<b>Is it calm?</b> ${1+1} {{value}}")
    ask(page, "hostile <img src=http://evil.example/f>")
    expect(page.locator(".turn")).to_contain_text(
        "<img src=http://evil.example/d> ![x](http://evil.example/e) ${alert(1)}"
    )
    expect(page.locator(".turn .notice")).to_have_text("<u>A notice.</u>")
    expect(page.locator(".turn .state")).to_have_text(["Weakly supported", "No source"])
    expect(page.locator(".turn .gloss").last).to_have_text("[<s>${alert(1)}</s>]")
    expect(page.locator(".sentence small").first).to_contain_text("Said by <u>X</u> · ")
    expect(page.locator(".sides span")).to_have_text(["<u>one</u>1", "two (correction)2"])
    expect(page.locator("#panel h2")).to_have_text(HOSTILE.title)
    assert page.locator("#panel .text").text_content() == HOSTILE.text
    assert shown_quotation(page) == "![x](http://evil.example/b)"
    page.locator(".turn .number").nth(1).click()
    assert shown_quotation(page) == "And &lt;this&gt;"
    expect(page.locator("#panel mark.selected")).to_be_in_viewport()
    assert page.locator("#panel :is(img, script, svg, iframe, i, b, a), .turn :is(img, s, u)").count() == 0
    assert page.title() == "Onrecord"


def test_the_keyboard_reaches_the_numbers(visit: Visit, scripted_address: str) -> None:
    page = visit(scripted_address)
    ask(page, "hostile")
    second = page.locator(".sides .number").last
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Filter", exact=True)).to_be_focused()
    for name in ("No", "Yes", "Edit question", "Ask again", "Markdown", "Link", "Copy with sources"):
        page.keyboard.press("Shift+Tab")
        expect(page.locator(".actions").get_by_text(name, exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_text("Chance of being right: 72 %")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Fitted on questions whose answers are known")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(second).to_have_attribute("aria-current", "true")
    assert shown_quotation(page) == "And &lt;this&gt;"


def test_a_number_of_an_earlier_answer_still_shows_its_own_source(visit: Visit, scripted_address: str) -> None:
    page = visit(scripted_address)
    ask(page, "calm?")
    ask(page, "hostile")
    assert shown_quotation(page) == "![x](http://evil.example/b)"
    page.locator(".turn").first.get_by_role("button", name="Source 1").click()
    assert shown_quotation(page) == "Nothing happened."
    expect(page.locator(".turn [aria-current]")).to_have_count(1)


def test_two_pages_at_once_do_not_mix(visit: Visit, scripted_address: str) -> None:
    one, two = visit(scripted_address), visit(scripted_address)
    ask(one, "calm?")
    ask(two, "hostile")
    assert one.locator(".turn .question").all_text_contents() == ["calm?"]
    assert two.locator(".turn .question").all_text_contents() == ["hostile"]
    assert shown_quotation(one) == "Nothing happened."


def test_stop_ends_an_answer_and_its_source_and_the_next_question_is_answered(
    visit: Visit, scripted_address: str, scripted: ScriptedChatbot
) -> None:
    page = visit(scripted_address)
    page.get_by_role("textbox", name="Question").fill("slow")
    page.keyboard.press("Enter")
    expect(page.locator(".sentence")).not_to_have_count(0)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".turn .progress")).to_have_text("Stopped.")
    assert scripted.closed.wait(5)
    sentences = page.locator(".sentence").count()
    ask(page, "calm?")
    expect(page.locator(".sentence")).to_have_count(sentences + 1)
    expect(page.locator(".taken")).to_have_count(0)


def test_closing_the_page_ends_the_work(visit: Visit, scripted_address: str, scripted: ScriptedChatbot) -> None:
    scripted.closed.clear()
    page = visit(scripted_address)
    page.get_by_role("textbox", name="Question").fill("slow")
    page.keyboard.press("Enter")
    expect(page.locator(".sentence")).not_to_have_count(0)
    page.close()
    assert scripted.closed.wait(5)


def test_an_answer_that_still_grows_stays_in_the_conversation_that_is_left(visit: Visit, scripted_address: str) -> None:
    page = visit(scripted_address)
    page.get_by_role("textbox", name="Question").fill("slow")
    page.keyboard.press("Enter")
    expect(page.locator(".sentence")).not_to_have_count(0)
    page.get_by_role("button", name="New conversation").click()
    page.wait_for_timeout(1000)
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_role("button", name="Stop").click()
    ask(page, "calm?")
    expect(page.locator(".turn .question")).to_have_text(["calm?"])


def test_who_waits_is_told_their_place_and_is_answered_in_turn(
    visit: Visit, scripted: ScriptedChatbot, tmp_path: Path
) -> None:
    with ExitStack() as opened:
        conversations = opened.enter_context(closing(Conversations.open(tmp_path)))
        desk = Desk(cast("Chatbot", scripted), Settings(archive=tmp_path), conversations, Queue(1))
        address = opened.enter_context(served(desk))
        first, second = visit(address), visit(address)
        for page, question in ((first, "slow"), (second, "calm?")):
            page.get_by_role("textbox", name="Question").fill(question)
            page.keyboard.press("Enter")
            expect(page.locator(".turn")).to_be_visible()
        expect(second.locator(".progress")).to_have_text("Waiting: place 1 in the queue …")
        first.get_by_role("button", name="Stop").click()
        expect(second.locator(".sentence")).to_contain_text("Nothing happened.")
        for page in (first, second):
            page.close()


def test_a_refused_question_is_explained_and_can_be_changed(visit: Visit, scripted_address: str) -> None:
    page = visit(scripted_address)
    ask(page, "long")
    expect(page.get_by_role("alert").get_by_text("The question is too long.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Question")).to_have_value("long")


def test_a_fault_is_told_to_the_terminal_and_not_to_the_reader(
    visit: Visit, scripted_address: str, caplog: pytest.LogCaptureFixture
) -> None:
    page = visit(scripted_address)
    ask(page, "broken")
    expect(page.locator(".problem")).to_have_text("Something went wrong; the terminal has details.")
    assert "wires crossed" in caplog.text


def test_the_button_asks_too(visit: Visit, scripted_address: str) -> None:
    page = visit(scripted_address)
    page.get_by_role("textbox", name="Question").fill("calm?")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator(".turn .number")).to_have_text("1")
    expect(page.get_by_role("textbox", name="Question")).to_have_value("")


def test_an_empty_question_is_not_sent(visit: Visit, scripted_address: str) -> None:
    page = visit(scripted_address)
    page.get_by_role("textbox", name="Question").fill("  ")
    page.keyboard.press("Enter")
    ask(page, "calm?")
    expect(page.locator(".turn")).to_have_count(1)


def test_a_question_that_is_sent_twice_is_asked_once(visit: Visit, scripted_address: str) -> None:
    page = visit(scripted_address)
    page.get_by_role("textbox", name="Question").fill("calm?")
    for _ in range(3):
        page.keyboard.press("Enter")
    expect(page.locator(".turn .actions")).to_be_visible()
    ask(page, "And then?")
    expect(page.locator(".turn .question")).to_have_text(["calm?", "And then?"])


def test_an_answer_comes_although_the_stream_that_it_was_to_come_on_was_closed(
    visit: Visit, scripted_address: str
) -> None:
    page = visit(scripted_address)
    closed = 'data: {"msg": "close_stream", "event_id": null}\n\n'
    # What Gradio's server sends when the answer before has ended just as the next question is sent.
    page.route("**/queue/data?*", lambda route: route.fulfill(body=closed, content_type="text/event-stream"), times=1)
    ask(page, "calm?")
    expect(page.locator("#silence")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(visit: Visit, scripted_address: str, scheme: str) -> None:
    page = visit(scripted_address, color_scheme=scheme)
    assert contrast(page, "#head p, #welcome *, .submit-button, .empty") >= 4.5
    narrow(page, Outlet="Wire", Author="nobody", As_of="2024-01-02")
    assert contrast(page, "#ask *") >= 4.5
    ask(page, "hostile")
    assert contrast(page, ".turn *, #panel *, .submit-button") >= 4.5
    dark = page.evaluate("document.body.classList.contains('dark')")
    assert dark == (scheme == "dark")


def test_other_hosts_and_other_sites_are_refused(scripted_address: str) -> None:
    join = f"{scripted_address}/gradio_api/queue/join"
    own = {"Content-Type": "application/json", "Origin": scripted_address}
    assert get(f"{scripted_address}/healthz") == 200
    assert get(f"{scripted_address}/", Host="evil.example") == 400
    assert get(f"{scripted_address}/healthz", Host="[::1]:80") == 200
    assert get(f"{scripted_address}/gradio_api/file=/etc/passwd") in {403, 404}
    for foreign in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert send(urllib.request.Request(join, b"{}", own | foreign)) == 403
    assert send(urllib.request.Request(join, b"{}", own)) == 422


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"Port {port} is in use. Choose another with --port."):
            serve(Settings(), port)
