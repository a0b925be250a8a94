"""Weights rounded one column after the other, each one's error made good by those that follow.

With H = sum of x x^T over a matrix's inputs, rounding W to Q costs tr((W - Q) H (W - Q)^T) at its
output. GPTQ (Frantar et al. 2022) goes through the columns once and moves what a column lost
to the columns behind it, by the Cholesky factor of H's inverse. Afterwards coordinate descent
(QuantEase, Behdin et al. 2023) goes over the result: block by block the scale (and minimum) that is
best for the codes, then each code that is best for all others. No step makes the cost larger, but
for the rounding of scales to float16.

Rows are independent of each other; all are worked on at once. Inner loops are C++
(kernels/rounding). Knows arrays only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeward.kernels import _native
from edgeward.quantize.weights import Floats

from .grids import BLOCK, Format, Values

PASSES = 2
"""Of coordinate descent: the first gains a tenth of the cost, the second a twentieth."""


@dataclass(frozen=True)
class Factors:
    """What all matrices over the same inputs share: `hessian`, and `upper` with
    upper^T upper = its inverse, both float32 (columns, columns)."""

    hessian: Floats
    upper: Floats


def factors(hessian: NDArray[np.float64], damping: float) -> Factors:
    """Prepare H = sum of x x^T; `damping` is added to its diagonal as a share of its mean.

    Channels that were always zero get a diagonal too: their weights are rounded as they are.
    """
    h = np.array(hessian, np.float64)
    diagonal = np.einsum("ii->i", h)
    mean = float(diagonal.mean()) or 1.0
    diagonal[diagonal <= 0] = mean
    diagonal += damping * mean
    h /= mean
    # H = R R^T with R upper triangular, from the mirror image; then upper is R's inverse.
    mirrored = np.linalg.cholesky(h[::-1, ::-1])
    upper = _inverse_of_upper(np.ascontiguousarray(mirrored[::-1, ::-1]))
    return Factors(h.astype(np.float32), np.ascontiguousarray(upper, np.float32))


def _inverse_of_upper(r: NDArray[np.float64]) -> NDArray[np.float64]:
    """Halves by halves: almost all of it is products of matrices, a sixth of a general inverse."""
    size = len(r)
    if size <= 64:
        return np.triu(np.linalg.inv(r))
    half = size // 2
    made = np.zeros_like(r)
    made[:half, :half] = a = _inverse_of_upper(r[:half, :half])
    made[half:, half:] = d = _inverse_of_upper(r[half:, half:])
    made[:half, half:] = -a @ (r[:half, half:] @ d)
    return made


def gptq(values: Floats, form: Format, known: Factors, passes: int = PASSES) -> Values:
    """Quantize finite `values` (rows, columns)."""
    work = _Work(values, form)
    work.feed(known.upper)
    if passes:
        work.descend(known.hessian, passes)
    return work.result()


def cost(difference: Floats, known: Factors) -> float:
    """tr(D H D^T) of a difference (rows, columns)."""
    return float(np.einsum("rc,rc->", difference @ known.hessian, difference, dtype=np.float64))


def limits(form: Format) -> tuple[int, int]:
    """Lowest and highest code: 8-bit ones without a minimum are kept symmetric."""
    top = (1 << form.bits) - 1 - form.offset
    return (-127 if form.bits == 8 and not form.minimum else -form.offset), top


def fit(columns: Floats, weights: Floats, form: Format) -> tuple[Floats, Floats]:
    """Scales and minima of a block, `columns` (32, rows) with an importance `weights` (32,) each.

    Some scales around that of plain rounding are tried, each with the one (and the minimum) that
    least squares gives for its codes, and the best is kept: what k-quants do.
    """
    scales = np.empty(columns.shape[1], np.float32)
    minima = np.empty_like(scales)
    low, high = limits(form)
    _native.fit_block(columns, weights, low, high, form.minimum, form.half, scales, minima)
    return scales, minima


class _Work:
    """A matrix's codes (columns, rows), scales and minima (blocks, rows) on their way to the best.

    Columns lie together, so that a block is one piece of memory.
    """

    def __init__(self, values: Floats, form: Format) -> None:
        self.form = form
        self.low, self.high = limits(form)
        self.values = np.ascontiguousarray(values.T, np.float32)
        self.codes = np.empty_like(self.values)
        self.scales = np.empty((len(self.values) // BLOCK, len(values)), np.float32)
        self.minima = np.empty_like(self.scales)

    def feed(self, upper: Floats) -> None:
        """GPTQ's one pass."""
        left = self.values.copy()
        errors = np.empty((BLOCK, left.shape[1]), np.float32)
        for block, (begin, end) in enumerate(self._blocks()):
            inside = np.ascontiguousarray(upper[begin:end, begin:end])
            here = left[begin:end]
            weights = (1 / np.square(np.diagonal(inside))).astype(np.float32)
            self.scales[block], self.minima[block] = fit(here, weights, self.form)
            _native.feed_block(
                here,
                inside,
                self.low,
                self.high,
                self.scales[block],
                self.minima[block],
                self.codes[begin:end],
                errors,
            )
            if end < len(left):
                left[end:] -= upper[begin:end, end:].T @ errors

    def descend(self, h: Floats, passes: int) -> None:
        """Coordinate descent over all blocks."""
        slope = h @ (self.values - self._floats())  # H (W - Q)^T
        change = np.empty((BLOCK, slope.shape[1]), np.float32)
        for _ in range(passes):
            for block, (begin, end) in enumerate(self._blocks()):
                _native.descend_block(
                    self.codes[begin:end],
                    np.ascontiguousarray(h[begin:end, begin:end]),
                    self.low,
                    self.high,
                    self.form.minimum,
                    self.form.half,
                    slope[begin:end],
                    self.scales[block],
                    self.minima[block],
                    change,
                )
                # Its own slope is up to date; the others hear of the block's whole change.
                slope[:begin] -= h[:begin, begin:end] @ change
                slope[end:] -= h[end:, begin:end] @ change

    def _blocks(self) -> list[tuple[int, int]]:
        return [(begin, begin + BLOCK) for begin in range(0, len(self.values), BLOCK)]

    def _floats(self) -> Floats:
        wide = self.codes * np.repeat(self.scales, BLOCK, axis=0)
        return wide + np.repeat(self.minima, BLOCK, axis=0)

    def result(self) -> Values:
        return Values(
            np.ascontiguousarray(self.codes.T.astype(np.int8)),
            np.ascontiguousarray(self.scales.T),
            np.ascontiguousarray(self.minima.T) if self.form.minimum else None,
        )
