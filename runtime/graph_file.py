"""Looks into an ONNX file before ONNX Runtime does: which operators, which outside files.

A graph is input from outside. External data may only lie in the pack's own weight file, within
its size, and operators may only come from the domains this runtime knows. This walks the protobuf
wire format (https://protobuf.dev/programming-guides/encoding/) over the few fields that matter, so
that running a pack does not need the `onnx` package.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .errors import PackError

_DOMAINS = {"", "ai.onnx", "com.microsoft", "edgeward"}
_MAX_GRAPH = 64 * 1024 * 1024
_MAX_DEPTH = 16

# Field numbers of onnx.proto.
_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_ATTRIBUTE, _NODE_OP, _NODE_DOMAIN = 5, 4, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES = 22, 23
_TENSOR_NAME, _TENSOR_EXTERNAL = 8, 13
_ENTRY_KEY, _ENTRY_VALUE = 1, 2


def check_graph(path: Path, weights: str, weights_size: int) -> None:
    """Refuse a graph that reaches outside its pack.

    `weights` is the only file that external data may name, `weights_size` its bytes. Raises
    `PackError` naming what was found.
    """
    size = path.stat().st_size
    if size > _MAX_GRAPH:
        raise PackError(
            f"{path} has {size} bytes; a graph without its weights has at most {_MAX_GRAPH}."
        )
    data = memoryview(path.read_bytes())
    try:
        _Walk(path, weights, weights_size).model(data)
    except (IndexError, ValueError) as error:
        raise PackError(f"{path} is no ONNX graph ({error}); make the pack anew.") from None


class _Walk:
    """One pass over a model; carries what every check needs."""

    def __init__(self, path: Path, weights: str, weights_size: int) -> None:
        self.path = path
        self.weights = weights
        self.weights_size = weights_size

    def model(self, data: memoryview) -> None:
        seen = False
        for field, value in _fields(data):
            if field == _MODEL_GRAPH:
                self._graph(value, 0)
                seen = True
            elif field == _MODEL_FUNCTIONS:
                raise PackError(f"{self.path} defines functions, which no pack needs.")
        if not seen:
            raise ValueError("no graph in it")

    def _graph(self, data: memoryview, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise PackError(f"{self.path} nests graphs deeper than {_MAX_DEPTH}.")
        for field, value in _fields(data):
            if field == _GRAPH_NODE:
                self._node(value, depth)
            elif field == _GRAPH_INITIALIZER:
                self._tensor(value)
            elif field == _GRAPH_SPARSE:
                raise PackError(f"{self.path} holds sparse weights, which no pack has.")

    def _node(self, data: memoryview, depth: int) -> None:
        op = domain = ""
        for field, value in _fields(data):
            if field == _NODE_OP:
                op = str(value, "utf-8")
            elif field == _NODE_DOMAIN:
                domain = str(value, "utf-8")
            elif field == _NODE_ATTRIBUTE:
                self._attribute(value, depth)
        if domain not in _DOMAINS:
            known = ", ".join(repr(d) for d in sorted(_DOMAINS))
            raise PackError(
                f"{self.path} uses operator {op!r} of domain {domain!r}; this version runs {known}."
            )

    def _attribute(self, data: memoryview, depth: int) -> None:
        for field, value in _fields(data):
            if field in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
                self._graph(value, depth + 1)
            elif field in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
                self._tensor(value)
            elif field in (_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES):
                raise PackError(f"{self.path} holds sparse weights, which no pack has.")

    def _tensor(self, data: memoryview) -> None:
        name, external = "", {}
        for field, value in _fields(data):
            if field == _TENSOR_NAME:
                name = str(value, "utf-8")
            elif field == _TENSOR_EXTERNAL:
                entry = dict(_fields(value))
                key = str(entry.get(_ENTRY_KEY, b""), "utf-8")
                external[key] = str(entry.get(_ENTRY_VALUE, b""), "utf-8")
        if external:
            self._place(name, external)

    def _place(self, tensor: str, external: dict[str, str]) -> None:
        location = external.get("location", "")
        if location != self.weights:
            raise PackError(
                f"{self.path}: tensor {tensor!r} lies in {location!r}; a pack's weights lie in "
                f"{self.weights!r} only."
            )
        offset, length = int(external.get("offset", "0")), int(external.get("length", "0"))
        if offset < 0 or length < 0 or offset + length > self.weights_size:
            raise PackError(
                f"{self.path}: tensor {tensor!r} takes bytes {offset} to {offset + length} of "
                f"{self.weights!r}, which has {self.weights_size}."
            )


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Field number and bytes of each length-delimited field; other wire types are skipped."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        wire, field = tag & 7, tag >> 3
        if wire == 2:
            length, at = _varint(data, at)
            if at + length > end:
                raise ValueError(f"a field of {length} bytes runs over the end")
            yield field, data[at : at + length]
            at += length
        elif wire == 0:
            _, at = _varint(data, at)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
            if at > end:
                raise ValueError("a number runs over the end")
        else:
            raise ValueError(f"unknown wire type {wire}")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 10 bytes")
