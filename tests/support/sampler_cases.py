"""What samplers are tried on: settings and logits that several test files share.

Knows: names of settings, numpy. Does not know: samplers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SETTINGS: dict[str, dict[str, Any]] = {
    "greedy": {"temperature": 0.0},
    "plain": {},
    "cold": {"temperature": 0.2},
    "hot": {"temperature": 3.0},
    "top_k": {"top_k": 5},
    "top_k 1": {"top_k": 1},
    "top_k large": {"top_k": 700},
    "top_p": {"top_p": 0.9},
    "top_p small": {"top_p": 0.05},
    "min_p": {"min_p": 0.05},
    "min_p 1": {"min_p": 1.0},
    "typical_p": {"typical_p": 0.8},
    "top_k top_p": {"top_k": 50, "top_p": 0.95},
    "top_n_sigma": {"top_n_sigma": 1.0},
    "xtc": {"xtc_probability": 0.6, "xtc_threshold": 0.05},
    "xtc top_p": {"xtc_probability": 0.6, "xtc_threshold": 0.1, "top_p": 0.9, "min_p": 0.01},
    "mirostat": {"mirostat_tau": 3.0, "mirostat_eta": 0.4},
    "everything": {
        "temperature": 1.7,
        "min_p": 0.01,
        "top_n_sigma": 2.5,
        "top_k": 40,
        "typical_p": 0.9,
        "top_p": 0.7,
        "repetition_penalty": 1.2,
        "frequency_penalty": 0.5,
        "presence_penalty": -0.3,
        "logit_bias": {0: 1.5},
    },
}


def made_logits(kind: str, size: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng([seed, size])
    x = rng.standard_normal(size)
    if kind == "real":  # a few high ones above a broad mass, as language models give
        x = x * 2.5
        x[rng.integers(0, size, 5)] += 12
    elif kind == "peaked":
        x[size // 2] += 60
    elif kind == "flat":
        x = x * 0 - 3
    elif kind == "tied":
        x = np.round(x)
    elif kind == "holes":
        x[rng.random(size) < 0.7] = -np.inf
        x[size // 3] = 0.5
    elif kind == "wide":
        x = x * 1e5
    elif kind == "signed zeros":
        x = np.where(rng.random(size) < 0.5, -0.0, 0.0)
    return x.astype(np.float32)


KINDS = ["real", "peaked", "flat", "tied", "holes", "wide", "signed zeros"]
