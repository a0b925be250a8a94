"""The file of weights: regions at multiples of 4,096 bytes, written in any order and in pieces.

Knows bytes and offsets only.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

PAGE = 4096


@dataclass(frozen=True)
class Region:
    """Room for one array: `shape` of `dtype` at `offset`, `size` bytes."""

    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def reshaped(self, *shape: int) -> Region:
        """The same bytes under another shape of as many elements."""
        assert math.prod(shape) == math.prod(self.shape)
        return Region(self.offset, self.dtype, shape)


class DataFile:
    """Writes a new file `path`; on leaving the `with` block it is complete and on the disk.

    Raises `OSError` where the system does (a full disk, no permission).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO = path.open("xb")
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._file.truncate(self._end)
                self._file.flush()
                os.fsync(self._file.fileno())
        finally:
            self._file.close()

    @property
    def size(self) -> int:
        return self._end

    def reserve(self, shape: tuple[int, ...], dtype: type[np.generic]) -> Region:
        """A region for an array of this shape, after all others; its bytes are zero until set."""
        region = Region(self._end, np.dtype(dtype), shape)
        self._end += -(-region.size // PAGE) * PAGE
        return region

    def write(self, region: Region, values: NDArray[Any], start: int = 0) -> None:
        """Put `values` at element `start` of `region`; C order, the region's type."""
        values = np.ascontiguousarray(values, region.dtype)
        at = start * region.dtype.itemsize
        assert at + values.nbytes <= region.size
        self._file.seek(region.offset + at)
        self._file.write(values.data)

    def add(self, values: NDArray[Any]) -> Region:
        """Reserve and write a whole array."""
        region = self.reserve(values.shape, values.dtype.type)
        self.write(region, values)
        return region
