"""A publisher with packs and keys, and a device with an empty store."""

from __future__ import annotations

from pathlib import Path

import channel_packs
import pytest
from channel_packs import Publisher

from edgeward.fleet import assemble


@pytest.fixture(scope="session")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return channel_packs.make(tmp_path_factory.mktemp("packs"))


@pytest.fixture
def publisher(packs: dict[str, Path], tmp_path: Path) -> Publisher:
    private, public = channel_packs.write_keys(tmp_path)
    return Publisher(packs, tmp_path / "channel", private, public)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The device's store; tries again at once."""
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(assemble, "_PAUSE", 0.0)
    return tmp_path / "home"
