"""Products of packed matrices: equal to the twin and to each other, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from ops_cases import FORMATS, activations, matrix

from edgeward.kernels import _native, reference_ops

ISAS = _native.supported_isas()
# Of quantizing activations to 8 bits: root mean square, relative to that of the result.
ACTIVATION_NOISE = 0.02


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", FORMATS)
def test_it_is_the_twins_product_bit_for_bit(name: str, isa: str) -> None:
    for rows, cols in ((1, 32), (15, 64), (16, 96), (17, 160), (50, 224)):
        case = matrix(name, rows, cols, seed=rows)
        for tokens in (1, 2, 7, 16, 19):
            x = activations(tokens, cols)
            right = reference_ops.quantize_rows(x)
            expected = reference_ops.multiply(case.values, case.scales, case.minima, right)
            assert np.array_equal(case.packed.multiply(x, isa=isa), expected)


@pytest.mark.parametrize("isa", ISAS)
def test_a_row_does_not_depend_on_the_other_rows_threads_or_chunks(isa: str) -> None:
    case = matrix("q4_1", 208, 576)
    x = activations(35, 576)
    alone = np.concatenate([case.packed.multiply(x[t : t + 1], isa=isa) for t in range(len(x))])
    for tokens in (*range(1, 18), 31, 32, 33, 35):
        assert np.array_equal(case.packed.multiply(x[:tokens], isa=isa), alone[:tokens])
    for threads, chunk in ((2, 1), (3, 4), (4, 13)):
        team = _native.Team(threads, spin_us=20)
        assert np.array_equal(case.packed.multiply(x, team=team, chunk=chunk, isa=isa), alone)


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_the_float_product_but_for_the_rounding_of_activations(name: str) -> None:
    case = matrix(name, 64, 256)
    x = activations(5, 256)
    exact = x.astype(np.float64) @ case.floats().astype(np.float64).T
    error = case.packed.multiply(x) - exact
    assert np.sqrt((error**2).mean()) < ACTIVATION_NOISE * np.sqrt((exact**2).mean())


@pytest.mark.parametrize("name", FORMATS)
def test_rows_read_back_as_they_were_packed(name: str) -> None:
    case = matrix(name, 33, 96)
    for row in (0, 15, 16, 32):
        assert np.array_equal(case.packed.row(row), case.floats()[row])


@pytest.mark.parametrize("isa", ISAS)
def test_a_product_can_be_added_to_what_is_there(isa: str) -> None:
    case = matrix("q8_0", 41, 64)
    x, before = activations(18, 64), activations(18, 41, seed=2)
    expected = before + case.packed.multiply(x, isa=isa)
    assert np.array_equal(case.packed.multiply(x, add_to=before, isa=isa), expected)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("activation", ["silu", "gelu_tanh"])
def test_a_gated_product_is_its_three_steps(activation: str, isa: str) -> None:
    gate, up = matrix("q4_1", 96, 64, seed=3), matrix("q4_1", 96, 64, seed=4)
    for tokens in (1, 5, 16, 17, 40):
        x = activations(tokens, 64)
        g, u = gate.packed.multiply(x, isa=isa), up.packed.multiply(x, isa=isa)
        rows = [_native.gate(activation, a, b, isa=isa) for a, b in zip(g, u, strict=True)]
        expected = _native.quantize_rows(np.array(rows), isa=isa)
        for team in (None, _native.Team(2, spin_us=20)):
            made = gate.packed.multiply_gated(up.packed, x, activation, team=team, isa=isa)
            for ours, theirs in zip(made, expected, strict=True):
                assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", FORMATS)
def test_a_row_that_is_not_finite_becomes_nan_and_leaves_the_others_alone(
    name: str, isa: str
) -> None:
    case = matrix(name, 20, 96)
    x = activations(6, 96)
    expected = case.packed.multiply(x, isa=isa)
    for bad in (np.nan, np.inf, -np.inf):
        broken = x.copy()
        broken[2, 40] = bad
        made = case.packed.multiply(broken, isa=isa)
        assert np.isnan(made[2]).all()
        keep = [0, 1, 3, 4, 5]
        assert np.array_equal(made[keep], expected[keep])


@pytest.mark.parametrize("isa", ISAS)
def test_denormal_and_huge_activations_are_multiplied_as_the_twin_does(isa: str) -> None:
    case = matrix("q4_0", 16, 64)
    x = np.zeros((4, 64), np.float32)
    x[0, 3], x[1, :] = 1e-40, 1e-33
    x[2, 5], x[3, 6] = 3e38, -1e-29
    right = reference_ops.quantize_rows(x)
    with np.errstate(all="ignore"):
        expected = reference_ops.multiply(case.values, case.scales, None, right)
    made = case.packed.multiply(x, isa=isa)
    assert np.array_equal(made[:2], np.zeros((2, 16)))
    assert np.allclose(made, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("isa", ISAS)
def test_no_rows_give_no_rows(isa: str) -> None:
    case = matrix("q4_1", 16, 32)
    assert case.packed.multiply(np.zeros((0, 32), np.float32), isa=isa).shape == (0, 16)


def test_all_instruction_sets_agree_on_a_whole_layer() -> None:
    for name in FORMATS:
        case = matrix(name, 192, 576)
        x = activations(21, 576)
        made = [case.packed.multiply(x, isa=isa) for isa in ISAS]
        assert all(np.array_equal(made[0], other) for other in made[1:])


def test_what_cannot_be_packed_is_refused_with_the_reason() -> None:
    values, scales = np.zeros((2, 32), np.int8), np.ones((2, 1), np.float32)
    with pytest.raises(ValueError, match="format is 'q3'"):
        _native.PackedMatrix("q3", values, scales)
    with pytest.raises(ValueError, match=r"cols is 33.*multiple of 32"):
        _native.PackedMatrix("q8_0", np.zeros((2, 33), np.int8), scales)
    bad = values.copy()
    bad[1, 4] = 8
    with pytest.raises(ValueError, match=r"values\[1\]\[4\] is 8; this format holds -8 to 7"):
        _native.PackedMatrix("q4_0", bad, scales)
    with pytest.raises(ValueError, match="no float16 is exactly"):
        _native.PackedMatrix("q8_0", values, scales * np.float32(1.0001))
    with pytest.raises(ValueError, match=r"scales\[0\]\[0\] is nan"):
        _native.PackedMatrix("q8_0", values, scales * np.float32(np.nan))
    with pytest.raises(ValueError, match="needs minima"):
        _native.PackedMatrix("q4_1", values, scales)
    with pytest.raises(ValueError, match="rows is 0"):
        _native.PackedMatrix("q8_0", values[:0], scales[:0])
    with pytest.raises(ValueError, match=r"isa is 'mmx'"):
        matrix("q8_0", 1, 32).packed.multiply(np.zeros((1, 32), np.float32), isa="mmx")
