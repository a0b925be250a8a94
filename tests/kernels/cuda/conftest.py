"""The simulated grid, compiled once a run."""

from __future__ import annotations

import pytest
from cuda_step import Simulated, build_simulated, compiler


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    if compiler() is None:
        pytest.skip("no C++ compiler (CXX, g++ or clang++) to build the simulated grid with")
    return Simulated(build_simulated(tmp_path_factory.mktemp("simulated")))
