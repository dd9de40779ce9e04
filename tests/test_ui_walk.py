"""A walk through everything that the chat offers, in a real browser, wide and narrow, light and dark.

With `--screenshots FOLDER` each screen is kept there to be looked at, in all four ways.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import ViewportSize as Size

from tests.browsing import watch
from tests.made_answers import HOSTILE
from tests.serving import sample_desk, served
from ui.desk import Desk

expect.set_options(timeout=30_000)

QUESTION = "What did Zarif say about missiles?"
FERRY = "The old ferry Petrel sank off Ferrow on Friday, and nobody on board of her drowned that day."
WIDE, PHONE = Size(width=1280, height=800), Size(width=360, height=740)
OFTEN, SELDOM = [(WIDE, "light"), (PHONE, "dark")], [(WIDE, "dark"), (PHONE, "light")]
SCREENS = [*OFTEN, *SELDOM]


@pytest.fixture(scope="module")
def desk(sample_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with sample_desk(sample_archive, tmp_path_factory.mktemp("walk")) as desk:
        yield desk


@pytest.fixture(scope="module")
def address(desk: Desk) -> Iterator[str]:
    with served(desk) as address:
        yield address


class Walk:
    """One reader's browser; nothing may complain in it, ask another host, or be hard to reach for anybody."""

    def __init__(self, context: BrowserContext, address: str, shots: Path, name: str) -> None:
        self.page = context.new_page()
        self.address = address
        self.narrow = context.pages[0].viewport_size == PHONE
        self.faults = watch(self.page, address)
        self._shots, self._name, self._number = shots, name, 0

    def come(self, place: str = "/") -> None:
        self.page.goto(self.address + place)
        expect(self.page.get_by_role("textbox", name="Question")).to_be_visible()
        expect(self.page.locator("#conversation")).to_be_visible()

    def see(self, what: str) -> None:
        """Keep the screen, and look for what makes it hard to use."""
        self._number += 1
        expect(self.page.locator(".listed[aria-busy]")).to_have_count(0)
        self.page.screenshot(path=self._shots / f"{self._name}-{self._number:02d}-{what}.png", animations="disabled")
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), what
        assert self.page.evaluate("!window.panel || panel.scrollWidth <= panel.clientWidth"), what
        self.page.evaluate("document.querySelector('#panel')?.scrollTo(0, 0)")  # what is half covered is too small
        found = Axe().run(self.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        bad = [(each["id"], each["nodes"][0]["html"][:200]) for each in found.response["violations"]]
        assert bad == [], what

    def ask(self, question: str) -> None:
        before = self.page.locator(".turn").count()
        self.page.get_by_role("textbox", name="Question").fill(question)
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".turn")).to_have_count(before + 1)
        self.answered()

    def answered(self) -> None:
        expect(self.page.locator('.turn[aria-busy="true"]')).to_have_count(0, timeout=60_000)
        expect(self.page.locator(".turn").last.locator(".actions")).to_be_visible()

    def turn_to(self, panel: str) -> None:
        self.page.get_by_role("button", name=panel, exact=True).click()

    def close(self) -> None:
        if self.narrow:
            self.page.get_by_role("button", name="Back to the conversation").click()
            expect(self.page.locator("#panel")).not_to_be_visible()


Begin = Callable[..., Walk]


@pytest.fixture
def begin(browser: Browser, address: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Begin]:
    shots = Path(request.config.getoption("--screenshots") or tmp_path)
    shots.mkdir(exist_ok=True, parents=True)
    with ExitStack() as opened:
        walks: list[Walk] = []

        def start(name: str, size: Size, scheme: str) -> Walk:
            if (size, scheme) in SELDOM and not request.config.getoption("--screenshots"):
                pytest.skip("seen with --screenshots FOLDER alone, to save time")
            context = browser.new_context(
                viewport=size,
                color_scheme="dark" if scheme == "dark" else "light",
                permissions=["clipboard-read", "clipboard-write"],
                has_touch=size == PHONE,
                is_mobile=size == PHONE,
            )
            opened.callback(context.close)
            walks.append(Walk(context, address, shots, f"{name}-{size['width']}-{scheme}"))
            walks[-1].come()
            return walks[-1]

        yield start
        assert [fault for walk in walks for fault in walk.faults] == []


