"""Fixtures of a service of the tiny model with a store of its own; conftest files import them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import edgeward


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store: what is kept goes there, not into the user's."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def home(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests of the folder use that store."""
    monkeypatch.setenv("EDGEWARD_HOME", str(store))


@pytest.fixture(scope="session")
def service(tiny_pack: Path, store: Path) -> Iterator[edgeward.Service]:
    """One for all tests, without limits of its own; tests give theirs with each request."""
    with serving(tiny_pack, store) as made:
        yield made


@contextmanager
def serving(pack: Path, store: Path) -> Iterator[edgeward.Service]:
    """A service on one thread that keeps things in `store`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEWARD_HOME", str(store))
        made = edgeward.serve(pack, threads=1)
    with made:
        yield made
