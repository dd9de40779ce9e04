from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from rag import Chatbot, Settings
from rag.errors import SettingError
from tests.serving import served
from ui.conversations import Conversations
from ui.desk import Desk
from ui.guarding import HEADERS, KEY, READER, Guarded, reader_of
from ui.server import build_server, serve

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def desk(small_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("guarded")
    with Chatbot.open(small_archive, Settings()) as chatbot, closing(Conversations.open(folder)) as conversations:
        yield Desk(chatbot, Settings(archive=folder, password=PASSWORD), conversations)


@pytest.fixture(scope="module")
def locked(desk: Desk) -> Iterator[str]:
    with served(desk) as address:
        yield address


@pytest.fixture(scope="module")
def open_to_all(desk: Desk) -> Iterator[str]:
    with served(replace(desk, settings=replace(desk.settings, password=""))) as address:
        yield address


async def built(desk: Desk) -> Guarded:
    return cast("Guarded", build_server(desk))  # where a loop runs: elsewhere Gradio makes loops that it never closes


def routes(desk: Desk) -> set[str]:
    """Every path of the server and of the Gradio app in it, with something in place of its parameters."""
    found, waiting = set[str](), [asyncio.run(built(desk))._app]
    while waiting:
        for route in getattr(waiting.pop(), "routes", ()):
            found |= {re.sub(r"\{[^}]*\}", "x", path) for path in [getattr(route, "path", "")] if path}
            waiting += [inner for name in ("app", "original_router") if (inner := getattr(route, name, None))]
    return found


def test_without_the_password_nothing_answers_but_the_sign_of_life(locked: str, desk: Desk) -> None:
    paths = routes(desk)
    assert {"/desk/articles", "/answers/x", "/gradio_api/queue/join", "/config"} <= paths
    assert len(paths) > 60
    with httpx.Client(base_url=locked) as client:
        for path in sorted(paths - {"/healthz"}):
            for method in ("GET", "POST", "PATCH", "DELETE"):
                response = client.request(method, path)
                assert response.status_code in {401, 404}, (method, path, response.status_code)
                assert "onrecord" not in response.text.lower() or path == "/"
        assert client.get("/healthz").text == "ok"


@pytest.mark.parametrize(
    "tried",
    [
        {"headers": {"Authorization": f"Bearer {PASSWORD[:-1]}"}},
        {"headers": {"Authorization": f"Bearer {PASSWORD}x"}},
        {"headers": {"Authorization": "Bearer"}},
        {"headers": {"Authorization": f"Basic {PASSWORD}"}},
        {"headers": {"X-Password": PASSWORD}},
        {"headers": {"Authorization": "Bearer ßé"}},
        {"params": {"password": PASSWORD}},
        {"cookies": {KEY: PASSWORD}},
        {"cookies": {KEY: ""}},
    ],
)
def test_what_is_not_the_password_opens_nothing(locked: str, tried: dict[str, dict[str, str]]) -> None:
    headers = [(name.encode(), value.encode()) for name, value in tried.get("headers", {}).items()]
    with httpx.Client(base_url=locked, cookies=tried.get("cookies")) as client:
        assert client.get("/desk/articles", headers=headers, params=tried.get("params")).status_code == 401


def test_passwords_cannot_be_tried_quickly(locked: str) -> None:
    tried = httpx.get(f"{locked}/desk/articles", headers={"Authorization": "Bearer wrong-password"})
    assert tried.elapsed.total_seconds() >= 1


def test_a_program_sends_the_password_along(locked: str) -> None:
    response = httpx.get(f"{locked}/desk/articles", headers={"Authorization": f"Bearer {PASSWORD}"})
    assert (response.status_code, "Owls return" in response.text) == (200, True)


def test_a_person_enters_it_once_and_a_wrong_one_takes_a_while(locked: str) -> None:
    with httpx.Client(base_url=locked, headers={"Origin": locked}) as client:
        page = client.get("/")
        assert (page.status_code, 'name="password"' in page.text) == (401, True)
        wrong = client.post("/enter", data={"password": "horse"})
        assert (wrong.status_code, "This is not the password." in wrong.text) == (401, True)
        assert wrong.elapsed.total_seconds() >= 1
        assert client.post("/enter", content=b"password=" + b"x" * 10_000).status_code == 401
        right = client.post("/enter", data={"password": PASSWORD})
        assert (right.status_code, right.headers["location"]) == (303, "/")
        assert all(part in right.headers["set-cookie"] for part in ("HttpOnly", "SameSite=lax"))
        assert PASSWORD not in right.headers["set-cookie"]
        assert "Owls return" in client.get("/desk/articles").text


def test_a_person_enters_it_in_a_browser_and_asks(locked: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(locked)
    assert Axe().run(page).response["violations"] == []
    page.get_by_label("The password of this archive").fill("horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This is not the password.", timeout=30_000)
    page.get_by_label("The password of this archive").fill(PASSWORD)
    page.get_by_role("button", name="Enter").click()
    page.get_by_role("textbox", name="Question").fill("How many barn owls nested in the mill?", timeout=30_000)
    page.keyboard.press("Enter")
    expect(page.locator(".sentence").first).to_contain_text("Three barn owls", timeout=30_000)


def test_the_password_can_be_entered_from_no_other_site(locked: str) -> None:
    headers = {"Origin": "http://evil.example"}
    assert httpx.post(f"{locked}/enter", data={"password": PASSWORD}, headers=headers).status_code == 403


def test_other_computers_are_served_only_with_a_password_worth_the_name(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="Set a password in ONRECORD_PASSWORD"):
        serve(Settings(archive=tmp_path), 0, "0.0.0.0")
    with pytest.raises(SettingError, match="Set a password"):
        serve(Settings(archive=tmp_path), 0, "::")
    with pytest.raises(SettingError, match="too short"):
        serve(Settings(archive=tmp_path, password="short"), 0, "0.0.0.0")
    assert PASSWORD not in repr(Settings(password=PASSWORD))


def test_every_response_carries_the_headers_and_a_page_without_a_script_allows_none(open_to_all: str) -> None:
    with httpx.Client(base_url=open_to_all) as client:
        for path in ("/", "/healthz", "/desk/articles", "/answers/x", "/nothing", "/gradio_api/upload"):
            response = client.get(path)
            assert {name: response.headers[name] for name in HEADERS} == HEADERS, path


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/upload", "/upload", "/gradio_api/file=/etc/passwd", "/file=/etc/passwd", "/gradio_api/file/x",
     "/gradio_api/proxy=http://127.0.0.1/x", "/gradio_api/stream/x", "/gradio_api/component_server"],
)  # fmt: skip
def test_what_gradio_would_take_in_or_give_out_is_closed(open_to_all: str, path: str) -> None:
    for method in ("GET", "POST"):
        response = httpx.request(method, open_to_all + path, headers={"Origin": open_to_all})
        assert response.status_code == 404


