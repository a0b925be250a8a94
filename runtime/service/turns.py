"""One run of the model at a time, and whose turn is next: equal time for each user.

A run uses all threads of the engine, so two at once would only wait for each other's cores. The
next run is that of the user who has had the least engine time since becoming active, weighted by
priority (start-time fair queueing); among requests of one user, that of the one who had least.

Who has just had a turn and is still behind the others is given a moment to come back: between two
steps of an answer a token is drawn, and a prompt that waits would slip in each time.

Knows: users, weights, milliseconds. Does not know: models, limits, texts.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

GRACE = 0.002
"""Seconds that the engine waits for the user whose turn it is: drawing a token takes less."""


@dataclass
class Share:
    """One request's place among the others; `user` may hold several of them."""

    user: str
    weight: float = 1.0
    used: float = 0.0
    """Milliseconds of the engine so far."""
    waited: float = 0.0
    """Milliseconds spent waiting for a turn."""


@dataclass
class _Waiter:
    share: Share
    go: threading.Event = field(default_factory=threading.Event)
    granted: bool = False


@dataclass
class _User:
    requests: int = 0
    virtual: float = 0.0
    """Engine time divided by weight, on a clock that all users share."""


class Turnstile:
    """Lets one run through at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = False
        self._waiting: list[_Waiter] = []
        self._users: dict[str, _User] = {}
        self._clock = 0.0
        self._held_for: str | None = None
        self._held_until = 0.0
        self.busy_ms = 0.0
        """Milliseconds that the engine has worked, for all requests."""

    @property
    def active(self) -> int:
        """Requests that want turns now or soon."""
        with self._lock:
            return sum(user.requests for user in self._users.values())

    def join(self, share: Share) -> None:
        """Begin to take turns. A new user starts level with those who had least."""
        with self._lock:
            user = self._users.get(share.user)
            if user is None:
                user = self._users[share.user] = _User(virtual=self._clock)
            user.requests += 1

    def leave(self, share: Share) -> None:
        """Take no more turns."""
        with self._lock:
            user = self._users[share.user]
            user.requests -= 1
            if not user.requests:
                del self._users[share.user]
                if self._held_for == share.user:
                    self._next()

    def enter(self, share: Share, waiter: Waiter) -> bool:
        """Wait for a turn; False when `waiter` was woken for another reason."""
        with self._lock:
            if not self._busy and (not self._waiting or self._held_for == share.user):
                self._busy, self._held_for = True, None
                self._advance(share.user)
                return True
            entry = _Waiter(share, waiter.event)
            waiter.event.clear()
            if waiter.called_off:
                return False
            self._waiting.append(entry)
            if not self._busy and self._held_for is None:
                self._next()
        began = time.perf_counter()
        granted = self._wait(entry, waiter)
        share.waited += (time.perf_counter() - began) * 1000
        return granted

    def _wait(self, entry: _Waiter, waiter: Waiter) -> bool:
        timeout: float | None = None
        while True:
            waiter.event.wait(timeout)
            with self._lock:
                if entry.granted:
                    return True
                waiter.event.clear()
                over = time.perf_counter() >= self._held_until
                if waiter.called_off:
                    self._waiting.remove(entry)
                if not self._busy and (over or waiter.called_off):
                    self._next()  # whoever it was held for did not come, or nobody watches now
                if waiter.called_off or entry.granted:
                    return entry.granted
                timeout = None
                if not self._busy:
                    timeout = self._held_until - time.perf_counter()

    def exit(self, share: Share, ms: float) -> None:
        """End a turn that took `ms`, and let the next one in."""
        with self._lock:
            self.busy_ms += ms
            share.used += ms
            user = self._users.get(share.user)
            if user is not None:
                user.virtual += ms / share.weight
                if self._waiting:
                    best = min(self._waiting, key=self._order)
                    if user.virtual < self._order(best)[0]:
                        self._hold(share.user, best)
                        return
            self._next()

    def _hold(self, user: str, watcher: _Waiter) -> None:
        """Keep the engine free for a moment; `watcher` takes it when nobody came."""
        self._busy, self._held_for = False, user
        self._held_until = time.perf_counter() + GRACE
        watcher.go.set()

    def _next(self) -> None:
        self._busy, self._held_for = bool(self._waiting), None
        if not self._waiting:
            return
        entry = min(self._waiting, key=self._order)
        self._waiting.remove(entry)
        self._advance(entry.share.user)
        entry.granted = True
        entry.go.set()

    def _advance(self, user: str) -> None:
        """The common clock is that of whoever had a turn last: newcomers begin there."""
        known = self._users.get(user)
        if known is not None:
            self._clock = max(self._clock, known.virtual)

    def _order(self, entry: _Waiter) -> tuple[float, float]:
        user = self._users.get(entry.share.user)
        return (user.virtual if user is not None else 0.0), entry.share.used


class Waiter:
    """What one request waits on; `call_off` ends the wait from another thread."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.called_off = False

    def call_off(self) -> None:
        self.called_off = True
        self.event.set()
