"""Worker for one sampler: logits in, tokens and times out, one JSON line for each.

Needs nothing but the sampler's own package and NumPy, so that it can run under another Python.
Started with the tool's name. Asked on standard input, a JSON object a line:

    {"do": "load", "logits": file.npy, "settings": {...}, "window": [ids]}
                                              -> {"version"} or {"missing": why}
    {"do": "draw", "count": n, "limit_s": s}  -> {"ids": [...]}
    {"do": "time", "steps": n}                -> {"us": [...]}, wall microseconds of each step

Settings carry the names of `edgeward.kernels`; a tool that cannot do one says so with "missing". A
step begins with the logits in the form in which the tool gets them from its own engine (an array,
a tensor) and ends with a token as a Python int. Steps do not share random numbers.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

Step = Callable[[], int]


class Cannot(Exception):
    """This tool does not have the setting; the text says which."""


def edgeward(logits: Any, settings: Mapping[str, Any], window: Sequence[int]) -> Step:
    from edgeward.kernels import _native

    sampler = _native.Sampler(len(logits), seed=1, **settings)
    for token in window:
        sampler.observe(token)
    position = iter(range(2**62))
    return lambda: sampler.sample(logits, next(position))


def argmax(logits: Any, settings: Mapping[str, Any], window: Sequence[int]) -> Step:
    """The yardstick: one pass over the logits."""
    return lambda: int(logits.argmax())


def numpy(logits: Any, settings: Mapping[str, Any], window: Sequence[int]) -> Step:
    """What one writes by hand: partition for top-k, a whole sort for top-p."""
    take(settings, "temperature", "top_k", "top_p", "min_p")
    random = np.random.default_rng(1)
    k = min(settings.get("top_k", 0), len(logits))
    p, m = settings.get("top_p", 1.0), settings.get("min_p", 0.0)
    temperature = settings.get("temperature", 1.0)

    def step() -> int:
        if temperature == 0:
            return int(logits.argmax())
        ids: Any = np.argpartition(logits, -k)[-k:] if k else np.arange(len(logits))
        x = logits[ids] / temperature
        if p < 1:
            order = np.argsort(-x)
            ids, x = ids[order], x[order]
        weights = np.exp(x - x.max())
        if m:
            weights[weights < m] = 0
        weights /= weights.sum()
        if p < 1:
            weights[np.cumsum(weights) - weights >= p] = 0
            weights /= weights.sum()
        return int(ids[min(np.searchsorted(np.cumsum(weights), random.random()), len(ids) - 1)])

    return step


def llama_cpp(logits: Any, settings: Mapping[str, Any], window: Sequence[int]) -> Step:
    """The chain of llama.cpp, on an array of candidates that is laid out anew for every step."""
    import llama_cpp as l

    take(settings, "temperature", "top_k", "top_p", "min_p", "typical_p", *PENALTIES)
    chain = l.llama_sampler_chain_init(l.llama_sampler_chain_default_params())
    if any(name in settings for name in PENALTIES):
        penalties = l.llama_sampler_init_penalties
        numbers = [len(window)] if len(penalties.argtypes) == 4 else [len(logits), len(window)]
        penalty = l.llama_sampler_init_penalties(
            *numbers,
            settings.get("repetition_penalty", 1.0),
            settings.get("frequency_penalty", 0.0),
            settings.get("presence_penalty", 0.0),
        )
        l.llama_sampler_chain_add(chain, penalty)
    if "top_k" in settings:
        l.llama_sampler_chain_add(chain, l.llama_sampler_init_top_k(settings["top_k"]))
    if "typical_p" in settings:
        l.llama_sampler_chain_add(chain, l.llama_sampler_init_typical(settings["typical_p"], 1))
    if "top_p" in settings:
        l.llama_sampler_chain_add(chain, l.llama_sampler_init_top_p(settings["top_p"], 1))
    if "min_p" in settings:
        l.llama_sampler_chain_add(chain, l.llama_sampler_init_min_p(settings["min_p"], 1))
    temperature = settings.get("temperature", 1.0)
    if temperature == 0:
        l.llama_sampler_chain_add(chain, l.llama_sampler_init_greedy())
    else:
        if temperature != 1:
            l.llama_sampler_chain_add(chain, l.llama_sampler_init_temp(temperature))
        l.llama_sampler_chain_add(chain, l.llama_sampler_init_dist(1))
    for token in window:
        l.llama_sampler_accept(chain, token)

    size = len(logits)
    laid_out = (l.llama_token_data * size)()
    fields = np.frombuffer(laid_out, dtype=[("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])
    fields["id"], fields["logit"] = np.arange(size), logits
    data = (l.llama_token_data * size)()
    array = l.llama_token_data_array(data=data, size=size, selected=-1, sorted=False)
    place, length = ctypes.byref(array), ctypes.sizeof(data)

    def step() -> int:
        ctypes.memmove(data, laid_out, length)
        array.data, array.size, array.selected, array.sorted = data, size, -1, False
        l.llama_sampler_apply(chain, place)
        return int(array.data[array.selected].id)

    return step


def transformers(logits: Any, settings: Mapping[str, Any], window: Sequence[int]) -> Step:
    """The logits processors of `generate`, in its order, then multinomial."""
    import torch
    from transformers import generation as g

    take(settings, "temperature", "top_k", "top_p", "min_p", "typical_p")
    torch.set_num_threads(1)
    row = torch.from_numpy(logits)[None]
    ids = torch.zeros((1, 0), dtype=torch.long)
    if settings.get("temperature", 1.0) == 0:
        return lambda: int(torch.argmax(row, dim=-1))
    steps = [g.TemperatureLogitsWarper(float(settings["temperature"]))] if _warm(settings) else []
    if "top_k" in settings:
        steps.append(g.TopKLogitsWarper(settings["top_k"]))
    if "top_p" in settings:
        steps.append(g.TopPLogitsWarper(settings["top_p"]))
    if "min_p" in settings:
        steps.append(g.MinPLogitsWarper(settings["min_p"]))
    if "typical_p" in settings:
        steps.append(g.TypicalLogitsWarper(settings["typical_p"]))

    def step() -> int:
        with torch.inference_mode():
            x = row
            for process in steps:
                x = process(ids, x)
            return int(torch.multinomial(torch.softmax(x, dim=-1), 1))

    return step


def torch_sort(logits: Any, settings: Mapping[str, Any], window: Sequence[int]) -> Step:
    """One sort, masks on the sorted logits, and the exponential race: as vLLM's native sampler."""
    import torch

    take(settings, "temperature", "top_k", "top_p", "min_p")
    torch.set_num_threads(1)
    row = torch.from_numpy(logits)[None]
    k = min(settings.get("top_k", 0), len(logits))
    p, m = settings.get("top_p", 1.0), settings.get("min_p", 0.0)
    temperature = settings.get("temperature", 1.0)
    if temperature == 0:
        return lambda: int(torch.argmax(row, dim=-1))

    def step() -> int:
        with torch.inference_mode():
            x = row / temperature if temperature != 1 else row
            if m:
                mass = torch.softmax(x, dim=-1)
                x = x.masked_fill(mass < m * mass.amax(dim=-1, keepdim=True), -torch.inf)
            if k or p < 1:
                ordered, places = x.sort(dim=-1, descending=False)
                if k:
                    ordered = ordered.masked_fill(ordered < ordered[:, -k, None], -torch.inf)
                if p < 1:
                    below = ordered.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
                    below[:, -1] = False
                    ordered = ordered.masked_fill(below, -torch.inf)
                x = ordered.scatter(dim=-1, index=places, src=ordered)
            mass = torch.softmax(x, dim=-1)
            return int((mass / torch.empty_like(mass).exponential_(1)).argmax(dim=-1))

    return step


