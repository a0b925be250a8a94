"""A service of the tiny model for each test, with one store for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from service_fixtures import home, serving, store

import edgeward

__all__ = ["home", "service", "store"]


@pytest.fixture
def service(tiny_pack: Path, store: Path) -> Iterator[edgeward.Service]:
    with serving(tiny_pack, store) as made:
        yield made
