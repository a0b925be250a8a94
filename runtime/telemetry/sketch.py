"""Counts in bins, and how far two of them are apart: the population stability index.

PSI = sum over bins of (p - q) ln(p / q). When both samples, of n and m, come from one distribution
over k bins, PSI / (1/n + 1/m) follows a chi-squared distribution with k - 1 degrees of freedom
(B. Yurdakul, "Statistical Properties of Population Stability Index", 2018), so a threshold has a
known rate of false alarms; the custom of 0.1 and 0.25 has none.

Knows: counts. Does not know: what is counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

LEAST_EXPECTED = 5
"""Fewer in a bin, and the chi-squared distribution does not hold: such bins are joined."""


def psi(reference: Sequence[int], now: Sequence[int]) -> float:
    """The index of two lists of counts over the same bins; half a count is added to each bin."""
    n, m = sum(reference) + len(reference) / 2, sum(now) + len(now) / 2
    total = 0.0
    for a, b in zip(reference, now, strict=True):
        p, q = (a + 0.5) / n, (b + 0.5) / m
        total += (p - q) * math.log(p / q)
    return total


def threshold(n: int, m: int, bins: int, false_alarms: float) -> float:
    """What PSI exceeds by chance at the rate `false_alarms`; infinite with less than two bins."""
    if bins < 2:
        return math.inf
    return (1 / n + 1 / m) * chi_squared(bins - 1, 1 - false_alarms)


def chi_squared(degrees: int, share: float) -> float:
    """Quantile by Wilson and Hilferty's cube (1931): within 2 % for shares from 0.9 on."""
    z = NormalDist().inv_cdf(share)
    spread = 2 / (9 * degrees)
    return degrees * (1 - spread + z * math.sqrt(spread)) ** 3


def joined(
    reference: Sequence[int], now: Sequence[int], least: float = LEAST_EXPECTED
) -> tuple[list[int], list[int]]:
    """Both with neighbouring bins joined until each expects `least` counts in both samples.

    What is expected is worked out from the reference alone: a choice that looked at both would
    raise the rate of false alarms.
    """
    n, m = max(1, sum(reference)), sum(now)
    made: list[list[int]] = [[0, 0]]
    for a, b in zip(reference, now, strict=True):
        if min(made[-1][0], made[-1][0] * m / n) >= least:
            made.append([0, 0])
        made[-1][0] += a
        made[-1][1] += b
    if len(made) > 1 and min(made[-1][0], made[-1][0] * m / n) < least:
        last = made.pop()
        made[-1][0] += last[0]
        made[-1][1] += last[1]
    return [pair[0] for pair in made], [pair[1] for pair in made]
