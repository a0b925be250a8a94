"""The bytes of a matrix for the fused operators (the layout of kernels/ops/format.h).

16 rows form a group; a group is stored block after block, a block being 32 columns of its rows:
codes in quads of four columns, then scales, then minima. Knows arrays and bytes only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeward.quantize.schemes.grids import BLOCK, Format, Values
from edgeward.quantize.weights import Floats

GROUP = 16
_QUAD = 4


def block_bytes(form: Format) -> int:
    """Bytes of one block of a group."""
    numbers = 2 if form.half else 4
    return GROUP * (BLOCK * form.bits // 8 + numbers * (form.scales + int(form.minimum)))


def packed_shape(form: Format, rows: int, columns: int) -> tuple[int, int, int]:
    """(groups, blocks, bytes of a block) of a matrix."""
    return -(-rows // GROUP), columns // BLOCK, block_bytes(form)


def pack(form: Format, rows: Values) -> NDArray[np.uint8]:
    """Rows as bytes of `packed_shape`; the last group is filled up with zero bytes."""
    count, columns = rows.values.shape
    groups, blocks, size = packed_shape(form, count, columns)
    whole = groups * GROUP
    codes = np.zeros((whole, columns), np.uint8)
    codes[:count] = (rows.values.astype(np.int16) + form.offset).astype(np.uint8)
    # (group, row, block, quad, 4) to (group, block, quad, row, 4)
    quads = codes.reshape(groups, GROUP, blocks, BLOCK // _QUAD, _QUAD).transpose(0, 2, 3, 1, 4)
    if form.bits == 4:
        half = BLOCK // _QUAD // 2
        quads = quads[:, :, :half] | (quads[:, :, half:] << np.uint8(4))
    parts = [np.ascontiguousarray(quads).reshape(groups, blocks, -1)]
    parts.append(_numbers(form, rows.scales, groups, blocks))
    if form.minimum:
        assert rows.minima is not None
        parts.append(_numbers(form, rows.minima, groups, blocks))
    packed = np.concatenate(parts, axis=2)
    assert packed.shape == (groups, blocks, size)
    return packed


def _numbers(form: Format, numbers: Floats, groups: int, blocks: int) -> NDArray[np.uint8]:
    dtype = np.dtype("<f2") if form.half else np.dtype("<f4")
    rows, columns = numbers.shape
    padded = np.zeros((groups * GROUP, columns), dtype)
    padded[:rows] = numbers
    # Of a block with two, the first of all its rows comes before the second.
    by_block = padded.reshape(groups, GROUP, blocks, columns // blocks)
    ordered = np.ascontiguousarray(by_block.transpose(0, 2, 3, 1))
    return ordered.view(np.uint8).reshape(groups, blocks, -1)
