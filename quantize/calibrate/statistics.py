"""How large each channel of each matrix's input is, on a text. Knows the float32 reference only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgeward.quantize.evaluate.reference import LayeredReference
from edgeward.quantize.weights import Floats, Weights


def input_rms(
    weights: Weights,
    windows: NDArray[np.int64],
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Floats]:
    """Root mean square of each channel over all positions of `windows` (windows, length).

    By input: `layers.{n}.qkv`, `.o`, `.mlp` (gate and up) and `.down`, float32 (channels,).
    """
    reference = LayeredReference(weights, threads)
    found: dict[str, Floats] = {}

    def see(layer: int, inputs: dict[str, Floats]) -> None:
        for name, values in inputs.items():
            squares = np.square(values).mean(axis=(0, 1))
            found[f"layers.{layer}.{name}"] = np.asarray(np.sqrt(squares), np.float32)

    reference.hidden(windows, windows.shape[1] - 1, progress, see)
    return found
