"""The chat's real server, in this process, over one desk."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import uvicorn

from rag import Chatbot, Settings
from ui.conversations import Conversations
from ui.desk import Desk
from ui.server import build_server, server_config


@contextmanager
def sample_desk(sample: Path, folder: Path) -> Iterator[Desk]:
    """Open a desk on a copy of the archive of the sample, which may be changed."""
    archive = folder / "archive"
    shutil.copytree(sample, archive, ignore=shutil.ignore_patterns("readers", "*.lock"))
    settings = Settings(archive=archive)
    with Chatbot.open(settings=settings) as chatbot, closing(Conversations.open(archive)) as conversations:
        yield Desk(chatbot, settings, conversations)


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """Serve a desk on a free port of this computer, and give its address."""
    servers: list[uvicorn.Server] = []
    built = threading.Event()

    async def serve() -> None:
        # Built where a loop runs: elsewhere Gradio makes loops that it never closes.
        app = build_server(desk)
        servers.append(uvicorn.Server(server_config(app)))
        built.set()
        await servers[0].serve(sockets=[listener])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        assert built.wait(60)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            servers[0].should_exit = True
            thread.join()
