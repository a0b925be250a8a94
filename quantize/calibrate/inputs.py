"""What reaches each matrix: the second moments of its inputs, gathered layer by layer.

H = sum of x x^T over all positions, which is what rounding its weights costs is measured by. Knows
layers and hidden states; bounded by the positions given and one layer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeward.quantize.evaluate.reference import Layers
from edgeward.quantize.weights import Floats

# Numbers of hidden states run through a layer at once: its inner values are several times as many.
_AT_ONCE = 1 << 21

INPUT_OF = {
    "q": "qkv",
    "k": "qkv",
    "v": "qkv",
    "o": "o",
    "gate": "mlp",
    "up": "mlp",
    "down": "down",
}
"""Matrix of a layer to the input it reads."""


class Moments:
    """Sums of x x^T by input, float64 (channels, channels)."""

    def __init__(self) -> None:
        self.sums: dict[str, NDArray[np.float64]] = {}

    def add(self, name: str, x: Floats) -> None:
        """Take up inputs (..., channels)."""
        rows = x.reshape(-1, x.shape[-1])
        found = (rows.T @ rows).astype(np.float64)
        if name in self.sums:
            self.sums[name] += found
        else:
            self.sums[name] = found


def run(
    layers: Layers,
    number: int,
    x: Floats,
    tensors: dict[str, Floats],
    moments: Moments | None = None,
) -> Floats:
    """Layer `number` on x (windows, length, hidden), some windows at a time; feeds `moments`."""
    many = max(1, _AT_ONCE // (x.shape[1] * x.shape[2]))
    made = np.empty_like(x)
    for begin in range(0, len(x), many):
        part, seen = layers.run(number, x[begin : begin + many], tensors, moments is not None)
        made[begin : begin + many] = part
        if moments is not None:
            for name, values in seen.items():
                moments.add(name, values)
    return made
