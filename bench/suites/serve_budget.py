"""Whether a latency budget is kept or honestly missed, alone and beside another process.

The time to the first text is taken from outside, by the thread that reads the stream, and held
against what the reply says of itself: a late answer that claims to be in time is a silent miss.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeward.errors import BudgetExceeded
from edgeward.model import Model
from edgeward.service.budget import Budget
from edgeward.service.serve import serve
from edgeward.service.service import Service

from ..progress import Tell
from .model import prompt_ids
from .serve_figure import Figure, percentile

if TYPE_CHECKING:
    from .serve import Setting

SHORTEST, LONGEST = 5, 400
"""Tokens of the prompts."""
ANSWER = 12
SLACK_MS = 2.0
"""What the clock outside may show more than the one inside, before that counts as a miss hidden:
the caller's thread has to wake up, too."""
_BURN = "while True: pass"


@dataclass
class Seen:
    """What came of the requests of one round."""

    admitted: int = 0
    refused: int = 0
    met: int = 0
    told: int = 0
    """Missed, and the reply or the error says so with a reason."""
    silent: int = 0
    errors: list[float] = field(default_factory=list)
    """Prediction error of the first token, as a share of what it took."""
    overshoot: list[float] = field(default_factory=list)
    """Milliseconds after a limit at which a request that the clock stopped had ended."""


def measure(model: Model, setting: Setting, tell: Tell) -> list[Figure]:
    """The figures, first alone, then with one core taken by another process."""
    figures = []
    with serve(model) as service:
        _warm_up(service, model)
        for place, burn in (("alone", False), ("loaded", True)):
            with _other_process(burn):
                seen = _round(service, model, setting, place, tell)
            figures += _figures(f"budget, {place}", seen)
    return figures


def _warm_up(service: Service, model: Model) -> None:
    for i in range(5):
        service.generate(prompt_ids(model, 50, 1000 + i), max_tokens=ANSWER, ignore_eos=True)


@contextmanager
def _other_process(wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    burner = subprocess.Popen([sys.executable, "-c", _BURN])
    try:
        yield
    finally:
        burner.kill()
        burner.wait()


def _round(service: Service, model: Model, setting: Setting, place: str, tell: Tell) -> Seen:
    seen, dice = Seen(), random.Random(7)
    for i in range(setting.requests):
        tell(f"budget, {place}", i, setting.requests)
        ids = prompt_ids(model, dice.randint(SHORTEST, LONGEST), i)
        # A third is stopped by the clock at the first token, a third at the end of the answer.
        if i % 3 == 0:
            budget = Budget(first_token=setting.budget_ms, on_miss="reject")
        elif i % 3 == 1:
            budget = Budget(first_token=setting.budget_ms)
        else:
            budget = Budget(total=2.5 * setting.budget_ms)
        _one(service, ids, budget, seen)
    return seen


def _one(service: Service, ids: list[int], budget: Budget, seen: Seen) -> None:
    began = time.perf_counter()

    def since() -> float:
        return (time.perf_counter() - began) * 1000

    most = 200 if budget.total is not None else ANSWER
    try:
        stream = service.generate(
            ids, max_tokens=most, ignore_eos=True, stream=True, latency_budget=budget
        )
    except BudgetExceeded:
        seen.refused += 1
        return
    seen.admitted += 1
    first: float | None = None
    try:
        for chunk in stream:
            if chunk.text and first is None:
                first = since()
    except BudgetExceeded:
        seen.told += 1
        assert budget.first_token is not None
        seen.overshoot.append(since() - budget.first_token)
        return
    ended, report = since(), stream.reply.budget
    assert report is not None
    if stream.reply.finish_reason == "deadline" and budget.total is not None:
        seen.overshoot.append(ended - budget.total)
    if first is not None and report.predicted.first_token is not None:
        seen.errors.append(abs(report.predicted.first_token - first) / first)
    late = budget.first_token is not None and (first or ended) > budget.first_token + SLACK_MS
    if report.met:
        seen.silent += late
        seen.met += not late
    else:
        seen.told += bool(report.missed)
        seen.silent += not report.missed


def _figures(part: str, seen: Seen) -> list[Figure]:
    n = max(1, seen.admitted)
    errors = [100 * error for error in seen.errors]
    stopped = len(seen.overshoot)
    return [
        Figure(part, "met, or told", 100 * (seen.met + seen.told) / n, "%", n, 99, "least"),
        Figure(part, "met", 100 * seen.met / n, "%", n),
        Figure(part, "missed in silence", seen.silent, "requests", n, 0),
        Figure(part, "refused at once", seen.refused, "requests", n + seen.refused),
        Figure(part, "prediction error p50", percentile(errors, 50), "%", len(errors)),
        Figure(part, "prediction error p90", percentile(errors, 90), "%", len(errors), 20),
        Figure(part, "overshoot p50", percentile(seen.overshoot, 50), "ms", stopped),
        Figure(part, "overshoot p99", percentile(seen.overshoot, 99), "ms", stopped, 15),
    ]
