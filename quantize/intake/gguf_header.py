"""The header of a GGUF file, versions 2 and 3, checked field by field before anything is trusted.

Knows the container: key-values, and each tensor's name, type, shape and place. Does not know what
the keys mean. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from numpy.typing import NDArray

from edgeward.errors import IntakeError
from edgeward.vocabularies.gguf_keys import MAX_NAME, Cursor, read_keys

# Far above any real model, far below what would exhaust memory.
_MAX_DIMENSION = 1 << 32


@dataclass(frozen=True)
class TensorInfo:
    """Place and form of one tensor; `shape` is row-major, matrices as (outputs, inputs)."""

    name: str
    type: GGMLQuantizationType
    shape: tuple[int, ...]
    offset: int
    """From the start of the file."""
    row_bytes: int

    @property
    def rows(self) -> int:
        return math.prod(self.shape[:-1])


@dataclass(frozen=True)
class GgufHeader:
    """`metadata` maps keys to Python values: numeric arrays as NumPy arrays, others as lists."""

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, TensorInfo]


def read_header(path: Path, content: NDArray[np.uint8]) -> GgufHeader:
    """Parse the header of the GGUF file `path`, whose bytes are `content` (mapped, uint8).

    Every count, length and offset is compared with the size of the file before use; `IntakeError`
    says which field is wrong. Costs time and memory in proportion to the header only.
    """
    cursor = Cursor(path, content)
    metadata, tensor_count = read_keys(cursor)
    found = [_tensor(cursor) for _ in range(tensor_count)]
    tensors = _place(cursor, found, _alignment(cursor, metadata))
    return GgufHeader(path, metadata, tensors)


def _alignment(cursor: Cursor, metadata: dict[str, Any]) -> int:
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20 or alignment % 8:
        raise cursor.altered(f"general.alignment is {alignment}, not a multiple of 8 up to 2^20")
    return alignment


def _tensor(cursor: Cursor) -> TensorInfo:
    """One entry of the table of tensors; its offset is still that within the data section."""
    name = cursor.string(MAX_NAME)
    dimensions = cursor.number("<u4")
    if not 1 <= dimensions <= 4:
        raise cursor.altered(f"tensor '{name}' has {dimensions} dimensions; 1 to 4 exist")
    sizes = [int(cursor.number("<u8")) for _ in range(dimensions)]
    if any(not 1 <= size <= _MAX_DIMENSION for size in sizes):
        raise cursor.altered(f"tensor '{name}' has the shape {sizes}")
    kind = cursor.number("<u4")
    try:
        kind = GGMLQuantizationType(kind)
    except ValueError:
        raise cursor.altered(f"tensor '{name}' has the unknown type {kind}") from None
    block, block_bytes = GGML_QUANT_SIZES[kind]
    if sizes[0] % block:
        raise cursor.altered(f"rows of '{name}' have {sizes[0]} values, no multiple of {block}")
    offset = int(cursor.number("<u8"))
    return TensorInfo(name, kind, tuple(sizes[::-1]), offset, sizes[0] // block * block_bytes)


def _place(cursor: Cursor, found: list[TensorInfo], alignment: int) -> dict[str, TensorInfo]:
    """Offsets from the start of the file, each tensor checked to lie inside it."""
    start = -(-cursor.at // alignment) * alignment
    size = cursor.content.size
    placed: dict[str, TensorInfo] = {}
    for info in found:
        if info.name in placed:
            raise cursor.altered(f"tensor '{info.name}' occurs twice")
        if info.offset % alignment:
            raise cursor.altered(f"tensor '{info.name}' starts at {info.offset}, not aligned")
        begin = start + info.offset
        end = begin + info.rows * info.row_bytes  # Python integers: nothing can overflow
        if end > size:
            raise IntakeError(
                f"{cursor.path} is cut off or damaged: tensor '{info.name}' takes bytes {begin} to "
                f"{end} of a file of {size}. Fetch the file again."
            )
        placed[info.name] = TensorInfo(info.name, info.type, info.shape, begin, info.row_bytes)
    return placed
