"""Runs a check so that it cannot take a request down: its errors and its time are verdicts.

Knows: threads, clocks, what a failure means under a check's settings. Does not know: what is
checked, what is done about a verdict.
"""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from .check import Check
from .verdict import Verdict

_MOST_STUCK = 8


class Runner:
    """Calls checks, each within its time. Safe to use from many threads.

    A call that overruns cannot be killed: its thread is left to end by itself. While 8 of them are
    still running, further calls of checks with a timeout fail at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stuck = 0

    def verdict(self, check: Check, role: str, call: Callable[[], Verdict]) -> Verdict:
        """What `call` gives, or the verdict that its failure means."""
        try:
            made = call() if check.timeout is None else self._within(check, call)
        except _Overrun as overrun:
            return _failure(check, role, str(overrun))
        except Exception as error:
            return _failure(check, role, f"raised {type(error).__name__}: {error}")
        if not isinstance(made, Verdict) or not math.isfinite(made.score):
            return _failure(check, role, f"gave {made!r}, no verdict with a finite score")
        return made if made.role == role else dataclasses.replace(made, role=role)

    def _within(self, check: Check, call: Callable[[], Verdict]) -> Verdict:
        if self._stuck >= _MOST_STUCK:
            raise _Overrun(f"was not run: {self._stuck} calls that overran are still running")
        answers: SimpleQueue[Verdict | BaseException] = SimpleQueue()

        def work() -> None:
            try:
                answers.put(call())
            except BaseException as error:
                answers.put(error)

        assert check.timeout is not None
        worker = threading.Thread(target=work, name=f"edgeward-{check.name}", daemon=True)
        worker.start()
        try:
            answer = answers.get(timeout=check.timeout / 1000)
        except Empty:
            self._count_until_ended(worker)
            raise _Overrun(f"took longer than {check.timeout:g} ms") from None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _count_until_ended(self, worker: threading.Thread) -> None:
        with self._lock:
            self._stuck += 1

        def wait() -> None:
            worker.join()
            with self._lock:
                self._stuck -= 1

        threading.Thread(target=wait, name="edgeward-overrun", daemon=True).start()


class _Overrun(Exception):
    """A check did not answer in time."""


def _failure(check: Check, role: str, what: str) -> Verdict:
    allowed = check.on_failure == "allow"
    return Verdict(
        check.name,
        "failure",
        allowed,
        0.0 if allowed else 1.0,
        check.threshold,
        f"{check.name} {what}; on_failure is {check.on_failure!r}",
        role=role,
        failed=True,
    )
