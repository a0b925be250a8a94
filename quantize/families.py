"""One table row per model family: what its makers call each tensor, and what sets it apart.

Knows names, and which part of `Architecture` a family has. Does not know files, operators or bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .architecture import Activation, Architecture, Attention, Norms, QkNorm, Rope

__all__ = [
    "ENCODERS",
    "FAMILIES",
    "Architecture",
    "Attention",
    "Family",
    "Rope",
    "names",
    "theirs",
]

Form = Literal["hf", "gguf"]
# Which layers see only a window, where the model's settings do not list them: none, all, all from
# `max_window_layers` on (Qwen), or all but every n-th.
Windows = Literal["none", "all", "upper"] | int


@dataclass(frozen=True)
class Family:
    """A row of the table; the defaults are those of Llama.

    `fused`: files hold q, k and v as one matrix, and gate and up as one.
    `gguf_pairs_qk`: GGUF files of the family hold the rows of Q and K in the order of a rotation
    of neighbours (0, 1), (2, 3), ... instead of halves.
    `hf_norm_offset`: what safetensors leave out of every norm's weight (GGUF has it inside).
    `hf_settled`: settings of config.json that change the mathematics, with the one value that the
    graph builder knows (also assumed where config.json is silent).
    `hf_defaults`: what config.json may leave out because transformers fills it in.
    `biased_qkv`: queries, keys and values always have biases, whatever `attention_bias` says.
    `skips_rope`: every n-th layer has no rotation where config.json does not list them.
    """

    name: str
    hf_model_types: tuple[str, ...]
    gguf_architectures: tuple[str, ...]
    norms: Norms = "before"
    qk_norm: QkNorm = "none"
    activation: Activation = "silu"
    fused: bool = False
    gguf_pairs_qk: bool = False
    hf_norm_offset: int = 0
    hf_settled: Mapping[str, object] = field(default_factory=dict)
    hf_defaults: Mapping[str, object] = field(default_factory=dict)
    biased_qkv: bool = False
    partial_rope: bool = False
    skips_rope: int = 0
    windows: Windows = "none"
    scaled_embedding: bool = False
    """The embedding is multiplied by sqrt(hidden)."""

    @property
    def hf_names(self) -> dict[str, str]:
        return names(self, "hf")

    @property
    def gguf_names(self) -> dict[str, str]:
        return names(self, "gguf")


# `model_type` of the encoders that `quantize.encoders` reads.
ENCODERS = ("bert",)

_SILU = {"hidden_act": "silu"}
_GEMMA = {"hidden_activation": "gelu_pytorch_tanh", "use_bidirectional_attention": None}

FAMILIES: tuple[Family, ...] = (
    # Llama 1 to 3, SmolLM 1 and 2, TinyLlama. Llama.cpp writes Mistral as "llama", too.
    Family("llama", ("llama",), ("llama",), gguf_pairs_qk=True, hf_settled=_SILU),
    Family(
        "mistral",
        ("mistral",),
        (),
        windows="all",
        hf_settled=_SILU,
        hf_defaults={"sliding_window": 4096},
    ),
    Family(
        "smollm3",
        ("smollm3",),
        ("smollm3",),
        gguf_pairs_qk=True,
        skips_rope=4,
        hf_settled={**_SILU, "use_sliding_window": False},
    ),
    # Qwen 2 and 2.5.
    Family("qwen2", ("qwen2",), ("qwen2",), biased_qkv=True, windows="upper", hf_settled=_SILU),
    Family(
        "qwen3",
        ("qwen3",),
        ("qwen3",),
        qk_norm="head",
        windows="upper",
        hf_settled=_SILU,
        hf_defaults={"head_dim": 128},
    ),
    Family(
        "gemma2",
        ("gemma2",),
        ("gemma2",),
        norms="around",
        activation="gelu_tanh",
        hf_norm_offset=1,
        windows=2,
        scaled_embedding=True,
        hf_settled=_GEMMA,
        hf_defaults={
            "head_dim": 256,
            "query_pre_attn_scalar": 256,
            "attn_logit_softcapping": 50.0,
            "final_logit_softcapping": 30.0,
            "sliding_window": 4096,
        },
    ),
    Family(
        "gemma3",
        ("gemma3_text",),
        ("gemma3",),
        norms="around",
        qk_norm="head",
        activation="gelu_tanh",
        hf_norm_offset=1,
        windows=6,
        scaled_embedding=True,
        hf_settled={**_GEMMA, "use_bidirectional_attention": False},
        hf_defaults={
            "head_dim": 256,
            "max_position_embeddings": 131_072,
            "query_pre_attn_scalar": 256,
            "rope_theta": 1_000_000.0,
            "rope_local_base_freq": 10_000.0,
            "sliding_window": 4096,
        },
    ),
    # Phi 3, 3.5 and 4 mini.
    Family(
        "phi3",
        ("phi3",),
        ("phi3",),
        fused=True,
        partial_rope=True,
        windows="all",
        hf_settled=_SILU,
    ),
    Family("granite", ("granite",), ("granite",), gguf_pairs_qk=True, hf_settled=_SILU),
    Family(
        "olmo2",
        ("olmo2",),
        ("olmo2",),
        norms="after",
        qk_norm="whole",
        hf_settled=_SILU,
    ),
)

# Ours -> (Hugging Face, GGUF); `{layer}` is the number.
_LAYER = {
    "attention_norm": ("input_layernorm.weight", "attn_norm.weight"),
    "q": ("self_attn.q_proj.weight", "attn_q.weight"),
    "k": ("self_attn.k_proj.weight", "attn_k.weight"),
    "v": ("self_attn.v_proj.weight", "attn_v.weight"),
    "qkv": ("self_attn.qkv_proj.weight", "attn_qkv.weight"),
    "o": ("self_attn.o_proj.weight", "attn_output.weight"),
    "q_bias": ("self_attn.q_proj.bias", "attn_q.bias"),
    "k_bias": ("self_attn.k_proj.bias", "attn_k.bias"),
    "v_bias": ("self_attn.v_proj.bias", "attn_v.bias"),
    "o_bias": ("self_attn.o_proj.bias", "attn_output.bias"),
    "q_norm": ("self_attn.q_norm.weight", "attn_q_norm.weight"),
    "k_norm": ("self_attn.k_norm.weight", "attn_k_norm.weight"),
    "attention_post_norm": ("post_attention_layernorm.weight", "post_attention_norm.weight"),
    "mlp_norm": ("post_attention_layernorm.weight", "ffn_norm.weight"),
    "gate": ("mlp.gate_proj.weight", "ffn_gate.weight"),
    "up": ("mlp.up_proj.weight", "ffn_up.weight"),
    "gate_up": ("mlp.gate_up_proj.weight", "ffn_up.weight"),
    "down": ("mlp.down_proj.weight", "ffn_down.weight"),
    "gate_bias": ("mlp.gate_proj.bias", "ffn_gate.bias"),
    "up_bias": ("mlp.up_proj.bias", "ffn_up.bias"),
    "down_bias": ("mlp.down_proj.bias", "ffn_down.bias"),
    "mlp_post_norm": ("post_feedforward_layernorm.weight", "post_ffw_norm.weight"),
}
_WHOLE = {
    "embedding": ("model.embed_tokens.weight", "token_embd.weight"),
    "final_norm": ("model.norm.weight", "output_norm.weight"),
    "head": ("lm_head.weight", "output.weight"),
}
# The norm before the MLP has another name where there is one after attention as well.
_MLP_NORM_BETWEEN = "pre_feedforward_layernorm.weight"


def names(family: Family, form: Form) -> dict[str, str]:
    """Their name for each of our tensors that the family may have, `{layer}` being the number."""
    column = 0 if form == "hf" else 1
    prefix = ("model.layers.{layer}.", "blk.{layer}.")[column]
    absent = _absent(family)
    found = {ours: prefix + their[column] for ours, their in _LAYER.items() if ours not in absent}
    if form == "hf" and family.norms == "around":
        found["mlp_norm"] = prefix + _MLP_NORM_BETWEEN
    return {**found, **{ours: their[column] for ours, their in _WHOLE.items()}}


def _absent(family: Family) -> set[str]:
    absent = {"qkv", "gate_up"}
    if family.fused:
        absent = {"q", "k", "v", "gate", "up"}
        absent |= {f"{name}_bias" for name in absent}
    if family.norms == "before":
        absent |= {"attention_post_norm", "mlp_post_norm"}
    if family.norms == "after":
        absent |= {"attention_norm", "mlp_norm"}
    if family.qk_norm == "none":
        absent |= {"q_norm", "k_norm"}
    return absent


def theirs(table: Mapping[str, str], ours: str) -> str:
    """Their name for our tensor: `layers.3.q` becomes `blk.3.attn_q.weight`."""
    if not ours.startswith("layers."):
        return table[ours]
    _, layer, kind = ours.split(".")
    return table[kind].format(layer=layer)
