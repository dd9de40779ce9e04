"""Guarding: what every request passes before the page hears of it, and what every response carries."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from importlib.resources import files
from string import Template
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READER, KEY = "onrecord-reader", "onrecord-key"  # cookies
READER_SECONDS = 365 * 24 * 3600
OPEN = ("/healthz",)
ENTER = "/enter"
LONGEST_BODY = 4_000
WRONG_SECONDS = 1.0  # so long a wrong password takes, one at a time
# What Gradio would offer and this page does not use: files taken in or given out, and requests made for others.
CLOSED = tuple(
    f"{prefix}/{name}"
    for prefix in ("", "/gradio_api")
    for name in (
        "upload",
        "file=",
        "file/",
        "proxy=",
        "stream/",
        "component_server",
        "deep_link",
        "process_recording",
        "custom_component",
    )
)
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
# Of a page without a script.
STILL = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
}


class Guarded:
    """An application that other sites cannot change, nor anybody without the password where there is one."""

    def __init__(self, app: ASGIApp, password: str = "") -> None:
        self._app = app
        self._password = password
        self._key = _key(password) if password else ""
        self._wrong = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it: 403 from another site, 401 without the password, 404 for what is closed."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        cookies = list(_new_cookies(request))

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                for cookie in cookies:
                    headers.append("Set-Cookie", cookie)
            await send(message)

        answer = await self._refusal(request) or self._app
        await answer(scope, receive, send_guarded)

    async def _refusal(self, request: Request) -> Response | None:
        path = request.url.path
        if request.method not in {"GET", "HEAD"} and _is_foreign(request.headers):
            return PlainTextResponse("Not from another site.", 403)
        if path.startswith(CLOSED):
            return PlainTextResponse("Not here.", 404)
        if path in OPEN or not self._password:
            return None
        if path == ENTER and request.method == "POST":
            return await self._enter(request)
        if self._may_pass(request):
            return None
        if "authorization" in request.headers:
            await self._delay()
        return _ask_for_password() if path == "/" else PlainTextResponse("The password is needed.", 401)

    async def _enter(self, request: Request) -> Response:
        given = await _form_field(request, "password")
        if not hmac.compare_digest(given.encode(), self._password.encode()):
            await self._delay()
            return _ask_for_password("This is not the password.")
        response = RedirectResponse("/", 303)
        response.set_cookie(KEY, self._key, max_age=READER_SECONDS, httponly=True, samesite="lax")
        return response

    async def _delay(self) -> None:
        """Let a wrong password take its time, one at a time, so that none can be found by trying."""
        async with self._wrong:
            await asyncio.sleep(WRONG_SECONDS)

    def _may_pass(self, request: Request) -> bool:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return hmac.compare_digest(given.encode(), self._password.encode())
        return hmac.compare_digest(request.cookies.get(KEY, "").encode(), self._key.encode())


def reader_of(cookies: Mapping[str, str]) -> str:
    """Give the name of the reader whose browser sent these cookies; empty where it keeps none."""
    secret = cookies.get(READER, "")
    return hashlib.sha256(secret.encode()).hexdigest() if _is_secret(secret) else ""


def _new_cookies(request: Request) -> Iterator[str]:
    if request.method == "GET" and request.url.path == "/" and not _is_secret(request.cookies.get(READER, "")):
        secret = secrets.token_urlsafe(32)
        # "Strict" would keep it back where a reader follows a link to this page, who would then be taken for a new one.
        yield f"{READER}={secret}; Path=/; Max-Age={READER_SECONDS}; HttpOnly; SameSite=Lax"


def _is_secret(text: str) -> bool:
    return len(text) == 43 and text.isascii() and text.replace("-", "").replace("_", "").isalnum()


def _key(password: str) -> str:
    """Give what a browser that was let in shows from then on; it does not tell the password."""
    return hashlib.scrypt(password.encode(), salt=b"onrecord", n=2**14, r=8, p=1).hex()


async def _form_field(request: Request, name: str) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            return ""
    return parse_qs(body.decode(errors="replace")).get(name, [""])[0]


def _ask_for_password(problem: str = "") -> Response:
    template = Template((files(__package__) / "password.html").read_text(encoding="utf-8"))
    # Without a referrer a browser would say that the form comes from nowhere, which is refused.
    return HTMLResponse(template.substitute(problem=problem), 401, STILL | {"Referrer-Policy": "same-origin"})


def _is_foreign(headers: Headers) -> bool:
    """Say whether a request comes from another site or another origin, as far as the browser tells."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