@pytest.mark.parametrize(("size", "scheme"), SCREENS)
def test_answers_are_checked_with_one_click(begin: Begin, desk: Desk, size: Size, scheme: str) -> None:
    walk = begin("answers", size, scheme)
    page = walk.page
    expect(page.locator(".example")).to_have_count(4)
    walk.see("first")
    walk.ask(QUESTION)
    expect(page.locator(".state").first).to_have_text("Word for word")
    number = page.locator(".turn .number").first
    if not walk.narrow:
        number.hover()
        expect(page.get_by_role("tooltip")).to_contain_text("wants to talk about missiles")
        expect(page.get_by_role("tooltip")).to_contain_text("Capital Wire, 17 July 2019")
        walk.see("card")
        page.keyboard.press("Escape")
        expect(page.locator("#card")).to_be_hidden()
    number.click()
    expect(page.locator("#panel mark.selected").first).to_be_in_viewport()
    walk.see("source")
    walk.close()
    walk.ask("How long was Ward 7 closed at night, and why could it reopen?")
    walk.see("more")
    walk.ask("What is the capital of France?")
    expect(page.locator(".absent")).to_contain_text("Not in the archive.")
    walk.see("absent")


@pytest.mark.parametrize(("size", "scheme"), SCREENS)
def test_the_archive_is_at_hand(begin: Begin, size: Size, scheme: str) -> None:
    walk = begin("archive", size, scheme)
    page = walk.page
    walk.turn_to("Articles")
    expect(page.locator("[data-read]")).to_have_count(50)
    expect(page.locator("#panel")).to_contain_text("56 articles · 9 outlets")
    walk.see("articles")
    page.get_by_role("button", name="More articles").click()
    expect(page.locator("[data-read]")).to_have_count(56)
    page.get_by_role("button", name=re.compile("Capital Wire")).first.click()
    expect(page.locator("[data-read]")).to_have_count(3)
    page.get_by_label("Until", exact=True).fill("2019-07-16")
    expect(page.locator("[data-read]")).to_have_count(2)
    page.get_by_label("Until", exact=True).fill("")
    expect(page.locator("[data-read]")).to_have_count(3)
    with page.expect_response(re.compile("query=missiles")):
        page.get_by_role("searchbox").fill("missiles")
    expect(page.locator("[data-read]").first).to_contain_text("missiles")
    walk.see("found")
    page.locator("[data-read]").first.click()
    expect(page.locator("#panel article h2")).to_contain_text("missiles")
    walk.see("article")
    page.get_by_role("button", name="All articles").click()
    expect(page.locator("[data-read]")).to_have_count(50)
    page.get_by_role("searchbox").fill("<script>alert(1)</script> zzzz")
    expect(page.locator(".listed")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), SCREENS)
def test_articles_are_brought_in_and_taken_back(begin: Begin, tmp_path: Path, size: Size, scheme: str) -> None:
    walk = begin("adding", size, scheme)
    page = walk.page
    page.get_by_role("button", name="Add articles").click()
    expect(page.locator("#panel")).to_contain_text("at most 20 at once, each of 10 MB, 200 articles and 60 seconds")
    walk.see("form")
    good, bad = tmp_path / "ferry.txt", tmp_path / "<img src=x onerror=alert(1)>.pdf"
    good.write_text(f"The ferry sinks\n\n{FERRY}")
    bad.write_bytes(b"%PDF")
    page.locator("#bring-files input").set_input_files([good, bad])
    expect(page.locator("#bring-report li")).to_have_text(["ferry.txt1 article is in.", re.compile("Not a file of")])
    expect(page.locator("[data-take]")).to_have_count(1)
    page.get_by_text("Paste an article").click()
    page.get_by_label("Headline").fill("Lighthouse lit again")
    page.get_by_label("Text").fill("The lighthouse of Vessay was lit again on Monday after eleven dark years.")
    page.get_by_role("button", name="Add this article").click()
    expect(page.locator("[data-take]")).to_have_count(2)
    expect(page.locator("#held")).to_contain_text("58 articles")
    walk.see("report")
    page.reload()
    expect(page.locator("#held")).to_contain_text("58 articles")
    expect(page.get_by_role("textbox", name="Question")).to_have_attribute("placeholder", "Ask about these 58 articles")
    walk.ask("Which ferry sank off Ferrow?")
    expect(page.locator(".turn").last).to_contain_text("Petrel")
    page.get_by_role("button", name="Add articles").click()
    for left in (1, 0):
        page.locator("[data-take]").first.click()
        page.get_by_role("button", name="Remove: are you sure?").click()
        expect(page.locator("[data-take]")).to_have_count(left)
    walk.close()
    walk.ask("Which ferry sank off Ferrow?")
    expect(page.locator(".turn").last).not_to_contain_text("Petrel")


