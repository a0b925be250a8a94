"""Steps through the C interface of the CUDA sampler (kernels/cuda/api.h), simulated or real.

Knows: the interface's structures, how the stand-in is compiled. Does not know: pytest.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeward.kernels import _native

ROOT = Path(__file__).resolve().parents[2]
SIMULATED = ROOT / "tests" / "kernels" / "cuda" / "simulated.cpp"
FLAGS = ["-std=c++20", "-O2", "-ffp-contract=off", "-fno-math-errno", "-shared", "-fPIC"]
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"]
TYPES = {"float32": 0, "float16": 1, "bfloat16": 2}


class Step(ctypes.Structure):
    """edgeward_step."""

    _fields_ = [
        ("logits", ctypes.c_void_p),
        ("stride", ctypes.c_uint64),
        ("type", ctypes.c_uint32),
        ("vocabulary", ctypes.c_uint32),
        ("rows", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("plan", ctypes.c_void_p),
        ("edits", ctypes.c_void_p),
        ("allowed", ctypes.c_void_p),
        ("draws", ctypes.c_void_p),
    ]


def compiler() -> str | None:
    """The C++ compiler of this machine: CXX, or the usual names."""
    named = (os.environ.get("CXX") or "").split()
    return next((c for c in [*named[-1:], "g++", "clang++"] if shutil.which(c)), None)


def build_simulated(folder: Path) -> ctypes.CDLL:
    """Compile the simulated grid (a few seconds) and load it."""
    cxx = compiler()
    assert cxx is not None
    library = folder / "simulated.so"
    fma = ["-mfma"] if "fma" in _native.cpu_features() else []
    includes = [f"-I{ROOT / 'kernels'}", f"-I{SIMULATED.parent}"]
    subprocess.run(
        [cxx, *FLAGS, *fma, *WARNINGS, *includes, str(SIMULATED), "-o", str(library)],
        check=True,
    )
    loaded = ctypes.CDLL(str(library))
    loaded.edgeward_cuda_workspace.restype = ctypes.c_size_t
    return loaded


def to_bfloat16(x: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The upper halves, cut off: any bfloat16 will do for a test."""
    return (np.ascontiguousarray(x).view(np.uint32) >> 16).astype(np.uint16)


def from_bfloat16(x: NDArray[np.uint16]) -> NDArray[np.float32]:
    return (x.astype(np.uint32) << 16).view(np.float32)


class Simulated:
    """Draws for samplers as a device would, on the simulated grid."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library
        self.plan = _native.StepPlan()

    def draw(
        self,
        samplers: Sequence[_native.Sampler],
        logits: NDArray[Any],
        positions: Sequence[int],
        allowed: NDArray[np.uint32] | None = None,
        *,
        type: str = "float32",
        logprobs: bool = False,
        order: int = 0,
    ) -> NDArray[np.uint8]:
        """The raw draws of one step; `logits` is (rows, vocabulary)."""
        rows, vocabulary = logits.shape
        self.plan.make(samplers, positions, logprobs=logprobs)
        plan = np.zeros(max(self.plan.bytes, 1), dtype=np.uint8)
        self.plan.write(plan)
        draws = np.full(rows * _native.DRAW_BYTES, 0xEE, dtype=np.uint8)
        room = int(self.library.edgeward_cuda_workspace(rows, vocabulary, 1))
        workspace = np.full(room + 256, 0xA5, dtype=np.uint8)  # nothing in it may be relied on
        base = (workspace.ctypes.data + 255) // 256 * 256
        step = Step(
            logits=logits.ctypes.data,
            stride=logits.strides[0] // logits.itemsize if rows > 1 else vocabulary,
            type=TYPES[type],
            vocabulary=vocabulary,
            rows=rows,
            flags=self.plan.flags,
            plan=plan.ctypes.data,
            edits=plan.ctypes.data + rows * _native.ROW_BYTES,
            allowed=None if allowed is None else allowed.ctypes.data,
            draws=draws.ctypes.data,
        )
        self.library.edgeward_simulated_order(order)
        code = self.library.edgeward_cuda_sample(
            ctypes.byref(step), ctypes.c_void_p(base), ctypes.c_size_t(room), None
        )
        assert code == 0, code
        return draws

    def sample(
        self,
        samplers: Sequence[_native.Sampler],
        logits: NDArray[Any],
        positions: Sequence[int],
        allowed: NDArray[np.uint32] | None = None,
        **how: Any,
    ) -> list[int]:
        """The tokens, told to the samplers."""
        draws = self.draw(samplers, logits, positions, allowed, **how)
        return _native.settle_step(samplers, draws)
