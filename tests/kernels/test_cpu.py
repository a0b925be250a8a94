"""Which instruction set runs, and how it is forced."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edgeward.kernels import _native


def forced(isa: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from edgeward.kernels import _native; print(_native.active_isa())"],
        env={**os.environ, "EDGEWARD_ISA": isa},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_best_supported_set_is_chosen() -> None:
    if "EDGEWARD_ISA" in os.environ:
        pytest.skip("EDGEWARD_ISA is set")
    assert _native.active_isa() == _native.supported_isas()[-1]


@pytest.mark.parametrize("isa", _native.supported_isas())
def test_each_supported_set_can_be_forced(isa: str) -> None:
    assert forced(isa).stdout.strip() == isa


def test_a_wrong_force_is_an_error_that_names_the_choices() -> None:
    result = forced("mmx")
    assert result.returncode != 0
    assert "'mmx'" in result.stderr
    assert "generic" in result.stderr
