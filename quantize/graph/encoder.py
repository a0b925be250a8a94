"""A whole encoder as one graph: ids in, one vector a text out (docs/pack.md).

Knows the order of a BERT's blocks (Devlin et al., 2018) and how tokens become one vector
(Reimers and Gurevych, 2019). Does not know how matrices are stored (`matrices`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto

from edgeward import __version__
from edgeward.quantize.encoders import Encoder, EncoderWeights
from edgeward.quantize.weights import Floats, all_floats

from .builder import MICROSOFT, GraphBuilder
from .data_file import DataFile
from .matrices import Matrices, Matrix

MASK = "attention_mask"


def build(
    weights: EncoderWeights, data: DataFile, matrices: Matrices, *, data_name: str
) -> ModelProto:
    """Write the weights to `data` and return the graph over them.

    `data_name` is the name under which the graph will find the file beside it.
    """
    return _Building(weights, data, matrices, data_name).model()


class _Building:
    def __init__(
        self, weights: EncoderWeights, data: DataFile, matrices: Matrices, data_name: str
    ) -> None:
        self.shape: Encoder = weights.encoder
        self.tensors = weights.tensors
        self.data = data
        self.matrices = matrices
        self.graph = GraphBuilder("bert", data_name)

    def model(self) -> ModelProto:
        graph = self.graph
        ids = graph.input("input_ids", np.int64, ("batch", "sequence"))
        graph.input(MASK, np.int32, ("batch", "sequence"))
        graph.output("vector", np.float32, ("batch", self.shape.hidden))
        x = self._embedded(ids)
        for number in range(self.shape.layers):
            x = self._layer(f"layers.{number}", x)
        pooled = self._mean(x) if self.shape.pooling == "mean" else self._first(x)
        if self.shape.normalize:
            graph.node("LpNormalization", [pooled], "vector", axis=-1, p=2)
        else:
            graph.node("Identity", [pooled], "vector")
        return graph.model(__version__)

    def _floats(self, name: str) -> Floats:
        return all_floats(self.tensors[name])

    def _store(self, name: str, values: Floats) -> str:
        return self.graph.external(name, self.data.add(values))

    def _vector(self, name: str) -> str:
        return self._store(name, self._floats(name))

    def _matrix(self, name: str, kind: str, parts: Sequence[str]) -> Matrix:
        return self.matrices.matrix(name, kind, [self.tensors[part] for part in parts])

    def _embedded(self, ids: str) -> str:
        """Words, positions and the first type of token, summed and normed."""
        graph = self.graph
        words = self._matrix("embedding", "embedding", ["embedding"])
        # One kind of text only, so that its vector is a part of every position's.
        table = self._store("positions", self._floats("positions") + self._floats("types")[:1])
        length = graph.node("Shape", [ids], "length", start=1, end=2)
        zero = graph.constant("zero", np.zeros(1, np.int64))
        places = graph.node("Slice", [table, zero, length, zero], "positions.used")
        total = graph.node("Add", [words.gather(graph, ids, "words"), places], "embedded")
        return graph.node(
            "LayerNormalization",
            [total, self._vector("embedding_norm"), self._vector("embedding_norm_bias")],
            "embedding_norm.out",
            axis=-1,
            epsilon=self.shape.norm_epsilon,
        )

    def _layer(self, at: str, x: str) -> str:
        graph = self.graph
        packed = self._matrix(f"{at}.qkv", "attention q, k, v", [f"{at}.{n}" for n in "qkv"])
        hidden = self.shape.hidden
        sizes = graph.constant("split", np.array([hidden] * 3, np.int64))
        names = [f"{at}.{name}.out" for name in "qkv"]
        graph.node("Split", [packed.multiply(graph, x, f"{at}.qkv.out"), sizes], names, axis=-1)
        biases = np.concatenate([self._floats(f"{at}.{name}_bias") for name in "qkv"])
        mixed = graph.node(
            "MultiHeadAttention",
            [*names, self._store(f"{at}.qkv_bias", biases), MASK],
            f"{at}.attention",
            domain=MICROSOFT,
            num_heads=self.shape.heads,
        )
        output = self._matrix(f"{at}.o", "attention output", [f"{at}.o"])
        x = self._norm(at, "attention", output.multiply(graph, mixed, f"{at}.o.out"), x, "o_bias")
        up, down = (self._matrix(f"{at}.{n}", f"mlp {n}", [f"{at}.{n}"]) for n in ("up", "down"))
        raised = [up.multiply(graph, x, f"{at}.up.out"), self._vector(f"{at}.up_bias")]
        active = graph.node("BiasGelu", raised, f"{at}.act", domain=MICROSOFT)
        return self._norm(at, "mlp", down.multiply(graph, active, f"{at}.down.out"), x, "down_bias")

    def _norm(self, at: str, block: str, change: str, residual: str, bias: str) -> str:
        """Layer norm of change + bias + residual."""
        vectors = [f"{at}.{block}_norm", f"{at}.{block}_norm_bias", f"{at}.{bias}"]
        return self.graph.node(
            "SkipLayerNormalization",
            [change, residual, *map(self._vector, vectors)],
            f"{at}.{block}_norm.out",
            domain=MICROSOFT,
            epsilon=self.shape.norm_epsilon,
        )

    def _mean(self, x: str) -> str:
        """Mean over the tokens that the mask keeps."""
        graph = self.graph
        weight = graph.node("Cast", [MASK], "mask.float", to=1)
        last = graph.constant("last", np.array([-1], np.int64))
        column = graph.node("Unsqueeze", [weight, last], "mask.column")
        second = graph.constant("second", np.array([1], np.int64))
        kept = graph.node("Mul", [x, column], "kept")
        total = graph.node("ReduceSum", [kept, second], "pooled.sum", keepdims=0)
        count = graph.node("ReduceSum", [column, second], "pooled.count", keepdims=0)
        return graph.node("Div", [total, count], "pooled")

    def _first(self, x: str) -> str:
        first = self.graph.constant("first", np.array(0, np.int64))
        return self.graph.node("Gather", [x, first], "pooled", axis=1)
