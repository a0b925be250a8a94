"""A whole decoder as one graph, with the inputs and outputs that docs/pack.md fixes.

Knows the order of the blocks. Does not know how matrices are stored (`matrices`) nor where the
model came from.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import ModelProto

from edgeward import __version__
from edgeward.quantize.weights import Weights, all_floats

from . import blocks
from .builder import GraphBuilder
from .data_file import DataFile
from .matrices import Matrices
from .rope import caches


def build(
    weights: Weights,
    data: DataFile,
    matrices: Matrices,
    *,
    data_name: str,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ModelProto:
    """Write the weights to `data` and return the graph over them.

    `data_name` is the name under which the graph will find the file beside it. `progress` is told
    of every finished layer.
    """
    model = weights.architecture
    tensors = weights.tensors
    graph = GraphBuilder(model.family, data_name)
    ids = graph.input("input_ids", np.int64, ("batch", "sequence"))
    graph.input(blocks.SEQLENS, np.int32, ("batch",))
    graph.input(blocks.TOTAL, np.int32, ())
    graph.input(blocks.LOGITS_FROM, np.int64, (1,))
    graph.output("logits", np.float32, ("batch", "wanted", model.vocabulary))

    def vector(name: str) -> str:
        return graph.external(name, data.add(all_floats(tensors[name])))

    cos, sin = caches(model.rope, model.head_dim, model.context)
    rope = blocks.RopeNames(
        graph.external("rope.cos", data.add(cos)), graph.external("rope.sin", data.add(sin))
    )
    embedding = matrices.matrix(
        "embedding",
        "embedding and head" if model.tied_head else "embedding",
        [tensors["embedding"]],
    )
    residual = embedding.gather(graph, ids, "embedding.out")
    norm_weight = vector("layers.0.attention_norm")
    x = blocks.norm(graph, residual, norm_weight, model.norm_epsilon, "layers.0.attention_norm.out")
    for layer in range(model.layers):
        at = f"layers.{layer}"
        last = layer == model.layers - 1
        packed = matrices.matrix(
            f"{at}.qkv", "attention q, k, v", [tensors[f"{at}.{n}"] for n in "qkv"]
        )
        mixed = blocks.attention(
            graph, model, layer, packed.multiply(graph, x, f"{at}.qkv.out"), rope
        )
        if last:
            # Nothing after the last attention looks at other positions.
            mixed = blocks.wanted(graph, mixed, f"{at}.attention.wanted")
            residual = blocks.wanted(graph, residual, f"{at}.residual.wanted")
        output = matrices.matrix(f"{at}.o", "attention output", [tensors[f"{at}.o"]])
        x, residual = blocks.add_norm(
            graph,
            output.multiply(graph, mixed, f"{at}.o.out"),
            residual,
            vector(f"{at}.mlp_norm"),
            model.norm_epsilon,
            f"{at}.mlp_norm",
        )
        gate, up, down = (
            matrices.matrix(f"{at}.{name}", f"mlp {name}", [tensors[f"{at}.{name}"]])
            for name in ("gate", "up", "down")
        )
        next_norm = "final_norm" if last else f"layers.{layer + 1}.attention_norm"
        x, residual = blocks.add_norm(
            graph,
            blocks.gated_mlp(graph, x, gate, up, down, f"{at}.mlp"),
            residual,
            vector(next_norm),
            model.norm_epsilon,
            next_norm,
            last=last,
        )
        progress(layer + 1, model.layers)
    head = embedding if model.tied_head else matrices.matrix("head", "head", [tensors["head"]])
    head.multiply(graph, x, "logits")
    return graph.model(__version__)
