"""A graph that reaches outside its pack is refused before ONNX Runtime sees it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from edgeward.errors import PackError
from edgeward.graph_file import check_graph


def external(location: str, offset: int = 0, length: int = 16) -> onnx.TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    entries = {"location": location, "offset": str(offset), "length": str(length)}
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def model(
    tensor: onnx.TensorProto | None = None, node: onnx.NodeProto | None = None
) -> onnx.ModelProto:
    node = node or helper.make_node("Add", ["x", "w"], ["y"])
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node],
        "g",
        [value("x", TensorProto.FLOAT, [4])],
        [value("y", TensorProto.FLOAT, [4])],
        [tensor or onnx.numpy_helper.from_array(np.ones(4, np.float32), "w")],
    )
    return helper.make_model(graph)


def check(tmp_path: Path, proto: onnx.ModelProto | bytes, size: int = 4096) -> None:
    path = tmp_path / "g.onnx"
    path.write_bytes(proto if isinstance(proto, bytes) else proto.SerializeToString())
    check_graph(path, "model.data", size)


def test_a_graph_over_its_own_weights_passes(tmp_path: Path) -> None:
    check(tmp_path, model())
    check(tmp_path, model(external("model.data", 4080)))


@pytest.mark.parametrize("place", ["../model.data", "/etc/passwd", "other.data", "", "model.data/"])
def test_weights_elsewhere_are_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(PackError, match="'w' lies in"):
        check(tmp_path, model(external(place)))


@pytest.mark.parametrize(
    ("offset", "length"), [(4081, 16), (0, 4097), (-1, 4), (0, -4), (2**62, 2**62)]
)
def test_weights_beyond_the_file_are_refused(tmp_path: Path, offset: int, length: int) -> None:
    with pytest.raises(PackError, match="takes bytes"):
        check(tmp_path, model(external("model.data", offset, length)))


def test_a_tensor_hidden_in_an_attribute_is_found(tmp_path: Path) -> None:
    node = helper.make_node("Constant", [], ["y"], value=external("/etc/passwd"))
    with pytest.raises(PackError, match="/etc/passwd"):
        check(tmp_path, model(node=node))


def test_a_tensor_hidden_in_a_branch_is_found(tmp_path: Path) -> None:
    branch = model(external("/etc/passwd")).graph
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    with pytest.raises(PackError, match="/etc/passwd"):
        check(tmp_path, model(node=node))


def test_an_unknown_domain_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Steal", ["x"], ["y"], domain="evil")
    with pytest.raises(PackError, match="'Steal' of domain 'evil'"):
        check(tmp_path, model(node=node))


def test_functions_and_sparse_weights_are_refused(tmp_path: Path) -> None:
    proto = model()
    proto.functions.add(name="f", domain="")
    with pytest.raises(PackError, match="functions"):
        check(tmp_path, proto)
    proto = model()
    proto.graph.sparse_initializer.add()
    with pytest.raises(PackError, match="sparse"):
        check(tmp_path, proto)


@given(cut=st.integers(min_value=0, max_value=10_000))
def test_a_graph_cut_anywhere_is_an_error_or_passes(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    whole = model(external("model.data")).SerializeToString()
    try:
        check(tmp_path_factory.mktemp("cut"), whole[: cut % len(whole)])
    except PackError:
        return


@given(data=st.binary(max_size=200))
def test_any_bytes_are_an_error_or_pass(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    try:
        check(tmp_path_factory.mktemp("any"), data)
    except PackError:
        return


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    graph = model().graph
    for _ in range(20):
        outer = onnx.GraphProto(name="g")
        outer.node.append(helper.make_node("If", ["x"], ["y"], then_branch=graph))
        graph = outer
    with pytest.raises(PackError, match="deeper than"):
        check(tmp_path, helper.make_model(graph))
