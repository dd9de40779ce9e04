"""How quick the chat is: `python -m tests.bench_chat [ARCHIVE]` prints what a reader waits for, beside what they may.

Each figure is the median of several tries, or the worst where that is said; what is waited for is measured in the page
of a real Chromium, or over HTTP as the page asks.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import cast
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, expect

from tests.asking import Asker
from tests.browsing import opened_browser

QUESTION = "What did Zarif say about missiles?"
TRIES = 5
ROOT = Path(__file__).parent.parent


@contextmanager
def started(archive: str) -> Iterator[str]:
    """Start the chat as a person does, and give its address once that is printed."""
    command = [sys.executable, "-m", "ui", "--archive", archive, "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def from_the_start(archive: str, browser: Browser) -> tuple[float, float]:
    """Give the seconds from the command to a cited answer, and from the address to the page that can be used."""
    began = monotonic()
    with started(archive) as address:
        printed = monotonic()
        page = browser.new_page()
        page.goto(address)
        expect(page.get_by_role("textbox", name="Question")).to_be_visible()
        expect(page.locator(".example").first).to_be_visible()
        usable = monotonic() - printed
        page.get_by_role("textbox", name="Question").fill(QUESTION)
        page.keyboard.press("Enter")
        expect(page.locator(".turn .number").first).to_be_visible()
        answered = monotonic() - began
        page.close()
    return answered, usable


async def first_words(address: str) -> list[float]:
    """Give the seconds until the first words of each answer."""
    async with httpx.AsyncClient(base_url=address, headers={"Origin": address}, timeout=120) as client:
        asker = await Asker.come(client)
        return [(await asker.ask(QUESTION)).first for _ in range(TRIES * 4)]


async def many(address: str, readers: int) -> tuple[list[float], int]:
    """Let so many ask at once; give the seconds until each has a whole answer, and how many heard of a fault."""
    async with httpx.AsyncClient(base_url=address, headers={"Origin": address}, timeout=300) as client:
        asker = await Asker.come(client)
        heard = await asyncio.gather(*(asker.ask(f"{QUESTION} {number}") for number in range(readers)))
    return [each.last for each in heard], sum(bool(each.errors) or not each.whole["done"] for each in heard)


def besieged(address: str, connections: int) -> float:
    """Give the worst of the seconds until a sign of life comes while so many requests are half sent."""
    parts = urlsplit(address)
    waits = []
    with ExitStack() as opened:
        for _ in range(connections):
            place = (cast("str", parts.hostname), cast("int", parts.port))
            opened.enter_context(closing(socket.create_connection(place))).sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        for _ in range(TRIES * 4):
            began = monotonic()
            assert httpx.get(f"{address}/healthz", timeout=30).text == "ok"
            waits.append(monotonic() - began)
            sleep(0.05)
    return max(waits)


def main() -> None:
    """Measure all, and print it."""
    archive = sys.argv[1] if len(sys.argv) > 1 else "archive"
    with opened_browser() as browser:
        starts = [from_the_start(archive, browser) for _ in range(TRIES)]
    with started(archive) as address:
        words = asyncio.run(first_words(address))
        waits, faults = asyncio.run(many(address, 50))
        siege = besieged(address, 1000)
    rows = [
        ("command to the first cited answer", median(answered for answered, _ in starts), 10.0),
        ("address to the page that can be used", median(usable for _, usable in starts), 2.0),
        ("first words of an answer", median(words), 0.3),
        ("first words, the slowest of 20", max(words), 0.3),
        ("50 readers at once: the last whole answer", max(waits), 60.0),
        ("a sign of life under 1,000 half-sent requests, the slowest of 20", siege, 0.2),
    ]
    for name, seconds, limit in rows:
        print(f"{name:<66} {seconds:7.3f} s   {seconds / limit:5.2f} of {limit:g} s")
    print(f"{'50 readers at once: faults':<66} {faults:7d}")


if __name__ == "__main__":
    main()
