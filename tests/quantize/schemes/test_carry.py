"""Carrying a grid over moves its values by a hundredth of a step at most on average."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeward.quantize.schemes.carry import carry
from edgeward.quantize.schemes.nearest import nearest
from edgeward.quantize.weights import Grid

# Root mean square of what 4-bit grids with minima lose, in steps of the source.
Q4_1_RMS = 0.012
# A grid that holds zero loses nothing but the rounding of one product.
EXACT = 1e-6


def grid(top: int, minimum: NDArray[np.float32], scale: NDArray[np.float32], seed: int = 0) -> Grid:
    rows, blocks = scale.shape
    levels = np.random.default_rng(seed).integers(0, top + 1, (rows, blocks * 32), np.uint8)
    return Grid(levels, scale, minimum, top)


def scales(rows: int = 40, blocks: int = 6) -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(0.001, 0.1, (rows, blocks)).astype(np.float32)


@pytest.mark.parametrize("top", [15, 31, 255])
def test_symmetric_grids_lose_nothing(top: int) -> None:
    d = scales()
    source = grid(top, d * np.float32(-(top + 1) // 2), d)
    carried = carry(source)
    np.testing.assert_allclose(carried.floats(), source.floats(), rtol=EXACT, atol=EXACT)


def test_grids_with_minima_lose_a_hundredth_of_a_step() -> None:
    d = scales(200)
    m = -d * np.random.default_rng(2).uniform(5, 10, d.shape).astype(np.float32)
    source = grid(15, m, d)
    error = (carry(source).floats() - source.floats()).reshape(200, -1, 32) / d[:, :, None]
    assert np.sqrt((error**2).mean()) < Q4_1_RMS
    rounded = nearest(source.floats(), 32).floats() - source.floats()
    assert (error**2).mean() < ((rounded.reshape(200, -1, 32) / d[:, :, None]) ** 2).mean() / 2


def test_constant_blocks_keep_their_value_whatever_their_levels() -> None:
    d = np.zeros((3, 2), np.float32)
    m = np.array([[0.5, -2], [0, 1e-3], [7, 0]], np.float32)
    np.testing.assert_allclose(carry(grid(15, m, d)).floats(), np.repeat(m, 32, axis=1), rtol=EXACT)


def test_blocks_far_from_zero_are_rounded_instead() -> None:
    d = np.full((1, 1), 0.01, np.float32)
    m = np.full((1, 1), 5, np.float32)  # 500 steps above zero: no 8-bit multiple of the step
    source = grid(15, m, d)
    error = np.abs(carry(source).floats() - source.floats())
    assert error.max() <= (5 + 15 * 0.01) / 127 / 2 * (1 + EXACT)


@given(
    top=st.sampled_from([15, 31, 255]),
    d=st.floats(2**-20, 1024, width=32),
    steps=st.floats(-600, 600, width=32),
    seed=st.integers(0, 99),
)
def test_never_worse_than_rounding_to_nearest(top: int, d: float, steps: float, seed: int) -> None:
    scale = np.full((1, 1), d, np.float32)
    source = grid(top, scale * np.float32(steps), scale, seed)
    values = source.floats()
    error = np.square(carry(source).floats() - values).sum()
    rounded = np.square(nearest(values, 32).floats() - values).sum()
    tiny = np.square(values).sum() * 1e-12
    assert error <= rounded * 1.01 + tiny or error <= 32 * (0.5 * d) ** 2
