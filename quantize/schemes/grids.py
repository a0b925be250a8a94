"""Grids as the fused operators store them: which format holds a grid exactly, and the numbers.

A format stores value = scale * v + minimum with integers v of 4 or 8 bits, its scale and minimum as
float16 or float32. Knows arrays only; the bytes are `packed`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeward.quantize.weights import Floats, Grid, Tensor


@dataclass(frozen=True)
class Format:
    """How a block of 32 values of a row is stored; the numbers of kernels/ops/format.h."""

    name: str
    bits: int
    offset: int
    """Added to a value v to make its code."""
    half: bool
    """Scales and minima are float16, otherwise float32."""
    minimum: bool
    scales: int = 1
    """Of a block: one, or one for each 16 values."""


Q4_0 = Format("q4_0", 4, 8, half=True, minimum=False)
Q4_1 = Format("q4_1", 4, 0, half=True, minimum=True)
Q8_0 = Format("q8_0", 8, 128, half=True, minimum=False)
Q8_1 = Format("q8_1", 8, 128, half=True, minimum=True)
Q4_K = Format("q4_k", 4, 0, half=False, minimum=True)
Q5_K = Format("q5_k", 8, 128, half=False, minimum=True)
Q6_K = Format("q6_k", 8, 128, half=False, minimum=False, scales=2)

FORMATS = {form.name: form for form in (Q4_0, Q4_1, Q8_0, Q8_1, Q4_K, Q5_K, Q6_K)}

BLOCK = 32


@dataclass(frozen=True)
class Values:
    """Rows in a format: int8 `values` (rows, columns), float32 `scales` and `minima` of blocks."""

    values: NDArray[np.int8]
    scales: Floats
    minima: Floats | None

    @property
    def rows(self) -> int:
        return int(self.values.shape[0])

    def cut(self, begin: int, end: int) -> Values:
        """Rows `begin` to `end`."""
        minima = None if self.minima is None else self.minima[begin:end]
        return Values(self.values[begin:end], self.scales[begin:end], minima)

    def and_below(self, other: Values) -> Values:
        """These rows and below them those of `other`, of the same format."""
        minima = None
        if self.minima is not None and other.minima is not None:
            minima = np.concatenate([self.minima, other.minima])
        return Values(
            np.concatenate([self.values, other.values]),
            np.concatenate([self.scales, other.scales]),
            minima,
        )


def format_of(tensors: Iterable[Tensor], rows_at_once: int) -> Format | None:
    """The smallest format that holds all of them exactly; None where there is none."""
    found = {_format(grid) for t in tensors for grid in _grids(t, rows_at_once)}
    if None in found or not found:
        return None
    formats = {f for f in found if f is not None}
    for candidate in (Q4_0, Q4_1, Q8_0, Q8_1, Q4_K, Q5_K, Q6_K):
        if all(_holds(candidate, f) for f in formats):
            return candidate
    return None


def exact(grid: Grid, target: Format) -> Values:
    """The grid in a format that `format_of` gave for it."""
    low = _signed_from(grid)
    if not target.minimum:
        shift = low
        minima = None
    else:
        # 8-bit levels of more than 7 bits have to be centred; of those only symmetric ones come.
        shift = 128 if grid.top > 127 else 0
        minima = grid.minimum + np.float32(shift) * grid.scale
    values = (grid.levels.astype(np.int16) - np.int16(shift)).astype(np.int8)
    return Values(values, grid.scale, minima)


def nearest_half(values: Floats) -> Values:
    """Round finite values (rows, columns) to Q8_0: a float16 scale for each 32 values."""
    rows, columns = values.shape
    blocked = values.reshape(rows, columns // BLOCK, BLOCK)
    scales = (np.abs(blocked).max(axis=2) / np.float32(127)).astype(np.float16).astype(np.float32)
    inverse = np.divide(1, scales, out=np.zeros_like(scales), where=scales != 0)
    levels = np.clip(np.rint(blocked * inverse[:, :, None]), -127, 127)
    return Values(levels.astype(np.int8).reshape(rows, columns), scales, None)


def _grids(tensor: Tensor, rows_at_once: int) -> Iterable[Grid | None]:
    for begin in range(0, tensor.shape[0], rows_at_once):
        yield tensor.grid(begin, min(begin + rows_at_once, tensor.shape[0]))


def _format(grid: Grid | None) -> Format | None:
    if grid is None or grid.block not in (BLOCK, BLOCK // 2):
        return None
    symmetric = np.array_equal(grid.minimum, -np.float32(_signed_from(grid)) * grid.scale)
    if grid.block != BLOCK:
        return Q6_K if symmetric else None
    half = _is_half(grid.scale) and (symmetric or _is_half(grid.minimum))
    if grid.top == 15:
        return (Q4_0 if symmetric else Q4_1) if half else Q4_K
    if grid.top > 127 and not symmetric:
        return None
    return (Q8_0 if symmetric else Q8_1) if half else Q5_K


def _holds(wide: Format, narrow: Format) -> bool:
    """Whether `wide` stores everything that `narrow` does, by the way `exact` converts."""
    if wide == narrow:
        return True
    if wide.scales != narrow.scales:
        return False
    if narrow.half is False and wide.half:
        return False
    if narrow.minimum and not wide.minimum:
        return False
    # A symmetric grid's minimum is a float16 times a small power of two: mostly, not always, a
    # float16. Only formats with float32 minima take it for certain.
    if not narrow.minimum and wide.minimum and wide.half:
        return False
    return wide.bits >= narrow.bits


def _signed_from(grid: Grid) -> int:
    """The level that stands for zero where the grid is symmetric."""
    return (grid.top + 1) // 2


def _is_half(numbers: Floats) -> bool:
    return bool(np.array_equal(numbers.astype(np.float16).astype(np.float32), numbers))
