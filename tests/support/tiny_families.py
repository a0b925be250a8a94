"""Tiny models of every family: settings as their makers' config.json has them, and random weights.

Weights follow from names and shapes, so that goldens need not hold them. Changing a setting or how
weights are made needs new goldens (tools/make_family_goldens.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

VOCABULARY, LENGTH = 96, 40

_BASE = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_GEMMA = {
    "head_dim": 32,
    "hidden_act": None,
    "hidden_activation": "gelu_pytorch_tanh",
    "tie_word_embeddings": True,
    "query_pre_attn_scalar": 24,
    "sliding_window": 8,
}
_LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
_YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
_LONG = {
    "type": "longrope",
    "short_factor": [1.0 + i / 8 for i in range(6)],
    "long_factor": [2.0 + i for i in range(6)],
}

# Name of each case -> its settings.
CASES: dict[str, dict[str, Any]] = {
    "llama_biases": {"model_type": "llama", "attention_bias": True, "mlp_bias": True},
    "llama_yarn": {"model_type": "llama", "rope_scaling": _YARN},
    "llama_new_form": {
        "model_type": "llama",
        "rope_theta": None,
        "rope_parameters": {**_LLAMA3, "rope_theta": 5e5},
    },
    "mistral_window": {"model_type": "mistral", "sliding_window": 8, "head_dim": 32},
    "mistral_whole": {"model_type": "mistral", "sliding_window": None},
    "smollm3": {
        "model_type": "smollm3",
        "num_hidden_layers": 5,
        "use_sliding_window": False,
        "tie_word_embeddings": True,
        "no_rope_layer_interval": 4,
        "rope_theta": 2e6,
    },
    "smollm3_listed": {"model_type": "smollm3", "no_rope_layers": [0, 1, 0]},
    "qwen2": {"model_type": "qwen2", "use_sliding_window": False, "tie_word_embeddings": True},
    "qwen2_window": {
        "model_type": "qwen2",
        "use_sliding_window": True,
        "sliding_window": 8,
        "max_window_layers": 1,
    },
    "qwen2_yarn": {"model_type": "qwen2", "rope_scaling": {**_YARN, "type": "yarn"}},
    "qwen3": {
        "model_type": "qwen3",
        "head_dim": 32,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
    },
    "qwen3_biases": {"model_type": "qwen3", "head_dim": 16, "attention_bias": True},
    "gemma2": {
        "model_type": "gemma2",
        **_GEMMA,
        "attn_logit_softcapping": 5.0,
        "final_logit_softcapping": 3.0,
    },
    "gemma3": {
        "model_type": "gemma3_text",
        **_GEMMA,
        "num_hidden_layers": 4,
        "sliding_window_pattern": 3,
        "rope_theta": 1e6,
        "rope_local_base_freq": 10000.0,
        "rope_scaling": {"rope_type": "linear", "factor": 8.0},
    },
    "gemma3_new_form": {
        "model_type": "gemma3_text",
        **_GEMMA,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        "rope_theta": None,
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
        },
    },
    "phi3": {"model_type": "phi3", "sliding_window": 8},
    "phi4_mini": {
        "model_type": "phi3",
        "partial_rotary_factor": 0.75,
        "tie_word_embeddings": True,
        "sliding_window": None,
        "original_max_position_embeddings": 64,
        "rope_scaling": _LONG,
    },
    "granite": {
        "model_type": "granite",
        "tie_word_embeddings": True,
        "embedding_multiplier": 12.0,
        "residual_multiplier": 0.22,
        "attention_multiplier": 0.125,
        "logits_scaling": 8.0,
    },
    "granite_untied": {
        "model_type": "granite",
        "attention_bias": True,
        "embedding_multiplier": 6.0,
        "residual_multiplier": 0.5,
        "attention_multiplier": 0.2,
        "logits_scaling": 4.0,
    },
    "olmo2": {"model_type": "olmo2"},
    "olmo2_shared_heads": {"model_type": "olmo2", "num_key_value_heads": 1, "num_hidden_layers": 1},
}


def settings(case: str) -> dict[str, Any]:
    """The config.json of a case; settings that are None are left out."""
    merged = {**_BASE, **CASES[case]}
    kept = {"sliding_window"}  # here null has a meaning of its own
    return {key: value for key, value in merged.items() if value is not None or key in kept}


def tensors(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, NDArray[np.float32]]:
    """Weights for these names and shapes, of a size that makes logits spread out."""
    random = np.random.default_rng(seed)
    made = {}
    for name in sorted(shapes):
        # Uniform numbers come straight from the generator's bits, on every version of NumPy.
        numbers = random.random(shapes[name], np.float32) * 2 - 1
        if len(shapes[name]) == 2:
            made[name] = numbers * np.float32(2.5 / np.sqrt(shapes[name][1]))
        else:
            made[name] = numbers / 4 if name.endswith("bias") else 1 + numbers / 4
    return made


def write_folder(folder: Path, case: str, shapes: Mapping[str, tuple[int, ...]], seed: int) -> Path:
    """A Hugging Face folder with config.json and model.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(settings(case)))
    save_file(tensors(shapes, seed), folder / "model.safetensors", {"format": "pt"})
    return folder
