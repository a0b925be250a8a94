"""Stopping a request from another thread, between tokens and inside a prefill.

Knows: flags and who watches them. Does not know: engines, clocks, who else is waiting; a scheduler
that knows those gives requests a token of its own kind, with turns to wait for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, Protocol

StopReason = Literal["cancelled", "deadline"]


class Work(Protocol):
    """Tokens of one request that the engine is to compute next."""

    @property
    def tokens(self) -> int:
        """How many."""

    @property
    def position(self) -> int:
        """How many are before them."""

    def alone(self) -> None:
        """Compute them now, in the calling thread."""


class CancelToken:
    """Asks one or more requests to stop; give it to `generate(..., cancel=token)`.

    Safe from any thread and from a signal handler. Once cancelled it stays so.
    """

    def __init__(self) -> None:
        # Re-entrant: a signal handler may cancel while its own thread is inside one of these.
        self._lock = threading.RLock()
        self._reason: StopReason | None = None
        self._watchers: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """True once `cancel` was called."""
        return self._reason is not None

    @property
    def reason(self) -> StopReason | None:
        """Why it was cancelled: the first reason given; None while it was not."""
        return self._reason

    def cancel(self, reason: StopReason = "cancelled") -> None:
        """Stop the requests that hold this token: at their next graph node or token."""
        with self._lock:
            if self._reason is None:
                self._reason = reason
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` at cancellation; at once when that has already happened."""
        with self._lock:
            if self._reason is None:
                self._watchers.append(watcher)
                return
        watcher()

    def unwatch(self, watcher: Callable[[], None]) -> None:
        """Forget a watcher, called or not."""
        with self._lock:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

    def most(self) -> int | None:
        """Tokens that the next run of a prefill may compute; None: as many as the engine likes."""
        return None

    def run(self, work: Work) -> None:
        """Have it computed, here at once; a scheduler waits for turns and joins what it can."""
        work.alone()
