"""Collects nodes and initializers and makes an ONNX model of them.

Knows ONNX's structures. Does not know models: `decoder` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from edgeward.quantize.graph.data_file import Region

OPSET = 21
MICROSOFT = "com.microsoft"
EDGEWARD = "edgeward"
# The oldest file format that holds opset 21; newer ones would only shut out older readers.
IR_VERSION = 10

_TYPES = {
    np.dtype(np.float16): TensorProto.FLOAT16,
    np.dtype(np.float32): TensorProto.FLOAT,
    np.dtype(np.uint8): TensorProto.UINT8,
    np.dtype(np.int32): TensorProto.INT32,
    np.dtype(np.int64): TensorProto.INT64,
}

# A dimension: a number, or the name of one that is known when the graph runs.
Shape = Sequence[int | str]


class GraphBuilder:
    """A graph in the making; values are strings, as in ONNX.

    `data_name` is the file, beside the graph, that regions lie in.
    """

    def __init__(self, name: str, data_name: str) -> None:
        self._name = name
        self._data_name = data_name
        self._nodes: list[NodeProto] = []
        self._inputs: list[ValueInfoProto] = []
        self._outputs: list[ValueInfoProto] = []
        self._initializers: dict[str, TensorProto] = {}

    def input(self, name: str, dtype: type[np.generic], shape: Shape) -> str:
        self._inputs.append(_value(name, dtype, shape))
        return name

    def output(self, name: str, dtype: type[np.generic], shape: Shape) -> str:
        self._outputs.append(_value(name, dtype, shape))
        return name

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """A small array inside the graph; the same name twice is the same array."""
        if name not in self._initializers:
            self._initializers[name] = numpy_helper.from_array(values, name)
        return name

    def external(self, name: str, region: Region) -> str:
        """An array in the data file; the same name twice is the same array."""
        if name in self._initializers:
            return name
        tensor = TensorProto(name=name, data_type=_TYPES[region.dtype], dims=region.shape)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (
            ("location", self._data_name),
            ("offset", str(region.offset)),
            ("length", str(region.size)),
        ):
            tensor.external_data.add(key=key, value=value)
        self._initializers[name] = tensor
        return name

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        output: str | Sequence[str],
        *,
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Append a node; returns the name of its first output. An empty input name is none."""
        outputs = [output] if isinstance(output, str) else list(output)
        self._nodes.append(
            helper.make_node(
                operator, list(inputs), outputs, name=outputs[0], domain=domain, **attributes
            )
        )
        return outputs[0]

    def _domains(self) -> list[str]:
        """Domains of operators beyond ONNX's own."""
        used = {node.domain for node in self._nodes}
        return [domain for domain in (MICROSOFT, EDGEWARD) if domain in used]

    def model(self, producer_version: str) -> ModelProto:
        """The finished model, deterministic: the same calls give the same bytes."""
        graph = helper.make_graph(
            self._nodes,
            self._name,
            self._inputs,
            self._outputs,
            initializer=list(self._initializers.values()),
        )
        return helper.make_model(
            graph,
            producer_name="edgeward",
            producer_version=producer_version,
            ir_version=IR_VERSION,
            opset_imports=[
                helper.make_opsetid("", OPSET),
                *(helper.make_opsetid(domain, 1) for domain in self._domains()),
            ],
        )


def _value(name: str, dtype: type[np.generic], shape: Shape) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, _TYPES[np.dtype(dtype)], list(shape))
