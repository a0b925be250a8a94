"""The graph: what it computes, against transformers' own logits, and what its file looks like."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import tiny_llama
from runner import Runner

from edgeward.pack import Pack

GOLDEN = Path(__file__).parents[2] / "data" / "golden"
TINY = sorted(GOLDEN.glob("tiny_*.npz"))

# Largest difference to transformers in float32, in logits of spread 1.5.
FLOAT32_LOGITS = 1e-3
# Prefill and single steps round differently.
FLOAT32_STEPS = 1e-4

NODES_A_LAYER = 10


def test_golden_files_are_there() -> None:
    assert len(TINY) >= 8


@pytest.mark.parametrize("golden", TINY, ids=lambda path: path.stem)
def test_float32_graph_gives_the_logits_of_transformers(golden: Path, tmp_path: Path) -> None:
    expected = np.load(golden)
    changes = json.loads(expected["settings"].tobytes())
    pack = tiny_llama.write_pack(tmp_path / "pack", seed=int(expected["seed"]), bits=32, **changes)
    logits = Runner(pack).step(expected["ids"])
    assert np.abs(logits - expected["logits"]).max() < FLOAT32_LOGITS


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("packs")
    return {bits: tiny_llama.write_pack(folder / f"b{bits}", bits=bits) for bits in (8, 32)}


@pytest.mark.parametrize("bits", [8, 32])
@pytest.mark.parametrize("start", [0, 7, 19])
def test_logits_from_gives_the_last_positions_of_all(
    packs: dict[int, Path], bits: int, start: int
) -> None:
    ids = np.arange(20) * 5 % tiny_llama.VOCABULARY
    whole = Runner(packs[bits]).step(ids)
    part = Runner(packs[bits]).step(ids, start)
    assert part.shape == (20 - start, tiny_llama.VOCABULARY)
    assert np.abs(part - whole[start:]).max() < FLOAT32_STEPS


def test_step_by_step_equals_at_once(packs: dict[int, Path]) -> None:
    ids = list(range(3, 33))
    whole = Runner(packs[32]).step(ids)
    runner = Runner(packs[32])
    pieces = [runner.step(ids[:9]), runner.step(ids[9:11]), *(runner.step([i]) for i in ids[11:])]
    assert np.abs(np.concatenate(pieces) - whole).max() < FLOAT32_STEPS


def test_eight_bits_stay_close_to_float32(packs: dict[int, Path]) -> None:
    ids = list(range(50, 150))
    exact, rounded = (Runner(packs[bits]).step(ids) for bits in (32, 8))
    assert np.abs(rounded - exact).std() < 0.05 * exact.std()
    assert (rounded.argmax(1) == exact.argmax(1)).mean() > 0.85


def test_few_nodes_a_layer(tmp_path: Path) -> None:
    counts = []
    for layers in (1, 4):
        pack = tiny_llama.write_pack(tmp_path / f"p{layers}", num_hidden_layers=layers)
        counts.append(len(onnx.load(pack / "portable.onnx", load_external_data=False).graph.node))
    assert counts[1] - counts[0] == 3 * NODES_A_LAYER


@pytest.mark.parametrize("bits", [8, 32])
def test_a_tied_head_takes_no_room_of_its_own(tmp_path: Path, bits: int) -> None:
    sizes = {
        tied: tiny_llama.write_pack(
            tmp_path / f"tied_{tied}", bits=bits, tie_word_embeddings=tied, hidden_size=256
        )
        .joinpath("model.data")
        .stat()
        .st_size
        for tied in (True, False)
    }
    assert sizes[False] - sizes[True] >= tiny_llama.VOCABULARY * 256 * bits // 8


def test_weights_are_outside_the_graph_and_named_in_the_manifest(packs: dict[int, Path]) -> None:
    graph = onnx.load(packs[8] / "portable.onnx", load_external_data=False).graph
    inside = [t for t in graph.initializer if t.data_location != onnx.TensorProto.EXTERNAL]
    assert sum(len(t.raw_data) for t in inside) < 100
    manifest = Pack.open(packs[8]).manifest
    assert sum(group.count for group in manifest.quantization) == 2 * 7 + 1
    assert {group.bits for group in manifest.quantization} == {8}


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (tiny_llama.write_pack(tmp_path / name / "pack") for name in ("a", "b"))
    for name in ("portable.onnx", "model.data", "tokenizer.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
