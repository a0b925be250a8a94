"""Every family gives transformers' logits, on tiny models of random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_families
from numpy.typing import NDArray
from runner import Runner

from edgeward.quantize.calibrate.equalize import equalize
from edgeward.quantize.calibrate.statistics import input_rms
from edgeward.quantize.evaluate.reference import LayeredReference
from edgeward.quantize.families import FAMILIES
from edgeward.quantize.graph import decoder
from edgeward.quantize.graph.data_file import DataFile
from edgeward.quantize.graph.matrices import BlockMatrices, FloatMatrices, Precision
from edgeward.quantize.intake import read_model
from edgeward.quantize.weights import Weights

GOLDENS = np.load(Path(__file__).parents[2] / "data" / "golden" / "families.npz")
CASES = list(tiny_families.CASES)

# Largest difference to transformers in float32, in logits of spread up to 3.
FLOAT32_LOGITS = 2e-4


def golden(case: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    return GOLDENS[f"{case}.ids"], GOLDENS[f"{case}.logits"]


def model(folder: Path, case: str) -> Weights:
    shapes = json.loads(GOLDENS[f"{case}.shapes"].tobytes())
    return read_model(tiny_families.write_folder(folder, case, shapes, CASES.index(case)))


def build(weights: Weights, folder: Path, bits: int = 32) -> Runner:
    folder.mkdir()
    with DataFile(folder / "model.data") as data:
        matrices: Any = (
            FloatMatrices(data) if bits == 32 else BlockMatrices(data, lambda name: Precision(32))
        )
        graph = decoder.build(weights, data, matrices, data_name="model.data")
    (folder / "portable.onnx").write_bytes(graph.SerializeToString())
    return Runner(folder)


def test_every_family_has_a_case() -> None:
    tried = {settings["model_type"] for settings in tiny_families.CASES.values()}
    assert tried == {name for family in FAMILIES for name in family.hf_model_types}


@pytest.mark.parametrize("case", CASES)
def test_prefill_and_steps_give_the_logits_of_transformers(case: str, tmp_path: Path) -> None:
    ids, expected = golden(case)
    weights = model(tmp_path / "hf", case)
    runner = build(weights, tmp_path / "graph")
    assert np.abs(runner.step(ids) - expected).max() < FLOAT32_LOGITS
    runner.restart()
    pieces = [runner.step(ids[:11]), runner.step(ids[11:14]), *(runner.step([i]) for i in ids[14:])]
    assert np.abs(np.concatenate(pieces) - expected).max() < FLOAT32_LOGITS


@pytest.mark.parametrize("case", CASES)
def test_the_layered_reference_gives_them_too(case: str, tmp_path: Path) -> None:
    ids, expected = golden(case)
    reference = LayeredReference(model(tmp_path, case))
    hidden = reference.hidden(ids[None], 5)
    assert np.abs(reference.logits(hidden[0]) - expected[5:]).max() < FLOAT32_LOGITS


@pytest.mark.parametrize("case", CASES)
def test_balanced_weights_compute_the_same(case: str, tmp_path: Path) -> None:
    ids, expected = golden(case)
    weights = model(tmp_path, case)
    balanced = LayeredReference(equalize(weights, input_rms(weights, ids[None])))
    hidden = balanced.hidden(ids[None], 5)
    assert np.abs(balanced.logits(hidden[0]) - expected[5:]).max() < FLOAT32_LOGITS


@pytest.mark.parametrize("case", ["gemma3", "granite", "phi3", "olmo2", "qwen2"])
def test_eight_bits_stay_close(case: str, tmp_path: Path) -> None:
    ids, expected = golden(case)
    logits = build(model(tmp_path / "hf", case), tmp_path / "graph", bits=8).step(ids)
    assert np.abs(logits - expected).std() < 0.06 * expected.std()
