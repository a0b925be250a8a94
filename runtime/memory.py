"""How much memory a model will take, told before it is taken."""

from __future__ import annotations

from dataclasses import dataclass, replace

from . import manifest as m
from .errors import MemoryLimit, OptionError
from .kv_cache import CacheShape
from .machine import available_memory

_LEAST_CONTEXT = 256


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes a loaded model takes at most, part by part."""

    weights: int
    """Mapped from the pack: shared between processes, dropped and read again at will."""
    packed: int
    """Private copy of the weights in the order that this processor's kernels read."""
    scratch: int
    """Intermediate results of the largest prefill run."""
    cache: int
    """Keys and values of one request at full context; touched page by page."""
    context: int
    """Positions of a cache, in tokens."""
    requests: int | None
    """Requests that may run at once under the limit; None: no limit was given."""

    @property
    def total(self) -> int:
        """Bytes with one request at full context."""
        return self.weights + self.packed + self.scratch + self.cache


def plan_memory(
    manifest: m.Manifest,
    graph: m.Graph,
    shape: CacheShape,
    chunk: int,
    context: int | None,
    limit: int | None,
) -> MemoryPlan:
    """Choose the context and say what it takes.

    `graph` is the one to run, `shape` its cache at the model's own context, `chunk` the tokens of
    a prefill run, `context`
    what the caller asked for (None: as much as fits), `limit` bytes the caller allows (None: what
    the machine has). Raises `MemoryLimit` when even a short context does not fit, `OptionError`
    for a context the model was not made for.
    """
    if context is not None and not 1 <= context <= shape.context:
        raise OptionError(
            f"context={context}; this model takes 1 to {shape.context} tokens. Leave it out for "
            f"as many as fit."
        )
    if limit is not None and limit < 1:
        raise OptionError(f"memory_limit={limit}; give a number of bytes of at least 1, or None.")
    weights = manifest.files[graph.data].size
    # The fused graph computes from the mapped file; ONNX Runtime's kernels want their own order.
    packed = 0 if graph.kind == "fused" else weights
    scratch = _scratch(manifest.architecture, chunk)
    fixed = weights + packed + scratch
    allowed = limit if limit is not None else available_memory()
    wanted = context or shape.context
    least = wanted if context is not None else min(wanted, _LEAST_CONTEXT)
    fitting = wanted
    if allowed is not None:
        fitting = min(wanted, max(0, allowed - fixed) // shape.bytes_per_position)
    if fitting < least:
        needed = fixed + least * shape.bytes_per_position
        source = "memory_limit allows" if limit is not None else "this machine has free"
        raise MemoryLimit(
            f"{manifest.name} needs {needed} bytes for a context of {least} tokens ({fixed} and "
            f"{shape.bytes_per_position} a token), {source} {allowed}. Ask for a shorter context, "
            f"or take a smaller model."
        )
    if shape.kind == "float16" and fitting < wanted:
        fitting = fitting // 64 * 64 or fitting  # such a cache has room in whole segments
    cache = replace(shape, context=fitting).bytes
    requests = None if limit is None else (limit - fixed) // cache
    return MemoryPlan(weights, packed, scratch, cache, fitting, requests)


def _scratch(a: m.Architecture, chunk: int) -> int:
    """Activations that live at once: residual, attention in and out, gate, up; attention scores."""
    qkv = (a.heads + 2 * a.kv_heads) * a.head_dim
    return 4 * (chunk * (3 * a.hidden + 2 * qkv + 3 * a.intermediate) + a.heads * chunk * a.context)
