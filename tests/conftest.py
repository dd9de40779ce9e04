"""What many tests share: the real model, and the sample archive indexed by the real command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from rag import Article, Chatbot, Settings
from rag.embedding import Embedder
from rag.indexing import index_articles
from rag.models import PACKAGED_MODEL
from tests.browsing import opened_browser

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "corpus"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a longer run kill the indexing process more often, and measure beside the peer."""
    parser.addoption("--kills", type=int, default=30, help="at how many steps of publishing, at least, a process dies")
    parser.addoption("--bench", action="store_true", help="run the benchmark beside LlamaIndex, too: two minutes more")
    parser.addoption("--screenshots", default="", help="the folder where the screens of the walk through the chat go")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_this_machine() -> None:
    for name in list(os.environ):
        if name.startswith(("ONRECORD_", "OPENAI_", "OLLAMA_")):
            del os.environ[name]


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The model that Onrecord uses by default."""
    return Embedder.open(PACKAGED_MODEL)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium; of a module, for Playwright's loop lets no other run beside it."""
    with opened_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def sample_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of corpus/, made by the program that a person runs."""
    from index.command import run

    archive = tmp_path_factory.mktemp("sample") / "archive"
    assert run([CORPUS], Settings(archive=archive)) == 0
    return archive


@pytest.fixture(scope="session")
def chatbot(sample_archive: Path) -> Iterator[Chatbot]:
    """A chatbot without a language model over the sample archive."""
    with Chatbot.open(sample_archive, Settings()) as opened:
        yield opened


ARTICLES = [
    Article(
        "owl",
        "Owls return to the old mill",
        "Three barn owls have nested in the old mill at Ferrow. Dr. Ines Valko counted them on Monday.\n\n"
        "She said the birds had come back because the river meadow is no longer mown in May.",
        "Ferrow Herald",
        "2022-06-14",
        "https://ferrow-herald.example/owls",
        ("Tomas Reed",),
    ),
    Article(
        "bridge",
        "Ferrow bridge to close for repairs",
        "The stone bridge at Ferrow will close for eleven weeks from Aug. 1, the county said. "
        "The repairs will cost 2.4 million crowns.",
        "County Wire",
        "2022-07-02",
    ),
]


@pytest.fixture(scope="session")
def articles() -> list[Article]:
    """Two short articles of an invented village."""
    return ARTICLES


@pytest.fixture(scope="session")
def small_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the two articles, made by the library."""
    archive = tmp_path_factory.mktemp("small") / "archive"
    index_articles(ARTICLES, archive, Settings())
    return archive
