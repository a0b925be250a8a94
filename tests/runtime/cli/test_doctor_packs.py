"""`edgeward doctor` says which graph each pack runs, and why where it is not the fused one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import onnx
import pytest

from edgeward.cli import doctor_packs
from edgeward.kernels import operators
from edgeward.pack import MANIFEST, file_entry


@pytest.fixture
def pack(tiny_pack_of_all_graphs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny pack, alone in a store."""
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path))
    return Path(shutil.copytree(tiny_pack_of_all_graphs, tmp_path / "packs" / "tiny"))


def test_a_pack_whose_fused_graph_runs(pack: Path) -> None:
    assert doctor_packs.graphs() == {"tiny": "fused"}


def test_a_graph_that_the_operators_refuse_is_quoted(pack: Path) -> None:
    model = onnx.load(pack / "fused.onnx", load_external_data=False)
    next(a for a in model.graph.node[0].attribute if a.name == "layout").i = 99
    (pack / "fused.onnx").write_bytes(model.SerializeToString())
    manifest = json.loads((pack / MANIFEST).read_bytes())
    entry = file_entry(pack / "fused.onnx")
    manifest["files"]["fused.onnx"] = {"size": entry.size, "sha256": entry.sha256}
    (pack / MANIFEST).write_text(json.dumps(manifest))
    said = doctor_packs.graph_of("tiny")
    assert said.startswith("portable: ")
    assert "layout 99" in said


def test_a_pack_without_a_fused_graph(pack: Path) -> None:
    manifest = json.loads((pack / MANIFEST).read_bytes())
    manifest["graphs"] = [g for g in manifest["graphs"] if g["kind"] == "portable"]
    (pack / MANIFEST).write_text(json.dumps(manifest))
    assert "no fused graph" in doctor_packs.graph_of("tiny")


def test_a_missing_library_is_the_reason(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "LIBRARY", Path("/nowhere/libedgeward_ops.so"))
    operators._library.cache_clear()
    try:
        assert "/nowhere/libedgeward_ops.so" in doctor_packs.graph_of("tiny")
    finally:
        operators._library.cache_clear()


def test_a_damaged_pack_does_not_stop_the_others(pack: Path) -> None:
    broken = Path(shutil.copytree(pack, pack.parent / "broken"))
    (broken / MANIFEST).write_text("{")
    found = doctor_packs.graphs()
    assert found["tiny"] == "fused"
    assert found["broken"].startswith("cannot be opened: ")
