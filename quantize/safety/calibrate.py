"""From the scorers' logits on texts they have not seen to probabilities and thresholds.

Knows: logistic regression on three numbers a text, quantiles. Does not know: texts, models. The
texts must come from sources left out of training: on their own sources the scorers look far better
than they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RATES = (0.05, 0.01, 0.001)
"""Benign prompts flagged at each of model_file.LEVELS."""


@dataclass(frozen=True)
class Platt:
    """Factors of (linear logit, encoder logit, log2 windows) and what is added."""

    factors: tuple[float, float, float]
    bias: float

    def probability(self, inputs: Floats) -> Floats:
        """(texts, 3) -> (texts,)."""
        logits = inputs @ np.array(self.factors) + self.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))))


def fit(inputs: Floats, labels: Floats, weights: Floats, *, used: Sequence[bool]) -> Platt:
    """Weighted logistic regression by Newton's method (Platt 1999, with his smoothed targets).

    Inputs that are not `used` keep the factor 0; a little L2 holds the others.
    """
    columns = np.flatnonzero(used)
    x = np.column_stack([inputs[:, columns], np.ones(len(inputs))])
    total = [weights[labels == label].sum() for label in (0, 1)]
    high, low = (total[1] + 1) / (total[1] + 2), 1 / (total[0] + 2)
    target = np.where(labels == 1, high, low)
    beta = np.zeros(x.shape[1])
    ridge = np.diag([1e-3 * weights.sum() / 1000] * len(columns) + [0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ beta))
        slope = x.T @ (weights * (p - target)) + ridge @ beta
        curve = (x * (weights * p * (1 - p))[:, None]).T @ x + ridge + 1e-9 * np.eye(len(beta))
        step = np.linalg.solve(curve, slope)
        beta -= step
        if np.abs(step).max() < 1e-9:
            break
    factors = np.zeros(3)
    factors[columns] = beta[:-1]
    return Platt((float(factors[0]), float(factors[1]), float(factors[2])), float(beta[-1]))


def weighted_quantile(values: Floats, groups: Sequence[str], share: float) -> float:
    """The value below which lies `share` of `values`, every group counting the same."""
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    weight = 1 / np.bincount(index)[index] / len(names)
    order = np.argsort(values)
    at = int(np.searchsorted(np.cumsum(weight[order]), share))
    return float(values[order[min(at, len(order) - 1)]])


def thresholds(
    probabilities: Floats, groups: Sequence[str], rates: Sequence[float] = RATES
) -> tuple[tuple[float, float], ...]:
    """(rate, probability): flags that share of benign texts, every group counting the same."""
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    weight = 1 / np.bincount(index)[index] / len(names)
    order = np.argsort(-probabilities)
    mass = np.cumsum(weight[order])
    found = []
    for rate in rates:
        at = int(np.searchsorted(mass, rate, side="right"))
        # Halfway to the first text that may not be flagged any more.
        above = probabilities[order[max(at - 1, 0)]]
        below = probabilities[order[min(at, len(order) - 1)]]
        found.append((rate, float(np.clip((above + below) / 2 if at else above + 1e-6, 0, 1))))
    return tuple(found)
