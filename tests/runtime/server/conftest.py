"""One server of the tiny model for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from http_server import Address, serving
from service_fixtures import home, service, store

import edgeward

__all__ = ["home", "server", "service", "store"]


@pytest.fixture(scope="session")
def server(service: edgeward.Service) -> Iterator[Address]:
    with serving(service) as address:
        yield address
