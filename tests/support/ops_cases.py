"""Random matrices of every format for the tests of the operators.

Knows: what each format holds. Does not know: how it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeward.kernels import _native

# lowest and highest value, inputs a scale, float16 scales, minima
FORMATS = {
    "q4_0": (-8, 7, 32, True, False),
    "q4_1": (0, 15, 32, True, True),
    "q8_0": (-128, 127, 32, True, False),
    "q8_1": (-128, 127, 32, True, True),
    "q4_k": (0, 15, 32, False, True),
    "q5_k": (-128, 127, 32, False, True),
    "q6_k": (-128, 127, 16, False, False),
}


@dataclass(frozen=True)
class Case:
    """A matrix as plain arrays and packed."""

    values: NDArray[np.int8]
    scales: NDArray[np.float32]
    minima: NDArray[np.float32] | None
    packed: _native.PackedMatrix

    def floats(self) -> NDArray[np.float32]:
        """The weights themselves."""
        size = self.values.shape[1] // self.scales.shape[1]
        whole = self.values.astype(np.float32) * np.repeat(self.scales, size, axis=1)
        return whole if self.minima is None else whole + np.repeat(self.minima, 32, axis=1)


def matrix(name: str, rows: int, cols: int, seed: int = 0) -> Case:
    """Values over the whole range of the format."""
    lowest, highest, size, half, has_minima = FORMATS[name]
    rng = np.random.default_rng(seed)
    kind = np.float16 if half else np.float32
    values = rng.integers(lowest, highest, (rows, cols), endpoint=True).astype(np.int8)
    scales = rng.normal(0, 0.02, (rows, cols // size)).astype(kind).astype(np.float32)
    minima = None
    if has_minima:
        minima = rng.normal(0, 0.1, (rows, cols // 32)).astype(kind).astype(np.float32)
    return Case(values, scales, minima, _native.PackedMatrix(name, values, scales, minima))


def activations(rows: int, cols: int, seed: int = 1) -> NDArray[np.float32]:
    """Normal, with a few outliers as models have them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (rows, cols))
    x[rng.random((rows, cols)) < 0.01] *= 30
    return x.astype(np.float32)