def test_who_follows_a_link_from_another_site_is_the_same_reader(open_to_all: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(open_to_all)
    [before] = [each for each in page.context.cookies() if each.get("name") == READER]
    page.route("http://elsewhere.example/", lambda route: route.fulfill(
        content_type="text/html", body=f'<a href="{open_to_all}/">To the archive</a>'
    ))  # fmt: skip
    page.goto("http://elsewhere.example/")
    page.get_by_role("link").click()
    expect(page.get_by_role("textbox", name="Question")).to_be_visible(timeout=30_000)
    [after] = [each for each in page.context.cookies() if each.get("name") == READER]
    assert after.get("value") == before.get("value")


def test_a_browser_gets_a_secret_of_its_own_once(open_to_all: str) -> None:
    with httpx.Client(base_url=open_to_all) as client, httpx.Client(base_url=open_to_all) as other:
        cookie = client.get("/").headers["set-cookie"]
        assert all(part in cookie for part in (READER, "HttpOnly", "SameSite=Lax", "Path=/"))
        assert "set-cookie" not in client.get("/").headers
        other.get("/")
        mine, theirs = reader_of(client.cookies), reader_of(other.cookies)
        assert mine
        assert mine != theirs
        assert client.cookies[READER] not in mine


@pytest.mark.parametrize("cookie", ["", "x", "x" * 42, "x" * 44, "x" * 42 + ";", "x" * 42 + "é", "x" * 42 + "/"])
def test_what_is_no_secret_of_ours_names_no_reader(cookie: str) -> None:
    assert reader_of({READER: cookie}) == ""


def test_no_other_host_is_answered_without_a_password_and_any_with_one(locked: str, open_to_all: str) -> None:
    host = {"Host": "archive.example"}
    assert httpx.get(f"{open_to_all}/healthz", headers=host).status_code == 400
    assert httpx.get(f"{locked}/healthz", headers=host).status_code == 200
