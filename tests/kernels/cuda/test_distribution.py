"""edgeward-cuda is edgeward under another name, for the other wheel of ONNX Runtime."""

from __future__ import annotations

import runpy
import tomllib

import pytest
from cuda_step import ROOT

TOOL = runpy.run_path(str(ROOT / "tools" / "cuda_project.py"))


def test_only_the_name_and_onnxruntime_change() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    plain, cuda = tomllib.loads(text), tomllib.loads(TOOL["cuda_pyproject"](text))
    assert cuda["project"]["name"] == "edgeward-cuda"
    wanted = [
        d.replace("onnxruntime>=", "onnxruntime-gpu>=") for d in plain["project"]["dependencies"]
    ]
    assert cuda["project"]["dependencies"] == wanted
    assert any(d.startswith("onnxruntime-gpu") for d in wanted)
    for one in (plain, cuda):
        for part in ("name", "dependencies", "optional-dependencies"):
            del one["project"][part]
    assert plain == cuda


def test_a_changed_pyproject_is_noticed() -> None:
    with pytest.raises(SystemExit, match="holds 'name = \"edgeward\"' 0 times"):
        TOOL["cuda_pyproject"]('[project]\nname = "other"\n')
