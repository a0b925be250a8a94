"""One admitted request's pass to the engine: its turns, its deadlines, its stop.

Knows: the turnstile, the predictor, the clock. Does not know: prompts, answers, money.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Literal

from edgeward.cancel import CancelToken
from edgeward.engine import PREFILL_CHUNK
from edgeward.errors import Cancelled

from .predictor import Predictor
from .turns import Share, Turnstile, Waiter

Limit = Literal["first_token", "total"]

QUANTUM_ALONE = 250.0
QUANTUM_SHARED = 60.0
"""Milliseconds that a prefill run may take: between runs the clock is looked at, and others run."""
_CHUNKS = (PREFILL_CHUNK, 256, 128, 64, 32, 16)


class Ticket(CancelToken):
    """A cancel token that waits for turns and knows when time is over.

    Times are of `time.perf_counter()`, in seconds; durations in milliseconds.
    """

    def __init__(
        self,
        turnstile: Turnstile,
        predictor: Predictor,
        share: Share,
        joules: Callable[[], float] | None = None,
    ) -> None:
        """`joules` reads an energy counter, where the machine has one."""
        super().__init__()
        self.share = share
        self.joules = joules
        self.energy = 0.0
        """Joules that the counter went on by during the turns."""
        self.prefill_ms = 0.0
        """Of the engine, for the prompt and what was computed together."""
        self.step_ms = 0.0
        self.steps = 0
        self.passed: Limit | None = None
        """The limit whose deadline stopped the request."""
        self.prompt_tokens = 0
        """Set by the plan: where the prefill ends."""
        self.first_by: float | None = None
        """When the first text must be out, or the request is stopped; None once it is, or never."""
        self._turnstile = turnstile
        self._predictor = predictor
        self._waiter = Waiter()
        self.watch(self._waiter.call_off)

    def stop_for(self, limit: Limit) -> Callable[[], None]:
        """What an alarm calls when the time of `limit` is over."""

        def stop() -> None:
            if limit == "first_token" and self.first_by is None:
                return  # it came in time
            if not self.cancelled:
                self.passed = limit
            self.cancel("deadline")

        return stop

    def most(self) -> int:
        """As many tokens as one run may take now."""
        alone = self._turnstile.active <= 1
        quantum = QUANTUM_ALONE if alone else QUANTUM_SHARED
        return chunk_within(self._predictor, quantum)

    def turn(self, tokens: int, position: int) -> _Turn:
        return _Turn(self, tokens, position)

    def enter(self, tokens: int, position: int) -> None:
        """Wait for a turn. Raises `Cancelled`."""
        if self.first_by is not None and tokens > 1:
            left = self.prompt_tokens - position
            need = self._predictor.prefill(left, position, PREFILL_CHUNK) if left > 0 else 0.0
            if time.perf_counter() + need / 1000 > self.first_by:
                self.stop_for("first_token")()
        if self.cancelled or not self._turnstile.enter(self.share, self._waiter):
            raise Cancelled("the request was cancelled while it waited for its turn.")

    def leave(self, tokens: int, position: int, ms: float, whole: bool) -> None:
        """Give the turn back after `ms`; `whole`: the run was not stopped half way."""
        self._turnstile.exit(self.share, ms)
        if tokens == 1:
            self.step_ms += ms
            self.steps += 1
        else:
            self.prefill_ms += ms
        if whole:
            self._predictor.observe_run(tokens, position, ms)


class _Turn:
    """One turn, as a context manager: written out, for it is on the way of every token."""

    __slots__ = ("_began", "_joules", "_position", "_ticket", "_tokens")

    def __init__(self, ticket: Ticket, tokens: int, position: int) -> None:
        self._ticket, self._tokens, self._position = ticket, tokens, position
        self._began = self._joules = 0.0

    def __enter__(self) -> None:
        self._ticket.enter(self._tokens, self._position)
        if self._ticket.joules is not None:
            self._joules = self._ticket.joules()
        self._began = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ms = (time.perf_counter() - self._began) * 1000
        if self._ticket.joules is not None:
            self._ticket.energy += self._ticket.joules() - self._joules
        self._ticket.leave(self._tokens, self._position, ms, kind is None)


def chunk_within(predictor: Predictor, quantum: float) -> int:
    """The longest run that is foretold to take no more than `quantum` milliseconds."""
    for chunk in _CHUNKS:
        if predictor.prefill(chunk, 0, chunk) <= quantum:
            return chunk
    return _CHUNKS[-1]
