"""Losses between two sets of logits, position by position. Knows arrays only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeward.quantize.weights import Floats


@dataclass(frozen=True)
class Losses:
    """One number a scored position; natural logarithms.

    `kl` is KL(reference || model); `same_choice` is true where both prefer the same id; `nll` and
    `reference_nll` are the negative log-likelihoods of the text's own next id, one position less
    for each window.
    """

    kl: NDArray[np.float64]
    same_choice: NDArray[np.bool_]
    nll: NDArray[np.float64]
    reference_nll: NDArray[np.float64]


def compare(reference: Floats, logits: Floats, following: NDArray[np.int64]) -> Losses:
    """Losses of `logits` (positions, vocabulary) against `reference`, of the same shape.

    `following` holds the text's next id of the first positions; those beyond it are not scored by
    likelihood. Both arrays are overwritten.
    """
    same = reference.argmax(axis=1) == logits.argmax(axis=1)
    expected = log_softmax(reference)
    got = log_softmax(logits)
    at = np.arange(following.size)
    nll = -got[at, following].astype(np.float64)
    reference_nll = -expected[at, following].astype(np.float64)
    np.subtract(expected, got, out=got)
    np.exp(expected, out=expected)
    # Sums of 100,000 products of either sign: pairwise float32 is not enough near KL 0.
    kl = np.einsum("pv,pv->p", expected, got, dtype=np.float64)
    return Losses(np.maximum(kl, 0), same, nll, reference_nll)


def join(parts: list[Losses]) -> Losses:
    """Losses of several windows as one."""
    return Losses(
        np.concatenate([part.kl for part in parts]),
        np.concatenate([part.same_choice for part in parts]),
        np.concatenate([part.nll for part in parts]),
        np.concatenate([part.reference_nll for part in parts]),
    )


def log_softmax(logits: Floats) -> Floats:
    """Logarithms of the probabilities of each row, in place."""
    logits -= logits.max(axis=1, keepdims=True)
    total = np.exp(logits).sum(axis=1, keepdims=True, dtype=np.float64)
    logits -= np.log(total).astype(np.float32)
    return logits
