import json
import logging
import os
import subprocess
import sys
import time
import traceback
from types import GeneratorType

import pytest

from rag.deadlines import Deadlines
from rag.errors import GenerationFailed, SettingError
from rag.generation import MAXIMUM_CHARACTERS, LanguageModel
from rag.prompting import Prompt
from rag.settings import Settings
from tests.llm_servers import (
    OLLAMA_END,
    OPENAI_END,
    RESET,
    Raw,
    Reply,
    Says,
    ScriptedServer,
    Sends,
    ollama_line,
    openai_event,
    scripted_server,
)

KEY = "sk-CANARY-123"
SOON = Deadlines(connect=0.5, first_token=0.5, idle=0.4, total=1.5, pause=0.05)
PATIENT = Deadlines(pause=0.05)
PROMPT = Prompt("Be brief.", "What of rates?")


def open_model(server: ScriptedServer, provider: str = "openai", deadlines: Deadlines = SOON) -> LanguageModel:
    settings = Settings(
        llm=f"{provider}/m", openai_base_url=f"{server.url}/v1", openai_api_key=KEY, ollama_host=server.url
    )
    return LanguageModel.open(settings, deadlines)


def read(model: LanguageModel) -> tuple[str, str]:
    """Give what was yielded and the message of the error that ended it; the key must be nowhere."""
    pieces: list[str] = []
    error: GenerationFailed | None = None
    try:
        pieces.extend(model.generate(PROMPT))
    except GenerationFailed as failed:
        error = failed
    assert error is None or error.__context__ is None
    assert KEY not in "".join(traceback.format_exception(error))
    assert "\n" not in str(error)
    return "".join(pieces), str(error or "")


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_an_answer_comes_in_pieces_from_one_request(provider: str) -> None:
    with scripted_server(Says(["Rates ", "were held [1]."])) as server:
        assert list(open_model(server, provider, PATIENT).generate(PROMPT)) == ["Rates ", "were held [1]."]
    (request,) = server.requests
    assert [(m["role"], m["content"]) for m in request.body["messages"]] == [
        ("system", "Be brief."),
        ("user", "What of rates?"),
    ]
    assert request.body["model"] == "m"
    limits = request.body if provider == "openai" else request.body["options"]
    assert limits["temperature"] == 0
    assert 1000 in limits.values()
    assert "tools" not in request.body or not request.body["tools"]


def test_each_provider_is_asked_at_its_own_door() -> None:
    with scripted_server(Says(["Held."])) as server:
        read(open_model(server, "openai", PATIENT))
        read(open_model(server, "ollama", PATIENT))
    assert [request.path for request in server.requests] == ["/v1/chat/completions", "/api/chat"]
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in str(server.requests[1])


def test_the_key_is_in_no_repr() -> None:
    settings = Settings(llm="openai/m", openai_base_url=f"https://{KEY}:x@host/v1?key={KEY}", openai_api_key=KEY)
    assert repr(LanguageModel.open(settings)) == "LanguageModel(openai/m at https://host/v1)"


@pytest.mark.parametrize("reply", [Says(["Held."]), Sends([KEY.encode()], status=401), Raw([RESET])])
def test_the_key_is_in_no_log(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), scripted_server(reply) as server:
        read(open_model(server, deadlines=PATIENT))
    assert KEY not in caplog.text


def test_a_key_of_the_environment_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with scripted_server(Says(["Held."])) as server:
        model = LanguageModel.open(Settings(llm="openai/m", openai_base_url=f"{server.url}/v1"), PATIENT)
        assert read(model) == ("Held.", "")
    assert KEY not in str(server.requests)


def test_without_a_model_the_setting_is_named() -> None:
    with pytest.raises(SettingError, match="ONRECORD_LLM"):
        LanguageModel.open(Settings())


