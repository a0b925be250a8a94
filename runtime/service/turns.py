"""One run of the model at a time, and whose turn is next: equal time for each user.

A run uses all threads of the engine, so two at once would only wait for each other's cores. The
next run is that of the user who has had the least engine time since becoming active, weighted by
priority (start-time fair queueing); among requests of one user, that of the one who had least.
Decode steps that may be joined are computed in one run, whoever's they are, for a run of eight
takes less than twice the time of one; each pays its part of it.

Who has just had a turn is given a moment to come back: between two steps of an answer a token is
drawn, and a prompt that waits would slip in each time, or the next joint run begin without them.

Knows: users, weights, milliseconds. Does not know: models, limits, texts.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal

GRACE = 0.002
"""Seconds that the engine waits for those whose turn it is: drawing a token takes less."""
_PATIENCE = 0.5
"""Of the last joint run's time the engine waits for the others of it, if that is longer."""


@dataclass(eq=False)
class Share:
    """One request's place among the others; `user` may hold several of them."""

    user: str
    weight: float = 1.0
    used: float = 0.0
    """Milliseconds of the engine so far."""
    waited: float = 0.0
    """Milliseconds spent waiting for a turn."""


@dataclass(eq=False)
class Turn:
    """One passage through the turnstile: to compute, or computed by somebody else meanwhile."""

    share: Share
    work: Any
    joins: bool
    """It may be computed in one run with others."""
    event: threading.Event
    state: Literal["waits", "leads", "rides", "over"] = "waits"
    group: list[Turn] = field(default_factory=list)
    """Of one that leads: all that are computed in its run, itself among them."""
    since: float = 0.0
    """When its run was let in."""
    ms: float = 0.0
    """What the run took."""
    riders: int = 1
    """How many shared it."""
    joules: float = 0.0
    """This one's part of what it drew."""
    error: BaseException | None = None
    """What went wrong in a run that another led."""


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
        self._waiting: list[Turn] = []
        self._users: dict[str, _User] = {}
        self._clock = 0.0
        self._expected: dict[Share, bool] = {}
        """Those of the last run that have not come back, and whether they join others."""
        self._expected_until = 0.0
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
            if self._expected.pop(share, None) is not None:
                self._consider()

    def enter(
        self, share: Share, waiter: Waiter, work: Any = None, *, joins: bool = False
    ) -> Turn | None:
        """Wait for a turn; None when `waiter` was called off.

        A turn that "leads" must compute the work of its whole `group` and then `exit`. One that is
        "over" was computed by another: nothing is left to do.
        """
        turn = Turn(share, work, joins, waiter.event)
        with self._lock:
            waiter.event.clear()
            if waiter.called_off:
                return None
            self._expected.pop(share, None)
            self._waiting.append(turn)
            self._consider(turn)
            if turn.state == "leads":
                return turn
            timeout = self._patience()
        began = time.perf_counter()
        if not self._wait(turn, waiter, timeout):
            share.waited += (time.perf_counter() - began) * 1000
            return None
        until = turn.since if turn.state == "over" else time.perf_counter()
        share.waited += max(0.0, until - began) * 1000
        return turn

    def _wait(self, turn: Turn, waiter: Waiter, timeout: float | None) -> bool:
        while True:
            waiter.event.wait(timeout)
            with self._lock:
                waiter.event.clear()
                if turn.state in ("leads", "over"):
                    return True
                if turn.state == "rides":
                    timeout = None  # whatever it was woken for, its run is under way
                    continue
                if waiter.called_off:
                    self._waiting.remove(turn)
                    self._consider()
                    self._set_watch()
                    return False
                self._consider(turn)
                if turn.state == "leads":
                    return True
                timeout = self._patience()

    def exit(
        self, turn: Turn, ms: float, joules: float = 0.0, error: BaseException | None = None
    ) -> None:
        """End a run that took `ms`, for all of its group, and let the next one in."""
        with self._lock:
            self.busy_ms += ms
            each = ms / len(turn.group)
            for one in turn.group:
                one.ms, one.joules, one.riders = ms, joules / len(turn.group), len(turn.group)
                one.share.used += each
                user = self._users.get(one.share.user)
                if user is not None:
                    user.virtual += each / one.share.weight
                if one is not turn:
                    one.error, one.state = error, "over"
                    one.event.set()
            self._busy = False
            self._expected = {one.share: one.joins for one in turn.group}
            patience = max(GRACE, _PATIENCE * ms / 1000) if turn.joins else GRACE
            self._expected_until = time.perf_counter() + patience
            self._consider()
            self._set_watch()

    def _consider(self, arrived: Turn | None = None) -> None:
        """Let the next run in, if the engine is free and there is nobody to wait for."""
        if self._busy or not self._waiting:
            return
        best = min(self._waiting, key=self._order)
        if time.perf_counter() >= self._expected_until or not self._worth_waiting(best):
            self._start(best, arrived)

    def _worth_waiting(self, best: Turn) -> bool:
        """Whether one who is expected back would go before `best`, or with it."""
        if best.joins and any(self._expected.values()):
            return True
        first = self._order(best)[0]
        users = (self._users.get(share.user) for share in self._expected)
        return any(user is not None and user.virtual < first for user in users)

    def _start(self, best: Turn, arrived: Turn | None) -> None:
        group = [turn for turn in self._waiting if turn.joins] if best.joins else [best]
        # Whoever is awake already need not be woken to compute.
        leader = arrived if arrived in group else best
        assert leader is not None
        self._busy, now = True, time.perf_counter()
        self._expected.clear()
        self._waiting = [turn for turn in self._waiting if turn not in group]
        for turn in group:
            turn.since, turn.state = now, "rides"
        leader.state, leader.group = "leads", group
        # The common clock is that of whoever had a turn last: newcomers begin there.
        self._clock = max(self._clock, self._order(best)[0])
        if leader is not arrived:
            leader.event.set()

    def _patience(self) -> float | None:
        """Seconds until the engine waits no longer for those expected; None: it is at work."""
        return None if self._busy else max(0.0, self._expected_until - time.perf_counter())

    def _set_watch(self) -> None:
        """Have somebody look again when those expected have not come in time."""
        if self._waiting and not self._busy:
            min(self._waiting, key=self._order).event.set()

    def _order(self, turn: Turn) -> tuple[float, float]:
        user = self._users.get(turn.share.user)
        return (user.virtual if user is not None else 0.0), turn.share.used


class Waiter:
    """What one request waits on; `call_off` ends the wait from another thread."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.called_off = False

    def call_off(self) -> None:
        self.called_off = True
        self.event.set()
