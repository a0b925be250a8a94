"""Learns the linear scorer: one weight a feature and head, by logistic regression.

Knows: hashed features, labels, weights of rows. Does not know: texts, files. A row's features are
divided by the root of their number, as kernels/safety/linear_state.h does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeward.kernels import _native

Floats = NDArray[np.float32]


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
    epochs: int = 4, rate: float = 0.03, decay: float = 2e-7, dropout: float = 0.2, seed: int = 7,
) -> LinearFit:  # fmt: skip
    """Logistic regression by Adam; `labels` and `weights` are (texts, heads).

    `dropout` is the share of a text's features left out in a turn, so that no single one decides.
    """
    rng = np.random.default_rng(seed)
    heads = labels.shape[1]
    table = np.zeros((buckets + 1, heads))  # the last row is the bias
    adam = _Adam(table.shape)
    used = np.flatnonzero(weights.sum(1) > 0)
    size = 512
    steps = epochs * (len(used) // size)
    for step in range(steps):
        if step % (len(used) // size) == 0:
            order = rng.permutation(used)
        begin = step % (len(used) // size) * size
        rows = order[begin : begin + size]
        ids, sizes = features.take(rows)
        kept = rng.random(len(ids), np.float32) >= dropout
        owners = np.repeat(np.arange(size), sizes)[kept]
        ids = ids[kept]
        scale = 1 / np.sqrt(np.maximum(np.bincount(owners, minlength=size), 1))
        gradient = 2 * decay * table
        gradient[-1] = 0
        for head in range(heads):
            sums = np.bincount(owners, table[ids, head], minlength=size)
            logits = sums * scale + table[-1, head]
            slope = (1 / (1 + np.exp(-logits)) - labels[rows, head]) * weights[rows, head] / size
            gradient[:-1, head] += np.bincount(ids, (slope * scale)[owners], minlength=buckets)
            gradient[-1, head] = slope.sum()
        table -= rate * (1 - step / (steps + 1)) * adam.direction(gradient)
    return LinearFit(table[:-1].astype(np.float32), table[-1].astype(np.float32))


class _Adam:
    """Kingma & Ba 2015, with its usual constants."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._mean, self._square = np.zeros(shape), np.zeros(shape)
        self._step = 0

    def direction(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        self._step += 1
        self._mean += 0.1 * (gradient - self._mean)
        self._square += 0.001 * (gradient**2 - self._square)
        mean = self._mean / (1 - 0.9**self._step)
        square = self._square / (1 - 0.999**self._step)
        return np.asarray(mean / (np.sqrt(square) + 1e-8))