REFUSED = Sends([json.dumps({"error": {"message": f"Incorrect API key: {KEY}"}}).encode()], status=401)
PARTIAL = openai_event("Held")
OPENAI_FAULTS: dict[str, tuple[Reply, int, str, str]] = {
    "401 with the key echoed": (REFUSED, 1, "", "refused the key. Check OPENAI_API_KEY."),
    "404": (Sends([b"{}"], status=404), 1, "", "is not known there. Check ONRECORD_LLM"),
    "400": (Sends([b"{}"], status=400), 1, "", "refused the request (status 400)."),
    "429": (Sends([b"{}"], status=429), 2, "", "quota is spent. Ask again in a minute."),
    "429 for an hour": (Sends([b"{}"], status=429, headers={"Retry-After": "3600"}), 1, "", "Ask again in a minute."),
    "500": (Sends([b"<html>"], status=500), 2, "", "failed (status 500)."),
    "redirect": (Sends([], status=307, headers={"Location": "/elsewhere"}), 1, "", "points to another address"),
    "HTML with 200": (Sends([b"<html><p>Hello</p></html>\n\n"]), 1, "", "broke off before"),
    "choices []": (Sends([b'data: {"choices": []}\n\n', b"data: [DONE]\n\n"]), 1, "", "broke off before"),
    "choices null": (Sends([b'data: {"choices": null}\n\n']), 1, "", "sent something that is no answer."),
    "content null": (Sends([openai_event(None), OPENAI_END]), 1, "", "gave an empty answer."),
    "only spaces": (Sends([openai_event("  \n"), OPENAI_END]), 1, "  \n", "gave an empty answer."),
    "a body of another kind": (Sends([b"data: 7\n\n"]), 1, "", "sent something that is no answer."),
    "not JSON": (Sends([b"data: {oops\n\n"]), 1, "", "sent something that is no answer."),
    "cut": (Sends([PARTIAL]), 1, "Held", "broke off before its answer was complete."),
    "done without a reason": (Sends([PARTIAL, b"data: [DONE]\n\n"]), 1, "Held", "broke off before"),
    "error in the middle": (Sends([PARTIAL, b'data: {"error": {"message": "no"}}\n\n']), 1, "Held", "broke off before"),
    "not JSON in the middle": (Sends([PARTIAL, b"data: {oops\n\n"]), 1, "Held", "broke off before"),
    "reset in the middle": (Sends([PARTIAL, 0.05, RESET]), 1, "Held", "broke off before"),
    "reset at once": (Raw([RESET]), 2, "", "cannot be reached."),
    "closed at once": (Raw([]), 2, "", "cannot be reached."),
    "no HTTP": (Raw([b"220 smtp ready\r\n"]), 2, "", "cannot be reached."),
    "silence": (Raw([9.0]), 1, "", "did not answer in time."),
    "silence after the headers": (Sends([9.0]), 1, "", "did not answer in time."),
    "a stall": (Sends([PARTIAL, 9.0]), 1, "Held", "did not answer in time."),
    "headers in drips": (Raw([b"HTTP/1.1 200 OK\r\n", *[b"x: y\r\n", 0.05] * 99]), 1, "", "did not answer in time."),
    "pings only": (Sends([b": ping\n\n", 0.05] * 99), 1, "", "did not answer in time."),
    "pings after a piece": (Sends([PARTIAL, *[b": ping\n\n", 0.05] * 99]), 1, "Held", "did not answer in time."),
    "pieces without text": (Sends([openai_event(""), 0.05] * 99), 1, "", "did not answer in time."),
}


@pytest.mark.parametrize("fault", OPENAI_FAULTS)
def test_a_fault_of_openai_ends_in_one_clear_line(fault: str) -> None:
    reply, requests, text, message = OPENAI_FAULTS[fault]
    started = time.monotonic()
    with scripted_server(reply) as server:
        said, error = read(open_model(server))
        assert time.monotonic() - started < 3
    assert (said, len(server.requests)) == (text, requests)
    assert error.startswith(f"The language model m at {server.url}/v1 ")
    assert message in error


