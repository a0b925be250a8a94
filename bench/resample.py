"""Intervals of percentiles and of shares by bootstrap, over turns. Knows numbers only.

What was measured in one turn (a request, a process) is alike, so whole turns are drawn, not single
samples (a cluster bootstrap). Draws are seeded: the same samples give the same interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000


@dataclass(frozen=True)
class Interval:
    """A figure and where the draws put it; with one turn there is no width."""

    value: float
    low: float
    high: float


def draws(count: int, times: int = DRAWS, seed: int = 0) -> NDArray[np.int64]:
    """How often each of `count` things is in each draw: (times, count)."""
    random = np.random.Generator(np.random.Philox(seed))
    return random.multinomial(count, np.full(count, 1 / count), times)


def percentile(
    turns: Sequence[Sequence[float]], percent: float, confidence: float = 0.95
) -> Interval:
    """The percentile of all samples of `turns`, of which there must be at least one."""
    sizes = [len(turn) for turn in turns]
    values = np.concatenate([np.asarray(turn, float) for turn in turns]) if sizes else np.zeros(0)
    if values.size == 0:
        raise ValueError("no samples to take a percentile of")
    order = np.argsort(values, kind="stable")
    ranked, whose = values[order], np.repeat(np.arange(len(sizes)), sizes)[order]
    found = []
    for draw in draws(len(sizes)):
        reached = np.cumsum(draw[whose])
        if reached[-1] == 0:
            continue  # only turns without samples were drawn
        at = int(np.searchsorted(reached, percent / 100 * reached[-1]))
        found.append(ranked[min(at, ranked.size - 1)])
    side = 50 * (1 - confidence)
    low, high = np.percentile(found, [side, 100 - side])
    return Interval(float(np.percentile(values, percent)), float(low), float(high))


def of_draws(
    count: int,
    figure: Callable[[NDArray[np.int64]], float],
    confidence: float = 0.95,
    times: int = DRAWS,
) -> Interval:
    """`figure` of `count` independent things; it is told how often each is there."""
    found = [figure(draw) for draw in draws(count, times)]
    side = 50 * (1 - confidence)
    low, high = np.nanpercentile(found, [side, 100 - side])
    return Interval(figure(np.ones(count, np.int64)), float(low), float(high))
