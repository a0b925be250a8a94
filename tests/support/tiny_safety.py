"""A safety model with random weights, small, for tests that need no trained one."""

from __future__ import annotations

import numpy as np

from edgeward.kernels import reference_safety as twin
from edgeward.quantize.safety import model_file

KNOWN = ("the", "ignore", "you", "are", "не", "你", "?", "00")


def tiny_model(
    *,
    heads: int = 2,
    encoder: bool = True,
    window: int = 8,
    channels: int = 16,
    alone: float = 0.2,
    seed: int = 1,
) -> bytes:
    """The bytes of a model whose scores spread over (0, 1)."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.5, shape).astype(np.float32)

    names = ("toxicity", "jailbreak", "third")[:heads]
    thresholds = ((0.05, 0.4), (0.01, 0.5), (0.001, 0.75))
    described = [
        model_file.Head(n, (0.7, 0.6, -0.1, 0.05), (0.9, 0.1, alone), thresholds) for n in names
    ]
    width, pieces = 12, 256
    hashes = np.array(sorted(twin.hash_of([ord(c) for c in word]) for word in KNOWN), np.uint32)
    layers = (
        (normal(3 * width, channels), normal(channels)),
        (normal(3 * channels, channels), normal(channels)),
        (normal(2 * channels, 16), normal(16)),
        (normal(16, heads), normal(heads)),
    )
    made = model_file.Encoder(
        hashes, normal(len(hashes), width), normal(pieces, width), window, layers
    )
    return model_file.pack(described, normal(1024, heads), normal(heads), made if encoder else None)
