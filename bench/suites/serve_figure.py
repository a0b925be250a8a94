"""One figure of the serve bench: what was measured beside what must be reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Figure:
    """`value` in `unit`; `must` is the bound it is held against (None: for information)."""

    part: str
    name: str
    value: float | None
    """None: nothing that it could be measured on happened."""
    unit: str
    samples: int
    must: float | None = None
    side: Literal["most", "least"] = "most"
    """Whether `must` is the most or the least it may be."""

    @property
    def met(self) -> bool | None:
        """Whether the bound is kept; None where there is none, or nothing was measured."""
        if self.must is None or self.value is None:
            return None
        return self.value <= self.must if self.side == "most" else self.value >= self.must


def percentile(samples: Sequence[float], percent: float) -> float | None:
    """Interpolated linearly; None of no samples."""
    return float(np.percentile(np.asarray(samples, dtype=float), percent)) if samples else None
