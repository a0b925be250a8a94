"""Pairs of measurements: is there a difference, how large, how sure. Knows numbers only.

Wilcoxon's signed-rank test with its exact distribution, and the estimate and interval that belong
to it (Hodges and Lehmann 1963). Nothing is assumed of the noise but this: had the two things
measured changed places, each difference had been as likely with the other sign. An interleaved
measurement whose order was drawn at random makes that true by itself, however the machine drifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST = 400
"""Differences that are tested at most; of more, neighbours are averaged first."""


@dataclass(frozen=True)
class Difference:
    """An estimate, its interval, and how often chance alone makes as much (`p`)."""

    value: float
    low: float
    high: float
    p: float
    count: int
    """Differences it was made from."""


def signed_rank(differences: Sequence[float], confidence: float = 0.95) -> Difference:
    """The centre of `differences` and a test of whether it is 0.

    With fewer than 6 differences an interval of 95 % is all the line there is: low and high are
    -inf and inf. Raises `ValueError` for none at all, or one that is no number.
    """
    d = np.asarray(differences, float)
    if d.size == 0 or not np.isfinite(d).all():
        raise ValueError(f"{d.size} differences; at least one finite number is needed")
    if d.size > MOST:
        d = np.array([part.mean() for part in np.array_split(d, MOST)])
    n = d.size
    walsh = np.sort(((d[:, None] + d[None, :]) / 2)[np.triu_indices(n)])
    chance = _distribution(n)
    below = np.cumsum(chance)
    # As many of the smallest averages are left out on each side as chance allows.
    out = int(np.searchsorted(below, (1 - confidence) / 2, side="right"))
    low, high = (walsh[out - 1], walsh[-out]) if out > 0 else (-np.inf, np.inf)
    return Difference(
        float(np.median(walsh)), float(low), float(high), _p(d, below), int(np.size(differences))
    )


def holm(ps: Sequence[float]) -> list[float]:
    """p values corrected for there being several (Holm 1979)."""
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    corrected, worst = [0.0] * len(ps), 0.0
    for place, index in enumerate(order):
        worst = max(worst, min(1.0, (len(ps) - place) * ps[index]))
        corrected[index] = worst
    return corrected


@lru_cache(maxsize=64)
def _distribution(n: int) -> Floats:
    """Chance of each sum of positive ranks 0 .. n (n + 1) / 2 when every sign is a coin's."""
    chance = np.zeros(n * (n + 1) // 2 + 1)
    chance[0] = 1.0
    for rank in range(1, n + 1):
        chance[rank:] = (chance[rank:] + chance[:-rank]) / 2
        chance[:rank] /= 2
    return chance


def _p(d: Floats, below: Floats) -> float:
    """Two-sided; equal sizes share their ranks, a difference of 0 counts half to each side."""
    _, place, size = np.unique(np.abs(d), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(size) - (size - 1) / 2)[place]
    positive = float(ranks[d > 0].sum() + ranks[d == 0].sum() / 2)
    most = d.size * (d.size + 1) / 2
    tail = int(np.floor(min(positive, most - positive)))
    return float(min(1.0, 2 * below[tail])) if positive != most / 2 else 1.0
