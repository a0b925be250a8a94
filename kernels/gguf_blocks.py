"""GGUF's quantized types as the plain arrays that `PackedMatrix` takes, without rounding anything.

Knows: the bytes of Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q3_K, Q4_K, Q5_K and Q6_K (ggml-common.h). Does
not know: files, models. A k-type's scale is a float16 times an integer of at most eight bits, 19
bits of mantissa, so float32 holds the product exactly. Q2_K is not taken: it has a minimum per 16
inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Plain(NamedTuple):
    """weight = scale * value + minimum; see `PackedMatrix`."""

    format: str
    values: NDArray[np.int8]
    scales: Floats
    minima: Floats | None


def plain(kind: str, rows: Bytes) -> Plain:
    """Rows of a GGUF tensor, uint8 (rows, bytes a row), of the type named as GGUF does ("Q4_K").

    Raises ValueError for a type that is not known or rows that are no whole number of blocks.
    """
    if kind not in _TYPES:
        raise ValueError(f"type {kind} is not taken; known are {', '.join(_TYPES)}")
    size, read = _TYPES[kind]
    if rows.ndim != 2 or rows.shape[1] == 0 or rows.shape[1] % size:
        raise ValueError(f"rows of shape {rows.shape}; a block of {kind} has {size} bytes")
    count = len(rows)
    name, values, scales, minima = read(np.ascontiguousarray(rows).reshape(-1, size))
    flat = None if minima is None else np.ascontiguousarray(minima.reshape(count, -1))
    return Plain(
        name,
        np.ascontiguousarray(values.reshape(count, -1).astype(np.int8)),
        np.ascontiguousarray(scales.reshape(count, -1)),
        flat,
    )


def _half(blocks: Bytes, at: int) -> Floats:
    """The float16 at a byte of each block, as float32 (blocks, 1)."""
    raw = np.ascontiguousarray(blocks[:, at : at + 2])
    return raw.view(np.float16).astype(np.float32)


def _nibbles(packed: Bytes) -> Bytes:
    """All low nibbles of the last axis, then all high ones."""
    return np.concatenate([packed & 15, packed >> 4], axis=-1)


def _fifth_bits(blocks: Bytes, at: int) -> Bytes:
    return np.unpackbits(blocks[:, at : at + 4], axis=1, bitorder="little") << np.uint8(4)


def _q4_0(b: Bytes) -> Plain:
    return Plain("q4_0", _nibbles(b[:, 2:]).astype(np.int8) - 8, _half(b, 0), None)


def _q4_1(b: Bytes) -> Plain:
    return Plain("q4_1", _nibbles(b[:, 4:]).view(np.int8), _half(b, 0), _half(b, 2))


def _q5_0(b: Bytes) -> Plain:
    codes = (_fifth_bits(b, 2) | _nibbles(b[:, 6:])).view(np.int8)
    return Plain("q8_0", codes - np.int8(16), _half(b, 0), None)


def _q5_1(b: Bytes) -> Plain:
    codes = (_fifth_bits(b, 4) | _nibbles(b[:, 8:])).view(np.int8)
    return Plain("q8_1", codes, _half(b, 0), _half(b, 2))


def _q8_0(b: Bytes) -> Plain:
    return Plain("q8_0", b[:, 2:].view(np.int8), _half(b, 0), None)


def _scales_and_minima(b: Bytes) -> tuple[Floats, Floats]:
    """Of Q4_K and Q5_K: eight of 6 bits each, from byte 4 on."""
    low, mid, high = b[:, 4:8], b[:, 8:12], b[:, 12:16]
    scale = np.concatenate([low & 63, (high & 15) | (low >> 6 << 4)], axis=1)
    minimum = np.concatenate([mid & 63, (high >> 4) | (mid >> 6 << 4)], axis=1)
    return _half(b, 0) * scale.astype(np.float32), -(_half(b, 2) * minimum.astype(np.float32))


def _q4_k(b: Bytes) -> Plain:
    codes = _nibbles(b[:, 16:].reshape(-1, 4, 32))
    return Plain("q4_k", codes.view(np.int8), *_scales_and_minima(b))


def _q5_k(b: Bytes) -> Plain:
    fifth = b[:, None, 16:48] >> np.arange(8, dtype=np.uint8)[:, None] & 1
    codes = _nibbles(b[:, 48:].reshape(-1, 4, 32)).reshape(-1, 8, 32) | fifth << 4
    return Plain("q5_k", codes.view(np.int8), *_scales_and_minima(b))


def _q6_k(b: Bytes) -> Plain:
    low = b[:, :128].reshape(-1, 2, 1, 64) >> np.array([0, 4], np.uint8)[:, None] & 15
    shifts = np.array([0, 2, 4, 6], np.uint8)[:, None]
    high = b[:, 128:192].reshape(-1, 2, 1, 32) >> shifts & 3
    codes = low.reshape(-1, 2, 4, 32) | high << 4
    scales = b[:, 192:208].view(np.int8).astype(np.float32) * _half(b, 208)
    return Plain("q6_k", codes.view(np.int8) - np.int8(32), scales, None)


def _q3_k(b: Bytes) -> Plain:
    shifts = np.array([0, 2, 4, 6], np.uint8)[:, None]
    low = (b[:, 32:96].reshape(-1, 2, 1, 32) >> shifts & 3).reshape(-1, 8, 32)
    third = b[:, None, :32] >> np.arange(8, dtype=np.uint8)[:, None] & 1
    codes = (low | third << 2).view(np.int8) - np.int8(4)
    packed = b[:, 96:108]
    six = _nibbles(packed[:, :8]) | (packed[:, None, 8:] >> shifts & 3).reshape(-1, 16) << 4
    scales = (six.view(np.int8) - np.int8(32)).astype(np.float32) * _half(b, 108)
    return Plain("q6_k", codes, scales, None)


# Bytes of a block, and what reads many of them.
_TYPES: dict[str, tuple[int, Callable[[Bytes], Plain]]] = {
    "Q4_0": (18, _q4_0),
    "Q4_1": (20, _q4_1),
    "Q5_0": (22, _q5_0),
    "Q5_1": (24, _q5_1),
    "Q8_0": (34, _q8_0),
    "Q3_K": (110, _q3_k),
    "Q4_K": (144, _q4_k),
    "Q5_K": (176, _q5_k),
    "Q6_K": (210, _q6_k),
}
