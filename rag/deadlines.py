"""Deadlines: a network that waits no longer for an answer than one clock allows, and no more after many failures."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

    import httpcore
    import httpx

MAXIMUM_BYTES = 16 * 2**20
FAILURES = 5


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How many seconds to wait: for the connection, the first token, each further one, and for all together.

    `pause` is the time before the one retry where the server names none, `rest` the time that a server is left alone
    which failed five times in a row.
    """

    connect: float = 3
    first_token: float = 20
    idle: float = 15
    total: float = 60
    pause: float = 0.5
    rest: float = 30


class Clock:
    """The time that is left to one answer. Every read from the network asks it, so that no drip of bytes renews it."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._end = time.monotonic() + deadlines.total
        self._deadline = self._end
        self.connect = deadlines.connect

    def allow(self, seconds: float) -> None:
        """Wait so long for what comes next, though never past the end of the whole."""
        self._deadline = min(time.monotonic() + seconds, self._end)

    def left(self) -> float:
        """Give the seconds that may still be waited."""
        return max(0.0, self._deadline - time.monotonic())


class Breaker:
    """Remembers whether a server failed five times in a row, and for how long it is therefore to be left alone."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._rest = deadlines.rest
        self._failures = 0
        self._until = 0.0

    def note(self, *, failed: bool) -> None:
        """Take note of how an answer ended; after the rest one more failure is enough for the next."""
        self._failures = self._failures + 1 if failed else 0
        if self._failures >= FAILURES:
            self._until = time.monotonic() + self._rest

    def left(self) -> float:
        """Give the seconds that the server is still to be left alone."""
        return max(0.0, self._until - time.monotonic())


class _Network:
    """A network backend of httpcore that waits as long as the clock says."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _Wire:  # noqa: ARG002
        import httpcore

        seconds = min(self._clock.connect, self._clock.left())
        return _Wire(httpcore.SyncBackend().connect_tcp(host, port, timeout=seconds, **options), self._clock)


class _Wire:
    """One connection of it."""

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._bytes_left = MAXIMUM_BYTES

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        import httpcore

        seconds = self._clock.left()
        if seconds <= 0:
            raise httpcore.ReadTimeout
        data = self._stream.read(max_bytes, timeout=seconds)
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise ValueError("The answer is longer than any answer is.")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, timeout=max(self._clock.left(), 0.001))

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, **_: Any) -> _Wire:
        seconds = min(self._clock.connect, max(self._clock.left(), 0.001))
        return _Wire(self._stream.start_tls(ssl_context, server_hostname, timeout=seconds), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


def open_transport(tls: ssl.SSLContext, clock: Clock) -> httpx.HTTPTransport:
    """Open a transport of httpx whose every wait asks the clock."""
    import httpcore
    import httpx

    transport = httpx.HTTPTransport(verify=tls, trust_env=False)
    network: Any = _Network(clock)
    # httpcore takes a network backend, httpx does not hand one on; its own timeouts start anew with every read.
    transport._pool = httpcore.ConnectionPool(ssl_context=tls, network_backend=network)  # noqa: SLF001
    return transport
