"""Blocks of 8-bit levels with one scale each: value = scale * (level - 128).

The layout of ONNX Runtime's `MatMulNBits` and `GatherBlockQuantized` without zero points. Knows
neither where the numbers come from nor where they go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeward.quantize.weights import Floats

ZERO = 128


@dataclass(frozen=True)
class Blocks:
    """`levels` uint8 (rows, columns), `scales` float32 (rows, columns / block)."""

    levels: NDArray[np.uint8]
    scales: Floats

    @property
    def block(self) -> int:
        return int(self.levels.shape[1] // self.scales.shape[1])

    def floats(self) -> Floats:
        """The values, float32 (rows, columns)."""
        rows, columns = self.levels.shape
        blocked = self.levels.reshape(rows, -1, self.block).astype(np.float32)
        blocked -= ZERO
        blocked *= self.scales[:, :, None]
        return blocked.reshape(rows, columns)
