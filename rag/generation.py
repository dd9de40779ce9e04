"""Generation: text from a language model, through llama-index, within deadlines.

Whatever the other side does wrong ends as one `GenerationFailed` of one line. No word of the other side is in it, since
a refused key is often echoed by the server that refuses it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Protocol, Self

from rag.deadlines import FAILURES, Breaker, Clock, Deadlines, open_transport
from rag.errors import GenerationFailed, SettingError
from rag.prompting import Prompt
from rag.settings import Settings

if TYPE_CHECKING:
    import httpx

MAXIMUM_TOKENS = 1_000
MAXIMUM_CHARACTERS = 20_000
MAXIMUM_PAUSE_SECONDS = 5
CONTEXT_TOKENS = 8_192

_STEPS = {
    "ollama": {
        "reach": "Start it with: ollama serve (OLLAMA_HOST says where).",
        "model": "Fetch it with: ollama pull",
    },
    "openai": {
        "reach": "Check OPENAI_BASE_URL and that the server runs.",
        "model": "Check ONRECORD_LLM and OPENAI_BASE_URL.",
    },
}


class Generator(Protocol):
    """Anything that writes text for a prompt."""

    def generate(self, prompt: Prompt) -> Iterator[str]:
        """Yield the text in pieces as they come; raise `GenerationFailed` where it ends too early."""
        ...


class LanguageModel:
    """A language model behind Ollama or behind any server that speaks OpenAI's protocol.

    One value may serve many threads: each answer has its own connection and its own clock. After five failures in a row
    nobody waits for the server for half a minute.
    """

    def __init__(self, provider: str, model: str, place: str, connect: _Connect, deadlines: Deadlines) -> None:
        self._provider = provider
        self._model = model
        self._place = place
        self._connect = connect
        self._deadlines = deadlines
        self._breaker = Breaker(deadlines)

    @classmethod
    def open(cls, settings: Settings, deadlines: Deadlines | None = None) -> Self:
        """Prepare the model that `settings.llm` names; nothing is sent yet.

        Raises `SettingError` if none is named.
        """
        provider, _, model = settings.llm.partition("/")
        if not provider:
            raise SettingError("No language model is chosen. Set ONRECORD_LLM to ollama/<model> or openai/<model>.")
        place, prepare = {
            "ollama": (settings.ollama_host, _prepare_ollama),
            "openai": (settings.openai_base_url, _prepare_openai),
        }[provider]
        return cls(provider, model, _without_secrets(place), prepare(settings, model), deadlines or Deadlines())

    def __repr__(self) -> str:
        return f"LanguageModel({self._provider}/{self._model} at {self._place})"

    def __str__(self) -> str:
        return f"The language model {self._model} at {self._place}"

    def generate(self, prompt: Prompt) -> Iterator[str]:
        """Yield the model's text in pieces as they come; closing the iterator ends the connection at once.

        Where the server cannot be reached or is busy, it is asked once more, but never after the first piece. Raises
        `GenerationFailed` after what has been yielded so far.
        """
        if self._breaker.left() > 0:
            raise GenerationFailed(
                f"{self} failed {FAILURES} times in a row and is left alone for now. Ask again soon."
            )
        try:
            yield from self._write(prompt)
        except GenerationFailed:
            self._breaker.note(failed=True)
            raise
        self._breaker.note(failed=False)

    def _write(self, prompt: Prompt) -> Iterator[str]:
        clock = Clock(self._deadlines)
        for attempts_left in (1, 0):
            started = False
            try:
                with self._ask(prompt, clock) as pieces:
                    for piece in pieces:
                        started = True
                        yield piece
            except GenerationFailed:
                raise
            except Exception as error:  # noqa: BLE001 # what a foreign server provokes in the libraries has no list
                pause = self._pause(error) if attempts_left and not started else None
                message = self._explain(error, clock, started=started)
            else:
                return
            if pause is None:  # raised out here, the error does not carry the server's words as its context
                raise GenerationFailed(message)
            time.sleep(min(pause, clock.left()))

    @contextmanager
    def _ask(self, prompt: Prompt, clock: Clock) -> Iterator[Iterator[str]]:
        from llama_index.core.llms import ChatMessage

        messages = [ChatMessage(role="system", content=prompt.system), ChatMessage(role="user", content=prompt.user)]
        transport, model = self._connect(clock)
        clock.allow(self._deadlines.first_token)
        with closing(transport), closing(model.stream_chat(messages)) as replies:
            yield self._read(replies, clock)

    def _read(self, replies: Iterator[Any], clock: Clock) -> Iterator[str]:
        room, finished, empty = MAXIMUM_CHARACTERS, False, True
        for reply in replies:
            finished = finished or _is_last(reply.raw)
            if reply.delta:
                empty = empty and not reply.delta.strip()
                yield reply.delta[:room]
                room -= len(reply.delta)
            if room <= 0:
                return
            if reply.delta or reply.additional_kwargs.get("thinking_delta"):
                clock.allow(self._deadlines.idle)
        if not finished:
            raise GenerationFailed(f"{self} broke off before its answer was complete. Ask again.")
        if empty:
            raise GenerationFailed(f"{self} gave an empty answer. Ask again, or name another model in ONRECORD_LLM.")

    def _pause(self, error: Exception) -> float | None:
        """Give the seconds to wait before asking again, or None where asking again is of no use."""
        status = getattr(error, "status_code", 0)
        if status != 429 and status < 500 and not _is_unreachable(error):
            return None
        wish = getattr(getattr(error, "response", None), "headers", {}).get("retry-after", "")
        pause = float(wish[:9]) if wish.isdecimal() else self._deadlines.pause
        return pause if pause <= MAXIMUM_PAUSE_SECONDS else None

    def _explain(self, error: Exception, clock: Clock, *, started: bool) -> str:
        status = getattr(error, "status_code", 0)
        if status > 0:
            return f"{self} {self._explain_status(status)}"
        if clock.left() <= 0:
            return f"{self} did not answer in time. Ask again, or name a faster model in ONRECORD_LLM."
        if started:
            return f"{self} broke off before its answer was complete. Ask again."
        if _is_unreachable(error):
            return f"{self} cannot be reached. {_STEPS[self._provider]['reach']}"
        return f"{self} sent something that is no answer. {_STEPS[self._provider]['reach']}"

    def _explain_status(self, status: int) -> str:
        steps = _STEPS[self._provider]
        if status in {401, 403}:
            return "refused the key. Check OPENAI_API_KEY."
        if status == 404:
            return f"is not known there. {steps['model']}{f' {self._model}' if self._provider == 'ollama' else ''}"
        if status == 429:
            return "has too much to do, or its quota is spent. Ask again in a minute."
        if 300 <= status < 400:
            return f"points to another address, which is not followed. {steps['reach']}"
        if status < 500:
            return f"refused the request (status {status}). {steps['model']}"
        return f"failed (status {status}). Ask again, or look into the log of that server."


# Makes, for one answer, the transport that is closed after it and the llama-index model that speaks through it.
_Connect = Callable[[Clock], tuple["httpx.BaseTransport", Any]]


def _prepare_openai(settings: Settings, model: str) -> _Connect:
    import httpx
    from llama_index.llms.openai_like import OpenAILike
    from openai.resources import chat  # noqa: F401 # else it is loaded in the time of the first answer

    tls = httpx.create_ssl_context(trust_env=False)
    key = settings.openai_api_key.strip() or "none"  # without one, the library would take it from the environment

    def connect(clock: Clock) -> tuple[httpx.BaseTransport, Any]:
        transport = open_transport(tls, clock)
        client = httpx.Client(transport=transport, trust_env=False, follow_redirects=False)
        return transport, OpenAILike(
            model=model,
            api_base=settings.openai_base_url,
            api_key=key,
            http_client=client,
            is_chat_model=True,
            max_retries=0,  # this one number is read by the decorator of llama-index and by OpenAI's client
            max_tokens=MAXIMUM_TOKENS,
            context_window=CONTEXT_TOKENS,
            temperature=0,
        )

    return connect


def _prepare_ollama(settings: Settings, model: str) -> _Connect:
    import httpx
    import ollama
    from llama_index.llms.ollama import Ollama

    tls = httpx.create_ssl_context(trust_env=False)

    def connect(clock: Clock) -> tuple[httpx.BaseTransport, Any]:
        transport = open_transport(tls, clock)
        client = ollama.Client(settings.ollama_host, transport=transport, trust_env=False, follow_redirects=False)
        return transport, Ollama(
            model=model,
            client=client,
            context_window=CONTEXT_TOKENS,  # else the server would be asked for it first
            temperature=0,
            thinking=False,
            additional_kwargs={"num_predict": MAXIMUM_TOKENS},
        )

    return connect


def _is_last(raw: Any) -> bool:
    """Tell whether a message of the stream says that the text is complete: Ollama's is a dict, OpenAI's an object."""
    if isinstance(raw, dict):
        return bool(raw.get("done"))
    return any(choice.finish_reason for choice in raw.choices)


def _is_unreachable(error: Exception) -> bool:
    import httpx

    fault = error if isinstance(error, httpx.TransportError) else error.__cause__  # OpenAI's client wraps it
    return isinstance(fault, httpx.TransportError) and not isinstance(fault, httpx.ReadTimeout | httpx.WriteTimeout)


def _without_secrets(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url.partition("?")[0])