@pytest.mark.parametrize(("size", "scheme"), SCREENS)
def test_conversations_last(begin: Begin, address: str, size: Size, scheme: str) -> None:
    walk = begin("conversations", size, scheme)
    page = walk.page
    walk.ask(QUESTION)
    walk.ask("When was that?")
    told = page.locator(".turn").all_inner_texts()
    page.reload()
    expect(page.locator(".turn")).to_have_count(2)
    assert [text.split() for text in page.locator(".turn").all_inner_texts()] == [text.split() for text in told]
    page.locator(".turn .number").first.click()
    expect(page.locator("#panel mark.selected").first).to_be_in_viewport()
    walk.close()
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator(".example").first).to_be_visible()
    walk.ask("Why could Ward 7 reopen at night?")
    walk.turn_to("Conversations")
    expect(page.locator("[data-open]")).to_have_count(2)
    page.get_by_role("button", name="Rename").last.click()
    page.get_by_role("textbox", name="Title of the conversation").fill(f"Zarif {HOSTILE[:60]}")
    page.keyboard.press("Enter")
    expect(page.locator("[data-open]").last).to_contain_text("Zarif <img src=x onerror=alert(1)>")
    walk.see("list")
    with page.expect_download() as download:
        page.locator(".does").get_by_role("link", name="Markdown").first.click()
    assert "[^1-1]: “" in Path(download.value.path()).read_text()
    page.get_by_role("searchbox").fill("missiles")
    expect(page.locator("[data-open]")).to_have_count(1)
    page.locator("[data-open]").click()
    expect(page.locator(".turn")).to_have_count(2)
    link = page.locator(".actions a").first.get_attribute("href")
    assert "wants to talk about missiles" in httpx.get(f"{address}{link}").text
    walk.turn_to("Conversations")
    expect(page.locator("[data-open]")).to_have_count(2)
    page.get_by_role("button", name="Delete").last.click()
    page.get_by_role("button", name="Delete: are you sure?").click()
    expect(page.locator("[data-open]")).to_have_count(1)
    still = page.context.new_page()
    still.goto(f"{address}{link}")
    expect(still.locator("body")).to_contain_text("not here any more")