def onnxruntime_genai(logits: Any, settings: Mapping[str, Any], window: Sequence[int]) -> Step:
    import onnxruntime_genai  # noqa: F401

    raise Cannot("its sampler is reached only through a loaded model, not with given logits")


def flashinfer(logits: Any, settings: Mapping[str, Any], window: Sequence[int]) -> Step:
    import flashinfer  # noqa: F401

    raise Cannot("it samples on a CUDA device only: --device cuda")


PENALTIES = ("repetition_penalty", "frequency_penalty", "presence_penalty")
TOOLS: dict[str, tuple[str, Callable[..., Step]]] = {
    "edgeward": ("edgeward", edgeward),
    "argmax": ("numpy", argmax),
    "numpy": ("numpy", numpy),
    "llama.cpp": ("llama-cpp-python", llama_cpp),
    "transformers": ("transformers", transformers),
    "torch": ("torch", torch_sort),
    "onnxruntime-genai": ("onnxruntime-genai", onnxruntime_genai),
    "flashinfer": ("flashinfer-python", flashinfer),
}


def take(settings: Mapping[str, Any], *known: str) -> None:
    """Refuse what this tool does not have."""
    for name in settings:
        if name not in known:
            raise Cannot(f"it has no {name}")


def _warm(settings: Mapping[str, Any]) -> bool:
    return bool(settings.get("temperature", 1.0) != 1)


class Worker:
    """One tool and its step."""

    def __init__(self, tool: str) -> None:
        self.package, self.make = TOOLS[tool]
        self.step: Step | None = None

    def load(self, request: Mapping[str, Any]) -> dict[str, Any]:
        logits = np.load(request["logits"])
        try:
            self.step = self.make(logits, request["settings"], request["window"])
            return {"version": version(self.package)}
        except Cannot as error:
            return {"missing": str(error)}
        except ImportError as error:
            return {"missing": f"not installed ({error})"}

    def draw(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self.step is not None
        end = time.monotonic() + request["limit_s"]
        ids: list[int] = []
        while len(ids) < request["count"] and (time.monotonic() < end or not ids):
            ids.append(self.step())
        return {"ids": ids}

    def time(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self.step is not None
        step, clock, took = self.step, time.perf_counter_ns, []
        for _ in range(request["steps"]):
            began = clock()
            step()
            took.append(clock() - began)
        return {"us": [ns / 1000 for ns in took]}


def main() -> None:
    """Serve until standard input ends."""
    if hasattr(os, "sched_setaffinity"):  # all tools on one core, the same one
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(getattr(worker, request["do"])(request)), flush=True)


if __name__ == "__main__":
    main()
