"""GGUF files for tests: a tiny llama with tensors of chosen types, and raw ones to be damaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import tiny_llama
from numpy.typing import NDArray

from edgeward.quantize import families

Change = Callable[[dict[str, NDArray[Any]]], None]
FAMILY = families.FAMILIES[0]


def pairs_from_halves(matrix: NDArray[Any], heads: int) -> NDArray[Any]:
    """The order in which GGUF files of llamas hold the rows of Q and K, as llama.cpp makes it."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, -1)


def write(
    path: Path,
    *,
    seed: int = 0,
    kind: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.F32,
    change: Change = lambda tensors: None,
    fields: Mapping[str, Any] | None = None,
    **config: Any,
) -> Path:
    """The GGUF twin of `tiny_llama.write_folder(seed, **config)`; matrices are stored as `kind`.

    `change` may alter the tensors by their GGUF names; `fields` replaces key-values (None leaves
    one out).
    """
    settings = tiny_llama.config(**config)
    keys: dict[str, Any] = {
        "llama.block_count": settings["num_hidden_layers"],
        "llama.context_length": settings["max_position_embeddings"],
        "llama.embedding_length": settings["hidden_size"],
        "llama.feed_forward_length": settings["intermediate_size"],
        "llama.attention.head_count": settings["num_attention_heads"],
        "llama.attention.head_count_kv": settings["num_key_value_heads"],
        "llama.attention.key_length": settings["head_dim"],
        "llama.attention.value_length": settings["head_dim"],
        "llama.attention.layer_norm_rms_epsilon": float(settings["rms_norm_eps"]),
        "llama.rope.freq_base": float(settings["rope_theta"]),
        **(fields or {}),
    }
    writer = gguf.GGUFWriter(path, keys.pop("general.architecture", "llama"))
    for key, value in keys.items():
        if isinstance(value, str):
            writer.add_string(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        elif value is not None:
            writer.add_uint32(key, value)
    tensors = _renamed(settings, seed)
    change(tensors)
    for name, values in tensors.items():
        if values.ndim == 2 and kind is not gguf.GGMLQuantizationType.F32:
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _renamed(settings: Mapping[str, Any], seed: int) -> dict[str, NDArray[Any]]:
    theirs = tiny_llama.tensors(settings, seed)
    heads = {"q": settings["num_attention_heads"], "k": settings["num_key_value_heads"]}
    made: dict[str, NDArray[Any]] = {}
    for ours, hf_name in FAMILY.hf_names.items():
        layers = range(settings["num_hidden_layers"]) if "{layer}" in hf_name else [0]
        for layer in layers:
            values = theirs.get(hf_name.format(layer=layer))
            if values is None:
                continue
            if ours in heads:
                values = pairs_from_halves(values, heads[ours])
            made[FAMILY.gguf_names[ours].format(layer=layer)] = np.ascontiguousarray(values)
    return made
