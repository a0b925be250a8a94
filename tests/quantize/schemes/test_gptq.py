"""Calibrated rounding loses less at a matrix's output than rounding by itself."""

from __future__ import annotations

import numpy as np
import pytest

from edgeward.quantize.schemes import simple
from edgeward.quantize.schemes.gptq import cost, factors, gptq
from edgeward.quantize.schemes.grids import Q4_0, Q4_1, Q8_0, Format

RANDOM = np.random.default_rng(0)
MIXED = RANDOM.standard_normal((96, 96)) / 6 + np.diag(RANDOM.random(96) * 3)
X = (RANDOM.standard_normal((900, 96)) @ MIXED).astype(np.float32)
H = (X.T @ X).astype(np.float64)
W = RANDOM.standard_normal((40, 96)).astype(np.float32)


@pytest.mark.parametrize("form", [Q4_0, Q4_1, Q8_0], ids=lambda f: f.name)
def test_each_algorithm_beats_the_one_before(form: Format) -> None:
    known = factors(H, 0.01)
    found = [
        simple.nearest(W, form),
        simple.search(W, np.diagonal(known.hessian), form),
        gptq(W, form, known, passes=0),
        gptq(W, form, known, passes=2),
    ]
    costs = [cost(W - simple.floats(values), known) for values in found]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 0.65 * costs[0]
    # The true loss at the output, without damping.
    outputs = [np.square(X @ (W - simple.floats(v)).T).sum() for v in (found[0], found[-1])]
    assert outputs[1] < 0.7 * outputs[0]


def test_factors_are_what_they_say() -> None:
    known = factors(H, 0.05)
    upper = known.upper.astype(float)
    np.testing.assert_allclose(np.tril(upper, -1), 0)
    identity = known.hessian.astype(float) @ (upper.T @ upper)
    np.testing.assert_allclose(identity, np.eye(96), atol=1e-3)


def test_silent_channels_are_rounded_as_they_are() -> None:
    h = H.copy()
    h[5] = h[:, 5] = 0
    values = simple.floats(gptq(W, Q8_0, factors(h, 0.01)))
    assert np.isfinite(values).all()
    assert np.abs(values[:, 5] - W[:, 5]).max() < 0.05


def test_rows_are_independent() -> None:
    known = factors(H, 0.01)
    together, alone = gptq(W, Q4_1, known), gptq(W[7:8], Q4_1, known)
    np.testing.assert_array_equal(together.values[7:8], alone.values)
    np.testing.assert_array_equal(together.scales[7:8], alone.scales)


def test_what_lies_on_the_grid_stays() -> None:
    there = simple.nearest(W, Q4_0)
    again = simple.nearest(simple.floats(there), Q4_0)
    np.testing.assert_allclose(simple.floats(again), simple.floats(there), rtol=1e-3, atol=1e-6)
