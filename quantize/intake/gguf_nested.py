"""GGUF's types with scales of their own scales, and those with a table of levels, as plain grids.

Super-blocks of 256 values hold one or two float16 numbers and small integers for each block of 32
or 16; the product of both is the block's scale. Knows the byte layouts of Q2_K to Q6_K, IQ4_NL and
IQ4_XS (ggml-common.h) and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gguf import GGMLQuantizationType as Type
from numpy.typing import NDArray

from edgeward.quantize.weights import Floats, Grid

Bytes = NDArray[np.uint8]

SUPER = 256
# The levels that IQ4's four bits stand for.
_TABLE = np.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.int16
)


def unpack(kind: Type, rows: Bytes) -> Grid | None:
    """Levels, scales and minima of `rows` (rows, bytes a row); None for any other type."""
    if kind not in _LAYOUTS:
        return None
    size, top, parts = _LAYOUTS[kind]
    count = rows.shape[0]
    levels, scale, minimum = parts(rows.reshape(-1, size))
    return Grid(levels.reshape(count, -1), _by_row(scale, count), _by_row(minimum, count), top)


def _by_row(values: Floats, rows: int) -> Floats:
    return np.ascontiguousarray(values.reshape(rows, -1), np.float32)


Parts = tuple[Bytes, Floats, Floats]


def _half(blocks: Bytes, at: int) -> Floats:
    """A float16 number of each super-block, as (blocks, 1)."""
    return np.ascontiguousarray(blocks[:, at : at + 2]).view(np.float16).astype(np.float32)


def _crumbs(packed: Bytes) -> Bytes:
    """Two bits a value: 32 bytes hold four runs of 32, lowest bits first."""
    by_half = packed.reshape(-1, 2, 1, 32)
    shifts = np.arange(0, 8, 2, dtype=np.uint8).reshape(1, 1, 4, 1)
    crumbs: Bytes = (by_half >> shifts & np.uint8(3)).reshape(-1, SUPER)
    return crumbs


def _q2_k(blocks: Bytes) -> Parts:
    scale = _half(blocks, 80) * (blocks[:, :16] & 15)
    minimum = _half(blocks, 82) * (blocks[:, :16] >> 4)
    return _crumbs(blocks[:, 16:80]), scale, -minimum


def _q3_k(blocks: Bytes) -> Parts:
    bits = np.unpackbits(np.ascontiguousarray(blocks[:, :32]), axis=1, bitorder="little")
    high = bits.reshape(-1, 32, 8).swapaxes(1, 2).reshape(-1, SUPER)
    levels = _crumbs(blocks[:, 32:96]) | high << np.uint8(2)
    packed = blocks[:, 96:108]
    low = np.concatenate([packed[:, :8] & 15, packed[:, :8] >> 4], axis=1)
    shifts = np.repeat(np.arange(0, 8, 2, dtype=np.uint8), 4)
    upper = np.tile(packed[:, 8:], 4) >> shifts & 3
    scale = _half(blocks, 108) * ((low | upper << 4).astype(np.float32) - 32)
    return levels, scale, -4 * scale


def _six_bits(packed: Bytes) -> tuple[Bytes, Bytes]:
    """Eight scales and eight minima of six bits in twelve bytes."""
    first, second, third = packed[:, :4], packed[:, 4:8], packed[:, 8:]
    scales = np.concatenate([first & 63, third & 15 | first >> 6 << 4], axis=1)
    minima = np.concatenate([second & 63, third >> 4 | second >> 6 << 4], axis=1)
    return scales, minima


def _nibble_runs(packed: Bytes) -> Bytes:
    """Runs of 32 bytes: their low nibbles, then their high ones."""
    runs = packed.reshape(-1, 4, 1, 32)
    return np.concatenate([runs & 15, runs >> 4], axis=2).reshape(-1, SUPER)


def _q4_k(blocks: Bytes) -> Parts:
    scales, minima = _six_bits(blocks[:, 4:16])
    scale, minimum = _half(blocks, 0) * scales, _half(blocks, 2) * minima
    return _nibble_runs(blocks[:, 16:]), scale, -minimum


def _q5_k(blocks: Bytes) -> Parts:
    scales, minima = _six_bits(blocks[:, 4:16])
    bits = np.unpackbits(np.ascontiguousarray(blocks[:, 16:48]), axis=1, bitorder="little")
    high = bits.reshape(-1, 32, 8).swapaxes(1, 2).reshape(-1, SUPER)
    levels = _nibble_runs(blocks[:, 48:]) | high << np.uint8(4)
    return levels, _half(blocks, 0) * scales, -(_half(blocks, 2) * minima)


def _q6_k(blocks: Bytes) -> Parts:
    low = blocks[:, :128].reshape(-1, 2, 1, 64)
    nibbles = np.concatenate([low & 15, low >> 4], axis=2).reshape(-1, SUPER)
    levels = nibbles | _crumbs(blocks[:, 128:192]) << np.uint8(4)
    scales = np.ascontiguousarray(blocks[:, 192:208]).view(np.int8)
    scale = _half(blocks, 208) * scales
    return levels, scale, -32 * scale


def _looked_up(packed: Bytes) -> Bytes:
    """Low nibbles are the first half of a block of 32; levels of the table, 128 added."""
    runs = packed.reshape(-1, 1, 16)
    nibbles = np.concatenate([runs & 15, runs >> 4], axis=1)
    levels: Bytes = (_TABLE + 128).astype(np.uint8)[nibbles]
    return levels


def _iq4_nl(blocks: Bytes) -> Parts:
    scale = _half(blocks, 0)
    return _looked_up(np.ascontiguousarray(blocks[:, 2:])), scale, -128 * scale


def _iq4_xs(blocks: Bytes) -> Parts:
    high = np.ascontiguousarray(blocks[:, 2:4]).view("<u2")
    upper = (high >> np.arange(0, 16, 2, dtype=np.uint16) & 3).astype(np.uint8)
    packed = blocks[:, 4:8]
    low = np.stack([packed & 15, packed >> 4], axis=2).reshape(-1, 8)
    scale = _half(blocks, 0) * ((low | upper << 4).astype(np.float32) - 32)
    return _looked_up(np.ascontiguousarray(blocks[:, 8:])), scale, -128 * scale


# Type -> bytes of a (super-)block, highest level, unpacking.
_LAYOUTS: dict[Type, tuple[int, int, Callable[[Bytes], Parts]]] = {
    Type.Q2_K: (84, 3, _q2_k),
    Type.Q3_K: (110, 7, _q3_k),
    Type.Q4_K: (144, 15, _q4_k),
    Type.Q5_K: (176, 31, _q5_k),
    Type.Q6_K: (210, 63, _q6_k),
    Type.IQ4_NL: (18, 255, _iq4_nl),
    Type.IQ4_XS: (136, 255, _iq4_xs),
}
NESTED = tuple(_LAYOUTS)
