"""The real Chromium of this machine, for tests of pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
             "--disable-component-update", "--disable-sync"]  # fmt: skip


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """Open the browser; without one the test is skipped, and fails in CI."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        missing = f"The page was not tried in a browser: none of {', '.join(BROWSERS)} is installed."
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


# What Gradio's client says of the stream that it listens on when its page is left.
LEFT = ("AbortError: signal is aborted", "Unexpected error Connection errored out.")


def watch(page: Page, address: str) -> list[str]:
    """Give the list of what goes wrong in a page from now on: what it complains of, and who else is asked."""
    faults = list[str]()
    own = (f"{address}/", "data:", f"blob:{address}/")

    def note(fault: str) -> None:
        if not fault.startswith(LEFT):
            faults.append(fault)

    page.on("pageerror", lambda error: note(str(error)))
    page.on("console", lambda said: note(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith(own) else note(asked.url))
    return faults


def contrast(page: Page, selector: str, *, leave_out: str = ":not(*)") -> float:
    """The least contrast of the text in the chosen elements, as WCAG 2 measures it."""
    return float(
        page.locator(selector).evaluate_all(
            """(elements, leftOut) => {
        const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
        const light = colour => numbers(colour).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = element => {
            for (let e = element; e; e = e.parentElement) {
                const colour = getComputedStyle(e).backgroundColor;
                if ((numbers(colour)[3] ?? 1) === 1) return colour;
            }
        };
        const texts = elements.filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
            .filter(e => !e.closest(leftOut));
        return Math.min(...texts.map(e => {
            const style = getComputedStyle(e);
            const own = e instanceof SVGElement ? style.fill : style.color;
            const [low, high] = [light(own), light(behind(e))].sort((a, b) => a - b);
            return (high + 0.05) / (low + 0.05);
        }));
    }""",
            leave_out,
        )
    )
