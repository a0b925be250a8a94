"""Rounding to nearest stays within half a step, whatever it is given."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeward.quantize.schemes.blocks import Blocks
from edgeward.quantize.schemes.nearest import nearest


def half_steps(blocks: Blocks) -> NDArray[np.float32]:
    return np.repeat(blocks.scales, blocks.block, axis=1) / 2


@pytest.mark.parametrize("block", [16, 32, 64])
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_no_value_moves_more_than_half_a_step(block: int, size: float) -> None:
    values = np.random.default_rng(0).standard_normal((7, 192)) * size
    values = values.astype(np.float32)
    blocks = nearest(values, block)
    assert blocks.block == block
    assert blocks.levels.min() >= 1
    assert (np.abs(blocks.floats() - values) <= half_steps(blocks) * 1.001).all()


def test_zeros_stay_zero() -> None:
    np.testing.assert_array_equal(nearest(np.zeros((2, 64), np.float32), 32).floats(), 0)


def test_numbers_too_small_to_divide_by_become_zero() -> None:
    assert np.abs(nearest(np.full((1, 32), 1e-40, np.float32), 32).floats()).max() <= 1e-40


def test_the_largest_value_of_a_block_is_exact() -> None:
    values = np.linspace(-3, 5, 32, dtype=np.float32)[None]
    assert nearest(values, 32).floats()[0, -1] == pytest.approx(5, rel=1e-6)