OLLAMA_FAULTS: dict[str, tuple[Reply, int, str, str]] = {
    "404": (Sends([b'{"error": "no model"}'], status=404), 1, "", "is not known there. Fetch it with: ollama pull m"),
    "500": (Sends([b"{}"], status=500), 2, "", "failed (status 500)."),
    "redirect": (Sends([], status=302, headers={"Location": "/elsewhere"}), 1, "", "points to another address"),
    "HTML with 200": (Sends([b"<html>\n"]), 1, "", "sent something that is no answer."),
    "content null": (Sends([ollama_line(None), OLLAMA_END]), 1, "", "gave an empty answer."),
    "no message": (Sends([b'{"done": false}\n']), 1, "", "sent something that is no answer."),
    "a list": (Sends([b"[]\n"]), 1, "", "sent something that is no answer."),
    "cut": (Sends([ollama_line("Held")]), 1, "Held", "broke off before its answer was complete."),
    "error in the middle": (Sends([ollama_line("Held"), b'{"error": "no"}\n']), 1, "Held", "broke off before"),
    "reset in the middle": (Sends([ollama_line("Held"), 0.05, RESET]), 1, "Held", "broke off before"),
    "reset at once": (Raw([RESET]), 2, "", "cannot be reached. Start it with: ollama serve"),
    "silence": (Raw([9.0]), 1, "", "did not answer in time."),
    "a stall": (Sends([ollama_line("Held"), 9.0]), 1, "Held", "did not answer in time."),
}


@pytest.mark.parametrize("fault", OLLAMA_FAULTS)
def test_a_fault_of_ollama_ends_in_one_clear_line(fault: str) -> None:
    reply, requests, text, message = OLLAMA_FAULTS[fault]
    with scripted_server(reply) as server:
        said, error = read(open_model(server, "ollama"))
    assert (said, len(server.requests)) == (text, requests)
    assert error.startswith(f"The language model m at {server.url} ")
    assert message in error


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_a_server_that_is_not_there_is_named(provider: str) -> None:
    with scripted_server(Says(["Held."])) as server:
        model = open_model(server, provider, PATIENT)
    text, error = read(model)
    assert text == ""
    assert f"{server.url}" in error
    assert "cannot be reached" in error


@pytest.mark.parametrize("fault", [Sends([b"{}"], status=500), Sends([b"{}"], status=429), Raw([RESET])])
@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_a_second_try_may_succeed(provider: str, fault: Reply) -> None:
    with scripted_server(fault, Says(["Held."])) as server:
        assert read(open_model(server, provider, PATIENT)) == ("Held.", "")
    assert len(server.requests) == 2


def test_a_short_wish_to_wait_is_granted() -> None:
    with scripted_server(Sends([b"{}"], status=429, headers={"Retry-After": "1"}), Says(["Held."])) as server:
        started = time.monotonic()
        model = open_model(server, deadlines=PATIENT)
        assert read(model) == ("Held.", "")
        assert time.monotonic() - started >= 1


def test_a_redirect_to_another_host_is_not_followed_and_gets_no_key() -> None:
    with scripted_server(Says(["Held."])) as other:
        away = {"Location": f"{other.url}/v1/chat/completions"}
        with scripted_server(Sends([], status=307, headers=away)) as server:
            assert "points to another address" in read(open_model(server, deadlines=PATIENT))[1]
    assert other.requests == []


def test_a_server_that_failed_five_times_in_a_row_is_left_alone_for_a_while() -> None:
    rested = Deadlines(pause=0.01, rest=0.4)
    bad, good = Sends([b"{}"], status=400), Says(["Held."])
    with scripted_server(*[bad] * 4, good, *[bad] * 5, good) as server:
        model = open_model(server, deadlines=rested)
        said = [read(model) for _ in range(11)]
        assert [text for text, _ in said] == ["", "", "", "", "Held.", *[""] * 6]
        assert "refused the request" in said[9][1]
        assert "failed 5 times in a row" in said[10][1]
        assert len(server.requests) == 10
        time.sleep(0.5)
        assert read(model) == ("Held.", "")


