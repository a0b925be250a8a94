"""Models that several test folders share: made in code, or the real one if it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tiny_model

TEST_GGUF = "EDGEWARD_TEST_GGUF"


@pytest.fixture(scope="session")
def tiny_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of a llama with random weights: 2 layers of 64, 8-bit, 512 positions."""
    return tiny_model.write_pack(tmp_path_factory.mktemp("packs") / "tiny")


@pytest.fixture(scope="session")
def smollm2_gguf() -> Path:
    """SmolLM2-135M-Instruct as the catalog's source keeps it; skips where it is not at hand."""
    path = os.environ.get(TEST_GGUF)
    if path is None:
        pytest.skip(f"the real model is not at hand: set {TEST_GGUF} to its GGUF file")
    return Path(path)
