"""Ways to stretch rotary frequencies, as divisors of each pair's frequency.

Linear (Chen et al., 2023), Llama 3's, YaRN (Peng et al., 2023), LongRoPE (Ding et al., 2024).
Knows the formulas; not where a model keeps their constants.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Divisors = tuple[float, ...]


def linear(factor: float, rotated: int) -> Divisors:
    """All frequencies alike."""
    return (factor,) * (rotated // 2)


def llama3(
    theta: float, rotated: int, factor: float, low: float, high: float, trained: int
) -> Divisors:
    """1 for waves shorter than trained / high, `factor` beyond trained / low, smooth between."""
    waves = 2 * math.pi * theta ** (np.arange(0, rotated, 2) / rotated)
    smooth = np.clip((trained / waves - low) / (high - low), 0, 1)
    return _floats(1 / ((1 - smooth) / factor + smooth))


def yarn(
    theta: float,
    rotated: int,
    factor: float,
    trained: int,
    *,
    fast: float = 32.0,
    slow: float = 1.0,
    whole: bool = True,
) -> Divisors:
    """1 for pairs that turn more than `fast` times in `trained` positions, `factor` under `slow`.

    A straight ramp lies between; `whole`: its ends are rounded outwards to whole pairs.
    """

    def pair_of(turns: float) -> float:
        return rotated * math.log(trained / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low, high = pair_of(fast), pair_of(slow)
    if whole:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, rotated - 1)
    width = high - low if high != low else 0.001
    ramp = np.clip((np.arange(rotated // 2) - low) / width, 0, 1)
    return _floats(1 / (ramp / factor + (1 - ramp)))


def yarn_scale(factor: float, weight: float = 1.0) -> float:
    """YaRN's factor for cosines and sines: 0.1 ln(factor) + 1."""
    return 1.0 if factor <= 1 else 0.1 * weight * math.log(factor) + 1.0


def longrope_scale(factor: float, trained: int) -> float:
    """LongRoPE's factor for cosines and sines."""
    return 1.0 if factor <= 1 else math.sqrt(1 + math.log(factor) / math.log(trained))


def _floats(values: NDArray[np.float64]) -> Divisors:
    return tuple(float(value) for value in values)
