"""The source's model in float32, run layer by layer: memory for one layer, whatever the model.

One graph of one layer takes the weights as inputs; each layer's are dequantized, used for all
windows and dropped. Built of the same blocks as the packs' graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edgeward import __version__
from edgeward.quantize.architecture import Architecture, Attention
from edgeward.quantize.graph import blocks
from edgeward.quantize.graph.attention import SEQLENS, TOTAL, RopeNames
from edgeward.quantize.graph.builder import MICROSOFT, GraphBuilder
from edgeward.quantize.graph.layer import layer
from edgeward.quantize.graph.matrices import Matrix
from edgeward.quantize.graph.rope import caches
from edgeward.quantize.weights import Floats, Tensor, Weights, all_floats
from edgeward.scorer import open_session, position_inputs

# Numbers of the head dequantized at once.
_CHUNK = 1 << 23

# What reads the values that may be looked at.
_INPUTS = ("qkv", "o", "mlp", "down")

See = Callable[[int, dict[str, Floats]], None]


class LayeredReference:
    """Float32 logits of `weights`, without ever holding the whole model."""

    def __init__(self, weights: Weights, threads: int | None = None) -> None:
        self._weights = weights
        self._threads = threads

    def hidden(
        self,
        windows: NDArray[np.int64],
        start: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
        see: See | None = None,
    ) -> Floats:
        """Final hidden states of the positions from `start` on of each window (windows, length).

        Float32 (windows, length - start, hidden), after the last norm. `see` is told of each
        layer's number and the inputs of its matrices (`qkv`, `o`, `mlp`, `down`), float32
        (windows, length, channels).
        """
        model = self._weights.architecture
        layers = Layers(model, windows.shape[1], self._threads)
        x = embedded(self._weights.tensors["embedding"], windows)
        for number in range(model.layers):
            x, seen = layers.run(number, x, layer_floats(self._weights, number), see is not None)
            if see is not None:
                see(number, seen)
            progress(number + 1, model.layers)
        return self.normed(x[:, start:])

    def normed(self, x: Floats) -> Floats:
        """Hidden states after the last norm."""
        epsilon = self._weights.architecture.norm_epsilon
        scale = np.reciprocal(np.sqrt(np.square(x).mean(-1, keepdims=True) + epsilon))
        return np.asarray(x * scale * all_floats(self._weights.tensors["final_norm"]), np.float32)

    def logits(self, hidden: Floats) -> Floats:
        """Logits of final hidden states (positions, hidden): (positions, vocabulary)."""
        tensors = self._weights.tensors
        head = tensors.get("head", tensors["embedding"])
        logits = np.empty((hidden.shape[0], head.shape[0]), np.float32)
        for begin, end in _pieces(head):
            np.matmul(hidden, head.floats(begin, end).T, out=logits[:, begin:end])
        if (cap := self._weights.architecture.logit_softcap) is not None:
            np.tanh(logits, out=logits)
            logits *= np.float32(cap)
        return logits


class Layers:
    """Single layers on hidden states of windows of one length, with weights given at each call."""

    def __init__(self, model: Architecture, length: int, threads: int | None = None) -> None:
        self._model, self._length, self._threads = model, length, threads
        self._sessions: dict[tuple[Attention, bool], ort.InferenceSession] = {}

    def run(
        self, number: int, x: Floats, tensors: Mapping[str, Floats], inputs: bool = False
    ) -> tuple[Floats, dict[str, Floats]]:
        """Layer `number` on x (windows, length, hidden): the same shape, and its inputs if asked.

        `tensors` by their names within the layer; the inputs are those of its matrices (`qkv`,
        `o`, `mlp`, `down`), float32 (windows, length, channels).
        """
        model = self._model
        attention = model.attention(number)
        names = _INPUTS if inputs else ()
        session = self._sessions.get((attention, inputs))
        if session is None:
            graph = _layer_graph(model, attention, self._length, names)
            session = self._sessions[attention, inputs] = open_session(graph, self._threads)
        batch = len(x)
        feed: dict[str, NDArray[np.generic]] = dict(position_inputs(batch, self._length))
        for kind in ("key", "value"):
            feed[f"past_key_values.0.{kind}"] = np.zeros(
                (batch, model.kv_heads, self._length, model.head_dim), np.float32
            )
        wanted = ["result", *(f"{name}.input" for name in names)]
        result, *seen = session.run(wanted, {**feed, **tensors, "x": x})
        return result, dict(zip(names, seen, strict=True))


def layer_floats(weights: Weights, number: int) -> dict[str, Floats]:
    """A layer's tensors in float32, by their names within it."""
    names = weights.architecture.layer_shapes()
    return {name: all_floats(weights.tensors[f"layers.{number}.{name}"]) for name in names}


@dataclass(frozen=True)
class _InputMatrix:
    """A float32 matrix that is an input of the graph."""

    name: str

    def multiply(self, graph: GraphBuilder, x: str, output: str) -> str:
        return graph.node("FusedMatMul", [x, self.name], output, domain=MICROSOFT, transB=1)

    def gather(self, graph: GraphBuilder, ids: str, output: str) -> str:
        return graph.node("Gather", [self.name, ids], output)


@dataclass(frozen=True)
class _InputParts:
    """A layer's weights as inputs of its graph, under our names."""

    graph: GraphBuilder

    def vector(self, name: str) -> str:
        return name

    def matrix(self, name: str, kind: str, parts: Sequence[str]) -> Matrix:
        if len(parts) > 1:
            return _InputMatrix(self.graph.node("Concat", list(parts), f"{name}.whole", axis=0))
        return _InputMatrix(name)


def _layer_graph(model: Architecture, kind: Attention, length: int, also: Sequence[str]) -> bytes:
    """One layer: x (batch, sequence, hidden) to result of the same shape, and the values `also`."""
    model = replace(model, attentions=(kind,))
    graph = GraphBuilder("layer", "")
    x = graph.input("x", np.float32, ("batch", "sequence", model.hidden))
    graph.input(SEQLENS, np.int32, ("batch",))
    graph.input(TOTAL, np.int32, ())
    graph.output("result", np.float32, ("batch", "sequence", model.hidden))
    for name, shape in model.layer_shapes().items():
        graph.input(name, np.float32, shape)
    rope = None
    if kind.rope is not None:
        cos, sin = caches(kind.rope, model.head_dim, length)
        rope = RopeNames(graph.constant("rope.cos", cos), graph.constant("rope.sin", sin))
    normed = x
    if model.norms != "after":
        normed = blocks.norm(graph, x, "attention_norm", model.norm_epsilon, "normed")
    made = layer(graph, model, 0, _InputParts(graph), normed, x, rope)
    graph.node("Add", [made.residual, made.change], "result")
    for name in also:
        seen = graph.node("Identity", [made.inputs[name]], f"{name}.input")
        graph.output(seen, np.float32, ("batch", "sequence", "channels"))
    return bytes(graph.model(__version__).SerializeToString())


def embedded(embedding: Tensor, ids: NDArray[np.int64]) -> Floats:
    """Rows of the embedding for `ids` (...): (..., hidden)."""
    wanted, places = np.unique(ids, return_inverse=True)
    rows = np.concatenate([embedding.floats(int(row), int(row) + 1) for row in wanted])
    return rows[places.reshape(ids.shape)]


def _pieces(matrix: Tensor) -> Iterator[tuple[int, int]]:
    rows, columns = matrix.shape
    many = max(1, _CHUNK // columns)
    for begin in range(0, rows, many):
        yield begin, min(begin + many, rows)
