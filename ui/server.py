"""The server: the page on this computer's own address, closed to other hosts and other sites."""

from __future__ import annotations

import errno
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from types import FrameType
from typing import NoReturn

import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from rag.chatbot import Chatbot
from rag.errors import SettingError
from rag.settings import Settings
from rag.talk import told

from .conversations import Conversations
from .desk import Desk
from .guarding import Guarded
from .routes import HANDLERS, build_routes

HOST = "127.0.0.1"
HOSTS = ("localhost", HOST, "[::1]")
GRACE_SECONDS = 2
SHORTEST_PASSWORD = 8
KEPT_ALIVE_SECONDS = 5
LONGEST_HEADERS = 32_000  # bytes
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#7a1f2b"/>
<circle cx="16" cy="16" r="7.5" fill="none" stroke="#fff" stroke-width="4"/></svg>"""


def build_server(desk: Desk, hosts: Sequence[str] = HOSTS) -> ASGIApp:
    """Build the web application: the page at /, what its scripts ask for, and /healthz, which only says that it is up.

    It answers to the given `hosts` alone; where there is a password, to any.
    """
    import gradio as gr

    from .app import build_app, page_options

    password = desk.settings.password
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, exception_handlers=HANDLERS)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["*"] if password else hosts, www_redirect=False)
    app.add_api_route("/healthz", _healthz)
    app.add_api_route("/favicon.ico", _icon)
    app.include_router(build_routes(desk))
    return Guarded(gr.mount_gradio_app(app, build_app(desk), path="/", **page_options()), password)


def serve(settings: Settings, port: int, host: str = HOST) -> None:
    """Serve the chat until SIGINT or SIGTERM, and print its address once it answers; port 0 takes any free one.

    Raises `SettingError` where the port is taken or other computers could reach it without a password, and what
    `Chatbot.open` raises.
    """
    _require_password(settings, host)
    with _listen(host, port) as listener, ExitStack() as opened:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)
        with told("Opening the archive and the embedding model"):
            chatbot = opened.enter_context(Chatbot.open(settings=settings))
        with told("Asking it a first question"):
            chatbot.ask("What is the news?")  # so that the first reader need not wait for it
        with told("Preparing the page and its examples"):
            conversations = opened.enter_context(closing(Conversations.open(settings.archive)))
            app = build_server(Desk(chatbot, settings, conversations))
        _Server(server_config(app)).run(sockets=[listener])


def _require_password(settings: Settings, host: str) -> None:
    if not settings.password and not _is_loopback(host):
        raise SettingError(
            f"On {host} other computers could read the archive. Set a password in ONRECORD_PASSWORD, "
            "or leave --host out to serve this computer only."
        )
    if settings.password and len(settings.password) < SHORTEST_PASSWORD:
        raise SettingError(
            f"ONRECORD_PASSWORD is too short to keep anybody out. Give it {SHORTEST_PASSWORD} characters or more."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port, *_ = sockets[0].getsockname()
            print(f"Onrecord is at http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Streams to open pages are cut on purpose now; each would be reported with a traceback.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def server_config(app: ASGIApp) -> uvicorn.Config:
    """Give what the server keeps to: silence in the terminal, and limits of patience and size."""
    return uvicorn.Config(
        app,
        http="h11",  # which has a limit for what comes before a request's body
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEPT_ALIVE_SECONDS,
        h11_max_incomplete_event_size=LONGEST_HEADERS,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise SettingError(
            f"Port {port} {'is in use' if taken else 'cannot be used'}. Choose another with --port."
        ) from error


def _leave(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    sys.exit(0)


async def _healthz() -> PlainTextResponse:
    return PlainTextResponse("ok")


async def _icon() -> Response:
    return Response(ICON, media_type="image/svg+xml")
