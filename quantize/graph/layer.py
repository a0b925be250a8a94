"""One layer of a decoder, as packs and the layered reference both build it.

Knows the order of the parts for each arrangement of norms. Does not know where weights come from
(`Parts`) nor what stands before and behind the layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgeward.quantize.architecture import Architecture

from . import attention, blocks
from .builder import GraphBuilder
from .matrices import Matrix


class Parts(Protocol):
    """The layer's weights by our names in it: `q`, `mlp_norm`, ..."""

    def vector(self, name: str) -> str:
        """A vector as a value of the graph."""

    def matrix(self, name: str, kind: str, parts: Sequence[str]) -> Matrix:
        """The matrices `parts`, one below the other, under `name`; `kind` is for people."""


@dataclass(frozen=True)
class Output:
    """What a layer leaves: `change` is still to be added to `residual`.

    `inputs`: the value that each matrix reads (`qkv`, `o`, `mlp`, `down`).
    """

    change: str
    residual: str
    inputs: dict[str, str]


def layer(
    graph: GraphBuilder,
    model: Architecture,
    number: int,
    parts: Parts,
    x: str,
    residual: str,
    rope: attention.RopeNames | None,
    *,
    kept: Callable[[str, str], str] = lambda value, name: value,
) -> Output:
    """Append layer `number`, whose values are named `layers.{number}....`.

    `x` is the normed input (the residual itself where norms come after). `kept` may shorten what
    passes on after attention: it is given a value and a name for the shorter one.
    """
    at = f"layers.{number}"
    inputs = {"qkv": x}
    mixed = inputs["o"] = attention.attention(graph, model, number, parts, x, rope)
    mixed = kept(mixed, f"{at}.attention.wanted")
    residual = kept(residual, f"{at}.residual.wanted")
    output = parts.matrix("o", "attention output", ["o"])
    change = output.multiply(graph, mixed, f"{at}.o.out")
    if model.output_bias:
        change = graph.node("Add", [change, parts.vector("o_bias")], f"{at}.o.biased")
    change = _after(graph, model, parts, change, f"{at}.attention_post_norm")
    if model.norms == "after":
        x = residual = graph.node("Add", [residual, change], f"{at}.attended")
    else:
        weight = parts.vector("mlp_norm")
        x, residual = blocks.add_norm(
            graph, change, residual, weight, model.norm_epsilon, f"{at}.mlp_norm"
        )
    inputs["mlp"] = x
    gate, up, down = (parts.matrix(n, f"mlp {n}", [n]) for n in ("gate", "up", "down"))
    biases = {n: parts.vector(f"{n}_bias") for n in ("gate", "up", "down") if model.mlp_bias}
    change = blocks.gated_mlp(graph, x, gate, up, down, biases, model.activation, f"{at}.mlp")
    inputs["down"] = f"{at}.mlp.product"
    change = _after(graph, model, parts, change, f"{at}.mlp_post_norm")
    return Output(change, residual, inputs)


def _after(graph: GraphBuilder, model: Architecture, parts: Parts, change: str, name: str) -> str:
    """The norm of what a block adds, in families that have one."""
    if model.norms == "before":
        return change
    weight = parts.vector(name.rpartition(".")[2])
    return blocks.norm(graph, change, weight, model.norm_epsilon, f"{name}.out")
