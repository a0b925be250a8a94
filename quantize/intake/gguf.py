"""A GGUF file as `Weights`: mapped into memory, shapes checked against its architecture.

Knows which tensors of a file are weights. Does not know the container's bytes (`gguf_header`), the
tensor types' bits (`gguf_types`), nor the keys of the settings (`gguf_config`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import IntakeError
from edgeward.quantize.weights import Floats, Grid, Weights, all_floats

from . import checks, gguf_config, gguf_types
from .assemble import Order, Piece, assemble
from .gguf_header import TensorInfo, read_header


@dataclass(frozen=True)
class GgufTensor:
    """A tensor in a mapped file; `order`, where given, says which stored row each row is."""

    path: Path
    info: TensorInfo
    shape: tuple[int, ...]
    raw: NDArray[np.uint8]
    order: NDArray[np.intp] | None = None

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def storage(self) -> str:
        return str(self.info.type.name)

    def pick(self, rows: slice | Order) -> GgufTensor:
        if isinstance(rows, slice):
            raw = self.raw[rows]
            return replace(self, raw=raw, shape=(raw.shape[0], *self.shape[1:]))
        return replace(self, order=rows, shape=(rows.size, *self.shape[1:]))

    def floats(self, start: int, stop: int) -> Floats:
        values = gguf_types.floats(self.info.type, self._rows(start, stop))
        checks.finite(self.path, self.name, values)
        return values

    def grid(self, start: int, stop: int) -> Grid | None:
        grid = gguf_types.unpack(self.info.type, self._rows(start, stop))
        if grid is not None:
            checks.finite(self.path, self.name, grid.scale, grid.minimum)
        return grid

    def _rows(self, start: int, stop: int) -> NDArray[np.uint8]:
        if self.order is None:
            return self.raw[start:stop]
        return self.raw[self.order[start:stop]]


def read(path: Path) -> Weights:
    """Open the GGUF file `path`; nothing but its header is read.

    Raises `IntakeError` for a file that is damaged, cut off, of an unknown architecture, or whose
    tensors are not those its architecture needs.
    """
    content = _map(path)
    header = read_header(path, content)
    family = gguf_config.family(header)

    def vector(name: str) -> Floats:
        return all_floats(_tensor(path, content, header.tensors[name]))

    architecture, factors = gguf_config.architecture(header, family, vector)
    checks.architecture(path, architecture)
    found: dict[str, Piece] = {
        name: _tensor(path, content, info)
        for name, info in header.tensors.items()
        if name not in gguf_config.CONSTANTS
    }
    tensors = assemble(
        path, found, family, "gguf", architecture, factors, ignored=lambda name: False
    )
    return Weights(architecture, tensors, "gguf", header.metadata)


def _map(path: Path) -> NDArray[np.uint8]:
    try:
        return np.memmap(path, np.uint8, mode="r")
    except ValueError:
        raise IntakeError(f"{path} is empty; fetch the file again.") from None
    except OSError as error:
        raise IntakeError(f"{path} cannot be read: {error.strerror}.") from None


def _tensor(path: Path, content: NDArray[np.uint8], info: TensorInfo) -> GgufTensor:
    if info.type not in gguf_types.SUPPORTED:
        known = ", ".join(kind.name for kind in gguf_types.SUPPORTED)
        raise IntakeError(
            f"{path}: tensor '{info.name}' has the type {info.type.name}; known are {known}. "
            f"Take another quantization of the model, best Q8_0 or F16."
        )
    raw = content[info.offset : info.offset + info.rows * info.row_bytes]
    return GgufTensor(path, info, info.shape, raw.reshape(info.rows, info.row_bytes))
