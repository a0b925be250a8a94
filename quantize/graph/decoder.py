"""A whole decoder as one graph, with the inputs and outputs that docs/pack.md fixes.

Knows the order of the blocks. Does not know how matrices are stored (`matrices`) nor where the
model came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from onnx import ModelProto

from edgeward import __version__
from edgeward.quantize.architecture import Architecture, Rope
from edgeward.quantize.weights import Weights, all_floats

from . import blocks
from .attention import SEQLENS, TOTAL, RopeNames
from .builder import GraphBuilder
from .data_file import DataFile
from .layer import Output, layer
from .matrices import Matrices, Matrix
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
    graph.input(SEQLENS, np.int32, ("batch",))
    graph.input(TOTAL, np.int32, ())
    graph.input(blocks.LOGITS_FROM, np.int64, (1,))
    graph.output("logits", np.float32, ("batch", "wanted", model.vocabulary))

    parts = _Parts(graph, weights, data, matrices)
    ropes = _Ropes(graph, model, data)
    embedding = matrices.matrix(
        "embedding",
        "embedding and head" if model.tied_head else "embedding",
        [tensors["embedding"]],
    )
    x = residual = embedding.gather(graph, ids, "embedding.out")
    if model.norms != "after":
        weight = parts.vector("layers.0.attention_norm")
        x = blocks.norm(graph, residual, weight, model.norm_epsilon, "layers.0.attention_norm.out")
    for number in range(model.layers):
        last = number == model.layers - 1
        made = layer(
            graph,
            model,
            number,
            _LayerParts(parts, f"layers.{number}."),
            x,
            residual,
            ropes.of(model.attention(number).rope),
            # Nothing after the last attention looks at other positions.
            kept=partial(blocks.wanted, graph) if last else _as_it_is,
        )
        next_norm = "final_norm" if last else f"layers.{number + 1}.attention_norm"
        x, residual = _join(graph, model, parts, made, next_norm, last)
        progress(number + 1, model.layers)
    head = embedding if model.tied_head else matrices.matrix("head", "head", [tensors["head"]])
    if model.logit_softcap is None:
        head.multiply(graph, x, "logits")
    else:
        logits = head.multiply(graph, x, "logits.uncapped")
        blocks.capped(graph, logits, model.logit_softcap, "logits")
    return graph.model(__version__)


def _join(
    graph: GraphBuilder,
    model: Architecture,
    parts: _Parts,
    made: Output,
    next_norm: str,
    last: bool,
) -> tuple[str, str]:
    """Add what a layer leaves to the residual; the normed input of what follows, and the sum."""
    epsilon = model.norm_epsilon
    if model.norms != "after":
        weight = parts.vector(next_norm)
        return blocks.add_norm(
            graph, made.change, made.residual, weight, epsilon, next_norm, last=last
        )
    total = graph.node("Add", [made.residual, made.change], f"{next_norm}.sum")
    if not last:
        return total, total
    return blocks.norm(graph, total, parts.vector(next_norm), epsilon, f"{next_norm}.out"), total


def _as_it_is(value: str, name: str) -> str:
    return value


@dataclass(frozen=True)
class _Parts:
    """The model's tensors, written to the data file when they are asked for."""

    graph: GraphBuilder
    weights: Weights
    data: DataFile
    matrices: Matrices

    def vector(self, name: str) -> str:
        return self.graph.external(name, self.data.add(all_floats(self.weights.tensors[name])))


@dataclass(frozen=True)
class _LayerParts:
    """Those of the layer whose names begin with `prefix`."""

    whole: _Parts
    prefix: str

    def vector(self, name: str) -> str:
        return self.whole.vector(self.prefix + name)

    def matrix(self, name: str, kind: str, parts: Sequence[str]) -> Matrix:
        tensors = [self.whole.weights.tensors[self.prefix + part] for part in parts]
        return self.whole.matrices.matrix(self.prefix + name, kind, tensors)


class _Ropes:
    """Cosines and sines in the data file, once for each way to rotate."""

    def __init__(self, graph: GraphBuilder, model: Architecture, data: DataFile) -> None:
        self._graph, self._model, self._data = graph, model, data
        self._made: dict[Rope, RopeNames] = {}

    def of(self, rope: Rope | None) -> RopeNames | None:
        if rope is None:
            return None
        if rope not in self._made:
            tables = caches(rope, self._model.head_dim, self._model.context)
            name = "rope" if not self._made else f"rope{len(self._made) + 1}"
            cos, sin = (
                self._graph.external(f"{name}.{of}", self._data.add(table))
                for of, table in zip(("cos", "sin"), tables, strict=True)
            )
            self._made[rope] = RopeNames(cos, sin)
        return self._made[rope]
