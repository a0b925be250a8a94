"""Runs a function over many things on some threads, results in order, few in flight.

Knows: threads. Does not know: rows, models.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def ordered(
    work: Callable[[Given], Made],
    things: Iterable[Given],
    threads: int,
    stop: Callable[[], None] = lambda: None,
) -> Iterator[Made]:
    """`work` of each thing, in order, on `threads` threads.

    At most three times as many things as threads are begun and not yet taken, so that memory is
    bounded by them and one slow thing does not idle the others. An exception ends it; `stop` is
    called then (and when the caller goes away) to hurry what is still running.
    """
    pending: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="edgeward-batch")
    try:
        for thing in things:
            pending.append(pool.submit(work, thing))
            if len(pending) >= 3 * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for waiting in pending:
            waiting.cancel()
        if pending:
            stop()
        pool.shutdown()
