"""Rounding blocks: equal to the twin, never worse than before, and careful about its arguments."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeward.kernels import _native, reference_rounding

RANGES = {"q4_0": (-8, 7, False), "q4_1": (0, 15, True), "q8_0": (-127, 127, False)}
ROWS = (1, 15, 16, 17, 100)


def case(rows: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    x = random.standard_normal((32, rows)).astype(np.float32)
    inputs = random.standard_normal((200, 32)) @ random.standard_normal((32, 32))
    return x, inputs.T @ inputs / 200 + np.eye(32) * 0.1


def fitted(x, low, high, minimum, half=True, weights=None):  # type: ignore[no-untyped-def]
    scales, minima = np.empty((2, x.shape[1]), np.float32)
    weights = np.ones(32, np.float32) if weights is None else weights
    _native.fit_block(x, weights, low, high, minimum, half, scales, minima)
    return scales, minima


def rounded(x, scales, minima, low, high):  # type: ignore[no-untyped-def]
    return np.clip(np.rint((x - minima) / scales), low, high) * scales + minima


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("rows", ROWS)
def test_a_fitted_scale_is_no_worse_than_the_largest_value_s(name: str, rows: int) -> None:
    low, high, minimum = RANGES[name]
    x, _ = case(rows)
    weights = np.random.default_rng(1).random(32, np.float32) + np.float32(0.1)
    scales, minima = fitted(x, low, high, minimum, weights=weights)
    if minimum:
        plain = (x.max(0) - x.min(0)) / (high - low), x.min(0)
    else:
        at = np.abs(x).argmax(0)
        plain = x[at, np.arange(rows)] / low, np.zeros(rows)
    errors = [
        (np.square(x - rounded(x, s, m, low, high)) * weights[:, None]).sum(0)
        for s, m in ((scales, minima), plain)
    ]
    assert (errors[0] <= errors[1] * 1.02 + 1e-6).all()
    assert errors[0].sum() <= errors[1].sum() * 1.001
    for numbers in (scales, minima):
        np.testing.assert_array_equal(numbers, numbers.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("name", RANGES)
def test_a_block_on_the_grid_stays_as_it_is(name: str) -> None:
    low, high, minimum = RANGES[name]
    random = np.random.default_rng(2)
    codes = random.integers(low, high + 1, (32, 50))
    codes[0], codes[1] = low, high
    scales = (random.random(50) + 0.5).astype(np.float16).astype(np.float32)
    minima = np.full(50, -3.0 if minimum else 0.0, np.float32)
    x = (codes * scales + minima).astype(np.float32)
    found = fitted(x, low, high, minimum)
    np.testing.assert_allclose(rounded(x, *found, low, high), x, atol=2e-3 * np.abs(x).max())


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("rows", ROWS)
def test_feeding_forward_equals_the_twin(name: str, rows: int) -> None:
    low, high, minimum = RANGES[name]
    x, h = case(rows)
    upper = np.linalg.cholesky(np.linalg.inv(h)).T
    scales, minima = fitted(x, low, high, minimum)
    twin = reference_rounding.feed_block(
        x.astype(float), upper, low, high, scales.astype(float), minima.astype(float)
    )
    left, codes, errors = x.copy(), np.empty_like(x), np.empty_like(x)
    flat = np.ascontiguousarray(upper, np.float32)
    _native.feed_block(left, flat, low, high, scales, minima, codes, errors)
    # A code may fall to the other side of a half; whole rows then differ, seldom.
    same = (codes == twin[1]).all(axis=0)
    assert same.mean() > 0.9
    np.testing.assert_allclose(errors[:, same], twin[2][:, same], atol=2e-4)
    np.testing.assert_allclose(left[:, same], twin[0][:, same], atol=2e-4)
    alone = reference_rounding.cost(x - rounded(x, scales, minima, low, high), h)
    fed = reference_rounding.cost(x - (codes * scales + minima), h)
    assert fed.sum() < alone.sum()


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("half", [True, False])
def test_descent_never_goes_up_and_its_slope_is_true(name: str, half: bool) -> None:
    low, high, minimum = RANGES[name]
    x, h = case(100, seed=5)
    scales, minima = fitted(x, low, high, minimum, half)
    codes = np.clip(np.rint((x - minima) / scales), low, high).astype(np.float32)
    flat = np.ascontiguousarray(h, np.float32)
    slope = (flat @ (x - codes * scales - minima)).astype(np.float32)
    change = np.empty_like(x)
    costs = [reference_rounding.cost(x - (codes * scales + minima).astype(float), h)]
    for _ in range(4):
        before = codes * scales + minima
        _native.descend_block(codes, flat, low, high, minimum, half, slope, scales, minima, change)
        after = codes * scales + minima
        np.testing.assert_allclose(after - before, change, atol=1e-5)
        np.testing.assert_allclose(slope, flat @ (x - after), atol=2e-3)
        costs.append(reference_rounding.cost(x - after.astype(float), h))
    falls = np.diff(np.asarray(costs), axis=0)
    assert (falls <= np.asarray(costs)[:-1] * (2e-3 if half else 1e-4) + 1e-6).all()
    assert costs[-1].sum() < costs[0].sum() * 0.9
    assert ((codes >= low) & (codes <= high) & (codes == np.rint(codes))).all()


def test_rows_do_not_touch_each_other() -> None:
    x, _ = case(33)
    together = fitted(x, -8, 7, False)
    for row in range(33):
        alone = fitted(np.ascontiguousarray(x[:, row : row + 1]), -8, 7, False)
        assert (alone[0][0], alone[1][0]) == (together[0][row], together[1][row])


def test_zeros_and_wrong_arguments() -> None:
    zeros = np.zeros((32, 3), np.float32)
    for low, high, minimum in RANGES.values():
        scales, minima = fitted(zeros, low, high, minimum)
        assert (scales == 0).all()
        assert (minima == 0).all()
    with pytest.raises(ValueError, match="x must be float32"):
        fitted(np.zeros((16, 3), np.float32), -8, 7, False)
    with pytest.raises(ValueError, match="codes 7 to 7 are no range"):
        fitted(zeros, 7, 7, True)
    with pytest.raises(ValueError, match="weights has a shape"):
        fitted(zeros, -8, 7, False, weights=np.ones(31, np.float32))
    with pytest.raises(TypeError):
        fitted(np.zeros((32, 3)), -8, 7, False)  # type: ignore[arg-type]
