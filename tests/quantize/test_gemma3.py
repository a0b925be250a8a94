"""Gemma 3 270M as it is fetched: its float32 graph against transformers on dequantized weights.

Runs where EDGEWARD_TEST_GEMMA_GGUF names the file: under Google's terms we do not hand it on.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from runner import Runner

from edgeward.pack import file_entry
from edgeward.quantize.graph import decoder
from edgeward.quantize.graph.data_file import DataFile
from edgeward.quantize.graph.matrices import FloatMatrices
from edgeward.quantize.intake import read_model
from edgeward.quantize.tokenizer_files import collect
from edgeward.tokenizer import Tokenizer

GOLDEN = json.loads((Path(__file__).parents[1] / "data/golden/gemma3-270m.json").read_text())
# In float32; logits reach from -30 to 30.
FLOAT32_LOGITS = 1e-3


@pytest.fixture(scope="module")
def gguf() -> Path:
    named = os.environ.get("EDGEWARD_TEST_GEMMA_GGUF")
    if not named:
        pytest.skip("EDGEWARD_TEST_GEMMA_GGUF is not set")
    assert file_entry(Path(named)).sha256 == GOLDEN["gguf_sha256"]
    return Path(named)


def test_logits_equal_those_of_transformers(gguf: Path, tmp_path: Path) -> None:
    with DataFile(tmp_path / "model.data") as data:
        graph = decoder.build(read_model(gguf), data, FloatMatrices(data), data_name="model.data")
    (tmp_path / "portable.onnx").write_bytes(graph.SerializeToString())
    runner = Runner(tmp_path, context=640)
    for prompt in GOLDEN["prompts"]:
        logits = runner.restart().step(prompt["ids"], len(prompt["ids"]) - 1)[0]
        wanted = [*GOLDEN["sampled"], *prompt["top"]]
        assert np.abs(logits[wanted] - prompt["logits"]).max() < FLOAT32_LOGITS
        assert logits.argmax() == prompt["top"][0]


def test_its_tokenizer_gives_the_ids_of_the_prompts(gguf: Path, tmp_path: Path) -> None:
    files = collect(gguf, read_model(gguf).metadata)
    (tmp_path / "tokenizer.json").write_bytes(files.tokenizer)
    tokenizer = Tokenizer.from_file(tmp_path / "tokenizer.json")
    france, once, _ = (prompt["ids"] for prompt in GOLDEN["prompts"])
    assert tokenizer.encode("The capital of France is") == france
    assert tokenizer.encode("Once upon a time, in a") == once
    assert files.generation.stop_ids == [1, 106]
