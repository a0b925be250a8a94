"""From samples to figures: median, spread, percentiles. Knows numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


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
    p99: float


def summarize(samples: Sequence[float], unit: str) -> Summary:
    """Summary of at least one sample; percentiles are interpolated linearly between samples."""
    if not samples:
        raise ValueError("no samples to summarize")
    p50, p95, p99 = np.percentile(np.asarray(samples, dtype=float), [50, 95, 99])
    return Summary(
        unit, tuple(samples), float(p50), min(samples), max(samples), float(p95), float(p99)
    )
