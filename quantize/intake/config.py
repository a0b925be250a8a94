"""A Hugging Face config.json as an `Architecture`. Knows its keys, old and new; reads no file."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path

from edgeward.errors import IntakeError
from edgeward.quantize import families
from edgeward.quantize.families import Architecture, Attention, Family, Rope

from . import checks
from .assemble import Factors
from .config_fields import Fields, Settings
from .config_rope import GLOBAL, LOCAL, ropes
from .windows import windowed_layers


def family(folder: Path, settings: Settings) -> Family:
    """The row of the table for `model_type`; `IntakeError` if there is none."""
    kind = settings.get("model_type")
    for row in families.FAMILIES:
        if kind in row.hf_model_types:
            return row
    known = ", ".join(name for row in families.FAMILIES for name in row.hf_model_types)
    raise IntakeError(
        f"{folder / 'config.json'}: model_type {kind!r} is not known; known are {known}. "
        f"Choose a model of one of these families."
    )


def architecture(
    folder: Path, settings: Settings, row: Family, tensors: Collection[str]
) -> tuple[Architecture, Factors]:
    """Sizes and constants, each checked; `tensors` are the names in the files."""
    fields = Fields(folder, {**row.hf_defaults, **settings})
    for key, settled in row.hf_settled.items():
        if (value := settings.get(key, settled)) not in (settled, _also(key)):
            raise fields.wrong(key, value, repr(settled))
    heads = fields.count("num_attention_heads")
    hidden = fields.count("hidden_size")
    layers = fields.count("num_hidden_layers")
    checks.layers(folder, layers, len(tensors))
    head_dim = fields.count("head_dim", max(1, hidden // heads))
    checks.head(folder, head_dim)
    tied = fields.get("tie_word_embeddings", row.hf_names["head"] not in tensors)
    main, near, context = ropes(fields, row, head_dim)
    biased = fields.flag("attention_bias")
    cap = fields.maybe_real("final_logit_softcapping")
    shape = Architecture(
        family=row.name,
        layers=layers,
        hidden=hidden,
        intermediate=fields.count("intermediate_size"),
        heads=heads,
        kv_heads=fields.count("num_key_value_heads", heads),
        head_dim=head_dim,
        vocabulary=fields.count("vocab_size"),
        context=context,
        rope=main,
        norm_epsilon=fields.real("rms_norm_eps", 1e-6),
        tied_head=bool(tied),
        norms=row.norms,
        qk_norm=row.qk_norm,
        activation=row.activation,
        qkv_bias=biased or row.biased_qkv,
        output_bias=biased,
        mlp_bias=fields.flag("mlp_bias"),
        attention_scale=_attention_scale(fields),
        attention_softcap=fields.maybe_real("attn_logit_softcapping"),
        logit_softcap=cap,
        attentions=_attentions(fields, row, layers, main, near),
    )
    factors = Factors(
        embedding=fields.real(
            "embedding_multiplier", math.sqrt(hidden) if row.scaled_embedding else 1.0
        ),
        residual=fields.real("residual_multiplier", 1.0),
        logits=1 / fields.real("logits_scaling", 1.0) / (cap or 1.0),
    )
    return shape, factors


def _also(key: str) -> object:
    """A second spelling of a settled value."""
    return {"hidden_activation": None, "hidden_act": "swish"}.get(key)


def _attention_scale(fields: Fields) -> float | None:
    if (factor := fields.maybe_real("attention_multiplier")) is not None:  # Granite
        return factor
    if (size := fields.maybe_real("query_pre_attn_scalar")) is not None:  # Gemma
        return float(size**-0.5)
    return None


def _attentions(
    fields: Fields, row: Family, layers: int, main: Rope, near: Rope
) -> tuple[Attention, ...]:
    """Empty if all layers see everything alike."""
    windowed = _windowed(fields, row, layers)
    window = fields.count("sliding_window") if any(windowed) else None
    turned = _turned(fields, row, layers)
    made = tuple(
        Attention((near if local else main) if turns else None, window if local else None)
        for local, turns in zip(windowed, turned, strict=True)
    )
    return () if all(one == Attention(main) for one in made) else made


def _windowed(fields: Fields, row: Family, layers: int) -> list[bool]:
    listed = fields.get("layer_types")
    if listed is None:
        limited = fields.get("sliding_window") is not None
        if row.windows == "upper":
            limited = limited and fields.flag("use_sliding_window")
        start = fields.settings.get("max_window_layers", 28) if row.windows == "upper" else 0
        if type(start) is not int or start < 0:
            raise fields.wrong("max_window_layers", start, "a count")
        period = fields.count("sliding_window_pattern", _period(row))
        return windowed_layers(row.windows if limited else "none", layers, period, start)
    if not _made_of(listed, (GLOBAL, LOCAL), layers):
        raise fields.wrong("layer_types", listed, f"{layers} times {GLOBAL} or {LOCAL}")
    return [kind == LOCAL for kind in listed]


def _period(row: Family) -> int:
    return row.windows if isinstance(row.windows, int) else 1


def _turned(fields: Fields, row: Family, layers: int) -> list[bool]:
    """Which layers rotate: SmolLM3's `no_rope_layers` has a 1 for those that do."""
    if not row.skips_rope:
        return [True] * layers
    listed = fields.get("no_rope_layers")
    if listed is None:
        period = fields.count("no_rope_layer_interval", row.skips_rope)
        return [bool((layer + 1) % period) for layer in range(layers)]
    if not _made_of(listed, (0, 1), layers):
        raise fields.wrong("no_rope_layers", listed, f"{layers} times 0 or 1")
    return [one == 1 for one in listed]


def _made_of(listed: object, known: tuple[object, ...], count: int) -> bool:
    """Whether `listed` is a list of `count` values out of `known`."""
    return (
        isinstance(listed, list)
        and len(listed) == count
        and all(any(one == legal for legal in known) for one in listed)
    )
