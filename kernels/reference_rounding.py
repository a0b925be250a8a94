"""The slow twins of kernels/rounding: the same steps, one row and one column at a time, in float64.

Scales are not rounded to float16 here. Knows arrays only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def feed_block(
    x: Numbers, upper: Numbers, low: int, high: int, scales: Numbers, minima: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """What x (32, rows) becomes, its codes, and the errors handed on."""
    left, codes, errors = x.copy(), np.empty_like(x), np.empty_like(x)
    for row in range(x.shape[1]):
        for j in range(len(x)):
            code = np.rint((left[j, row] - minima[row]) / scales[row])
            codes[j, row] = min(max(code, low), high)
            off = left[j, row] - codes[j, row] * scales[row] - minima[row]
            errors[j, row] = off / upper[j, j]
            for k in range(j + 1, len(x)):
                left[k, row] -= upper[j, k] * errors[j, row]
    return left, codes, errors


def cost(difference: Numbers, h: Numbers) -> Numbers:
    """d h d^T of each column d of a difference (32, rows): (rows,)."""
    return np.asarray(np.einsum("ir,ij,jr->r", difference, h, difference), np.float64)
