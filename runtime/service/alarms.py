"""Calls functions at set times, from one thread of its own. Does not know what they do."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Alarms:
    """Times to come; the thread exists from the first one to `close`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int]] = []
        self._calls: dict[int, Callable[[], None]] = {}
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._closed = False

    def at(self, moment: float, call: Callable[[], None]) -> int:
        """Call `call` at `moment` of `time.perf_counter()`; returns a number to forget it by.

        `call` must be short and must not raise: all others wait for it.
        """
        with self._changed:
            number = next(self._numbers)
            self._calls[number] = call
            heapq.heappush(self._heap, (moment, number))
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._run, name="edgeward-alarms", daemon=True
                )
                self._thread.start()
            elif self._heap[0][1] == number:
                self._changed.notify()
        return number

    def forget(self, number: int) -> None:
        """Do not call it; nothing happens when it was called already."""
        with self._changed:
            self._calls.pop(number, None)
            while self._heap and self._heap[0][1] not in self._calls:
                heapq.heappop(self._heap)

    def close(self) -> None:
        """End the thread; what was to come is forgotten."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._calls.clear()
            self._changed.notify()
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                wait = self._heap[0][0] - time.perf_counter() if self._heap else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                call = self._calls.pop(heapq.heappop(self._heap)[1], None)
            if call is not None:
                call()
