"""The blocks of a decoder layer, one function each. Knows operators; the order is `layer`'s."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgeward.quantize.architecture import Activation

from .builder import MICROSOFT, GraphBuilder
from .matrices import Matrix

LOGITS_FROM = "logits_from"


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


def gated_mlp(
    graph: GraphBuilder,
    x: str,
    gate: Matrix,
    up: Matrix,
    down: Matrix,
    biases: Mapping[str, str],
    activation: Activation,
    prefix: str,
) -> str:
    """down(activation(gate(x)) * up(x)) (Shazeer, 2020); `biases` by matrix, where it has one."""

    def multiply(matrix: Matrix, value: str, name: str) -> str:
        product = matrix.multiply(graph, value, f"{prefix}.{name}")
        if name not in biases:
            return product
        return graph.node("Add", [product, biases[name]], f"{prefix}.{name}.biased")

    gated = multiply(gate, x, "gate")
    if activation == "silu":
        # QuickGelu with alpha 1 is x * sigmoid(x) in one pass.
        active = graph.node("QuickGelu", [gated], f"{prefix}.act", domain=MICROSOFT, alpha=1.0)
    else:  # the tanh form of GELU (Hendrycks and Gimpel, 2016)
        active = graph.node("FastGelu", [gated], f"{prefix}.act", domain=MICROSOFT)
    raised = multiply(up, x, "up")
    product = graph.node("Mul", [active, raised], f"{prefix}.product")
    return multiply(down, product, "down")


def capped(graph: GraphBuilder, x: str, cap: float, output: str) -> str:
    """cap * tanh(x)."""
    bounded = graph.node("Tanh", [x], f"{output}.tanh")
    height = graph.constant(f"{output}.cap", np.array(cap, np.float32))
    return graph.node("Mul", [bounded, height], output)


def wanted(graph: GraphBuilder, x: str, output: str) -> str:
    """The positions from `logits_from` on: x (batch, sequence, ...) along its second axis."""
    end = graph.constant("end", np.array([np.iinfo(np.int64).max], np.int64))
    axis = graph.constant("axis", np.array([1], np.int64))
    return graph.node("Slice", [x, LOGITS_FROM, end, axis], output)
