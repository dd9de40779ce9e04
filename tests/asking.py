"""Asking the chat's server as its page does, without a browser: one question by one reader, over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Self
from uuid import uuid4

import httpx

PLACE = {"conversation": "", "replaces": ""}


@dataclass(slots=True)
class Heard:
    """The updates of a turn, and after how many seconds its first words and its end came."""

    updates: list[dict[str, Any]] = field(default_factory=list)
    first: float = 0.0
    last: float = 0.0
    errors: list[str] = field(default_factory=list)

    @property
    def whole(self) -> dict[str, Any]:
        """The last update."""
        return self.updates[-1]


class Asker:
    """A reader with a browser's cookies and a page open."""

    def __init__(self, client: httpx.AsyncClient, config: dict[str, Any]) -> None:
        self._client = client
        names = {each["id"]: each["props"].get("elem_id") for each in config["components"]}
        outputs = {each["id"]: [names.get(at) for at in each["outputs"]] for each in config["dependencies"]}
        [self._ask] = [number for number, given in outputs.items() if given == ["turns", "box"]]
        self._box = next(number for number, name in names.items() if name == "box")

    @classmethod
    async def come(cls, client: httpx.AsyncClient) -> Self:
        """Open the page."""
        (await client.get("/")).raise_for_status()
        return cls(client, (await client.get("/config")).raise_for_status().json())

    async def ask(self, question: str) -> Heard:
        """Ask, and hear the answer to its end."""
        heard, began, session = Heard(), monotonic(), uuid4().hex
        joined = {"data": [question, None, PLACE], "fn_index": self._ask, "trigger_id": self._box}
        (await self._client.post("/gradio_api/queue/join", json=joined | {"session_hash": session})).raise_for_status()
        async with self._client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
            state: list[Any] = []
            async for line in stream.aiter_lines():
                told = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if told.get("msg") in {"process_generating", "process_completed"}:
                    self._take(told, state, heard, began)
                if told.get("msg") == "process_completed":
                    if not told["success"]:
                        heard.errors.append(str(told["output"]))
                    break
        return heard

    def _take(self, told: dict[str, Any], state: list[Any], heard: Heard, began: float) -> None:
        data = told["output"].get("data") or []
        for place, value in enumerate(data):
            if place >= len(state):
                state.append(None)
            state[place] = _patched(state[place], value) if told["msg"] == "process_generating" else value
        turn = state[0] if state else None
        if isinstance(turn, dict) and turn.get("html") and (not heard.updates or turn != heard.updates[-1]):
            heard.updates.append(json.loads(json.dumps(turn)))
            heard.last = monotonic() - began
            heard.first = heard.first or (heard.last if turn.get("name") or "sentence" in turn["html"] else 0.0)


def _patched(old: Any, change: Any) -> Any:
    """Apply what Gradio sends of a value that it has sent before: steps like ["append", path, text]."""
    if not (isinstance(change, list) and all(isinstance(step, list) and len(step) == 3 for step in change)):
        return change
    for kind, path, value in change:
        if not path:
            old = value if kind != "append" else old + value
            continue
        at = old
        for key in path[:-1]:
            at = at[key]
        if kind == "delete":
            del at[path[-1]]
        elif kind == "append":
            at[path[-1]] += value
        else:
            at[path[-1]] = value
    return old
