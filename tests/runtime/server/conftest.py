"""One server of the tiny model for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from http_server import Address, serving

import edgeward


@pytest.fixture(scope="session", autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty store: profiles and keys go there, not into the user's."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("store")
        patch.setenv("EDGEWARD_HOME", str(home))
        yield home


@pytest.fixture(scope="session")
def service(tiny_pack: Path, store: Path) -> Iterator[edgeward.Service]:
    with edgeward.serve(tiny_pack, threads=1) as made:
        yield made


@pytest.fixture(scope="session")
def server(service: edgeward.Service) -> Iterator[Address]:
    with serving(service) as address:
        yield address
