"""A GGUF header is refused, never believed: damage of any kind is one clear error."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf_file
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeward.errors import IntakeError
from edgeward.quantize.intake.gguf_header import GgufHeader, read_header


def header(content: bytes) -> GgufHeader:
    return read_header(Path("model.gguf"), np.frombuffer(content, np.uint8))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = gguf_file.write(
        tmp_path_factory.mktemp("gguf") / "m.gguf", num_hidden_layers=1, intermediate_size=32
    )
    return path.read_bytes()


def size_of_header(content: bytes) -> int:
    return min(info.offset for info in header(content).tensors.values())


def minimal(*, version: int = 3, tensors: int = 0, keys: int = 0, rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + rest


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def tensor(name: str = "t", *, dims: tuple[int, ...] = (32,), kind: int = 0, at: int = 0) -> bytes:
    sizes = struct.pack(f"<I{len(dims)}Q", len(dims), *dims)
    return text(name) + sizes + struct.pack("<IQ", kind, at)


ROOM = bytes(4096)

DAMAGED = {
    "no model": (b"PK\x03\x04" + ROOM, "not a GGUF file: it starts with"),
    "empty": (b"", "cut off"),
    "old version": (minimal(version=1), "version 1"),
    "big-endian": (minimal(version=3 << 24), "version 50331648"),
    "countless tensors": (minimal(tensors=1 << 60), "1152921504606846976 tensors"),
    "countless keys": (minimal(keys=1 << 63), "9223372036854775808 keys"),
    "an endless name": (minimal(keys=1, rest=struct.pack("<Q", 1 << 62) + ROOM), "a name of"),
    "an endless string": (
        minimal(keys=1, rest=text("k") + struct.pack("<IQ", 8, 1 << 62) + ROOM),
        "cut off",
    ),
    "an endless array": (
        minimal(keys=1, rest=text("k") + struct.pack("<IIQ", 9, 8, 1 << 40) + ROOM),
        "an array of",
    ),
    "an endless array of numbers": (
        minimal(keys=1, rest=text("k") + struct.pack("<IIQ", 9, 4, 1 << 62) + ROOM),
        "cut off",
    ),
    "arrays in arrays in arrays": (
        minimal(keys=1, rest=text("k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 90),
        "unknown type 9",
    ),
    "an unknown value": (minimal(keys=1, rest=text("k") + struct.pack("<I", 77)), "type 77"),
    "a name that is no text": (minimal(keys=1, rest=struct.pack("<Q", 1) + b"\xff"), "UTF-8"),
    "a key twice": (minimal(keys=2, rest=(text("k") + struct.pack("<II", 4, 1)) * 2), "twice"),
    "five dimensions": (minimal(tensors=1, rest=tensor(dims=(1,) * 5)), "5 dimensions"),
    "an empty tensor": (minimal(tensors=1, rest=tensor(dims=(0,))), r"shape \[0\]"),
    "an absurd product": (
        minimal(tensors=1, rest=tensor(dims=(1 << 32,) * 4) + ROOM),
        "takes bytes",
    ),
    "an unknown type": (minimal(tensors=1, rest=tensor(kind=99) + ROOM), "unknown type 99"),
    "half a block": (minimal(tensors=1, rest=tensor(dims=(33,), kind=8) + ROOM), "multiple of 32"),
    "an offset outside": (minimal(tensors=1, rest=tensor(at=1 << 40) + ROOM), "takes bytes"),
    "an offset askew": (minimal(tensors=1, rest=tensor(at=5) + ROOM), "not aligned"),
    "a tensor twice": (minimal(tensors=2, rest=tensor() * 2 + ROOM), "'t' occurs twice"),
    "no alignment": (
        minimal(keys=1, rest=text("general.alignment") + struct.pack("<II", 4, 0)),
        "general.alignment is 0",
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_refuses(case: str) -> None:
    content, message = DAMAGED[case]
    with pytest.raises(IntakeError, match=message):
        header(content)


def test_reads_a_whole_file(whole: bytes) -> None:
    read = header(whole)
    assert read.metadata["general.architecture"] == "llama"
    assert read.tensors["token_embd.weight"].shape[1] == 64


def test_a_file_cut_anywhere_is_refused(whole: bytes) -> None:
    for length in range(0, size_of_header(whole), 7):
        with pytest.raises(IntakeError):
            header(whole[:length])
    with pytest.raises(IntakeError, match="cut off or damaged"):
        header(whole[:-40])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_damage_is_an_intake_error_or_harmless(whole: bytes, data: st.DataObject) -> None:
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, size_of_header(whole) - 8))
        content[at : at + 8] = data.draw(
            st.binary(min_size=8, max_size=8)
            | st.sampled_from([b"\xff" * 8, b"\0" * 8, struct.pack("<Q", 1 << 63)])
        )
    try:
        read = header(bytes(content))
    except IntakeError:
        return
    for info in read.tensors.values():
        assert info.offset + info.rows * info.row_bytes <= len(content)
