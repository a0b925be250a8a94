"""A service of the tiny model, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import edgeward


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store: what is kept goes there, not into the user's."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def home(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWARD_HOME", str(store))


@pytest.fixture(scope="session")
def service(tiny_pack: Path, store: Path) -> Iterator[edgeward.Service]:
    """Without limits of its own; tests give theirs with each request."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEWARD_HOME", str(store))
        made = edgeward.serve(tiny_pack, threads=1)
    with made:
        yield made
