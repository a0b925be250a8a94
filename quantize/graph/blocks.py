"""The blocks of a decoder layer, one function each. Knows operators; the order is `decoder`'s."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeward.quantize.families import Architecture

from .builder import MICROSOFT, GraphBuilder
from .matrices import Matrix

SEQLENS = "seqlens_k"
TOTAL = "total_sequence_length"
LOGITS_FROM = "logits_from"


@dataclass(frozen=True)
class RopeNames:
    """Names of the caches of cosines and sines."""

    cos: str
    sin: str


def norm(graph: GraphBuilder, x: str, weight: str, epsilon: float, output: str) -> str:
    """RMS norm: x / sqrt(mean(x^2) + epsilon) * weight (Zhang and Sennrich, 2019)."""
    return graph.node(
        "SimplifiedLayerNormalization",
        [x, weight],
        output,
        axis=-1,
        epsilon=epsilon,
        stash_type=1,
    )


def add_norm(
    graph: GraphBuilder,
    x: str,
    residual: str,
    weight: str,
    epsilon: float,
    prefix: str,
    *,
    last: bool = False,
) -> tuple[str, str]:
    """Norm of x + residual, and that sum (not computed for the last norm of a model)."""
    outputs = [f"{prefix}.out"] if last else [f"{prefix}.out", "", "", f"{prefix}.sum"]
    graph.node(
        "SkipSimplifiedLayerNormalization",
        [x, residual, weight],
        outputs,
        domain=MICROSOFT,
        epsilon=epsilon,
    )
    return outputs[0], outputs[-1]


def attention(
    graph: GraphBuilder, model: Architecture, layer: int, qkv: str, rope: RopeNames
) -> str:
    """Rotary grouped-query attention over the cache, which it extends; (batch, sequence, q).

    `qkv` (batch, sequence, q + k + v) holds queries, keys and values side by side.
    """
    shape = ("batch", model.kv_heads, "context", model.head_dim)
    past = [f"past_key_values.{layer}.{kind}" for kind in ("key", "value")]
    present = [f"present.{layer}.{kind}" for kind in ("key", "value")]
    for names, declare in ((past, graph.input), (present, graph.output)):
        for name in names:
            declare(name, np.float32, shape)
    return graph.node(
        "GroupQueryAttention",
        [qkv, "", "", *past, SEQLENS, TOTAL, rope.cos, rope.sin],
        [f"layers.{layer}.attention", *present],
        domain=MICROSOFT,
        num_heads=model.heads,
        kv_num_heads=model.kv_heads,
        do_rotary=1,
        rotary_interleaved=0,
    )


def gated_mlp(
    graph: GraphBuilder, x: str, gate: Matrix, up: Matrix, down: Matrix, prefix: str
) -> str:
    """down(silu(gate(x)) * up(x)) (Shazeer, 2020)."""
    gated = gate.multiply(graph, x, f"{prefix}.gate")
    # QuickGelu with alpha 1 is x * sigmoid(x) in one pass.
    active = graph.node("QuickGelu", [gated], f"{prefix}.silu", domain=MICROSOFT, alpha=1.0)
    raised = up.multiply(graph, x, f"{prefix}.up")
    product = graph.node("Mul", [active, raised], f"{prefix}.product")
    return down.multiply(graph, product, f"{prefix}.down")


def wanted(graph: GraphBuilder, x: str, output: str) -> str:
    """The positions from `logits_from` on: x (batch, sequence, ...) along its second axis."""
    end = graph.constant("end", np.array([np.iinfo(np.int64).max], np.int64))
    axis = graph.constant("axis", np.array([1], np.int64))
    return graph.node("Slice", [x, LOGITS_FROM, end, axis], output)
