"""Round to nearest: each block's largest magnitude becomes level 255 or 1. Knows arrays only."""

from __future__ import annotations

import numpy as np

from edgeward.quantize.weights import Floats

from .blocks import ZERO, Blocks

_TOP = 127


def nearest(values: Floats, block: int) -> Blocks:
    """Quantize finite `values` (rows, columns) in blocks of `block` columns to 8 bits, symmetric.

    No value moves by more than half a step, which is the block's largest magnitude / 127.
    """
    rows, columns = values.shape
    blocked = values.reshape(rows, columns // block, block)
    scales = np.abs(blocked).max(axis=2) / np.float32(_TOP)
    # A block of zeros, or of numbers too small to divide by, keeps the level of zero.
    inverse = np.divide(1, scales, out=np.zeros_like(scales), where=scales > np.float32(1e-37))
    levels = np.rint(blocked * inverse[:, :, None])
    levels += ZERO
    return Blocks(levels.astype(np.uint8).reshape(rows, columns), scales)
