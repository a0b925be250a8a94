"""The GGUF twin of a tiny model of any family, as llama.cpp's converter would write it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf_file import pairs_from_halves
from numpy.typing import NDArray

from edgeward.quantize import families

# What the converter changes: rows of Q and K for its rotation of neighbours, norms shifted by one.
PAIRED = {"llama", "granite", "smollm3"}
SHIFTED = {"gemma2", "gemma3"}
ARCHITECTURES = {"mistral": "llama", "gemma3_text": "gemma3"}


def write(
    path: Path, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[np.float32]]
) -> Path:
    """`settings` are those of config.json, `tensors` those of the Hugging Face folder."""
    kind = settings["model_type"]
    architecture = ARCHITECTURES.get(kind, kind)
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in _keys(settings).items():
        add = writer.add_float32 if isinstance(value, float) else writer.add_uint32
        (writer.add_string if isinstance(value, str) else add)(f"{architecture}.{key}", value)
    family = next(f for f in families.FAMILIES if kind in f.hf_model_types)
    head_dim = (
        settings.get("head_dim") or settings["hidden_size"] // settings["num_attention_heads"]
    )
    for ours, hf_name in family.hf_names.items():
        for layer in range(settings["num_hidden_layers"] if "{layer}" in hf_name else 1):
            values = tensors.get(hf_name.format(layer=layer))
            if values is None:
                continue
            if architecture in PAIRED and ours in ("q", "k", "q_bias", "k_bias"):
                rows = values.reshape(values.shape[0], -1)
                values = pairs_from_halves(rows, rows.shape[0] // head_dim).reshape(values.shape)
            if architecture in SHIFTED and ours.endswith("norm"):
                values = values + np.float32(1)
            name = family.gguf_names[ours].format(layer=layer)
            writer.add_tensor(name, np.ascontiguousarray(values))
    for name, divisors in _divisors(settings).items():
        writer.add_tensor(name, np.array(divisors, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _keys(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Key-values without the architecture's prefix."""
    direct = {
        "block_count": "num_hidden_layers",
        "context_length": "max_position_embeddings",
        "embedding_length": "hidden_size",
        "feed_forward_length": "intermediate_size",
        "attention.head_count": "num_attention_heads",
        "attention.head_count_kv": "num_key_value_heads",
        "attention.key_length": "head_dim",
        "attention.value_length": "head_dim",
        "attention.sliding_window": "sliding_window",
        "attention.sliding_window_pattern": "sliding_window_pattern",
    }
    reals = {
        "attention.layer_norm_rms_epsilon": "rms_norm_eps",
        "rope.freq_base": "rope_theta",
        "rope.freq_base_swa": "rope_local_base_freq",
        "attn_logit_softcapping": "attn_logit_softcapping",
        "final_logit_softcapping": "final_logit_softcapping",
        "embedding_scale": "embedding_multiplier",
        "residual_scale": "residual_multiplier",
        "attention.scale": "attention_multiplier",
        "logit_scale": "logits_scaling",
    }
    keys: dict[str, Any] = {k: settings[v] for k, v in direct.items() if settings.get(v)}
    keys |= {k: float(settings[v]) for k, v in reals.items() if settings.get(v) is not None}
    scaling = settings.get("rope_scaling") or {}
    if kind := scaling.get("rope_type", scaling.get("type")):
        keys["rope.scaling.type"] = kind
    if "factor" in scaling:
        keys["rope.scaling.factor"] = float(scaling["factor"])
    trained = scaling.get("original_max_position_embeddings") or settings.get(
        "original_max_position_embeddings"
    )
    if trained:
        keys["rope.scaling.original_context_length"] = trained
    if "partial_rotary_factor" in settings:
        head_dim = settings["hidden_size"] // settings["num_attention_heads"]
        keys["rope.dimension_count"] = int(head_dim * settings["partial_rotary_factor"])
        ratio = settings["max_position_embeddings"] / trained
        keys["rope.scaling.attn_factor"] = float(np.sqrt(1 + np.log(ratio) / np.log(trained)))
    return keys


def _divisors(settings: Mapping[str, Any]) -> dict[str, list[float]]:
    scaling = settings.get("rope_scaling") or {}
    return {
        f"rope_factors_{length}.weight": scaling[f"{length}_factor"]
        for length in ("short", "long")
        if f"{length}_factor" in scaling
    }
