"""One table row per model family: what its makers call each tensor and setting.

Knows names and shapes. Does not know files, operators or bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Rope:
    """Rotary position embedding over the first and second half of each head.

    `factors`, when there are any, divide the head_dim / 2 inverse frequencies; they carry linear
    and Llama 3 scaling alike.
    """

    theta: float
    factors: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Architecture:
    """Shape of a decoder: RMS norm, grouped-query attention, gated SiLU MLP."""

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

    @property
    def query_size(self) -> int:
        return self.heads * self.head_dim

    @property
    def kv_size(self) -> int:
        return self.kv_heads * self.head_dim

    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor of one layer, matrices as (outputs, inputs)."""
        return {
            "attention_norm": (self.hidden,),
            "q": (self.query_size, self.hidden),
            "k": (self.kv_size, self.hidden),
            "v": (self.kv_size, self.hidden),
            "o": (self.hidden, self.query_size),
            "mlp_norm": (self.hidden,),
            "gate": (self.intermediate, self.hidden),
            "up": (self.intermediate, self.hidden),
            "down": (self.hidden, self.intermediate),
        }

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


@dataclass(frozen=True)
class Family:
    """A row of the table.

    `hf_names` and `gguf_names` give their name for each of ours, `{layer}` being the number.
    `gguf_pairs_qk`: GGUF files of the family hold the rows of Q and K in the order of a rotation
    of neighbours (0, 1), (2, 3), ... instead of halves.
    `hf_settled`: settings of config.json that change the mathematics, with the one value that the
    graph builder knows (also assumed where config.json is silent).
    """

    name: str
    hf_model_types: tuple[str, ...]
    gguf_architectures: tuple[str, ...]
    hf_names: Mapping[str, str]
    gguf_names: Mapping[str, str]
    gguf_pairs_qk: bool
    hf_settled: Mapping[str, object]


_HF_NAMES = MappingProxyType(
    {
        "embedding": "model.embed_tokens.weight",
        "attention_norm": "model.layers.{layer}.input_layernorm.weight",
        "q": "model.layers.{layer}.self_attn.q_proj.weight",
        "k": "model.layers.{layer}.self_attn.k_proj.weight",
        "v": "model.layers.{layer}.self_attn.v_proj.weight",
        "o": "model.layers.{layer}.self_attn.o_proj.weight",
        "mlp_norm": "model.layers.{layer}.post_attention_layernorm.weight",
        "gate": "model.layers.{layer}.mlp.gate_proj.weight",
        "up": "model.layers.{layer}.mlp.up_proj.weight",
        "down": "model.layers.{layer}.mlp.down_proj.weight",
        "final_norm": "model.norm.weight",
        "head": "lm_head.weight",
    }
)

_GGUF_NAMES = MappingProxyType(
    {
        "embedding": "token_embd.weight",
        "attention_norm": "blk.{layer}.attn_norm.weight",
        "q": "blk.{layer}.attn_q.weight",
        "k": "blk.{layer}.attn_k.weight",
        "v": "blk.{layer}.attn_v.weight",
        "o": "blk.{layer}.attn_output.weight",
        "mlp_norm": "blk.{layer}.ffn_norm.weight",
        "gate": "blk.{layer}.ffn_gate.weight",
        "up": "blk.{layer}.ffn_up.weight",
        "down": "blk.{layer}.ffn_down.weight",
        "final_norm": "output_norm.weight",
        "head": "output.weight",
    }
)

FAMILIES: tuple[Family, ...] = (
    # Llama 1 to 3, SmolLM 1 and 2, TinyLlama.
    Family(
        name="llama",
        hf_model_types=("llama",),
        gguf_architectures=("llama",),
        hf_names=_HF_NAMES,
        gguf_names=_GGUF_NAMES,
        gguf_pairs_qk=True,
        hf_settled=MappingProxyType(
            {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False}
        ),
    ),
)


def theirs(names: Mapping[str, str], ours: str) -> str:
    """Their name for our tensor: `layers.3.q` becomes `blk.3.attn_q.weight`."""
    if not ours.startswith("layers."):
        return names[ours]
    _, layer, kind = ours.split(".")
    return names[kind].format(layer=layer)
