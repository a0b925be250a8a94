"""How many requests may run at once, and who of those that wait comes next.

Knows: counts, priorities, users. Does not know: models, limits, engine turns (`turns.py` shares
those among the requests that were let in).
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

from edgeward.cancel import CancelToken
from edgeward.checks import refusal
from edgeward.errors import Cancelled, Overloaded

from .turns import Waiter

Priority = Literal["high", "normal", "low"]
WEIGHTS: dict[str, float] = {"high": 4.0, "normal": 1.0, "low": 0.25}
"""Share of the engine that a request of a priority gets beside others."""
_RANK = {"high": 0, "normal": 1, "low": 2}


def check_priority(value: object) -> Priority:
    """`value`, or `OptionError`."""
    for priority in get_args(Priority):
        if value == priority:
            return priority  # type: ignore[no-any-return]
    raise refusal("priority", value, "'high', 'normal' or 'low'")


@dataclass(eq=False)
class _Waiting:
    rank: int
    user: str
    number: int
    waiter: Waiter
    granted: bool = False


class Gate:
    """Lets `slots` requests run and `queue` more wait.

    Next is who has the highest priority; of those, the user with the fewest running; of those, who
    came first.
    """

    def __init__(self, slots: int, queue: int) -> None:
        self.slots, self.queue = slots, queue
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._running: Counter[str] = Counter()
        self._numbers = itertools.count()
        self._lasted = 1.0

    @property
    def running(self) -> int:
        """Requests that were let in and have not left."""
        with self._lock:
            return self._running.total()

    @property
    def waiting(self) -> int:
        """Requests that wait to be let in."""
        with self._lock:
            return len(self._waiting)

    def expected_wait(self) -> float:
        """Milliseconds a request would wait if it came now."""
        with self._lock:
            return self._expected(len(self._waiting))

    def _expected(self, ahead: int) -> float:
        if self._running.total() < self.slots:
            return 0.0
        return self._lasted * (ahead + 1) / self.slots

    def enter(self, priority: Priority, user: str, cancel: CancelToken) -> float:
        """Wait to be let in; returns the milliseconds it took.

        Raises `Overloaded` at once when the queue is full, `Cancelled` when cancelled meanwhile.
        """
        with self._lock:
            if self._running.total() < self.slots:
                self._running[user] += 1
                return 0.0
            if len(self._waiting) >= self.queue:
                seconds = self._expected(len(self._waiting)) / 1000
                raise Overloaded(
                    f"{self._running.total()} requests run and {len(self._waiting)} wait, as many "
                    f"as max_active={self.slots} and max_queue={self.queue} allow; try again in "
                    f"{seconds:.1f} s.",
                    retry_after=seconds,
                )
            entry = _Waiting(_RANK[priority], user, next(self._numbers), Waiter())
            self._waiting.append(entry)
        began = time.perf_counter()
        cancel.watch(entry.waiter.call_off)
        entry.waiter.event.wait()
        cancel.unwatch(entry.waiter.call_off)
        with self._lock:
            if not entry.granted:
                self._waiting.remove(entry)
                raise Cancelled("the request was cancelled while it waited in the queue.")
        return (time.perf_counter() - began) * 1000

    def leave(self, user: str, lasted_ms: float) -> None:
        """Make room for the next one."""
        with self._lock:
            self._lasted += 0.2 * (lasted_ms - self._lasted)
            self._running[user] -= 1
            if not self._running[user]:
                del self._running[user]
            if not self._waiting:
                return
            entry = min(self._waiting, key=lambda w: (w.rank, self._running[w.user], w.number))
            self._waiting.remove(entry)
            self._running += Counter({entry.user: 1})
            entry.granted = True
            entry.waiter.event.set()
