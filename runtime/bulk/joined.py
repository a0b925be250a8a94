"""Takes the steps of several answers together, with nobody to be fair to.

A step reads all weights once, whether it is for one answer or for sixteen (`batched_steps.py`).

Knows: the turnstile. Does not know: rows, deadlines, users.
"""

from __future__ import annotations

import time
from typing import Any

from edgeward.batched_steps import BatchedSteps
from edgeward.cancel import CancelToken
from edgeward.errors import Cancelled, EdgewardError
from edgeward.model import Model
from edgeward.service.turns import Share, Turn, Turnstile, Waiter

_KEPT = 2


class Joint:
    """What the requests of one run share."""

    def __init__(self, model: Model, most: int) -> None:
        """`most` answers are made at once."""
        engine, pool = model.opened()
        # Idle ones, kept for their prefix, take places too; a place that is not used costs nothing.
        arena = pool.gather(2 * most + _KEPT) if engine.fused else None
        pool.keep(_KEPT, None)
        self.batch = None if arena is None else BatchedSteps(engine, arena)
        """None where the graph computes one answer at a time."""
        self.turnstile = Turnstile()


class Joined(CancelToken):
    """The cancel token of one request: its runs wait for their turn, or ride in a neighbour's."""

    def __init__(self, joint: Joint) -> None:
        super().__init__()
        self._joint = joint
        self._share = Share(user="batch")
        self._waiter = Waiter()
        self.watch(self._waiter.call_off)

    def __enter__(self) -> Joined:
        self._joint.turnstile.join(self._share)
        return self

    def __exit__(self, *_: object) -> None:
        self._joint.turnstile.leave(self._share)

    def run(self, work: Any) -> None:
        """Have it computed. Raises `Cancelled`, `EdgewardError`."""
        batch = self._joint.batch
        joins = batch is not None and batch.takes(work)
        turn = None
        if not self.cancelled:
            turn = self._joint.turnstile.enter(self._share, self._waiter, work, joins=joins)
        if turn is None:
            raise Cancelled("the run was stopped.")
        if turn.state == "leads":
            self._lead(turn)
        elif turn.error is not None:
            raise EdgewardError(f"a step computed with others' failed: {turn.error}")

    def _lead(self, turn: Turn) -> None:
        works = [one.work for one in turn.group]
        began, error = time.perf_counter(), None
        try:
            if len(works) == 1:
                works[0].alone()
            else:
                assert self._joint.batch is not None
                self._joint.batch.compute(works)
        except BaseException as failed:
            error = failed
            raise
        finally:
            self._joint.turnstile.exit(turn, (time.perf_counter() - began) * 1000, error=error)
