"""The wire format of protocol buffers, read strictly: fields by number, no message types.

Knows: varints, lengths and their limits. Does not know: what the fields mean.
Format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from edgeward.errors import TokenizerError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Field = tuple[int, "int | float | memoryview"]


def fields(message: memoryview) -> Iterator[Field]:
    """Number and value of every field: int for varints, float for 32 bits, bytes as a view.

    Raises TokenizerError where the message is cut off or no message at all.
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise TokenizerError(f"damaged near byte {at}: a field has the number 0")
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _varint(message, at)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise TokenizerError(f"damaged near byte {at}: field {number} has the kind {wire}")
        if size > end - at:
            raise TokenizerError(f"cut off: field {number} needs {size} bytes, {end - at} are left")
        raw = message[at : at + size]
        at += size
        yield number, struct.unpack("<f", raw)[0] if wire == _FIXED32 else raw


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise TokenizerError("cut off inside a number")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise TokenizerError(f"damaged near byte {at}: a number of more than 10 bytes")
