"""How a graph stores and multiplies its matrices: as float32, or as 8-bit blocks.

Knows the operators and the layout of their weights. Does not know what the matrices mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edgeward.errors import IntakeError
from edgeward.quantize.schemes.blocks import Blocks
from edgeward.quantize.schemes.carry import carry
from edgeward.quantize.schemes.nearest import nearest
from edgeward.quantize.weights import Tensor

from .builder import MICROSOFT, GraphBuilder
from .data_file import DataFile, Region

# Numbers converted at once: bounds memory at about 20 bytes each.
_CHUNK = 1 << 22

# MatMulNBits' `accuracy_level`: how its float input is treated.
INT8_ACTIVATIONS = 4


class Matrix(Protocol):
    """One matrix (outputs, inputs) in the data file."""

    def multiply(self, graph: GraphBuilder, x: str, output: str) -> str:
        """x (..., inputs) times the transposed matrix: (..., outputs)."""

    def gather(self, graph: GraphBuilder, ids: str, output: str) -> str:
        """Rows of the matrix: ids (...) to (..., inputs)."""


@dataclass(frozen=True)
class Stored:
    """What was written for one matrix: for the manifest."""

    kind: str
    tensors: int
    bits: int
    block: int
    scheme: str
    size: int


class Matrices(Protocol):
    """Writes matrices to the data file and says how to use them; `stored` lists them all."""

    @property
    def stored(self) -> list[Stored]: ...

    def matrix(self, name: str, kind: str, parts: Sequence[Tensor]) -> Matrix:
        """Store the rows of all `parts`, one below the other, as one matrix called `name`."""


@dataclass(frozen=True)
class FloatMatrix:
    name: str
    values: Region

    def multiply(self, graph: GraphBuilder, x: str, output: str) -> str:
        weights = graph.external(self.name, self.values)
        # The matrix stays as (outputs, inputs), so that a tied head shares the embedding's bytes.
        return graph.node("FusedMatMul", [x, weights], output, domain=MICROSOFT, transB=1)

    def gather(self, graph: GraphBuilder, ids: str, output: str) -> str:
        return graph.node("Gather", [graph.external(self.name, self.values), ids], output)


class FloatMatrices:
    """Every matrix in float32: the reference, and a pack for those who want no loss."""

    def __init__(self, data: DataFile) -> None:
        self._data = data
        self.stored: list[Stored] = []

    def matrix(self, name: str, kind: str, parts: Sequence[Tensor]) -> FloatMatrix:
        rows, columns = _stacked(parts)
        region = self._data.reserve((rows, columns), np.float32)
        for start, part, begin, end in _chunks(parts):
            self._data.write(region, part.floats(begin, end), start * columns)
        self.stored.append(Stored(kind, len(parts), 32, 0, "float32", region.size))
        return FloatMatrix(name, region)


@dataclass(frozen=True)
class Precision:
    """How one matrix is stored and multiplied."""

    block: int = 32
    accuracy_level: int = INT8_ACTIVATIONS


@dataclass(frozen=True)
class BlockMatrix:
    """8-bit levels (outputs, inputs) and scales (outputs, inputs / block)."""

    name: str
    levels: Region
    scales: Region
    precision: Precision

    def multiply(self, graph: GraphBuilder, x: str, output: str) -> str:
        rows, columns = self.levels.shape
        block = self.precision.block
        # Another shape of the bytes that `gather` may use under the other name.
        levels = self.levels.reshaped(rows, columns // block, block)
        return graph.node(
            "MatMulNBits",
            [
                x,
                graph.external(f"{self.name}.blocks", levels),
                graph.external(f"{self.name}.scales", self.scales),
            ],
            output,
            domain=MICROSOFT,
            N=rows,
            K=columns,
            bits=8,
            block_size=block,
            accuracy_level=self.precision.accuracy_level,
        )

    def gather(self, graph: GraphBuilder, ids: str, output: str) -> str:
        return graph.node(
            "GatherBlockQuantized",
            [
                graph.external(f"{self.name}.rows", self.levels),
                ids,
                graph.external(f"{self.name}.scales", self.scales),
            ],
            output,
            domain=MICROSOFT,
            bits=8,
            block_size=self.precision.block,
            gather_axis=0,
            quantize_axis=1,
        )


class BlockMatrices:
    """Every matrix in 8-bit blocks; `precision` says for each kind which."""

    def __init__(self, data: DataFile, precision: Callable[[str], Precision]) -> None:
        self._data = data
        self._precision = precision
        self.stored: list[Stored] = []

    def matrix(self, name: str, kind: str, parts: Sequence[Tensor]) -> BlockMatrix:
        rows, columns = _stacked(parts)
        precision = self._precision(name)
        block = precision.block
        if columns % block:
            raise IntakeError(
                f"tensor '{parts[0].name}' has rows of {columns} values; blocks of {block} need a "
                f"multiple. Convert with bits=32, which keeps float32."
            )
        levels = self._data.reserve((rows, columns), np.uint8)
        scales = self._data.reserve((rows, columns // block), np.float32)
        for start, part, begin, end in _chunks(parts):
            blocks = _blocks(part, begin, end, block)
            self._data.write(levels, blocks.levels, start * columns)
            self._data.write(scales, blocks.scales, start * (columns // block))
        scheme = " + ".join(sorted({_scheme(part, block) for part in parts}))
        size = levels.size + scales.size
        self.stored.append(Stored(kind, len(parts), 8, block, scheme, size))
        return BlockMatrix(name, levels, scales, precision)


def _blocks(tensor: Tensor, start: int, stop: int, block: int) -> Blocks:
    grid = tensor.grid(start, stop)
    if grid is None or grid.block % block:
        return nearest(tensor.floats(start, stop), block)
    carried = carry(grid)
    if grid.block == block:
        return carried
    return Blocks(carried.levels, np.repeat(carried.scales, grid.block // block, axis=1))


def _scheme(tensor: Tensor, block: int) -> str:
    grid = tensor.grid(0, 1)
    if grid is None or grid.block % block:
        return f"nearest from {tensor.storage}"
    return f"carried over from {tensor.storage}"


def _stacked(parts: Sequence[Tensor]) -> tuple[int, int]:
    rows = sum(part.shape[0] for part in parts)
    return rows, parts[0].shape[1]


def _chunks(parts: Sequence[Tensor]) -> Iterator[tuple[int, Tensor, int, int]]:
    """(row of the whole, part, first and last row of the part) in pieces of bounded size."""
    above = 0
    for part in parts:
        rows, columns = part.shape
        many = max(1, _CHUNK // columns)
        for begin in range(0, rows, many):
            yield above + begin, part, begin, min(begin + many, rows)
        above += rows
