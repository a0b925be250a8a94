"""Counts and times of a service since it began. Knows: outcomes. Keeps no text and no names."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any

import numpy as np

from .core import Outcome

_KEPT = 1000
"""Requests whose times the percentiles are of: the last ones."""


class Tally:
    """Counters, and the times of the last requests. Safe from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._budget: Counter[str] = Counter()
        self._actions: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()
        self._first: deque[float] = deque(maxlen=_KEPT)
        self._step: deque[float] = deque(maxlen=_KEPT)
        self._error: deque[float] = deque(maxlen=_KEPT)

    def saw(self, outcome: Outcome) -> None:
        """A call ended."""
        reply = outcome.reply
        with self._lock:
            if reply is None:
                self._failed[type(outcome.error).__name__] += 1
                return
            self._ended[reply.finish_reason] += 1
            self._tokens["prompt"] += reply.usage.prompt_tokens
            self._tokens["cached"] += reply.usage.cached_tokens
            self._tokens["completion"] += reply.usage.completion_tokens
            report = reply.budget
            if report is None:
                return
            self._budget["met" if report.met else "missed"] += 1
            self._actions.update(action.name for action in report.actions)
            first, foretold = report.actual.first_token, report.predicted.first_token
            if first is not None:
                self._first.append(first)
                if foretold is not None:
                    self._error.append(abs(foretold - first) / first)
            if report.actual.per_token is not None:
                self._step.append(report.actual.per_token)

    def stats(self) -> dict[str, Any]:
        """Everything as plain values; percentiles are of the last thousand requests."""
        with self._lock:
            return {
                "requests": self._ended.total() + self._failed.total(),
                "ended": dict(self._ended),
                "failed": dict(self._failed),
                "tokens": dict(self._tokens),
                "budget": dict(self._budget),
                "actions": dict(self._actions),
                "first_token_ms": _percentiles(self._first),
                "per_token_ms": _percentiles(self._step),
                "prediction_error": _percentiles(self._error),
            }


def _percentiles(values: deque[float]) -> dict[str, float] | None:
    if not values:
        return None
    found = np.percentile(list(values), [50, 90, 99])
    return {name: float(x) for name, x in zip(("p50", "p90", "p99"), found, strict=True)}
