"""The queue: so many questions are answered at once, the others wait for their turn and know their place."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

TOLD_SECONDS = 0.25


class Queue:
    """Lets so many at once through, in the order in which they came."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def place(self) -> Iterator[Iterator[int]]:
        """Stand in the queue; iterating gives our place in it, again and again, until it is our turn.

        Whoever leaves, before or after that, makes room for the next.
        """
        ticket, admitted = object(), False
        with self._changed:
            self._waiting.append(ticket)

        def wait() -> Iterator[int]:
            nonlocal admitted
            while True:
                with self._changed:
                    before = self._waiting.index(ticket)
                    if before < self._free:
                        self._waiting.remove(ticket)
                        self._free -= 1
                        admitted = True
                        self._changed.notify_all()
                        return
                yield before + 1 - self._free
                with self._changed:
                    self._changed.wait(TOLD_SECONDS)

        try:
            yield wait()
        finally:
            with self._changed:
                if admitted:
                    self._free += 1
                else:
                    self._waiting.remove(ticket)
                self._changed.notify_all()
