from __future__ import annotations

import threading
from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from ui.queue import Queue


def test_so_many_pass_at_once_and_the_others_know_their_place() -> None:
    queue = Queue(2)
    with ExitStack() as standing:
        places = [standing.enter_context(queue.place()) for _ in range(4)]
        assert [list(place) for place in places[:2]] == [[], []]
        assert [next(place) for place in places[2:]] == [1, 2]


def test_who_leaves_lets_the_next_one_pass() -> None:
    queue = Queue(1)
    with ExitStack() as standing:
        first = queue.place()
        assert list(first.__enter__()) == []
        leaves = queue.place()
        waiting = leaves.__enter__()
        stays = standing.enter_context(queue.place())
        assert (next(waiting), next(stays)) == (1, 2)
        leaves.__exit__(None, None, None)
        assert next(stays) == 1
        first.__exit__(None, None, None)
        assert list(stays) == []


@given(st.integers(1, 4), st.integers(1, 12))
def test_never_more_pass_than_may_and_everybody_does_in_the_end(at_once: int, readers: int) -> None:
    queue, lock = Queue(at_once), threading.Lock()
    inside, most, passed = 0, 0, 0

    def read() -> None:
        nonlocal inside, most, passed
        with queue.place() as places:
            for _ in places:
                pass
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1
                passed += 1

    threads = [threading.Thread(target=read) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (passed, inside) == (readers, 0)
    assert most <= at_once
