"""Calibration and thresholds from scores of unseen texts."""

from __future__ import annotations

import numpy as np
import pytest

from edgeward.quantize.safety import calibrate


def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    inputs = rng.normal(0, 2, (count, 3))
    truth = 1 / (1 + np.exp(-(0.8 * inputs[:, 0] + 1.5 * inputs[:, 1] - 0.5)))
    return inputs, (rng.random(count) < truth).astype(float)


def test_the_factors_that_made_the_labels_are_found() -> None:
    inputs, labels = drawn(20_000)
    platt = calibrate.fit(inputs, labels, np.ones(20_000), used=(True, True, True))
    assert platt.factors == pytest.approx((0.8, 1.5, 0), abs=0.08)
    assert platt.bias == pytest.approx(-0.5, abs=0.08)


def test_inputs_that_are_not_used_keep_no_factor() -> None:
    inputs, labels = drawn(2000)
    platt = calibrate.fit(inputs, labels, np.ones(2000), used=(True, False, False))
    assert platt.factors[1:] == (0, 0)
    assert platt.factors[0] > 0.2


def test_labels_that_can_be_told_apart_give_finite_factors() -> None:
    inputs = np.zeros((40, 3))
    inputs[20:, 0] = 1
    labels = (np.arange(40) >= 20).astype(float)
    platt = calibrate.fit(inputs, labels, np.ones(40), used=(True, True, True))
    assert np.isfinite(platt.factors).all()
    assert platt.probability(inputs)[0] < 0.1
    assert platt.probability(inputs)[-1] > 0.9


def test_thresholds_flag_their_share_with_every_group_counting_the_same() -> None:
    rng = np.random.default_rng(4)
    scores = np.concatenate([rng.random(9000) / 2, 0.5 + rng.random(1000) / 2])
    groups = ["large"] * 9000 + ["small"] * 1000
    for rate, limit in calibrate.thresholds(scores, groups):
        flags = scores >= limit
        mean = (flags[:9000].mean() + flags[9000:].mean()) / 2
        assert mean == pytest.approx(rate, abs=1e-3)
        assert not flags[:9000].any()


def test_a_quantile_lets_every_group_count_the_same() -> None:
    values = np.concatenate([np.arange(100.0), np.full(2, -1.0)])
    groups = ["large"] * 100 + ["small"] * 2
    assert calibrate.weighted_quantile(values, groups, 0.25) == -1
    assert calibrate.weighted_quantile(values, groups, 0.75) == pytest.approx(50, abs=1)
