"""Carry a 4-, 5- or 8-bit grid over to 8-bit blocks without rounding its values anew.

A source block holds d * q + m with integers 0 <= q <= top; a target block holds s * v with
integers -128 <= v <= 127. For a whole number k, v = k * q + r keeps the grid's spacing exactly
(s = d / k) and moves it as a whole by e = r * d / k - m, the rest that rounding r = m * k / d
leaves. There are up to 255 / top choices of k; the best leaves a rest of a few thousandths of d,
and a scale by least squares takes a part of that too. Where m is a multiple of d (Q4_0, Q5_0,
Q8_0) nothing moves at all.

Knows arrays only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeward.quantize.weights import Floats, Grid

from .blocks import ZERO, Blocks
from .nearest import nearest

_LOW, _HIGH = -128, 127


def carry(grid: Grid) -> Blocks:
    """The grid in 8-bit blocks of the same size.

    A block whose values lie so far from zero that even k = 1 leaves the range is rounded to
    nearest instead.
    """
    rows, columns = grid.levels.shape
    blocked = grid.levels.reshape(rows, -1, grid.block)
    flat = grid.scale == 0
    if flat.any():  # constant blocks: the levels mean nothing, the minimum is the value
        blocked = np.where(flat[:, :, None], np.uint8(0), blocked)
    step, offset, scale = _choose(grid, blocked)
    step[flat], offset[flat] = 1, 1
    scale[flat] = grid.minimum[flat]
    levels = blocked * step[:, :, None]
    # All in uint8: the true sum lies in 0 .. 255, so wrapping on the way does no harm.
    levels += (offset + ZERO).astype(np.uint8)[:, :, None]
    misfit = step == 0
    if misfit.any():
        values = blocked[misfit] * grid.scale[misfit][:, None] + grid.minimum[misfit][:, None]
        rounded = nearest(values.astype(np.float32), grid.block)
        levels[misfit], scale[misfit] = rounded.levels, rounded.scales[:, 0]
    return Blocks(levels.reshape(rows, columns), scale)


def _choose(
    grid: Grid, blocked: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.int16], Floats]:
    """Per block: k (0 where none fits), r, s with the least sum of squared errors."""
    low = blocked.min(axis=2).astype(np.float32)
    high = blocked.max(axis=2).astype(np.float32)
    wide = blocked.astype(np.float32)
    total = wide.sum(axis=2)
    squares = np.einsum("rbi,rbi->rb", wide, wide)
    d, m = grid.scale, grid.minimum
    ratio = np.divide(m, d, out=np.zeros_like(m), where=d != 0)
    best = np.full(d.shape, np.inf, np.float32)
    step = np.zeros(d.shape, np.uint8)
    offset = np.zeros(d.shape, np.int16)
    scale = np.zeros_like(d)
    for k in range(1, 255 // grid.top + 1):
        r = np.rint(ratio * k)
        fits = (k * low + r >= _LOW) & (k * high + r <= _HIGH)
        # Target values are t = d q + m + e before their scale; all in units of d.
        e = r / k - ratio
        shift = ratio + e
        sum_t = total + grid.block * shift
        sum_tt = squares + 2 * shift * total + grid.block * shift * shift
        norm = np.maximum(sum_tt, np.float32(1e-30))
        error = e * e * np.maximum(grid.block - sum_t * sum_t / norm, 0)
        better = fits & (error < best)
        best = np.where(better, error, best)
        step[better] = k
        offset[better] = r[better].astype(np.int16)
        scale = np.where(better, d / k * (1 - e * sum_t / norm), scale)
    return step, offset, scale
