"""From samples to figures: median, spread, percentiles. Knows numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MORE_IS_BETTER = ("tokens/s", "MB/s", "x")


@dataclass(frozen=True)
class Summary:
    """What a list of samples says; `unit` is theirs."""

    unit: str
    samples: tuple[float, ...]
    median: float
    low: float
    """Smallest sample."""
    high: float
    """Largest sample."""
    p95: float
    """Worse than 95 of 100 samples: high for times and sizes, low for speeds and ratios."""
    p99: float


def summarize(samples: Sequence[float], unit: str) -> Summary:
    """Summary of at least one sample; percentiles are interpolated linearly between samples.

    `p95` and `p99` look at the bad end, which is the low one for speeds and ratios.
    """
    if not samples:
        raise ValueError("no samples to summarize")
    more_is_better = unit in MORE_IS_BETTER
    points = [50, 5, 1] if more_is_better else [50, 95, 99]
    p50, p95, p99 = np.percentile(np.asarray(samples, dtype=float), points)
    return Summary(
        unit, tuple(samples), float(p50), min(samples), max(samples), float(p95), float(p99)
    )
