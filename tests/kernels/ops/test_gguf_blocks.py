"""GGUF's types go into the operators' formats and come back as the `gguf` package reads them."""

from __future__ import annotations

import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize
from numpy.typing import NDArray
from ops_cases import activations

from edgeward.kernels import _native, gguf_blocks, reference_ops

# Where the float16 numbers of a block lie.
HALVES = {
    "Q4_0": (0,),
    "Q4_1": (0, 2),
    "Q5_0": (0,),
    "Q5_1": (0, 2),
    "Q8_0": (0,),
    "Q3_K": (108,),
    "Q4_K": (0, 2),
    "Q5_K": (0, 2),
    "Q6_K": (208,),
}


def _random_rows(kind: str, rows: int, blocks: int) -> NDArray[np.uint8]:
    """Every byte random, but scales that are finite."""
    rng = np.random.default_rng(len(kind) + blocks)
    size = GGML_QUANT_SIZES[GGMLQuantizationType[kind]][1]
    made = rng.integers(0, 256, (rows * blocks, size), dtype=np.uint8)
    for at in HALVES[kind]:
        halves = rng.normal(0, 0.05, (rows * blocks, 1)).astype(np.float16)
        halves[::7] = 6e-8  # the least denormal
        made[:, at : at + 2] = halves.view(np.uint8)
    return made.reshape(rows, -1)


@pytest.mark.parametrize("kind", HALVES)
def test_weights_are_exactly_those_of_the_file(kind: str) -> None:
    rows = _random_rows(kind, 19, 3)
    expected = dequantize(rows, GGMLQuantizationType[kind])
    packed = _native.PackedMatrix(*gguf_blocks.plain(kind, rows))
    assert (packed.rows, packed.cols) == expected.shape
    made = np.stack([packed.row(row) for row in range(packed.rows)])
    assert np.array_equal(made, expected)


@pytest.mark.parametrize("kind", HALVES)
def test_products_are_the_twins_on_every_instruction_set(kind: str) -> None:
    name, values, scales, minima = gguf_blocks.plain(kind, _random_rows(kind, 35, 2))
    packed = _native.PackedMatrix(name, values, scales, minima)
    x = activations(5, packed.cols)
    expected = reference_ops.multiply(values, scales, minima, reference_ops.quantize_rows(x))
    for isa in _native.supported_isas():
        assert np.allclose(packed.multiply(x, isa=isa), expected, rtol=0, atol=0)


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="type Q2_K is not taken"):
        gguf_blocks.plain("Q2_K", np.zeros((1, 84), np.uint8))
    with pytest.raises(ValueError, match="a block of Q4_0 has 18 bytes"):
        gguf_blocks.plain("Q4_0", np.zeros((1, 19), np.uint8))
