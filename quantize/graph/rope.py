"""Cosines and sines of the rotary embedding, as `GroupQueryAttention` takes them.

Knows the formula (Su et al., 2021; scaling as divisors of the frequencies) only.
"""

from __future__ import annotations

import numpy as np

from edgeward.quantize.families import Rope
from edgeward.quantize.weights import Floats


def inverse_frequencies(rope: Rope, head_dim: int) -> Floats:
    """Radians a position for each pair of dimensions, float32 (head_dim / 2,).

    Rounded to float32 in the places where transformers rounds, so that both give the same angles.
    """
    rotated = rope.rotated or head_dim
    exponents = np.arange(0, rotated, 2, dtype=np.float32) / np.float32(rotated)
    frequencies = 1.0 / np.power(np.float32(rope.theta), exponents, dtype=np.float32)
    if rope.factors is not None:
        frequencies = frequencies / np.asarray(rope.factors, np.float32)
    still = np.zeros((head_dim - rotated) // 2, np.float32)
    return np.concatenate([np.asarray(frequencies, np.float32), still])


def caches(rope: Rope, head_dim: int, context: int) -> tuple[Floats, Floats]:
    """Cosines and sines, float32 (context, head_dim / 2) each; 1 and 0 for pairs that stay."""
    positions = np.arange(context, dtype=np.float32)
    angles = np.outer(positions, inverse_frequencies(rope, head_dim))
    cos, sin = np.cos(angles), np.sin(angles)
    if rope.scale != 1.0:
        turning = (rope.rotated or head_dim) // 2
        cos[:, :turning] *= np.float32(rope.scale)
        sin *= np.float32(rope.scale)
    return cos, sin
