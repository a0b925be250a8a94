"""`serve()` held to what it promises: budgets, overhead, many streams, prefixes.

Knows: which parts there are, and what must be reached. What a part measures is in `serve_*.py`.
Every part uses the public API, takes its own times from outside, and checks answers before it
counts them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import edgeward
from edgeward.model import Model

from ..progress import Tell
from . import serve_budget, serve_overhead, serve_prefix, serve_streams
from .serve_figure import Figure


@dataclass(frozen=True)
class Setting:
    """What is measured, and how often."""

    requests: int = 60
    """Of the budget part, alone and beside a loaded processor each."""
    budget_ms: float = 100.0
    rounds: int = 15
    """Of the other parts."""
    streams: int = 8
    tokens: int = 64
    """Length of the answers that are timed token by token."""
    threads: int | None = None
    parts: tuple[str, ...] = ("budget", "overhead", "streams", "prefix")


@dataclass
class Result:
    """Figures in the order of measurement."""

    model: str
    threads: int
    figures: list[Figure] = field(default_factory=list)


def run(name: str, setting: Setting, tell: Tell) -> Result:
    """Measure the pack `name`."""
    parts: dict[str, Callable[[Model, Setting, Tell], list[Figure]]] = {
        "budget": serve_budget.measure,
        "overhead": serve_overhead.measure,
        "streams": serve_streams.measure,
        "prefix": serve_prefix.measure,
    }
    with edgeward.load(name, threads=setting.threads) as model:
        result = Result(model.info.name, model.info.threads)
        for part in setting.parts:
            result.figures += parts[part](model, setting, tell)
    return result
