"""The key-values at the start of a GGUF file, versions 2 and 3, checked field by field.

Knows the container's scalars, strings and arrays. Does not know what the keys mean, nor tensors.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import IntakeError

MAGIC = b"GGUF"
VERSIONS = (2, 3)

# Far above any real model, far below what would exhaust memory.
MAX_NAME = 1 << 10
_MAX_KEYS = 1 << 16
_MAX_TENSORS = 1 << 16
_MAX_DEPTH = 2

_STRING, _ARRAY, _BOOL = 8, 9, 7
_SCALARS = {
    0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 7: "<u1",
    10: "<u8", 11: "<i8", 12: "<f8",
}  # fmt: skip


def read_keys(cursor: Cursor) -> tuple[dict[str, Any], int]:
    """The key-values, and how many tensors follow; leaves `cursor` at the first of them.

    Numeric arrays become NumPy arrays, others lists. Every count and length is compared with the
    size of the file before use; `IntakeError` says which field is wrong.
    """
    path = cursor.path
    if (magic := cursor.take(4)) != MAGIC:
        raise IntakeError(
            f"{path} is not a GGUF file: it starts with {magic!r}, not {MAGIC!r}. "
            f"Give a .gguf file or a Hugging Face folder with config.json and *.safetensors."
        )
    version = cursor.number("<u4")
    if version not in VERSIONS:
        raise IntakeError(
            f"{path} has GGUF version {version}; versions {VERSIONS[0]} and {VERSIONS[1]}, "
            f"little-endian, can be read. Convert the model anew with a current llama.cpp."
        )
    tensor_count = cursor.count("tensors", _MAX_TENSORS)
    key_count = cursor.count("keys", _MAX_KEYS)
    metadata: dict[str, Any] = {}
    for _ in range(key_count):
        key = cursor.string(MAX_NAME)
        if key in metadata:
            raise cursor.altered(f"the key '{key}' occurs twice")
        metadata[key] = cursor.value(cursor.number("<u4"))
    return metadata, tensor_count


class Cursor:
    """Reads forward through the file; never past its end."""

    def __init__(self, path: Path, content: NDArray[np.uint8]) -> None:
        self.path = path
        self.content = content
        self.at = 0
        # Slices of a memory map made by NumPy cost ten times as much.
        self._bytes = np.ascontiguousarray(content).data

    @property
    def left(self) -> int:
        return self.content.size - self.at

    def altered(self, problem: str) -> IntakeError:
        return IntakeError(
            f"{self.path} is damaged near byte {self.at}: {problem}. Fetch the file again and "
            f"compare its sha256 with the one its maker states."
        )

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise self._cut_off(size)
        taken = self._bytes[self.at : self.at + size].tobytes()
        self.at += size
        return taken

    def _cut_off(self, size: int) -> IntakeError:
        return IntakeError(
            f"{self.path} is cut off: its header needs {size} bytes at byte {self.at}, the "
            f"file ends after {self.left}. Fetch the file again."
        )

    def number(self, form: str) -> Any:
        return np.frombuffer(self.take(np.dtype(form).itemsize), form)[0].item()

    def count(self, of: str, most: int) -> int:
        count = int(self.number("<u8"))
        if count > most:
            raise self.altered(f"it claims {count} {of}; at most {most} are plausible")
        return count

    def string(self, most: int | None = None) -> str:
        (size,) = struct.unpack("<Q", self.take(8))
        if most is not None and size > most:
            raise self.altered(f"a name of {size} bytes; at most {most} are plausible")
        try:
            return self.take(size).decode("utf-8")
        except UnicodeDecodeError:
            raise self.altered("a string is not UTF-8") from None

    def value(self, kind: int, depth: int = 0) -> Any:
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY and depth < _MAX_DEPTH:
            return self._array(depth)
        if kind not in _SCALARS:
            raise self.altered(f"unknown type {kind} of a value")
        number = self.number(_SCALARS[kind])
        return bool(number) if kind == _BOOL else number

    def _array(self, depth: int) -> Any:
        kind = self.number("<u4")
        (size,) = struct.unpack("<Q", self.take(8))
        if kind in _SCALARS:
            form = np.dtype(_SCALARS[kind])
            return np.frombuffer(self.take(size * form.itemsize), form)
        # Strings and arrays take at least 8 bytes each, so a false count cannot exhaust memory.
        if size > self.left // 8:
            raise self.altered(f"an array of {size} entries in {self.left} bytes")
        if kind == _STRING:
            return self._strings(size)
        return [self.value(kind, depth + 1) for _ in range(size)]

    def _strings(self, count: int) -> list[str]:
        """As `string` for each, in one loop: vocabularies have a quarter of a million of them."""
        read, size_of = self._bytes, struct.Struct("<Q").unpack_from
        at, end = self.at, self.content.size
        found: list[str] = []
        try:
            for _ in range(count):
                if end - at < 8:
                    raise self._cut_off(8)
                (size,) = size_of(read, at)
                at += 8
                if size > end - at:
                    raise self._cut_off(size)
                found.append(str(read[at : at + size], "utf-8"))
                at += size
                self.at = at
        except UnicodeDecodeError:
            raise self.altered("a string is not UTF-8") from None
        return found
