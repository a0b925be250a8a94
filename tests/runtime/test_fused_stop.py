"""A stop inside a long prefill, told by what was and was not computed, not by a clock."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import tiny_gguf
from fused_runner import FusedRunner

import edgeward
from edgeward.kernels import operators

LAYERS = 40
PIECE = 128
"""Tokens that the operator computes at once (kPieceTokens of kernels/ops/decoder/decoder.h)."""
NOT_WRITTEN = np.float16(-60000)


@pytest.fixture(scope="module")
def deep_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random llama of many layers, so that a piece takes long enough to be watched."""
    folder = tmp_path_factory.mktemp("deep")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_gguf, "LAYERS", LAYERS)
        patch.setenv("EDGEWARD_HOME", str(folder / "home"))
        file = tiny_gguf.write(folder / "deep.gguf", context=2048, scale=0.3)
        return edgeward.pull(file, evaluate=False)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stop_ends_the_piece_within_a_layer(deep_pack: Path, threads: int) -> None:
    run = FusedRunner(deep_pack, context=2048)
    run.cache[...] = NOT_WRITTEN
    # The first value that each layer stores for the first token of each piece.
    written = run.cache[0, :, 1, 0, ::PIECE, 0]

    def progress() -> tuple[int, int]:
        """Pieces that every layer has stored, and layers that have stored the one after."""
        layers = (written != NOT_WRITTEN).sum(axis=0)
        whole = int((layers == LAYERS).argmin())
        return whole, int(layers[whole])

    ids = np.random.default_rng(4).integers(3, 260, 1900)
    team, flag = operators.Team(threads), operators.StopFlag()
    said: list[str] = []

    def prefill() -> None:
        try:
            run.bound_step({0: [int(i) for i in ids]}, team=team.number, stop=flag.number)
            said.append("")
        except Exception as error:
            said.append(str(error))

    thread = threading.Thread(target=prefill)
    thread.start()
    while progress() < (1, 3):  # it is inside the second piece
        assert thread.is_alive() or said, "the prefill was over before it was seen"
    flag.set()
    at_stop = progress()
    thread.join()
    at_end = progress()
    assert "stopped by its caller" in said[0]
    # What was under way when the flag was seen set: at most the layer then begun, and the one whose
    # keys were stored between the look at the flag and ours.
    layers = (at_end[0] - at_stop[0]) * LAYERS + at_end[1] - at_stop[1]
    assert 0 <= layers <= 2
    assert at_end[0] < len(ids) // PIECE
    team.close()
    flag.close()
