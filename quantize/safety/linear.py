"""Learns the linear scorer: one weight a feature and head, by logistic regression.

Knows: hashed features, labels, weights of rows. Does not know: texts, files. A row's features are
divided by the root of their number, as kernels/safety/linear_state.h does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeward.kernels import _native

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Features:
    """Distinct buckets of many texts: those of text i are ids[starts[i]:starts[i + 1]]."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[str], buckets: int) -> Features:
        """The features of `texts` in a table of `buckets`, a power of two."""
        found = [
            np.unique(_native.safety_features(text)[0] & np.uint32(buckets - 1)).astype(np.int32)
            for text in texts
        ]
        starts = np.concatenate([[0], np.cumsum([len(ids) for ids in found])])
        return cls(np.concatenate(found), starts.astype(np.int64))

    def take(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Ids of the chosen rows one after the other, and how many each has."""
        sizes = self.starts[rows + 1] - self.starts[rows]
        shift = np.repeat(self.starts[rows] - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
        return self.ids[np.arange(sizes.sum()) + shift], sizes

    def chosen(self, rows: NDArray[np.int64]) -> Features:
        """Those of some of the texts."""
        ids, sizes = self.take(rows)
        return Features(ids, np.concatenate([[0], np.cumsum(sizes)]))


@dataclass(frozen=True)
class LinearFit:
    """`weights` (buckets, heads) and `bias` (heads,)."""

    weights: Floats
    bias: Floats

    def logits(self, features: Features) -> Floats:
        """(texts, heads)."""
        sums = np.add.reduceat(self.weights[features.ids], features.starts[:-1], axis=0)
        sizes = np.maximum(np.diff(features.starts), 1)
        sums[np.diff(features.starts) == 0] = 0
        return (sums / np.sqrt(sizes)[:, None] + self.bias).astype(np.float32)


def fit(
    features: Features, labels: Floats, weights: Floats, buckets: int, *,
    rounds: int = 40, decay: float = 3e-6,
) -> LinearFit:  # fmt: skip
    """Logistic regression with L2 `decay`; `labels` and `weights` are (texts, heads).

    Whole batches and no chance: the same rows give the same numbers. `rounds` of L-BFGS stop
    before it converges, which holds rare features down as more decay would.
    """
    heads = labels.shape[1]
    table = np.zeros((buckets, heads), np.float32)
    bias = np.zeros(heads, np.float32)
    for head in range(heads):
        rows = np.flatnonzero((weights[:, head] > 0) & (np.diff(features.starts) > 0))
        if len(rows):
            loss = _Logistic.of(features, rows, labels[:, head], weights[:, head], buckets, decay)
            found = _minimum(loss, np.zeros(buckets + 1), rounds)
            table[:, head], bias[head] = found[:-1], found[-1]
    return LinearFit(table, bias)


@dataclass(frozen=True)
class _Logistic:
    """Weighted mean loss and its gradient; the last parameter is the bias."""

    ids: NDArray[np.int32]
    sizes: NDArray[np.int64]
    scale: Floats
    labels: Doubles
    weights: Doubles
    decay: float

    @classmethod
    def of(
        cls, features: Features, rows: NDArray[np.int64], labels: Floats, weights: Floats,
        buckets: int, decay: float,
    ) -> _Logistic:  # fmt: skip
        ids, sizes = features.take(rows)
        own = weights[rows].astype(np.float64)
        scale = (1 / np.sqrt(sizes)).astype(np.float32)
        return cls(ids, sizes, scale, labels[rows].astype(np.float64), own / own.sum(), decay)

    def __call__(self, at: Doubles) -> tuple[float, Doubles]:
        starts = np.cumsum(self.sizes) - self.sizes
        sums = np.add.reduceat(at.astype(np.float32)[self.ids], starts) * self.scale
        logits = sums.astype(np.float64) + at[-1]
        losses = np.logaddexp(0, logits) - self.labels * logits
        slope = self.weights * (1 / (1 + np.exp(-logits)) - self.labels)
        spread = np.repeat((slope * self.scale).astype(np.float32), self.sizes)
        gradient = np.bincount(self.ids, spread, minlength=len(at)) + self.decay * at
        gradient[-1] = slope.sum()
        return float(self.weights @ losses + self.decay / 2 * (at[:-1] @ at[:-1])), gradient


def _minimum(
    function: Callable[[Doubles], tuple[float, Doubles]], at: Doubles, rounds: int
) -> Doubles:
    """L-BFGS (Liu & Nocedal 1989) with eight pairs; steps are halved until they help."""
    value, gradient = function(at)
    pairs: list[tuple[Doubles, Doubles, float]] = []
    for _ in range(rounds):
        direction = _direction(gradient, pairs)
        slope = float(direction @ gradient)
        step = 1.0 if pairs else 1 / max(float(np.linalg.norm(gradient)), 1e-12)
        for _ in range(20):
            new, new_gradient = function(at + step * direction)
            if new <= value + 1e-4 * step * slope:
                break
            step /= 2
        else:
            return at
        moved, changed = step * direction, new_gradient - gradient
        at, value, gradient = at + moved, new, new_gradient
        curve = float(moved @ changed)
        if curve > 1e-12:
            pairs = [*pairs[-7:], (moved, changed, curve)]
    return at


def _direction(gradient: Doubles, pairs: list[tuple[Doubles, Doubles, float]]) -> Doubles:
    direction = -gradient
    factors = []
    for moved, changed, curve in reversed(pairs):
        factor = float(moved @ direction) / curve
        direction = direction - factor * changed
        factors.append(factor)
    if pairs:
        _, changed, curve = pairs[-1]
        direction = direction * (curve / float(changed @ changed))
    for (moved, changed, curve), factor in zip(pairs, reversed(factors), strict=True):
        direction = direction + (factor - float(changed @ direction) / curve) * moved
    return direction
