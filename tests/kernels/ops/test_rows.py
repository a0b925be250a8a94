"""Operators of single rows: equal to their twins, near the textbook, at every length."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ops_cases import activations

from edgeward.kernels import _native, reference_ops

ISAS = _native.supported_isas()
LENGTHS = (1, 7, 8, 15, 16, 17, 31, 33, 64, 100, 576)
# Relative, of functions built on exp2; of sums in float32.
EXP_ERROR, SUM_ERROR = 1e-6, 1e-5


@pytest.mark.parametrize("isa", ISAS)
def test_the_norm_is_its_twin_and_the_textbooks(isa: str) -> None:
    for n in LENGTHS:
        x, weight = activations(2, n)
        made = _native.rms_norm(x, weight, 1e-5, isa=isa)
        assert np.array_equal(made, reference_ops.rms_norm(x, weight, 1e-5))
        exact = x / np.sqrt((x.astype(np.float64) ** 2).mean() + 1e-5) * weight
        assert np.allclose(made, exact, rtol=SUM_ERROR, atol=0)


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("isa", ISAS)
def test_a_turned_head_is_its_twin_and_keeps_its_length(isa: str, pairs: bool) -> None:
    for n in (2, 30, 32, 64, 80, 256):
        angle = np.linspace(0, 9, n // 2)
        c, s = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
        head = activations(1, n)[0]
        made = _native.rotate(head, c, s, pairs=pairs, isa=isa)
        assert np.array_equal(made, reference_ops.rotate(head, c, s, pairs))
        assert math.isclose(np.linalg.norm(made), np.linalg.norm(head), rel_tol=SUM_ERROR)
        same = _native.rotate(head, np.ones_like(c), np.zeros_like(s), pairs=pairs, isa=isa)
        assert np.array_equal(same, head)


@pytest.mark.parametrize("activation", ["silu", "gelu_tanh"])
@pytest.mark.parametrize("isa", ISAS)
def test_a_gate_is_its_twin_and_the_textbooks(isa: str, activation: str) -> None:
    for n in LENGTHS:
        x, up = np.linspace(-30, 30, n, dtype=np.float32), activations(1, n)[0]
        made = _native.gate(activation, x, up, isa=isa)
        assert np.array_equal(made, reference_ops.gate(activation, x, up))
        wide = x.astype(np.float64)
        u = wide if activation == "silu" else 2 * np.sqrt(2 / np.pi) * (wide + 0.044715 * wide**3)
        exact = wide / (1 + np.exp(-np.clip(u, -700, 700))) * up
        assert np.allclose(made, exact, rtol=5 * EXP_ERROR, atol=1e-6)


@pytest.mark.parametrize("isa", ISAS)
def test_gates_of_extreme_values_stay_finite_or_become_nan(isa: str) -> None:
    x = np.array([-3e38, -1e4, -88, 0, 88, 1e4, 3e38, np.nan], np.float32)
    made = _native.gate("silu", x, np.ones_like(x), isa=isa)
    assert np.isfinite(made[:7]).all()
    assert np.isnan(made[7])
    assert abs(made[1]) < 1e-30
    assert made[5] == 1e4


@pytest.mark.parametrize("isa", ISAS)
def test_quantized_rows_are_their_twins_in_every_place_of_a_tile(isa: str) -> None:
    for rows in (0, 1, 3, 15, 16, 17, 33):
        x = activations(rows, 96)
        made = _native.quantize_rows(x, isa=isa)
        for ours, theirs in zip(made, reference_ops.quantize_rows(x), strict=True):
            assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("isa", ISAS)
def test_quantizing_errs_by_half_a_step_at_most(isa: str) -> None:
    x = activations(4, 320)
    values, scales, _ = _native.quantize_rows(x, isa=isa)
    back = values * np.repeat(scales, 32, axis=1)
    assert (np.abs(back - x) <= np.repeat(scales, 32, axis=1) * 0.5001).all()


@pytest.mark.parametrize("isa", ISAS)
def test_a_sum_is_added_at_every_length(isa: str) -> None:
    for n in LENGTHS:
        x, y = activations(2, n)
        assert np.array_equal(_native.add(x, y, isa=isa), x + y)


@pytest.mark.parametrize("isa", ISAS)
def test_the_best_candidates_come_in_order_with_ties_and_nan(isa: str) -> None:
    rng = np.random.default_rng(0)
    for n in (0, 1, 5, 64, 1000):
        x = rng.integers(-20, 20, n).astype(np.float32)
        x[rng.random(n) < 0.05] = np.nan
        for count in (0, 1, 3, 40, 2000):
            ids, values = _native.top_values(x, count, first_id=7, isa=isa)
            expected_ids, expected = reference_ops.top_values(x, count)
            assert ids == [i + 7 for i in expected_ids]
            assert np.array_equal(values, expected, equal_nan=True)
