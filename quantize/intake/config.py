"""A Hugging Face config.json as an `Architecture`. Knows its keys, old and new; reads no file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgeward.errors import IntakeError
from edgeward.quantize import families
from edgeward.quantize.families import Architecture, Family, Rope

Settings = Mapping[str, Any]


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


def architecture(folder: Path, settings: Settings, row: Family, has_head: bool) -> Architecture:
    """Sizes and constants, each checked; `has_head`: the weights hold a separate head."""
    fields = _Fields(folder, settings)
    for key, settled in row.hf_settled.items():
        if (value := settings.get(key, settled)) != settled:
            raise fields.wrong(key, value, repr(settled))
    heads = fields.count("num_attention_heads")
    hidden = fields.count("hidden_size")
    head_dim = fields.count("head_dim", hidden // heads)
    tied = settings.get("tie_word_embeddings", not has_head)
    return Architecture(
        family=row.name,
        layers=fields.count("num_hidden_layers"),
        hidden=hidden,
        intermediate=fields.count("intermediate_size"),
        heads=heads,
        kv_heads=fields.count("num_key_value_heads", heads),
        head_dim=head_dim,
        vocabulary=fields.count("vocab_size"),
        context=fields.count("max_position_embeddings"),
        rope=_rope(fields, head_dim),
        norm_epsilon=fields.real("rms_norm_eps"),
        tied_head=bool(tied),
    )


def _rope(fields: _Fields, head_dim: int) -> Rope:
    """`rope_parameters` of transformers 5, or `rope_theta` and `rope_scaling` before."""
    scaling = fields.settings.get("rope_parameters") or fields.settings.get("rope_scaling") or {}
    if not isinstance(scaling, Mapping):
        raise fields.wrong("rope_scaling", scaling, "an object")
    inside = _Fields(fields.folder, {**fields.settings, **scaling})
    theta = inside.real("rope_theta", 10000.0)
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind == "default":
        return Rope(theta)
    if kind == "linear":
        return Rope(theta, (inside.real("factor"),) * (head_dim // 2))
    if kind == "llama3":
        return Rope(theta, _llama3(inside, theta, head_dim))
    raise fields.wrong("rope_type", kind, "default, linear or llama3")


def _llama3(fields: _Fields, theta: float, head_dim: int) -> tuple[float, ...]:
    """Divisors of the frequencies: 1 for short waves, `factor` for long ones, smooth between."""
    factor = fields.real("factor")
    low, high = fields.real("low_freq_factor"), fields.real("high_freq_factor")
    if high <= low:
        raise fields.wrong("high_freq_factor", high, f"more than low_freq_factor, {low}")
    trained = fields.count("original_max_position_embeddings")
    waves = 2 * math.pi * theta ** (np.arange(0, head_dim, 2) / head_dim)
    smooth = np.clip((trained / waves - low) / (high - low), 0, 1)
    return tuple(float(value) for value in 1 / ((1 - smooth) / factor + smooth))


class _Fields:
    """Settings checked for type and sign."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings

    def count(self, key: str, default: int | None = None) -> int:
        value = self.settings.get(key)
        if value is None:
            value = default
        if type(value) is not int or not 1 <= value <= 1 << 31:
            raise self.wrong(key, value, "a count of at least 1")
        return value

    def real(self, key: str, default: float | None = None) -> float:
        value = self.settings.get(key)
        if value is None:
            value = default
        if type(value) not in (int, float) or not 0 < value < math.inf:  # type: ignore[operator]
            raise self.wrong(key, value, "a positive number")
        return float(value)  # type: ignore[arg-type]

    def wrong(self, key: str, value: object, legal: str) -> IntakeError:
        said = "is missing" if value is None else f"is {value!r}"
        return IntakeError(
            f"{self.folder / 'config.json'}: '{key}' {said}; the graph builder needs {legal}. "
            f"Fetch the file again, or choose another model."
        )
