"""One piece of work at a time in a thread of its own, handed over without waking it.

Knows: a function, one slot, the rhythm in which it is asked. Does not know: what is computed.

Waking a thread costs the caller 15 to 20 us where the caches are cold, as they are behind a model
step, and a queue's objects 12 more. Steps follow each other at even intervals, so the thread sets
its own alarm instead: it looks into the slot a little after the next request should have come,
which is while the model runs and holds no lock of ours. It looks again now and then, and after
`LOOKS` times in vain it sleeps until it is woken. A caller who finds no answer wakes it at once.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

IDLE = object()
"""In the slot: nothing is asked, or the answer was taken."""
PENDING = object()
"""In the slot: asked, not answered."""
LOOKS = 12
"""How often an empty slot is looked into, a tenth of an interval apart, before it sleeps."""
SHORTEST, LONGEST = 1e-4, 2e-3
"""Seconds between two looks."""


class Aside:
    """Calls `work` in its own thread each time `begin` is called; one caller, one call at a time.

    `answer` is the slot: `IDLE`, `PENDING` or what `work` returned. The caller may put an answer
    of its own there. `wait` returns an answer, at once if it is there. `close` ends the thread and
    must be called once; it waits for the work that was begun.

    An exception of `work` is raised by `wait`.
    """

    def __init__(self, work: Callable[[], Any], name: str) -> None:
        self.answer: object = IDLE
        self._begun = 0.0
        self._asleep = False
        self._waiting = False
        self._ended = False
        self._work = work
        self._failure: BaseException | None = None
        # Items only say "look": one too many does no harm.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Have the work done; returns at once."""
        self._begun = time.perf_counter()
        self.answer = PENDING
        if self._asleep:
            self._wake.put(None)

    def wait(self) -> Any:
        """The answer, which leaves the slot. Raises what the work raised."""
        # Set before the slot is looked at, as the thread looks at it after the slot was filled.
        self._waiting = True
        if self.answer is PENDING:
            self._wake.put(None)  # its next look may be far
        while self.answer is PENDING:
            self._ready.get()
        self._waiting = False
        answer, self.answer = self.answer, IDLE
        if self._failure is not None:
            raise self._failure
        return answer

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._wake.put(None)
        self._thread.join()

    # In the thread.

    def _run(self) -> None:
        rhythm = _Rhythm()
        while self._asked(rhythm):
            rhythm.note(self._begun)
            answer: object = None
            try:
                answer = self._work()
            except Exception as error:
                self._failure = error
            self.answer = answer
            if self._waiting:
                self._ready.put(None)

    def _asked(self, rhythm: _Rhythm) -> bool:
        """Wait for work; False at the end."""
        for pause in rhythm.pauses():
            if self.answer is PENDING or self._ended:
                break
            with contextlib.suppress(queue.Empty):  # the usual case: nobody woke it
                self._wake.get(timeout=pause)
        # Set before the slot is looked at, as `begin` looks at it after the slot was filled.
        self._asleep = True
        while self.answer is not PENDING and not self._ended:
            self._wake.get()
        self._asleep = False
        return self.answer is PENDING


class _Rhythm:
    """When the next request should come, from when the last ones did."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._interval: float | None = None
        self._count = 0

    def note(self, begun: float) -> None:
        """A request that came at `begun`, in seconds."""
        self._count += 1
        if self._last is not None and self._count > 2:
            # The first interval is a prefill's. Later a longer one is believed slowly, since a look
            # too late makes the caller wait, and one too early costs a look.
            interval = begun - self._last
            known = self._interval
            self._interval = interval if known is None else min(interval, 1.05 * known)
        self._last = begun

    def pauses(self) -> list[float]:
        """Seconds to wait before each look; none while the rhythm is not known."""
        if self._interval is None or self._last is None:
            return []
        due = self._last + 1.1 * self._interval - time.perf_counter()
        between = min(max(0.1 * self._interval, SHORTEST), LONGEST)
        return [max(due, SHORTEST), *[between] * (LOOKS - 1)]
