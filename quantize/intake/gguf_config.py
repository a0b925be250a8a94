"""The key-values of a GGUF file as an `Architecture`.

Knows GGUF's keys, and the constants that llama.cpp holds in its code for a family instead of in
its files. Reads no file.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgeward.errors import IntakeError
from edgeward.quantize import families
from edgeward.quantize.families import Architecture, Attention, Family, Rope
from edgeward.quantize.weights import Floats

from . import checks, rope_scaling
from .assemble import Factors
from .gguf_header import GgufHeader
from .windows import windowed_layers

# Tensors that are no weights but divisors of the rotary frequencies.
FREQUENCIES = "rope_freqs.weight"
SHORT, LONG = "rope_factors_short.weight", "rope_factors_long.weight"
CONSTANTS = (FREQUENCIES, SHORT, LONG)

# Gemma 3's layers with a window rotate with this base; older files do not say so.
_GEMMA3_LOCAL_BASE = 10000.0
# The largest Gemmas divide by hidden / heads where the others divide by the head's size.
_GEMMA_27B_LAYERS = {"gemma2": 46, "gemma3": 62}

Vector = Callable[[str], Floats]


def family(header: GgufHeader) -> Family:
    """The row of the table for `general.architecture`; `IntakeError` if there is none."""
    name = header.metadata.get("general.architecture")
    for row in families.FAMILIES:
        if name in row.gguf_architectures:
            return row
    known = ", ".join(a for row in families.FAMILIES for a in row.gguf_architectures)
    raise IntakeError(
        f"{header.path}: architecture {name!r} is not known; known are {known}. "
        f"Choose a model of one of these families."
    )


def architecture(header: GgufHeader, row: Family, vector: Vector) -> tuple[Architecture, Factors]:
    """Sizes and constants, each checked; `vector` reads a tensor of divisors."""
    fields = Fields(header)
    embedding = header.tensors.get(row.gguf_names["embedding"])
    if embedding is None or len(embedding.shape) != 2:
        raise IntakeError(
            f"{header.path} has no matrix '{row.gguf_names['embedding']}', which a language "
            f"model needs; it may hold another part of one (a vision tower, an adapter)."
        )
    heads = fields.count("attention.head_count")
    hidden = fields.count("embedding_length")
    layers = fields.count("block_count")
    checks.layers(header.path, layers, len(header.tensors))
    head_dim = fields.count("attention.key_length", max(1, hidden // heads))
    checks.head(header.path, head_dim)
    if (value_dim := fields.count("attention.value_length", head_dim)) != head_dim:
        raise fields.wrong("attention.value_length", value_dim, f"the key length, {head_dim}")
    rope, context = _rope(fields, row, head_dim, vector)
    if rope.rotated == head_dim:
        rope = replace(rope, rotated=None)
    cap = fields.maybe_real("final_logit_softcapping")
    has = header.tensors.__contains__
    shape = Architecture(
        family=row.name,
        layers=layers,
        hidden=hidden,
        intermediate=fields.count("feed_forward_length"),
        heads=heads,
        kv_heads=fields.count("attention.head_count_kv", heads),
        head_dim=head_dim,
        vocabulary=embedding.shape[0],
        context=context,
        rope=rope,
        norm_epsilon=fields.real("attention.layer_norm_rms_epsilon"),
        tied_head=not has(row.gguf_names["head"]),
        norms=row.norms,
        qk_norm=row.qk_norm,
        activation=row.activation,
        qkv_bias=row.biased_qkv or has("blk.0.attn_q.bias"),
        output_bias=has("blk.0.attn_output.bias"),
        mlp_bias=has("blk.0.ffn_gate.bias"),
        attention_scale=_attention_scale(fields, row, hidden, heads, layers),
        attention_softcap=fields.maybe_real("attn_logit_softcapping"),
        logit_softcap=cap,
        attentions=_attentions(fields, row, layers, rope),
    )
    factors = Factors(
        embedding=fields.real(
            "embedding_scale", math.sqrt(hidden) if row.scaled_embedding else 1.0
        ),
        residual=fields.real("residual_scale", 1.0),
        logits=1 / fields.real("logit_scale", 1.0) / (cap or 1.0),
    )
    return shape, factors


def _attention_scale(
    fields: Fields, row: Family, hidden: int, heads: int, layers: int
) -> float | None:
    if (stated := fields.maybe_real("attention.scale")) is not None:
        return stated
    if layers == _GEMMA_27B_LAYERS.get(row.name):
        return float((hidden / heads) ** -0.5)
    return None


def _rope(fields: Fields, row: Family, head_dim: int, vector: Vector) -> tuple[Rope, int]:
    """The rotation, and the context in tokens (under LongRoPE that of the short divisors)."""
    theta = fields.real("rope.freq_base", 10000.0)
    context = fields.count("context_length")
    rotated = fields.count("rope.dimension_count", head_dim)
    if rotated != head_dim and (not row.partial_rope or rotated > head_dim or rotated % 2):
        raise fields.wrong("rope.dimension_count", rotated, f"the whole head, {head_dim}")
    scaling = fields.get("rope.scaling.type", "none")
    if scaling not in ("none", "linear", "yarn", "longrope"):
        raise fields.wrong("rope.scaling.type", scaling, "none, linear, yarn or longrope")
    tensors = fields.header.tensors
    if FREQUENCIES in tensors or SHORT in tensors:
        name = FREQUENCIES if FREQUENCIES in tensors else SHORT
        if scaling in ("linear", "yarn") or tensors[name].shape != (rotated // 2,):
            shape = tensors[name].shape
            raise fields.wrong(name, shape, f"({rotated // 2},) and no other scaling")
        divisors = tuple(float(value) for value in vector(name))
        if min(divisors) <= 0:
            raise fields.wrong(name, min(divisors), "positive divisors")
        if name == FREQUENCIES:
            return Rope(theta, divisors, rotated), context
        trained = fields.count("rope.scaling.original_context_length", context)
        scale = fields.real("rope.scaling.attn_factor", 1.0)
        return Rope(theta, divisors, rotated, scale), min(context, trained)
    if scaling == "longrope":
        raise fields.wrong(SHORT, None, "its divisors for LongRoPE")
    if scaling == "linear":
        divisors = rope_scaling.linear(fields.real("rope.scaling.factor"), rotated)
        return Rope(theta, divisors, rotated), context
    if scaling == "yarn":
        factor = fields.real("rope.scaling.factor")
        trained = fields.count("rope.scaling.original_context_length")
        divisors = rope_scaling.yarn(theta, rotated, factor, trained)
        scale = rope_scaling.yarn_scale(factor) * fields.real("rope.scaling.attn_factor", 1.0)
        return Rope(theta, divisors, rotated, scale), context
    return Rope(theta, None, rotated), context


def _attentions(fields: Fields, row: Family, layers: int, main: Rope) -> tuple[Attention, ...]:
    """Empty if all layers see everything alike."""
    window = fields.get("attention.sliding_window")
    limited = row.windows != "none" and row.windows != "upper" and window not in (None, 0)
    near = main
    if limited and row.name == "gemma3":
        near = Rope(fields.real("rope.freq_base_swa", _GEMMA3_LOCAL_BASE), None, main.rotated)
    period = row.windows if isinstance(row.windows, int) else 1
    stated = fields.get("attention.sliding_window_pattern")
    if isinstance(stated, np.ndarray) and stated.shape == (layers,) and limited:
        windowed = [bool(one) for one in stated]
    else:
        if stated is not None and isinstance(row.windows, int):
            period = fields.count("attention.sliding_window_pattern")
        windowed = windowed_layers(row.windows if limited else "none", layers, period)
    size = fields.count("attention.sliding_window") if any(windowed) else None
    made = []
    for layer, local in enumerate(windowed):
        still = row.skips_rope and (layer + 1) % row.skips_rope == 0
        rope = None if still else near if local else main
        made.append(Attention(rope, size if local else None))
    return () if all(one == Attention(main) for one in made) else tuple(made)


@dataclass(frozen=True)
class Fields:
    """Settings under the architecture's prefix, checked for type and sign."""

    header: GgufHeader

    def get(self, key: str, default: Any = None) -> Any:
        prefix = self.header.metadata["general.architecture"]
        return self.header.metadata.get(f"{prefix}.{key}", default)

    def count(self, key: str, default: int | None = None) -> int:
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1 << 31:
            raise self.wrong(key, value, "a count of at least 1")
        return value

    def real(self, key: str, default: float | None = None) -> float:
        value = self.get(key, default)
        if not isinstance(value, float) or not 0 < value < np.inf:
            raise self.wrong(key, value, "a positive number")
        return value

    def maybe_real(self, key: str) -> float | None:
        return None if self.get(key) is None else self.real(key)

    def wrong(self, key: str, value: object, legal: str) -> IntakeError:
        said = "is missing" if value is None else f"is {repr(value)[:100]}"
        return IntakeError(
            f"{self.header.path}: '{key}' {said}; the graph builder needs {legal}. "
            f"Fetch the file again, or choose another model."
        )
