"""Numbers out of GGUF's tensor types; quantized ones also as their grid.

Knows the byte layout of Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0 (ggml-common.h), where
value = scale * level + minimum; `gguf_nested` knows the others.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gguf import GGMLQuantizationType as Type
from numpy.typing import NDArray

from edgeward.quantize.weights import Floats, Grid

from . import gguf_nested

BLOCK = 32

Bytes = NDArray[np.uint8]


def unpack(kind: Type, rows: Bytes) -> Grid | None:
    """Levels, scales and minima of `rows` (rows, bytes a row); None for any other type."""
    if kind not in _LAYOUTS:
        return gguf_nested.unpack(kind, rows)
    head, high_bits, top, levels_of = _LAYOUTS[kind]
    body = BLOCK if kind is Type.Q8_0 else BLOCK // 2
    count = rows.shape[0]
    blocks = rows.reshape(count, -1, 2 * head + high_bits + body)
    halves = np.ascontiguousarray(blocks[:, :, : 2 * head]).view(np.float16).astype(np.float32)
    scale = np.ascontiguousarray(halves[:, :, 0])
    if head == 2:
        minimum = np.ascontiguousarray(halves[:, :, 1])
    else:  # signed levels, stored here with an offset of half the range
        minimum = scale * np.float32(-(top + 1) // 2)
    levels = levels_of(blocks[:, :, 2 * head :])
    return Grid(levels.reshape(count, -1), scale, minimum, top)


def _nibbles(packed: Bytes) -> Bytes:
    """Low nibbles are values 0 to 15 of the block, high nibbles 16 to 31."""
    levels = np.empty((*packed.shape[:2], BLOCK), np.uint8)
    np.bitwise_and(packed, 15, out=levels[:, :, : BLOCK // 2])
    np.right_shift(packed, 4, out=levels[:, :, BLOCK // 2 :])
    return levels


def _five_bits(body: Bytes) -> Bytes:
    """Four bytes of fifth bits, little-endian, then nibbles."""
    fifth = np.unpackbits(np.ascontiguousarray(body[:, :, :4]), axis=2, bitorder="little")
    fifth <<= 4
    fifth |= _nibbles(body[:, :, 4:])
    return fifth


def _signed_bytes(body: Bytes) -> Bytes:
    """int8 with an offset of 128: flipping the sign bit adds it."""
    return body ^ np.uint8(128)


# Type -> float16 fields before the levels, bytes of fifth bits, highest level, unpacking.
_LAYOUTS: dict[Type, tuple[int, int, int, Callable[[Bytes], Bytes]]] = {
    Type.Q4_0: (1, 0, 15, _nibbles),
    Type.Q4_1: (2, 0, 15, _nibbles),
    Type.Q5_0: (1, 4, 31, _five_bits),
    Type.Q5_1: (2, 4, 31, _five_bits),
    Type.Q8_0: (1, 0, 255, _signed_bytes),
}


def bfloat16(raw: Bytes) -> Floats:
    """bfloat16 is the upper half of float32."""
    return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)


_PLAIN: dict[Type, Callable[[Bytes], Floats]] = {
    Type.F32: lambda raw: raw.view("<f4").astype(np.float32),
    Type.F16: lambda raw: raw.view("<f2").astype(np.float32),
    Type.BF16: bfloat16,
}
SUPPORTED = (*_PLAIN, *_LAYOUTS, *gguf_nested.NESTED)


def floats(kind: Type, rows: Bytes) -> Floats:
    """The values of `rows` (rows, bytes a row) of a supported type, in float32."""
    grid = unpack(kind, rows)
    if grid is not None:
        return grid.floats()
    return _PLAIN[kind](np.ascontiguousarray(rows))
