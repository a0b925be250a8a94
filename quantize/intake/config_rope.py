"""The rotary embedding that a config.json describes, in its old and its new form.

Knows the keys: `rope_theta` and `rope_scaling` before transformers 5, `rope_parameters` since,
there for each kind of layer where a model has two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from edgeward.quantize.families import Family, Rope

from . import rope_scaling
from .config_fields import Fields

GLOBAL, LOCAL = "full_attention", "sliding_attention"
Scaled = tuple[Rope, int]

_KINDS = "default, linear, llama3, yarn or longrope"


def ropes(fields: Fields, row: Family, head_dim: int) -> tuple[Rope, Rope, int]:
    """Rotation of the layers that see all, of those that see a window, and the context in tokens.

    The context is the model's own, except under LongRoPE: its two sets of frequencies exclude each
    other, and the one for texts within the trained length is taken.
    """
    stated = _scaling(fields)
    local: Mapping[str, Any] | None = None
    if GLOBAL in stated or LOCAL in stated:
        stated, local = stated.get(GLOBAL) or {}, stated.get(LOCAL) or {}
    elif fields.get("rope_local_base_freq") is not None:
        local = {"rope_theta": fields.real("rope_local_base_freq")}
    context = fields.count("max_position_embeddings")
    main, trained = _rope(fields, stated, row, head_dim, context)
    if local is None:
        return main, main, min(context, trained)
    near, _ = _rope(fields, local, row, head_dim, context)
    return main, near, min(context, trained)


def _scaling(fields: Fields) -> Mapping[str, Any]:
    found = fields.get("rope_parameters") or fields.get("rope_scaling") or {}
    if not isinstance(found, Mapping):
        raise fields.wrong("rope_scaling", found, "an object")
    for part in (GLOBAL, LOCAL):
        if not isinstance(found.get(part) or {}, Mapping):
            raise fields.wrong(f"rope_parameters.{part}", found[part], "an object")
    return found


def _rope(
    fields: Fields, stated: Mapping[str, Any], row: Family, head_dim: int, context: int
) -> Scaled:
    """The rotation, and how many positions it holds for."""
    rope, trained = _scaled(fields, stated, row, head_dim, context)
    return (replace(rope, rotated=None) if rope.rotated == head_dim else rope), trained


def _scaled(
    fields: Fields, stated: Mapping[str, Any], row: Family, head_dim: int, context: int
) -> Scaled:
    kind = stated.get("rope_type", stated.get("type", "default"))
    inside = Fields(fields.folder, {**fields.settings, **stated})
    theta = inside.real("rope_theta", 10000.0)
    rotated = head_dim
    if row.partial_rope:
        share = inside.real("partial_rotary_factor", 1.0)
        rotated = int(head_dim * share)
        if not 2 <= rotated <= head_dim or rotated % 2 or (head_dim - rotated) % 2:
            raise fields.wrong("partial_rotary_factor", share, "an even part of a head")
    if row.name == "phi3" and kind in ("su", "yarn"):
        kind = "longrope"  # its first makers' names for it
    if kind == "default":
        return Rope(theta, None, rotated), context
    if not isinstance(kind, str) or kind not in _SCALINGS:
        raise fields.wrong("rope_type", kind, _KINDS)
    return _SCALINGS[kind](inside, theta, rotated, context)


def _linear(fields: Fields, theta: float, rotated: int, context: int) -> Scaled:
    divisors = rope_scaling.linear(fields.real("factor"), rotated)
    return Rope(theta, divisors, rotated), context


def _llama3(fields: Fields, theta: float, rotated: int, context: int) -> Scaled:
    low, high = fields.real("low_freq_factor"), fields.real("high_freq_factor")
    if high <= low:
        raise fields.wrong("high_freq_factor", high, f"more than low_freq_factor, {low}")
    trained = fields.count("original_max_position_embeddings")
    factor = fields.real("factor")
    divisors = rope_scaling.llama3(theta, rotated, factor, low, high, trained)
    return Rope(theta, divisors, rotated), context


def _yarn(fields: Fields, theta: float, rotated: int, context: int) -> Scaled:
    trained = fields.count("original_max_position_embeddings", context)
    factor = fields.real("factor", context / trained)
    divisors = rope_scaling.yarn(
        theta,
        rotated,
        factor,
        trained,
        fast=fields.real("beta_fast", 32.0),
        slow=fields.real("beta_slow", 1.0),
        whole=fields.get("truncate", True) is not False,
    )
    scale = fields.maybe_real("attention_factor")
    if scale is None:
        scale = rope_scaling.yarn_scale(factor)
        if fields.get("mscale") and fields.get("mscale_all_dim"):
            scale = rope_scaling.yarn_scale(factor, fields.real("mscale"))
            scale /= rope_scaling.yarn_scale(factor, fields.real("mscale_all_dim"))
    return Rope(theta, divisors, rotated, scale), context


def _longrope(fields: Fields, theta: float, rotated: int, context: int) -> Scaled:
    trained = fields.count("original_max_position_embeddings", context)
    scale = fields.maybe_real("attention_factor")
    if scale is None:
        scale = rope_scaling.longrope_scale(fields.real("factor", context / trained), trained)
    divisors = fields.reals("short_factor", rotated // 2)
    return Rope(theta, divisors, rotated, scale), trained


_SCALINGS: Mapping[str, Callable[[Fields, float, int, int], Scaled]] = {
    "linear": _linear,
    "llama3": _llama3,
    "yarn": _yarn,
    "longrope": _longrope,
}
