"""Confidence intervals of figures over a text, by bootstrap. Knows arrays only.

Neighbouring positions of a text are alike, so not positions but runs of them are drawn: blocks of
64 one after the other (Kuensch 1989, without overlap). Draws are seeded: the same numbers give the
same interval.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

BLOCK = 64
"""Positions drawn together."""

_DRAWS = 1000
_RANKED = 400  # for percentiles, which take a sum over all positions each
_SIDES = (2.5, 97.5)

Numbers = NDArray[np.float64]


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A figure and where 95 % of the draws of a bootstrap put it."""

    value: float
    low: float
    high: float


def of_mean(values: Numbers, then: Callable[[Numbers], Numbers] = lambda mean: mean) -> Interval:
    """`then` (growing, say exp) of the mean of `values`, one a position."""
    starts = np.arange(0, values.size, BLOCK)
    sums = np.add.reduceat(values, starts)
    sizes = np.diff([*starts, values.size]).astype(np.float64)
    draws = _draws(starts.size)
    return _interval(then(np.asarray(values.mean())), then(draws @ sums / (draws @ sizes)))


def of_percentile(values: Numbers, percent: float) -> Interval:
    """A percentile of `values`, one a position."""
    starts = np.arange(0, values.size, BLOCK)
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    draws = _draws(starts.size)[:_RANKED]
    found = np.empty(len(draws))
    for number, draw in enumerate(draws):
        reached = np.cumsum(draw[order // BLOCK])
        at = np.searchsorted(reached, percent / 100 * reached[-1])
        found[number] = ranked[min(int(at), ranked.size - 1)]
    return _interval(np.percentile(values, percent), found)


def of_draws(count: int, figure: Callable[[NDArray[np.intp]], float], draws: int = 200) -> Interval:
    """`figure` of `count` independent things, called with the numbers of those that were drawn."""
    random = np.random.Generator(np.random.Philox(0))
    found = [figure(random.integers(0, count, count)) for _ in range(draws)]
    return _interval(figure(np.arange(count)), np.asarray(found))


def _draws(blocks: int) -> Numbers:
    """How often each block is in each draw: (draws, blocks)."""
    random = np.random.Generator(np.random.Philox(0))
    return random.multinomial(blocks, np.full(blocks, 1 / blocks), _DRAWS).astype(np.float64)


def _interval(value: object, found: Numbers) -> Interval:
    low, high = np.nanpercentile(found, _SIDES)
    return Interval(value=float(value), low=float(low), high=float(high))  # type: ignore[arg-type]
