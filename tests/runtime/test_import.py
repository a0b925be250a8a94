"""Importing the package brings in next to nothing; names are there when they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import edgeward

HEAVY = {"onnxruntime", "numpy", "onnx", "gguf", "jinja2", "typer", "rich", "msgspec", "asyncio"}
HEAVY |= {"llguidance"}


def test_import_loads_none_of_the_heavy_modules() -> None:
    program = "import sys, edgeward; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(run.stdout.split())


@pytest.mark.parametrize("name", edgeward.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(edgeward, name) is not None
    assert name in dir(edgeward)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'serv'"):
        _ = edgeward.serv
