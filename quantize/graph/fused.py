"""A whole decoder as one node for our own CPU operators (docs/fused.md).

Knows the node's attributes and the order of its weights. Does not know how a matrix becomes bytes
(`packed`) nor how the operator computes (kernels/ops/decoder).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from onnx import ModelProto

from edgeward import __version__
from edgeward.quantize.architecture import Architecture, Rope
from edgeward.quantize.schemes import grids
from edgeward.quantize.schemes.grids import Format, Values
from edgeward.quantize.views import Times
from edgeward.quantize.weights import Floats, Tensor, Weights, all_floats

from .builder import EDGEWARD, GraphBuilder
from .data_file import DataFile
from .matrices import Stored
from .packed import GROUP, pack, packed_shape
from .rope import caches

LAYOUT = 1
"""Of attributes, weights and cache; kDecoderLayout of kernels/ops/decoder/shape.h."""

# In the order of the enumerations of kernels/ops/decoder/shape.h.
_NORMS = ("before", "around", "after")
_QK_NORMS = ("none", "head", "whole")
_ACTIVATIONS = ("silu", "gelu_tanh")

# Rows packed at once: bounds memory; whole groups.
_ROWS = 2048


def reason_against(weights: Weights) -> str | None:
    """Why the operator cannot run this model, or None where it can."""
    model = weights.architecture
    for name, value, of in (
        ("hidden size", model.hidden, 32),
        ("MLP width", model.intermediate, 32),
        ("query size", model.query_size, 32),
        ("head size", model.head_dim, 16),
    ):
        if value % of:
            return f"the {name} is {value}, no multiple of {of}"
    if model.head_dim > 512:
        return f"the head size is {model.head_dim}, more than 512"
    if model.mlp_bias:
        return "its MLP has biases"
    return None


def exact(weights: Weights) -> bool:
    """Whether every matrix of the layers lies on a grid that the operator stores as it is."""
    model = weights.architecture
    names = [n for n, shape in model.layer_shapes().items() if len(shape) == 2]
    return all(
        grids.format_of([weights.tensors[f"layers.{layer}.{name}"]], _ROWS) is not None
        for layer in range(model.layers)
        for name in names
    )


def build(
    weights: Weights,
    data: DataFile,
    *,
    data_name: str,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[ModelProto, list[Stored]]:
    """Write the weights to `data`; returns the graph over them and what was written.

    `reason_against` must have found nothing. Arguments as of `decoder.build`.
    """
    model = weights.architecture
    graph = GraphBuilder(model.family, data_name)
    inputs = _inputs(graph, model)
    node = _Node(graph, weights, data)
    ropes = list(dict.fromkeys(r for r in _ropes(model) if r is not None))
    for number, rope in enumerate(ropes):
        cos, sin = caches(rope, model.head_dim, model.context)
        node.array(f"rope.{number}.cos", cos)
        node.array(f"rope.{number}.sin", sin)
    kind = "embedding and head" if model.tied_head else "embedding"
    # A constant that intake multiplied into the embedding goes into an attribute: its blocks stay
    # as small as they were. A tied head then lacks it, and the last norm takes it over.
    scale = node.unscale("embedding")
    embedding = node.matrix("embedding", kind, "embedding")
    words = []
    for layer in range(model.layers):
        words.append(_layer(node, model, layer, ropes))
        progress(layer + 1, model.layers)
    node.array(
        "final_norm",
        all_floats(weights.tensors["final_norm"]) * np.float32(scale if model.tied_head else 1),
    )
    head = embedding if model.tied_head else node.matrix("head", "head", "head")
    graph.node(
        "Decoder",
        [*inputs, *node.weights],
        ["logits", "present"],
        domain=EDGEWARD,
        ropes=len(ropes),
        embedding=embedding,
        head=head,
        layers=" ".join(words),
        embedding_scale=scale,
        **_attributes(model),
    )
    return graph.model(__version__), node.stored


def _inputs(graph: GraphBuilder, model: Architecture) -> list[str]:
    cache = ("slots", model.layers, 2, model.kv_heads, "context", model.head_dim)
    graph.output("logits", np.float32, ("wanted", model.vocabulary))
    graph.output("present", np.float16, cache)
    return [
        graph.input("input_ids", np.int64, ("tokens",)),
        graph.input("row_starts", np.int32, ("rows + 1",)),
        graph.input("positions", np.int32, ("rows",)),
        graph.input("slots", np.int32, ("rows",)),
        graph.input("wanted", np.int32, ("wanted",)),
        graph.input("control", np.int64, (2,)),
        graph.input("past", np.float16, cache),
    ]


def _attributes(model: Architecture) -> dict[str, int | float]:
    """Sizes and constants; floats stay floats, which is what ONNX tells their type by."""
    scale = model.attention_scale
    return {
        "layout": LAYOUT,
        "hidden": model.hidden,
        "intermediate": model.intermediate,
        "heads": model.heads,
        "kv_heads": model.kv_heads,
        "head_dim": model.head_dim,
        "vocabulary": model.vocabulary,
        "rotated": model.head_dim,
        "context": model.context,
        "norms": _NORMS.index(model.norms),
        "qk_norm": _QK_NORMS.index(model.qk_norm),
        "activation": _ACTIVATIONS.index(model.activation),
        "qkv_bias": int(model.qkv_bias),
        "output_bias": int(model.output_bias),
        "tied_head": int(model.tied_head),
        "epsilon": float(model.norm_epsilon),
        "attention_scale": float(model.head_dim**-0.5 if scale is None else scale),
        "attention_cap": float(model.attention_softcap or 0),
        "logit_cap": float(model.logit_softcap or 0),
    }


def _ropes(model: Architecture) -> list[Rope | None]:
    return [model.attention(layer).rope for layer in range(model.layers)]


def _layer(node: _Node, model: Architecture, layer: int, ropes: Sequence[Rope]) -> str:
    """Add a layer's weights in the operator's order; returns the word that describes it."""
    at = f"layers.{layer}."
    attention = model.attention(layer)
    before, after = model.norms != "after", model.norms != "before"
    if before:
        node.vector(f"{at}attention_norm")
    formats = ["+".join(node.stacked(at, "qkv", "attention q, k, v"))]
    if model.qkv_bias:
        node.vectors(f"{at}qkv_bias", [f"{at}{n}_bias" for n in "qkv"])
    if model.qk_norm != "none":
        node.vector(f"{at}q_norm")
        node.vector(f"{at}k_norm")
    formats.append(node.matrix(f"{at}o", "attention output", f"{at}o"))
    if model.output_bias:
        node.vector(f"{at}o_bias")
    if after:
        node.vector(f"{at}attention_post_norm")
    if before:
        node.vector(f"{at}mlp_norm")
    formats += [node.matrix(f"{at}{n}", f"mlp {n}", f"{at}{n}") for n in ("gate", "up", "down")]
    if after:
        node.vector(f"{at}mlp_post_norm")
    table = -1 if attention.rope is None else ropes.index(attention.rope)
    return "/".join([str(attention.window or 0), str(table), *formats])


class _Node:
    """The operator's weights, written to the data file in the order they are asked for."""

    def __init__(self, graph: GraphBuilder, weights: Weights, data: DataFile) -> None:
        self._graph = graph
        self._tensors = dict(weights.tensors)
        self._data = data
        self.weights: list[str] = []
        """Names of the initializers."""
        self.stored: list[Stored] = []

    def unscale(self, name: str) -> float:
        """Take a constant factor off a tensor and return it."""
        tensor = self._tensors[name]
        if not isinstance(tensor, Times):
            return 1.0
        self._tensors[name] = tensor.inner
        return float(tensor.factor)

    def array(self, name: str, values: Floats) -> None:
        self.weights.append(self._graph.external(name, self._data.add(values)))

    def vector(self, name: str) -> None:
        self.array(name, all_floats(self._tensors[name]))

    def vectors(self, name: str, parts: Sequence[str]) -> None:
        """Several, one behind the other."""
        self.array(name, np.concatenate([all_floats(self._tensors[part]) for part in parts]))

    def stacked(self, at: str, names: str, kind: str) -> list[str]:
        """Formats of matrices that share their input: one below the other, or apart if they differ.

        Those that lie on no grid can be one as well: they are rounded to the same format.
        """
        tensors = [self._tensors[at + name] for name in names]
        if len({grids.format_of([tensor], _ROWS) for tensor in tensors}) == 1:
            return [self.matrix(at + names, kind, *(at + name for name in names))]
        return [self.matrix(at + name, kind, at + name) for name in names]

    def matrix(self, name: str, kind: str, *parts: str) -> str:
        """The rows of all parts, one below the other; returns the format's name."""
        tensors = [self._tensors[part] for part in parts]
        form = grids.format_of(tensors, _ROWS)
        chosen = form or grids.Q8_0
        rows, columns = sum(t.shape[0] for t in tensors), tensors[0].shape[1]
        region = self._data.reserve(packed_shape(chosen, rows, columns), np.uint8)
        start = 0
        for values in _grouped(tensors, form):
            packed = pack(chosen, values)
            self._data.write(region, packed, start)
            start += packed.size
        storages = sorted({tensor.storage for tensor in tensors})
        made = [storage for storage in storages if " from " in storage]
        how = "nearest from " + " + ".join(storages)
        if form:
            how = " + ".join(made) or "as in the source"
        self.stored.append(
            Stored(
                kind, len(tensors), chosen.bits, grids.BLOCK, f"{chosen.name}, {how}", region.size
            )
        )
        self.weights.append(self._graph.external(name, region))
        return chosen.name


def _grouped(parts: Sequence[Tensor], form: Format | None) -> Iterator[Values]:
    """Rows of all parts in pieces of whole groups, the last piece excepted."""
    left: Values | None = None
    for part in parts:
        for begin in range(0, part.shape[0], _ROWS):
            values = _values(part, begin, min(begin + _ROWS, part.shape[0]), form)
            left = values if left is None else left.and_below(values)
            whole = left.rows // GROUP * GROUP
            if whole:
                yield left.cut(0, whole)
            left = left.cut(whole, left.rows) if whole < left.rows else None
    if left is not None:
        yield left


def _values(tensor: Tensor, begin: int, end: int, form: Format | None) -> Values:
    if form is None:
        return grids.nearest_half(tensor.floats(begin, end))
    grid = tensor.grid(begin, end)
    assert grid is not None  # format_of saw it
    return grids.exact(grid, form)
