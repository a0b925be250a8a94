"""A model in memory-mapped pieces: its architecture and its tensors, read only when asked for.

Knows neither file formats (they implement `Tensor`) nor what becomes of the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .families import Architecture

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Rows as a block-quantized file holds them: value = scale * level + minimum.

    `levels` (rows, columns) integers in 0 .. top; `scale` and `minimum` float32
    (rows, columns / block).
    """

    levels: NDArray[np.uint8]
    scale: Floats
    minimum: Floats
    top: int

    @property
    def block(self) -> int:
        return int(self.levels.shape[1] // self.scale.shape[1])

    def floats(self) -> Floats:
        """The values, float32 (rows, columns)."""
        rows, columns = self.levels.shape
        blocked = self.levels.reshape(rows, -1, self.block).astype(np.float32)
        blocked *= self.scale[:, :, None]
        blocked += self.minimum[:, :, None]
        return blocked.reshape(rows, columns)


class Tensor(Protocol):
    """A matrix (outputs, inputs) or a vector in a model file.

    Both methods read rows `start` to `stop` and raise `IntakeError` for values that are not
    finite; a vector is one row.
    """

    @property
    def name(self) -> str:
        """What its file calls it."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def storage(self) -> str:
        """How its file stores it: `F32`, `BF16`, `Q4_1`, ..."""

    def floats(self, start: int, stop: int) -> Floats:
        """The values, float32 (stop - start, columns)."""

    def grid(self, start: int, stop: int) -> Grid | None:
        """The same rows as levels, scales and minima; None where the storage is no such grid."""


@dataclass(frozen=True)
class Weights:
    """A model: `tensors` by our names (`Architecture.shapes`), with the shapes given there.

    `metadata` is what else its file says (GGUF key-values, config.json).
    """

    architecture: Architecture
    tensors: Mapping[str, Tensor]
    format: str
    metadata: Mapping[str, Any]


def all_floats(tensor: Tensor) -> Floats:
    """The whole tensor in float32, in its shape."""
    rows = tensor.shape[0] if len(tensor.shape) == 2 else 1
    return tensor.floats(0, rows).reshape(tensor.shape)
