"""Rotary grouped-query attention over the cache, with what families add to it.

Knows ONNX Runtime's `GroupQueryAttention`. Does not know the rest of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from edgeward.quantize.architecture import Architecture

from . import blocks
from .builder import MICROSOFT, GraphBuilder
from .matrices import Matrix

SEQLENS = "seqlens_k"
TOTAL = "total_sequence_length"


@dataclass(frozen=True)
class RopeNames:
    """Names of the caches of cosines and sines."""

    cos: str
    sin: str


class Parts(Protocol):
    def vector(self, name: str) -> str: ...

    def matrix(self, name: str, kind: str, parts: Sequence[str]) -> Matrix: ...


def attention(
    graph: GraphBuilder,
    model: Architecture,
    layer: int,
    parts: Parts,
    x: str,
    rope: RopeNames | None,
) -> str:
    """Attention of layer `layer` on x (batch, sequence, hidden): (batch, sequence, q).

    Extends the cache. Without `rope` the layer sees no positions.
    """
    at = f"layers.{layer}"
    packed = parts.matrix("qkv", "attention q, k, v", ["q", "k", "v"])
    qkv = packed.multiply(graph, x, f"{at}.qkv.out")
    if model.qkv_bias:
        biases = [parts.vector(f"{name}_bias") for name in "qkv"]
        bias = graph.node("Concat", biases, f"{at}.qkv.bias", axis=0)
        qkv = graph.node("Add", [qkv, bias], f"{at}.qkv.biased")
    # The operator takes q, k and v side by side as one input, or as three.
    heads = [qkv, "", ""]
    if model.qk_norm != "none":
        heads = _normed(graph, model, at, parts, qkv)
    return _operator(graph, model, layer, heads, rope)


def _normed(graph: GraphBuilder, model: Architecture, at: str, parts: Parts, qkv: str) -> list[str]:
    """Queries, keys and values apart, the first two normed."""
    sizes = [model.query_size, model.kv_size, model.kv_size]
    split = graph.constant(f"split.{'.'.join(map(str, sizes))}", np.array(sizes, np.int64))
    names = [f"{at}.{name}.part" for name in "qkv"]
    graph.node("Split", [qkv, split], names, axis=-1)
    made = []
    for name, value in zip("qk", names[:2], strict=True):
        weight = parts.vector(f"{name}_norm")
        if model.qk_norm == "head":
            by_head = graph.constant("by_head", np.array([0, 0, -1, model.head_dim], np.int64))
            value = graph.node("Reshape", [value, by_head], f"{at}.{name}.heads")
        value = blocks.norm(graph, value, weight, model.norm_epsilon, f"{at}.{name}.normed")
        if model.qk_norm == "head":
            flat = graph.constant("flat", np.array([0, 0, -1], np.int64))
            value = graph.node("Reshape", [value, flat], f"{at}.{name}.flat")
        made.append(value)
    return [*made, names[2]]


def _operator(
    graph: GraphBuilder,
    model: Architecture,
    layer: int,
    heads: list[str],
    rope: RopeNames | None,
) -> str:
    shape = ("batch", model.kv_heads, "context", model.head_dim)
    past = [f"past_key_values.{layer}.{kind}" for kind in ("key", "value")]
    present = [f"present.{layer}.{kind}" for kind in ("key", "value")]
    for names, declare in ((past, graph.input), (present, graph.output)):
        for name in names:
            declare(name, np.float32, shape)
    turned = [] if rope is None else [rope.cos, rope.sin]
    return graph.node(
        "GroupQueryAttention",
        [*heads, *past, SEQLENS, TOTAL, *turned],
        [f"layers.{layer}.attention", *present],
        domain=MICROSOFT,
        num_heads=model.heads,
        kv_num_heads=model.kv_heads,
        do_rotary=0 if rope is None else 1,
        rotary_interleaved=0,
        **_options(model, layer),
    )


def _options(model: Architecture, layer: int) -> dict[str, Any]:
    """Attributes that most models leave at their default."""
    options: dict[str, Any] = {}
    if model.attention_scale is not None:
        options["scale"] = model.attention_scale
    if model.attention_softcap is not None:
        options["softcap"] = model.attention_softcap
    if (window := model.attention(layer).window) is not None:
        options["local_window_size"] = window
    return options