@pytest.mark.parametrize(("size", "scheme"), SCREENS)
def test_a_link_is_a_page_of_its_own(begin: Begin, size: Size, scheme: str) -> None:
    walk = begin("link", size, scheme)
    walk.ask(QUESTION)
    link = walk.page.locator(".actions a").first.get_attribute("href")
    walk.page.goto(f"{walk.address}{link}")
    expect(walk.page.locator("blockquote").first).to_contain_text("wants to talk about missiles")
    walk.see("page")
    walk.page.locator("sup a").first.click()
    expect(walk.page.locator("li:target")).to_be_in_viewport()


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_what_was_copied_carries_its_sources(begin: Begin, size: Size) -> None:
    walk = begin("copying", size, "light")
    page = walk.page
    walk.ask(QUESTION)
    page.get_by_role("button", name="Copy with sources").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{QUESTION}\n\n")
    assert "[1] “Iranian Foreign Minister" in copied
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.sentence'))")
    page.evaluate("document.execCommand('copy')")
    selected = page.evaluate("navigator.clipboard.readText()")
    assert "wants to talk about missiles" in selected
    assert "\n[1] “Iranian Foreign Minister" in selected
    walk.ask("Why could Ward 7 reopen at night?")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.turn:last-child .sentence'))")
    page.evaluate("document.execCommand('copy')")
    assert "The Halvenmouth Courier" in page.evaluate("navigator.clipboard.readText()")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#conversation'))")
    page.evaluate("document.execCommand('copy')")
    both = page.evaluate("navigator.clipboard.readText()").split("\n\n")[-1]
    assert "Capital Wire" in both
    assert "The Halvenmouth Courier" in both


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")])
def test_readers_say_what_they_think_of_an_answer(begin: Begin, desk: Desk, size: Size, scheme: str) -> None:
    walk = begin("feedback", size, scheme)
    page = walk.page
    walk.ask(QUESTION)
    page.get_by_role("button", name="No", exact=True).click()
    expect(page.locator(".feedback [role=status]")).to_have_text("Noted. You can add to it:")
    page.get_by_label("A word on it").fill("The other article is better.")
    page.get_by_label("This article should have been found").fill("Pompeo sees an opening")
    expect(page.locator("[data-pick]").first).to_contain_text("Pompeo")
    walk.see("form")
    page.locator("[data-pick]").first.click()
    expect(page.locator(".feedback [role=status]")).to_have_text("Noted, thank you.")
    [noted] = [each for each in _noted(desk) if each["id"] == page.locator(".turn").get_attribute("data-name")]
    assert (noted["note"], noted["label"]) == ("The other article is better.", "wrong")
    assert noted["gold_articles"] == ["fa9fe1158d4605c3"]


def test_the_last_question_is_asked_again_and_edited(begin: Begin) -> None:
    walk = begin("editing", WIDE, "light")
    page = walk.page
    walk.ask(QUESTION)
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".turn.replaced")).to_have_count(0)
    walk.answered()
    expect(page.locator(".turn")).to_have_count(1)
    page.get_by_role("button", name="Edit question").click()
    box = page.get_by_role("textbox", name="Question")
    expect(box).to_have_value(QUESTION)
    page.keyboard.press("Escape")
    expect(page.locator(".turn.replaced")).to_have_count(0)
    page.get_by_role("button", name="Edit question").click()
    box.fill("Why could Ward 7 reopen at night?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn .question")).to_have_text("Why could Ward 7 reopen at night?")
    walk.answered()
    page.reload()
    expect(page.locator(".turn .question")).to_have_text(["Why could Ward 7 reopen at night?"])


def test_the_cited_articles_stand_on_a_line_of_days(begin: Begin) -> None:
    walk = begin("timeline", WIDE, "light")
    walk.ask("How much did the Ternquay terminal cost?")
    dots = walk.page.locator(".timeline .dot")
    if dots.count():
        walk.see("line")
        dots.last.click()
        expect(walk.page.locator(".timeline .dot[aria-current]")).to_have_count(1)


def test_a_server_that_is_gone_says_so(begin: Begin, browser: Browser) -> None:
    walk = begin("gone", WIDE, "light")
    walk.page.route("**/desk/**", lambda route: route.abort())
    walk.turn_to("Articles")
    expect(walk.page.get_by_role("alert")).to_have_text(re.compile("Onrecord does not reply."))
    assert len(walk.faults) == 1
    walk.faults.clear()


def test_a_file_that_is_dropped_comes_in_and_one_that_misses_changes_nothing(begin: Begin) -> None:
    walk = begin("dropping", WIDE, "light")
    page = walk.page
    page.get_by_role("button", name="Add articles").click()
    expect(page.locator(".drop")).to_be_visible()
    drop = """([selector, text]) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([text], "dropped.txt"));
        const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
        return document.querySelector(selector).dispatchEvent(event);
    }"""
    assert page.evaluate(drop, ["#conversation", FERRY]) is False
    assert page.evaluate(drop, [".drop", FERRY]) is False
    expect(page.locator("#bring-report li")).to_have_text(["dropped.txt1 article is in."])
    page.locator("[data-take]").click()
    page.get_by_role("button", name="Remove: are you sure?").click()
    expect(page.locator("[data-take]")).to_have_count(0)


def _noted(desk: Desk) -> list[dict[str, object]]:
    return [json.loads(line) for line in (desk.settings.archive / "feedback.jsonl").read_text().splitlines()]
