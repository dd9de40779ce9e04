"""The server: the page on this computer's own address, closed to other hosts and other sites."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import sys
from contextlib import closing
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.chatbot import Chatbot
from rag.errors import SettingError
from rag.settings import Settings
from rag.talk import told

HOST = "127.0.0.1"
HOSTS = ("localhost", HOST, "[::1]")
GRACE_SECONDS = 2
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#7a1f2b"/>
<circle cx="16" cy="16" r="7.5" fill="none" stroke="#fff" stroke-width="4"/></svg>"""
HEADERS = {
    # Gradio's own scripts and templates need 'unsafe-inline' and 'unsafe-eval'; nothing may come from elsewhere.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "font-src 'self' data:; worker-src 'self' blob:; form-action 'none'; base-uri 'self'; object-src 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guarded:
    """An application whose every response carries the security headers, and that other sites cannot change."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with 403 where another site sends a request that may change something."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if scope["method"] not in {"GET", "HEAD"} and _is_foreign(Headers(scope=scope)):
            await PlainTextResponse("Not from another site.", 403)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


def build_server(chatbot: Chatbot) -> ASGIApp:
    """Build the web application: the page at /, and /healthz for those who only want to know whether it is up."""
    import gradio as gr

    from .app import build_app, page_options

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)
    app.add_api_route("/healthz", _healthz)
    app.add_api_route("/favicon.ico", _icon)
    return Guarded(gr.mount_gradio_app(app, build_app(chatbot), path="/", **page_options()))


def serve(settings: Settings, port: int) -> None:
    """Serve the chat on 127.0.0.1 until SIGINT or SIGTERM, and print its address once it answers.

    Port 0 takes any free one. Raises `SettingError` where the port is taken, and what `Chatbot.open` raises.
    """
    with _listen(port) as listener:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)
        with told("Opening the archive and the embedding model"):
            chatbot = Chatbot.open(settings=settings)
        with closing(chatbot):
            with told("Asking it a first question"):
                chatbot.search("news", k=1)  # so that the first reader need not wait for it
            with told("Preparing the page and its examples"):
                app = build_server(chatbot)
            _Server(_config(app)).run(sockets=[listener])


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            print(f"Onrecord is at http://{HOST}:{sockets[0].getsockname()[1]}", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Streams to open pages are cut on purpose now; each would be reported with a traceback.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=GRACE_SECONDS
    )


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise SettingError(
            f"Port {port} {'is in use' if taken else 'cannot be used'}. Choose another with --port."
        ) from error


def _leave(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    sys.exit(0)


def _is_foreign(headers: Headers) -> bool:
    """Say whether a request comes from another site or another origin, as far as the browser tells."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


async def _healthz() -> PlainTextResponse:
    return PlainTextResponse("ok")


async def _icon() -> Response:
    return Response(ICON, media_type="image/svg+xml")
