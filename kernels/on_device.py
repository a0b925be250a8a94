"""The sampler on a CUDA device: same settings, same tokens, logits that stay where they are.

Knows: how a step goes to the device and back, and what is missing where there is none. Does not
know: models. The kernels are in `kernels/cuda`; `docs/sampling.md` says what is proven of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native


@dataclass(frozen=True)
class Status:
    """What this build and this machine have of CUDA."""

    built: bool
    """True in a build with EDGEWARD_CUDA=1."""
    driver: str = ""
    """Newest CUDA version the driver runs, such as "13.0"; empty without a driver."""
    runtime: str = ""
    """CUDA version the kernels were built with."""
    devices: tuple[str, ...] = ()
    problem: str = ""
    """Why there is no device, in a sentence that ends with what to do; empty when there is one."""


def status() -> Status:
    """Look for the kernels, the driver and a device; raises nothing.

    >>> status().built == bool(status().runtime)
    True
    """
    try:
        from ._cuda import status as ask
    except ModuleNotFoundError:
        return Status(
            False,
            problem="this build has no CUDA kernels; build with EDGEWARD_CUDA=1 (it needs nvcc).",
        )
    said = ask()
    driver, runtime = _version(said["driver"]), _version(said["runtime"])
    devices = tuple(said["devices"])
    if not driver:
        problem = "there is no NVIDIA driver; install one that runs CUDA " + runtime + " or newer."
    elif said["problem"]:
        problem = (
            f"the NVIDIA driver runs CUDA {driver}, the kernels were built with {runtime}: "
            f"{said['problem']}. Update the driver, or check with nvidia-smi that a GPU is seen."
        )
    elif not devices:
        problem = "the NVIDIA driver sees no device; check nvidia-smi and CUDA_VISIBLE_DEVICES."
    else:
        problem = ""
    return Status(True, driver, runtime, devices, problem)


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}" if number else ""


class DeviceSampler:
    """Draws one token for each row of a batch of logits in device memory.

    The settings and histories are those of ordinary `Sampler` objects, which this class asks what a
    step needs and tells what was drawn. Per step, ROW_BYTES a row and 8 for each changed logit go
    to the device, DRAW_BYTES a row come back; its memory is taken once. One thread at a time: a
    second caller gets `RuntimeError`.
    """

    def __init__(
        self, vocab_size: int, max_rows: int, *, device: int = 0, copies: bool = True
    ) -> None:
        """Take the memory for `max_rows` (1 ... 65535) rows of `vocab_size` (1 ... 2^24) logits.

        `copies=False` saves 4 bytes a logit and forbids masks and everything that changes single
        logits (bans, bias, penalties, DRY). Raises `RuntimeError` without kernels, driver, device
        or memory, `ValueError` for sizes out of range.
        """
        found = status()
        if found.problem:
            raise RuntimeError(f"no sampling on a CUDA device: {found.problem}")
        if not 0 <= device < len(found.devices):
            raise ValueError(
                f"device is {device}; this machine has the devices 0 to {len(found.devices) - 1}"
            )
        from ._cuda import Device

        self._device = Device(vocab_size, max_rows, copies=copies, device=device)
        self._plan = _native.StepPlan()
        self._buffer: NDArray[np.uint8] = np.empty(max_rows * _native.ROW_BYTES, dtype=np.uint8)
        self.logprobs: list[float] = []
        """Of the tokens drawn last, if they were asked for: as `Sampler.logprobs` gives them."""

    def sample_batch(
        self,
        samplers: Sequence[_native.Sampler],
        logits: Any,
        positions: Sequence[int],
        allowed: Any = None,
        *,
        stream: int = 0,
        logprobs: bool = False,
    ) -> list[int]:
        """The tokens that `_native.sample_batch` draws from the same logits, at most 65535 rows.

        `logits`: float32, float16 or bfloat16 on this device, (rows, vocab_size), rows without
        gaps; anything with `__dlpack__` or `__cuda_array_interface__`. They are not changed.
        `allowed`: uint32 or int32 on the device, or uint32 in a NumPy array,
        (rows, ceil(vocab_size / 32)). `stream`: the address of a `cudaStream_t`, which is waited
        for; 0 is the default stream.

        Raises ValueError as `Sampler.sample` does, and for arrays of another kind; RuntimeError
        when the device fails.
        """
        self._plan.make(samplers, positions, logprobs=logprobs)
        size = self._plan.bytes
        if len(self._buffer) < size:
            self._buffer = np.empty(size + size // 2, dtype=np.uint8)
        self._plan.write(self._buffer)
        draws = self._device.sample(
            self._buffer[:size],
            rows=len(samplers),
            flags=self._plan.flags,
            logits=logits,
            allowed=allowed,
            stream=stream,
        )
        ids = _native.settle_step(samplers, draws)
        self.logprobs = _native.draw_logprobs(draws, len(ids)) if logprobs else []
        return ids