def test_an_answer_that_nobody_heard_to_its_end_is_no_failure() -> None:
    with scripted_server(Says(["Held "] * 9)) as server:
        model = open_model(server, deadlines=PATIENT)
        for _ in range(6):
            pieces = model.generate(PROMPT)
            assert isinstance(pieces, GeneratorType)
            next(pieces)
            pieces.close()
        assert read(model)[1] == ""


def test_a_slow_answer_is_heard_to_its_end() -> None:
    with scripted_server(Says(["a "] * 6, seconds_between=0.15)) as server:
        assert read(open_model(server, deadlines=Deadlines(first_token=0.6, idle=0.6))) == ("a " * 6, "")


def test_thought_counts_as_life_but_is_not_shown() -> None:
    thought = openai_event(None, reasoning_content="hm")
    with scripted_server(
        Sends([thought, 0.3, thought, 0.3, thought, 0.3, openai_event("Held."), OPENAI_END])
    ) as server:
        assert read(open_model(server, deadlines=Deadlines(first_token=0.7, idle=0.7))) == ("Held.", "")


def test_a_slow_reader_does_not_use_up_the_time_between_tokens() -> None:
    with scripted_server(Says(["a", "b", "c"], seconds_between=0.1)) as server:
        pieces = []
        for piece in open_model(server, deadlines=Deadlines(idle=0.3)).generate(PROMPT):
            pieces.append(piece)
            time.sleep(0.35)
        assert pieces == ["a", "b", "c"]


def test_an_endless_answer_is_cut_by_its_length() -> None:
    with scripted_server(Sends([openai_event("word " * 200)] * 10_000)) as server:
        text, error = read(open_model(server, deadlines=PATIENT))
        assert (len(text), error) == (MAXIMUM_CHARACTERS, "")
        assert server.left.wait(2)


def test_an_endless_answer_is_cut_by_its_time() -> None:
    with scripted_server(Sends([PARTIAL, 0.02] * 10_000)) as server:
        started = time.monotonic()
        text, error = read(open_model(server))
        assert 1.4 < time.monotonic() - started < 2.5
        assert text.startswith("HeldHeld")
        assert "did not answer in time" in error
        assert server.left.wait(2)


def test_endless_bytes_without_an_answer_are_cut() -> None:
    with scripted_server(Sends([b"x" * 2**20] * 1_000)) as server:
        _, error = read(open_model(server, deadlines=Deadlines()))
        assert "sent something that is no answer" in error
    assert len(server.requests) == 1


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_closing_the_iterator_ends_the_connection_at_once(provider: str) -> None:
    with scripted_server(Says(["Held "] * 1_000, seconds_between=0.05)) as server:
        pieces = open_model(server, provider, Deadlines()).generate(PROMPT)
        assert isinstance(pieces, GeneratorType)
        assert next(pieces) == "Held "
        started = time.monotonic()
        pieces.close()
        assert server.left.wait(1)
        assert time.monotonic() - started < 0.5


def test_nothing_else_is_contacted_or_printed() -> None:
    program = """
import sys
from rag.generation import LanguageModel
from rag.prompting import Prompt
from rag.settings import load_settings
assert not {"llama_index", "httpx", "openai", "ollama"} & set(sys.modules)
seen = []
sys.addaudithook(lambda event, args: event == "socket.connect" and seen.append(args[1]))
for llm in ("openai/m", "ollama/m"):
    print("".join(LanguageModel.open(load_settings(llm=llm)).generate(Prompt("s", "u"))), end="")
print(sorted({address[1] for address in seen}))
"""
    with scripted_server(Says(["Held. "])) as server:
        places = {"OPENAI_BASE_URL": f"{server.url}/v1", "OLLAMA_HOST": server.url}
        command = [sys.executable, "-W", "error", "-c", program]
        ran = subprocess.run(command, env=os.environ | places, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == (f"Held. Held. [{server.server_port}]\n", "")
