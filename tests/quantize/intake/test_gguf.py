"""A GGUF file means the same model as the Hugging Face folder it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import gguf_file
import numpy as np
import pytest
import tiny_llama
from gguf import GGMLQuantizationType as Type
from numpy.typing import NDArray

from edgeward.errors import IntakeError
from edgeward.quantize.intake import gguf_types, read_model
from edgeward.quantize.schemes.carry import carry
from edgeward.quantize.weights import all_floats

GRIDS = (Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0)
# Where the float16 numbers of a super-block lie.
NESTED = {
    Type.Q2_K: [80, 82],
    Type.Q3_K: [108],
    Type.Q4_K: [0, 2],
    Type.Q5_K: [0, 2],
    Type.Q6_K: [208],
    Type.IQ4_NL: [0],
    Type.IQ4_XS: [0],
}
TOPS = {Type.Q2_K: 3, Type.Q3_K: 7, Type.Q4_K: 15, Type.Q5_K: 31, Type.Q6_K: 63}


@pytest.mark.parametrize("tied", [True, False])
def test_equals_the_hugging_face_folder_tensor_by_tensor(tmp_path: Path, tied: bool) -> None:
    shape: dict[str, Any] = {"tie_word_embeddings": tied, "num_hidden_layers": 3}
    from_gguf = read_model(gguf_file.write(tmp_path / "m.gguf", **shape))
    from_folder = read_model(tiny_llama.write_folder(tmp_path / "hf", **shape))
    assert from_gguf.architecture.tied_head is tied
    mine, theirs = from_gguf.architecture, from_folder.architecture
    assert mine.norm_epsilon == pytest.approx(theirs.norm_epsilon)
    assert mine.shapes() == theirs.shapes()
    assert (mine.rope, mine.context, mine.heads) == (theirs.rope, theirs.context, theirs.heads)
    for name, tensor in from_folder.tensors.items():
        np.testing.assert_array_equal(all_floats(from_gguf.tensors[name]), all_floats(tensor))


def random_rows(kind: Type, rows: int = 5, columns: int = 512) -> NDArray[np.uint8]:
    values = np.random.default_rng(7).standard_normal((rows, columns)).astype(np.float32)
    if kind in NESTED:  # the package reads these and does not write them
        block, size = gguf.GGML_QUANT_SIZES[kind]
        random = np.random.default_rng(7)
        raw = random.integers(0, 256, (rows, size * (columns // block)), np.uint8)
        blocks = raw.reshape(rows * columns // block, size)
        for at in NESTED[kind]:  # finite numbers of either sign
            halves = random.standard_normal(len(blocks)).astype(np.float16)
            blocks[:, at : at + 2] = halves.view(np.uint8).reshape(-1, 2)
        return raw
    return gguf.quants.quantize(values, kind)


@pytest.mark.parametrize("kind", gguf_types.SUPPORTED)
def test_numbers_are_those_of_the_gguf_package(kind: Type) -> None:
    rows = random_rows(kind)
    expected = gguf.quants.dequantize(rows, kind)
    got = gguf_types.floats(kind, rows.view(np.uint8))
    # Their last sum and ours are rounded in another order.
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("kind", [*GRIDS, *NESTED])
def test_grid_is_exact_and_in_range(kind: Type) -> None:
    rows = random_rows(kind)
    grid = gguf_types.unpack(kind, rows)
    assert grid is not None
    assert grid.block == (16 if kind in (Type.Q2_K, Type.Q3_K, Type.Q6_K) else 32)
    assert grid.levels.max() <= grid.top
    assert grid.top == TOPS.get(kind, grid.top)


@pytest.mark.parametrize("kind", [Type.IQ4_NL, Type.IQ4_XS, Type.Q4_0, Type.Q5_0, Type.Q8_0])
def test_what_eight_bits_can_hold_is_carried_exactly(kind: Type) -> None:
    grid = gguf_types.unpack(kind, random_rows(kind))
    assert grid is not None
    expected = grid.floats()
    np.testing.assert_allclose(carry(grid).floats(), expected, rtol=2e-6, atol=0)


def test_types_that_are_no_grid_have_none() -> None:
    assert gguf_types.unpack(Type.F16, np.zeros((1, 64), np.uint8)) is None


def test_rows_in_the_middle_equal_the_same_rows_of_the_whole(tmp_path: Path) -> None:
    weights = read_model(gguf_file.write(tmp_path / "m.gguf", kind=Type.Q4_1))
    for name in ("embedding", "layers.1.q", "layers.0.down"):
        tensor = weights.tensors[name]
        np.testing.assert_array_equal(tensor.floats(3, 17), all_floats(tensor)[3:17])


def drop(name: str) -> gguf_file.Change:
    def change(tensors: dict[str, NDArray[Any]]) -> None:
        del tensors[name]

    return change


def put(name: str, values: NDArray[np.float32]) -> gguf_file.Change:
    return lambda tensors: tensors.update({name: values})


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a missing tensor": ({"change": drop("blk.1.ffn_up.weight")}, "lacks .*blk.1.ffn_up.weight"),
    "no embedding": ({"change": drop("token_embd.weight")}, "token_embd.weight"),
    "an unknown tensor": (
        {"change": put("blk.0.attn_sinks.weight", np.zeros(64, np.float32))},
        "blk.0.attn_sinks.weight",
    ),
    "a wrong shape": (
        {"change": put("blk.0.attn_k.weight", np.zeros((64, 64), np.float32))},
        r"attn_k.weight' has the shape \(64, 64\)",
    ),
    "an unknown architecture": ({"fields": {"general.architecture": "rwkv6"}}, "rwkv6"),
    "no layer count": ({"fields": {"llama.block_count": None}}, "block_count' is missing"),
    "zero heads": ({"fields": {"llama.attention.head_count": 0}}, "head_count' is 0"),
    "heads that do not share": ({"fields": {"llama.attention.head_count_kv": 3}}, "3 heads"),
    "an epsilon below zero": (
        {"fields": {"llama.attention.layer_norm_rms_epsilon": -1.0}},
        "rms_epsilon' is -1.0",
    ),
    "unknown rope scaling": ({"fields": {"llama.rope.scaling.type": "ntk"}}, "'ntk'"),
    "yarn without its factor": (
        {"fields": {"llama.rope.scaling.type": "yarn"}},
        "scaling.factor' is missing",
    ),
    "biases of one matrix only": (
        {"change": put("blk.0.attn_q.bias", np.zeros(64, np.float32))},
        "lacks .*blk.0.attn_k.bias",
    ),
    "partial rotation": ({"fields": {"llama.rope.dimension_count": 8}}, "dimension_count' is 8"),
    "a false layer count": ({"fields": {"llama.block_count": 2000000000}}, "2000000000 layers"),
    "a false context": ({"fields": {"llama.context_length": 1 << 30}}, "1073741824 tokens"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_refuses(tmp_path: Path, case: str) -> None:
    how, message = BROKEN[case]
    with pytest.raises(IntakeError, match=message):
        read_model(gguf_file.write(tmp_path / "m.gguf", **how))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_numbers_that_are_not_finite(tmp_path: Path, bad: float) -> None:
    def spoil(tensors: dict[str, NDArray[Any]]) -> None:
        tensors["blk.0.ffn_up.weight"][3, 4] = bad

    weights = read_model(gguf_file.write(tmp_path / "m.gguf", change=spoil))
    with pytest.raises(IntakeError, match=r"blk\.0\.ffn_up\.weight' holds NaN or infinity"):
        all_floats(weights.tensors["layers.0.up"])


def test_scaled_frequencies_are_read(tmp_path: Path) -> None:
    factors = np.linspace(1, 8, 8, dtype=np.float32)
    weights = read_model(
        gguf_file.write(tmp_path / "m.gguf", change=put("rope_freqs.weight", factors))
    )
    assert weights.architecture.rope.factors == tuple(factors)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"nothing\.gguf does not exist"):
        read_model(tmp_path / "nothing.gguf")
