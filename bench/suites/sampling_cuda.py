"""A batch of logits in device memory: our sampler against torch's sort and flashinfer, in turns.

Knows: batches, types, streams that are waited for. Does not know: models. Needs a build with
EDGEWARD_CUDA=1, a device and torch; flashinfer is compared where it is installed. Ours is checked
against the CPU's sampler first. Times are of the whole call: to the ids on the host for ours, to
the end of the stream for the others, which leave theirs on the device.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from edgeward.errors import EdgewardError
from edgeward.kernels import _native, on_device

from ..stats import Summary, summarize

SHAPES = ((1, 128_256), (64, 128_256), (64, 262_144), (512, 49_152))
TYPES = ("float32", "bfloat16")
CASES: dict[str, dict[str, Any]] = {
    "greedy": {"temperature": 0.0},
    "temperature .8": {"temperature": 0.8},
    "top-k 50 + top-p .95": {"top_k": 50, "top_p": 0.95},
    "top-p .9": {"top_p": 0.9},
    "min-p .05": {"min_p": 0.05},
}
STEPS = 20  # of a round


@dataclass(frozen=True)
class Row:
    """One tool on one batch; microseconds a step of all rows together."""

    case: str
    type: str
    rows: int
    vocabulary: int
    tool: str
    step: Summary


def rows(rounds: int) -> Iterator[Row]:
    """Measure every case.

    Raises `EdgewardError` when there is no device or no torch, and when ours draws other tokens
    than the CPU's sampler; nothing is timed then.
    """
    found = on_device.status()
    if found.problem:
        raise EdgewardError(f"--device cuda: {found.problem}")
    if find_spec("torch") is None:
        raise EdgewardError("--device cuda needs torch, for memory on the device.")
    import torch

    for count, vocabulary in SHAPES:
        rng = np.random.default_rng(7)
        made = rng.normal(0, 3, (count, vocabulary)).astype(np.float32)
        device = on_device.DeviceSampler(vocabulary, count, copies=False)
        for kind in TYPES:
            logits = torch.from_numpy(made).to("cuda").to(getattr(torch, kind))
            for name, settings in CASES.items():
                tools = {"edgeward": _ours(device, settings, logits)}
                tools |= _peers(torch, settings, logits)
                for tool, samples in _turns(torch, tools, rounds).items():
                    yield Row(name, kind, count, vocabulary, tool, summarize(samples, "us"))


def _ours(
    device: on_device.DeviceSampler, settings: dict[str, Any], logits: Any
) -> Callable[[], object]:
    count, vocabulary = logits.shape
    ours, theirs = (
        [_native.Sampler(vocabulary, seed=row, **settings) for row in range(count)] for _ in "ab"
    )
    drawn = device.sample_batch(ours, logits, range(count))
    expected = _native.sample_batch(theirs, logits.float().cpu().numpy(), range(count))
    if drawn != expected:
        wrong = next(
            i for i, pair in enumerate(zip(drawn, expected, strict=True)) if len({*pair}) > 1
        )
        raise EdgewardError(
            f"{settings}: row {wrong} drew {drawn[wrong]} on the device and {expected[wrong]} on "
            "the CPU; nothing was timed."
        )
    step = iter(range(2**62))
    return lambda: device.sample_batch(ours, logits, [next(step)] * count)


def _peers(torch: Any, settings: dict[str, Any], logits: Any) -> dict[str, Callable[[], object]]:
    temperature = settings.get("temperature", 1.0)
    k, p, m = settings.get("top_k", 0), settings.get("top_p", 1.0), settings.get("min_p", 0.0)

    def by_sort() -> object:
        if temperature == 0:
            return logits.argmax(dim=-1)
        x = logits.float() / temperature
        if m:
            mass = x.softmax(dim=-1)
            x = x.masked_fill(mass < m * mass.amax(dim=-1, keepdim=True), -torch.inf)
        if k or p < 1:
            ordered, places = x.sort(dim=-1)
            if k:
                ordered = ordered.masked_fill(ordered < ordered[:, -k, None], -torch.inf)
            if p < 1:
                below = ordered.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
                below[:, -1] = False
                ordered = ordered.masked_fill(below, -torch.inf)
            x = ordered.scatter(dim=-1, index=places, src=ordered)
        mass = x.softmax(dim=-1)
        return (mass / torch.empty_like(mass).exponential_(1)).argmax(dim=-1)

    tools: dict[str, Callable[[], object]] = {"torch": by_sort}
    if find_spec("flashinfer") is not None and temperature != 0:
        from flashinfer import sampling as fi

        def by_flashinfer() -> object:
            x = logits.float() / temperature if temperature != 1 else logits.float()
            if k:
                return fi.top_k_top_p_sampling_from_logits(x, k, p)
            mass = x.softmax(dim=-1)
            if p < 1:
                return fi.top_p_sampling_from_probs(mass, p)
            if m:
                return fi.min_p_sampling_from_probs(mass, m)
            return fi.sampling_from_probs(mass)

        tools["flashinfer"] = by_flashinfer
    return tools


def _turns(
    torch: Any, tools: dict[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """Means over STEPS steps, a sample a round, after one round that warms up."""
    samples: dict[str, list[float]] = {name: [] for name in tools}
    for turn in range(rounds + 1):
        for name, step in tools.items():
            torch.cuda.synchronize()
            began = time.perf_counter_ns()
            for _ in range(STEPS):
                step()
            torch.cuda.synchronize()
            if turn > 0:
                samples[name].append((time.perf_counter_ns() - began) / 1000 / STEPS)
    return samples
