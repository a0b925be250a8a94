"""The fused graph: what it computes for every family, what it stores, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import tiny_families
from fused_runner import FusedRunner
from numpy.typing import NDArray

from edgeward.kernels import operators
from edgeward.quantize.graph import fused, packed
from edgeward.quantize.graph.data_file import DataFile
from edgeward.quantize.intake import read_model
from edgeward.quantize.schemes import grids
from edgeward.quantize.schemes.grids import Format, Values
from edgeward.quantize.weights import Floats, Grid, Weights

GOLDENS = np.load(Path(__file__).parents[2] / "data" / "golden" / "families.npz")
CASES = list(tiny_families.CASES)
# 8-bit weights and activations of a model of 64 channels, against float32: share of the spread.
INT8_SHARE = 0.06


def weights_of(folder: Path, case: str) -> Weights:
    shapes = json.loads(GOLDENS[f"{case}.shapes"].tobytes())
    return read_model(tiny_families.write_folder(folder, case, shapes, CASES.index(case)))


def runner(weights: Weights, folder: Path, rows: int = 1) -> FusedRunner:
    folder.mkdir()
    with DataFile(folder / "fused.data") as data:
        graph, _ = fused.build(weights, data, data_name="fused.data")
    (folder / "fused.onnx").write_bytes(graph.SerializeToString())
    return FusedRunner(folder, rows)


def test_some_case_of_most_families_is_taken(tmp_path: Path) -> None:
    taken = {
        tiny_families.CASES[case]["model_type"]
        for case in CASES
        if fused.reason_against(weights_of(tmp_path / case, case)) is None
    }
    assert {"mistral", "qwen3", "gemma2", "gemma3_text"} <= taken


@pytest.mark.parametrize("case", CASES)
def test_logits_are_those_of_transformers_but_for_rounding(case: str, tmp_path: Path) -> None:
    weights = weights_of(tmp_path / "hf", case)
    if (against := fused.reason_against(weights)) is not None:
        pytest.skip(against)
    ids, expected = GOLDENS[f"{case}.ids"].ravel(), GOLDENS[f"{case}.logits"]
    expected = expected.reshape(len(ids), -1)
    run = runner(weights, tmp_path / "pack")
    first = run.step({0: ids[:30].tolist()})
    rest = [run.step({0: [int(i)]}) for i in ids[30:]]
    logits = np.concatenate([first, *rest])
    assert np.abs(logits - expected).std() < INT8_SHARE * expected.std()


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Windows, two rotary tables, norms around and of heads, a cap: all that can go wrong."""
    folder = tmp_path_factory.mktemp("gemma")
    runner(weights_of(folder / "hf", "gemma3"), folder / "pack")
    return folder / "pack"


IDS = [int(i) for i in np.random.default_rng(3).integers(3, tiny_families.VOCABULARY, 200)]


def test_one_by_one_at_once_and_in_any_batch_give_the_same_bits(gemma: Path) -> None:
    whole = FusedRunner(gemma).step({0: IDS})
    single = FusedRunner(gemma)
    alone = np.concatenate([single.step({0: [i]}) for i in IDS[:70]])
    assert np.array_equal(alone, whole[:70])
    team = operators.Team(3)
    single = FusedRunner(gemma)
    alone = np.concatenate([single.step({0: [i]}, team=team.number) for i in IDS[:70]])
    assert np.array_equal(alone, whole[:70])
    batch = FusedRunner(gemma, rows=3)
    batch.step({2: IDS[:50]}, team=team.number)
    batch.step({0: IDS[:7], 2: IDS[50:51], 1: IDS[:130]}, team=team.number)
    mixed = batch.step({1: IDS[130:], 0: IDS[7:8], 2: IDS[51:60]}, team=team.number)
    assert np.array_equal(mixed, np.concatenate([whole[130:], whole[7:8], whole[51:60]]))


