"""Stopping a request from another thread, between tokens and inside a prefill."""

from __future__ import annotations

import threading
from collections.abc import Callable


class CancelToken:
    """Asks one or more requests to stop; give it to `generate(..., cancel=token)`.

    Safe from any thread and from a signal handler. Once cancelled it stays so.
    """

    def __init__(self) -> None:
        # Re-entrant: a signal handler may cancel while its own thread is inside one of these.
        self._lock = threading.RLock()
        self._cancelled = False
        self._watchers: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """True once `cancel` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """Stop the requests that hold this token: at their next graph node or token."""
        with self._lock:
            self._cancelled = True
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` at cancellation; at once when that has already happened."""
        with self._lock:
            if not self._cancelled:
                self._watchers.append(watcher)
                return
        watcher()

    def unwatch(self, watcher: Callable[[], None]) -> None:
        """Forget a watcher, called or not."""
        with self._lock:
            if watcher in self._watchers:
                self._watchers.remove(watcher)
