"""A conversation on disk: what was said, and keys and values that need not be computed again.

Layout: the magic line, the header's length (8 bytes, little-endian), the header (JSON), its sha256
(32 bytes), the keys and values (little-endian). The header binds the file to a pack and a
tokenizer; the keys are used only by the same graph, versions and instruction set too, for others
round otherwise.

Knows: bytes, hashes. Does not know: engines, services.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeward.errors import SessionError

_MAGIC = b"EDGEWARD SESSION 1\n"
_MOST_HEADER = 64 * 1024 * 1024

Kind = Literal["float32", "float16"]
_ORDERED: dict[Kind, str] = {"float32": "<f4", "float16": "<f2"}

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file belongs to."""

    pack: str
    pack_sha256: str
    tokenizer_sha256: str
    graph: str
    onnxruntime: str
    edgeward: str
    instruction_set: str

    def same_model(self, other: Binding) -> bool:
        """The same weights and the same words: what was said can go on."""
        mine, theirs = self.pack_sha256, other.pack_sha256
        return mine == theirs and self.tokenizer_sha256 == other.tokenizer_sha256


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All but the keys."""

    name: str
    binding: Binding
    messages: list[dict[str, Any]]
    ids: list[Count]
    """Tokens that the keys and values belong to."""
    shape: Annotated[list[Count], msgspec.Meta(min_length=6, max_length=6)]
    """Of the keys and values, positions being the fifth (`CacheShape.sizes`)."""
    keys_sha256: str
    kind: Kind = "float32"


def write(
    path: Path,
    name: str,
    binding: Binding,
    messages: list[dict[str, Any]],
    ids: list[int],
    keys: NDArray[Any],
) -> None:
    """Write a session: to a file of its own first, then moved to `path`, readable by the user only.

    Raises `SessionError` when it cannot be written; what was at `path` is then as it was.
    """
    shape = list(keys.shape)
    kind: Kind = "float16" if keys.dtype == np.float16 else "float32"
    raw = np.ascontiguousarray(keys, dtype=_ORDERED[kind]).reshape(-1).view(np.uint8).data
    digest = hashlib.sha256(raw).hexdigest()
    try:
        header = msgspec.json.encode(Header(name, binding, messages, ids, shape, digest, kind))
    except (TypeError, ValueError) as error:
        raise SessionError(f"the session {name!r} holds what JSON cannot: {error}.") from None
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + len(header).to_bytes(8, "little") + header)
            file.write(hashlib.sha256(header).digest())
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise SessionError(
            f"the session cannot be saved to {path}: {error.strerror or error}. Free some space, "
            f"or choose another path."
        ) from None


def read(path: Path) -> tuple[Header, NDArray[Any]]:
    """Read and verify a session. Raises `SessionError` naming what is wrong."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            header, used = _read_header(path, file.read(len(_MAGIC) + 8), file.read)
            count = int(np.prod([int(n) for n in header.shape], dtype=object))
            keys_size = np.dtype(header.kind).itemsize * count
            if size != used + keys_size:
                raise _damaged(path, f"it has {size} bytes, its header says {used + keys_size}")
            raw = file.read(keys_size)
    except OSError as error:
        raise SessionError(f"{path} cannot be read: {error.strerror or error}.") from None
    if hashlib.sha256(raw).hexdigest() != header.keys_sha256:
        raise _damaged(path, "its keys do not have the stated sha256")
    keys = np.frombuffer(raw, dtype=_ORDERED[header.kind]).reshape(header.shape)
    if header.shape[4] != len(header.ids):
        raise _damaged(path, f"{header.shape[4]} positions for {len(header.ids)} ids")
    return header, keys


def _read_header(path: Path, start: bytes, more: Any) -> tuple[Header, int]:
    if start[: len(_MAGIC)] != _MAGIC:
        raise SessionError(f"{path} is no saved session; service.save() makes one.")
    length = int.from_bytes(start[len(_MAGIC) :], "little")
    if len(start) != len(_MAGIC) + 8 or length > _MOST_HEADER:
        raise _damaged(path, f"its header would have {length} bytes")
    raw, digest = more(length), more(32)
    if hashlib.sha256(raw).digest() != digest:
        raise _damaged(path, "its header does not have the stated sha256")
    try:
        return msgspec.json.decode(raw, type=Header), len(start) + length + 32
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from None


def _damaged(path: Path, problem: str) -> SessionError:
    return SessionError(f"{path} is damaged: {problem}. Save the session anew.")