def test_only_the_wanted_positions_have_logits(gemma: Path) -> None:
    whole = FusedRunner(gemma).step({0: IDS})
    for wanted in ([199], [0, 128, 199], [127], []):
        assert np.array_equal(FusedRunner(gemma).step({0: IDS}, wanted=wanted), whole[wanted])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hidden": 65}, "hidden is 65"),
        ({"kv_heads": 3}, "heads is 4"),
        ({"layout": 99}, "layout 99"),
        ({"vocabulary": 97}, "embedding has"),
        ({"layers": "0/0/q9_9/q8_0/q8_0/q8_0/q8_0"}, "'q9_9'"),
        ({"layers": "nonsense"}, "'nonsense'"),
        ({"epsilon": float("nan")}, "epsilon is nan"),
        ({"ropes": -1}, "ropes is -1"),
    ],
)
def test_what_the_operator_cannot_run_is_refused_at_load(
    gemma: Path, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    model = onnx.load(gemma / "fused.onnx", load_external_data=False)
    for attribute in list(model.graph.node[0].attribute):
        if attribute.name in change:
            model.graph.node[0].attribute.remove(attribute)
            new = onnx.helper.make_attribute(attribute.name, change[attribute.name])
            model.graph.node[0].attribute.append(new)
    (tmp_path / "fused.onnx").write_bytes(model.SerializeToString())
    (tmp_path / "fused.data").write_bytes((gemma / "fused.data").read_bytes())
    with pytest.raises(Exception, match=said):
        FusedRunner(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"input_ids": np.array([5, 96])}, "token id is 96"),
        ({"input_ids": np.array([-1, 5])}, "token id is -1"),
        ({"positions": np.array([255], np.int32)}, "position is 255"),
        ({"slots": np.array([1], np.int32)}, "slot is 1"),
        ({"row_starts": np.array([0, 3], np.int32)}, "row_starts is 3"),
        ({"wanted": np.array([1, 1], np.int32)}, "wanted is 1"),
        ({"wanted": np.array([2], np.int32)}, "wanted is 2"),
        ({"control": np.array([77, 0])}, "team is 77"),
        ({"control": np.array([0, 77])}, "stop flag is 77"),
    ],
)
def test_inputs_that_do_not_fit_are_named(
    gemma: Path, change: dict[str, NDArray[np.generic]], said: str
) -> None:
    run = FusedRunner(gemma)
    feed = {
        "input_ids": np.array([5, 6]),
        "row_starts": np.array([0, 2], np.int32),
        "positions": np.zeros(1, np.int32),
        "slots": np.zeros(1, np.int32),
        "wanted": np.array([1], np.int32),
        "control": np.zeros(2, np.int64),
        "past": run.cache,
    }
    run.session.run(None, feed)
    with pytest.raises(Exception, match=said):
        run.session.run(None, {**feed, **change})


def test_nothing_to_do_is_done(gemma: Path) -> None:
    run = FusedRunner(gemma)
    empty = np.zeros(0, np.int32)
    feed = {
        "input_ids": np.zeros(0, np.int64),
        "row_starts": np.zeros(1, np.int32),
        "positions": empty,
        "slots": empty,
        "wanted": empty,
        "control": np.zeros(2, np.int64),
        "past": run.cache,
    }
    logits, _ = run.session.run(None, feed)
    assert logits.shape == (0, tiny_families.VOCABULARY)


def half(shape: tuple[int, ...], seed: int) -> Floats:
    numbers = np.random.default_rng(seed).normal(size=shape)
    return numbers.astype(np.float16).astype(np.float32)


@pytest.mark.parametrize(
    ("top", "symmetric", "factor", "form"),
    [
        (63, True, 1.1, grids.Q6_K),
        (7, True, 1.0, grids.Q6_K),
        (15, True, 1.0, grids.Q4_0),
        (15, False, 1.0, grids.Q4_1),
        (31, True, 1.0, grids.Q8_0),
        (31, False, 1.0, grids.Q8_1),
        (255, True, 1.0, grids.Q8_0),
        (15, False, 1.1, grids.Q4_K),
        (31, False, 1.1, grids.Q5_K),
        (255, True, 1.1, grids.Q5_K),
    ],
)
def test_a_grid_is_stored_exactly(top: int, symmetric: bool, factor: float, form: Format) -> None:
    levels = np.random.default_rng(1).integers(0, top + 1, (40, 96)).astype(np.uint8)
    scale = half((40, 3 * form.scales), 2) * np.float32(factor)
    minimum = -scale * ((top + 1) // 2) if symmetric else half((40, 3), 3) * np.float32(factor)
    grid = Grid(levels, scale, minimum, top)

    class Stub:
        shape = (40, 96)

        def grid(self, start: int, stop: int) -> Grid:
            return Grid(levels[start:stop], scale[start:stop], minimum[start:stop], top)

    assert grids.format_of([Stub()], 16) == form  # type: ignore[list-item]
    values = grids.exact(grid, form)
    found = unpacked(form, packed.pack(form, values), 40)
    # A grid without a minimum of its own is one product, rounded once instead of twice.
    rounding = 0 if form.minimum and not symmetric else 1e-6 * np.abs(minimum).max()
    assert np.abs(found - grid.floats()).max() <= rounding


def unpacked(form: Format, data: NDArray[np.uint8], rows: int) -> Floats:
    """The slow way back: one number at a time out of the bytes."""
    groups, blocks, _ = data.shape
    out = np.zeros((groups * 16, blocks * 32), np.float32)
    codes = 64 * (8 if form.bits == 8 else 4)
    dtype = np.float16 if form.half else np.float32
    for g, b in np.ndindex(groups, blocks):
        block = data[g, b]
        numbers = block[codes:].view(dtype).astype(np.float32).reshape(-1, 16)
        for r, i in np.ndindex(16, 32):
            column = i if form.bits == 8 else i % 16
            code = int(block[column // 4 * 64 + r * 4 + column % 4])
            if form.bits == 4:
                code = code >> 4 if i >= 16 else code & 15
            value = np.float32(code - form.offset) * numbers[i // 16 if form.scales == 2 else 0, r]
            out[g * 16 + r, b * 32 + i] = value + (numbers[1, r] if form.minimum else 0)
    return out[:rows]


def test_rounding_to_eight_bits_moves_no_value_by_more_than_a_step() -> None:
    values = half((5, 64), 9)
    stored: Values = grids.nearest_half(values)
    error = np.abs(stored.values * np.repeat(stored.scales, 32, axis=1) - values)
    assert (error <= np.repeat(stored.scales, 32, axis=1) * 0.6).all()
