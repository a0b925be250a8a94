"""How far an encoder's vectors keep the order of similarities. Knows vectors, no models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeward.quantize.weights import Floats

from . import intervals
from .report import VectorFigures


def compare(reference: Floats, vectors: Floats) -> VectorFigures:
    """Figures of `vectors` (texts, dimension) against `reference`, of the same shape."""
    expected, got = _unit(reference), _unit(vectors)
    cosines = (expected * got).sum(axis=1)
    wanted, found = expected @ expected.T, got @ got.T

    def correlation(drawn: NDArray[np.intp]) -> float:
        # A text drawn twice is one text: its similarity to itself says nothing.
        kept = np.unique(drawn)
        above = np.triu_indices(kept.size, 1)
        pick = kept[above[0]], kept[above[1]]
        return spearman(wanted[pick], found[pick])

    return VectorFigures(
        texts=len(reference),
        rank_correlation=intervals.of_draws(len(reference), correlation),
        mean_cosine=float(cosines.mean()),
        min_cosine=float(cosines.min()),
    )


def spearman(a: Floats, b: Floats) -> float:
    """Spearman's rank correlation of two rows of numbers; equal numbers share their rank."""
    if a.size < 2:
        return float("nan")
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def _ranks(values: Floats) -> NDArray[np.float64]:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[places]


def _unit(vectors: Floats) -> Floats:
    wide = vectors.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.asarray(wide / np.maximum(length, 1e-30), np.float64)
