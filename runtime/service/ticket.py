"""One admitted request's pass to the engine: its turns, its deadlines, its stop.

Knows: the turnstile, the predictor, the clock. Does not know: prompts, answers, money.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

from edgeward.batched_steps import BatchedSteps
from edgeward.cancel import CancelToken
from edgeward.engine import PREFILL_CHUNK
from edgeward.errors import Cancelled, EdgewardError

from .predictor import Predictor
from .spending import Spending
from .turns import Share, Turn, Turnstile, Waiter

Limit = Literal["first_token", "per_token", "total", "cost_per_token"]

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
        batch: BatchedSteps | None = None,
    ) -> None:
        """`joules` reads an energy counter, where the machine has one; `batch` joins steps."""
        super().__init__()
        self.share = share
        self.joules = joules
        self.energy = 0.0
        """Joules that the counter went on by during the turns."""
        self.prefill_ms = 0.0
        """Of runs for the prompt and for what a grammar forces; others may share in `step_ms`."""
        self.step_ms = 0.0
        self.steps_used = 0.0
        """Its share of `step_ms`."""
        self.steps = 0
        self.passed: Limit | None = None
        """The limit whose deadline stopped the request."""
        self.prompt_tokens = 0
        """Set by the plan: where the prefill ends."""
        self.place = 0
        """Positions that are computed or were cached: where the next run begins."""
        self.first_by: float | None = None
        """When the first text must be out, or the request is stopped; None once it is, or never."""
        self.spending: Spending | None = None
        """The price a token is held to while the answer is made; None: there is none."""
        self._turnstile = turnstile
        self._predictor = predictor
        self._batch = batch
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

    def run(self, work: Any) -> None:
        """Have it computed in a turn of its own, or in a neighbour's. Raises `Cancelled`."""
        self._give_up_if_late(work)
        self._give_up_if_dear(work)
        joins = self._batch is not None and self._batch.takes(work)
        turn = None
        if not self.cancelled:
            turn = self._turnstile.enter(self.share, self._waiter, work, joins=joins)
        if turn is None:
            raise Cancelled("the request was cancelled while it waited for its turn.")
        try:
            if turn.state == "leads":
                self._lead(turn)
            elif turn.error is not None:
                raise EdgewardError(f"a step computed with others' failed: {turn.error}")
        finally:
            self.energy += turn.joules
            self.place = work.position + work.tokens
            if work.tokens == 1:
                self.step_ms += turn.ms
                self.steps_used += turn.ms / turn.riders
                self.steps += 1
            else:
                self.prefill_ms += turn.ms

    def _give_up_if_late(self, work: Any) -> None:
        """Stop when the rest of the prompt will not be done in time; the first text comes later."""
        if self.first_by is None or work.tokens == 1:
            return
        left = self.prompt_tokens - work.position
        need = self._predictor.prefill(left, work.position, PREFILL_CHUNK) if left > 0 else 0.0
        if time.perf_counter() + need / 1000 > self.first_by:
            self.stop_for("first_token")()

    def _give_up_if_dear(self, work: Any) -> None:
        """End the answer before a token that its price does not allow."""
        made = work.position + work.tokens - self.prompt_tokens
        if self.spending is None or made < 1 or self.cancelled:
            return
        if not self.spending.allows(self.share.used, self.steps_used, self.steps, made):
            self.stop_for("cost_per_token")()

    def _lead(self, turn: Turn) -> None:
        """Compute the work of everybody in this turn."""
        works = [one.work for one in turn.group]
        joules = 0.0 if self.joules is None else self.joules()
        error: BaseException | None = None
        began = time.perf_counter()
        try:
            if len(works) == 1:
                works[0].alone()
            else:
                assert self._batch is not None
                self._batch.compute(works)
        except BaseException as failed:
            error = failed
            raise
        finally:
            ms = (time.perf_counter() - began) * 1000
            if self.joules is not None:
                joules = self.joules() - joules
            self._turnstile.exit(turn, ms, joules, error)
        middle = sum(work.position for work in works) // len(works)
        self._predictor.observe_run(works[0].tokens, middle, ms, len(works))


def chunk_within(predictor: Predictor, quantum: float) -> int:
    """The longest run that is foretold to take no more than `quantum` milliseconds."""
    for chunk in _CHUNKS:
        if predictor.prefill(chunk, 0, chunk) <= quantum:
            return chunk
    return _CHUNKS[-1]
