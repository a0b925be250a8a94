"""The parts that all requests of one service share, and what a request asks of them.

Knows: names. What is done with the parts is in `job.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from edgeward.batched_steps import BatchedSteps
from edgeward.cancel import CancelToken
from edgeward.engine import PREFILL_CHUNK
from edgeward.model import Model
from edgeward.reply import Reply

from .alarms import Alarms
from .budget import Budget
from .cost import Ledger
from .gate import Gate, Priority
from .plan import Plan
from .predictor import Predictor
from .sessions import Sessions
from .ticket import Ticket
from .turns import Turnstile

History = Literal["fit", "refuse"]


@dataclass(frozen=True)
class Call:
    """One call of `Service.generate` or `chat`, its arguments checked."""

    kind: Literal["generate", "chat"]
    prompt: Any
    """Messages of a chat, else a text or ids."""
    budget: Budget
    cost_per_token: float | None
    safety_checks: Sequence[Any]
    priority: Priority = "normal"
    user: str = ""
    session: str | None = None
    tools: Sequence[Mapping[str, Any]] | None = None
    tool_choice: Any = None
    response_format: Mapping[str, Any] | None = None
    sampling: dict[str, Any] = field(default_factory=dict)
    cancel: CancelToken = field(default_factory=CancelToken)
    began: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True)
class Outcome:
    """How a call ended: with a reply or with an error."""

    call: Call
    reply: Reply | None
    error: BaseException | None
    plan: Plan | None
    total_ms: float


@dataclass(frozen=True)
class Core:
    """The shared parts of one service."""

    model: Model
    predictor: Predictor
    gate: Gate
    turnstile: Turnstile
    alarms: Alarms
    ledger: Ledger
    sessions: Sessions
    history: History
    load: Load
    batch: BatchedSteps | None
    """Computes steps of several requests together; None where the graph cannot."""
    observers: list[Callable[[Outcome], None]]
    """Called at the end of every call, in the thread that ran it."""


class Load:
    """What the running requests are foretold to need still. Thread-safe."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._lock = threading.Lock()
        self._expected: dict[Ticket, float] = {}

    def add(self, ticket: Ticket, engine_ms: float) -> None:
        """A request began that will need `engine_ms`."""
        with self._lock:
            self._expected[ticket] = engine_ms

    def remove(self, ticket: Ticket) -> None:
        """It ended."""
        with self._lock:
            self._expected.pop(ticket, None)

    @property
    def remaining_ms(self) -> float:
        """Milliseconds of the engine for all of them together."""
        with self._lock:
            return sum(max(0.0, ms - t.share.used) for t, ms in self._expected.items())

    @property
    def prefills_ms(self) -> tuple[float, ...]:
        """Milliseconds that each prompt needs still, of those that are not yet computed."""
        with self._lock:
            tickets = list(self._expected)
        left = ((t.prompt_tokens - t.place, t.place) for t in tickets)
        return tuple(self._predictor.prefill(n, at, PREFILL_CHUNK) for n, at in left if n > 1)
