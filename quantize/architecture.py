"""The shape of a decoder: sizes, constants, and which of the known parts each layer has.

Knows shapes and names of tensors as we call them. Does not know files, operators or bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Norms = Literal["before", "around", "after"]
QkNorm = Literal["none", "head", "whole"]
Activation = Literal["silu", "gelu_tanh"]


@dataclass(frozen=True)
class Rope:
    """Rotary position embedding over the first and second half of each head.

    Pair i of the `rotated` / 2 turns by theta^(-2 i / rotated) / factors[i] radians a position;
    `factors` carry every kind of scaling. Pairs beyond stay as they are. `scale` multiplies
    cosines and sines of the pairs that turn (YaRN's and LongRoPE's attention factor).
    """

    theta: float
    factors: tuple[float, ...] | None = None
    rotated: int | None = None
    """Values of a head that take part; None: all."""
    scale: float = 1.0


@dataclass(frozen=True)
class Attention:
    """What differs between the attentions of a model's layers."""

    rope: Rope | None
    """None: the layer sees no positions."""
    window: int | None = None
    """Newest positions that a token sees, its own included; None: all."""


@dataclass(frozen=True)
class Architecture:
    """A decoder of RMS norms, grouped-query attention and gated MLPs.

    `norms`: one before attention and MLP ("before"), one before and one after each ("around"), or
    one after each ("after", before the sum with the residual). `qk_norm`: an RMS norm of queries
    and keys over each head, or over all heads together. Constant factors of embedding, residual
    and logits are no part of this: intake multiplies them into the weights.
    """

    family: str
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context: int
    rope: Rope
    norm_epsilon: float
    tied_head: bool
    norms: Norms = "before"
    qk_norm: QkNorm = "none"
    activation: Activation = "silu"
    qkv_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False
    attention_scale: float | None = None
    """Factor of queries times keys; None: 1 / sqrt(head_dim)."""
    attention_softcap: float | None = None
    """Scores become cap * tanh(score / cap)."""
    logit_softcap: float | None = None
    """Logits become cap * tanh(x), the division by cap being part of the last norm's weight."""
    attentions: tuple[Attention, ...] = ()
    """One a layer; empty: all see everything, with `rope`."""

    @property
    def query_size(self) -> int:
        return self.heads * self.head_dim

    @property
    def kv_size(self) -> int:
        return self.kv_heads * self.head_dim

    def attention(self, layer: int) -> Attention:
        return self.attentions[layer] if self.attentions else Attention(self.rope)

    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor of one layer, matrices as (outputs, inputs)."""
        q, kv, hidden, wide = self.query_size, self.kv_size, self.hidden, self.intermediate
        shapes: dict[str, tuple[int, ...]] = {
            "q": (q, hidden),
            "k": (kv, hidden),
            "v": (kv, hidden),
            "o": (hidden, q),
            "gate": (wide, hidden),
            "up": (wide, hidden),
            "down": (hidden, wide),
        }
        if self.norms != "after":
            shapes |= {"attention_norm": (hidden,), "mlp_norm": (hidden,)}
        if self.norms != "before":
            shapes |= {"attention_post_norm": (hidden,), "mlp_post_norm": (hidden,)}
        if self.qk_norm != "none":
            whole = self.qk_norm == "whole"
            shapes["q_norm"] = (q if whole else self.head_dim,)
            shapes["k_norm"] = (kv if whole else self.head_dim,)
        if self.qkv_bias:
            shapes |= {"q_bias": (q,), "k_bias": (kv,), "v_bias": (kv,)}
        if self.output_bias:
            shapes["o_bias"] = (hidden,)
        if self.mlp_bias:
            shapes |= {"gate_bias": (wide,), "up_bias": (wide,), "down_bias": (hidden,)}
        return shapes

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor by our names: `embedding`, `layers.0.q`, ..., `final_norm`, `head`.

        A tied model has no `head`.
        """
        shapes: dict[str, tuple[int, ...]] = {"embedding": (self.vocabulary, self.hidden)}
        for layer in range(self.layers):
            for name, shape in self.layer_shapes().items():
                shapes[f"layers.{layer}.{name}"] = shape
        shapes["final_norm"] = (self.hidden,)
        if not self.tied_head:
            shapes["head"] = (self.vocabulary, self.hidden)
        return shapes
