"""An empty store, a package index in a folder, and a tiny model in the catalog."""

from __future__ import annotations

from pathlib import Path

import fake_index
import pytest
import tiny_gguf

from edgeward.quantize.sources.catalog import CATALOG
from edgeward.quantize.sources.wheel import WheelModel


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store's folder, not yet there."""
    folder = tmp_path / "home"
    monkeypatch.setenv("EDGEWARD_HOME", str(folder))
    return folder


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip finds packages."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name, value in fake_index.settings(folder).items():
        monkeypatch.setenv(name, value)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that can be converted."""
    return tiny_gguf.write(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.fixture
def entry(tiny: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> WheelModel:
    """The tiny model in one wheel of the index, known to the catalog as "tiny"."""
    model = fake_index.shelve(index, "tiny", tiny.read_bytes())
    monkeypatch.setitem(CATALOG, "tiny", model)
    return model
