"""A GGUF file as `Weights`: mapped into memory, shapes checked against its architecture.

Knows GGUF's keys and the order of its Q and K rows. Does not know the container's bytes
(`gguf_header`) nor the tensor types' bits (`gguf_types`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import IntakeError
from edgeward.quantize import families
from edgeward.quantize.families import Architecture, Family, Rope
from edgeward.quantize.weights import Floats, Grid, Tensor, Weights

from . import checks, gguf_types
from .gguf_header import GgufHeader, TensorInfo, read_header

ROPE_FACTORS = "rope_freqs.weight"


@dataclass(frozen=True)
class GgufTensor:
    """A tensor in a mapped file; `order`, where given, says which stored row each row is."""

    path: Path
    info: TensorInfo
    raw: NDArray[np.uint8]
    order: NDArray[np.intp] | None = None

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def shape(self) -> tuple[int, ...]:
        return self.info.shape

    @property
    def storage(self) -> str:
        return str(self.info.type.name)

    def floats(self, start: int, stop: int) -> Floats:
        values = gguf_types.floats(self.info.type, self._rows(start, stop))
        checks.finite(self.path, self.name, values)
        return values

    def grid(self, start: int, stop: int) -> Grid | None:
        grid = gguf_types.unpack(self.info.type, self._rows(start, stop))
        if grid is not None:
            checks.finite(self.path, self.name, grid.scale, grid.minimum)
        return grid

    def _rows(self, start: int, stop: int) -> NDArray[np.uint8]:
        if self.order is None:
            return self.raw[start:stop]
        return self.raw[self.order[start:stop]]


def read(path: Path) -> Weights:
    """Open the GGUF file `path`; nothing but its header is read.

    Raises `IntakeError` for a file that is damaged, cut off, of an unknown architecture, or whose
    tensors are not those its architecture needs.
    """
    content = _map(path)
    header = read_header(path, content)
    family = _family(header)
    architecture = _architecture(header, family)
    checks.architecture(path, architecture, len(header.tensors))
    names = {ours: families.theirs(family.gguf_names, ours) for ours in architecture.shapes()}
    checks.tensors(
        path,
        expected={names[ours]: shape for ours, shape in architecture.shapes().items()},
        found={name: info.shape for name, info in header.tensors.items()},
        ignored=lambda name: name == ROPE_FACTORS,
    )
    tensors: dict[str, Tensor] = {}
    for ours, name in names.items():
        order = None
        if family.gguf_pairs_qk and ours.endswith((".q", ".k")):
            order = _halves_from_pairs(header.tensors[name].rows, architecture.head_dim)
        tensors[ours] = _tensor(path, content, header.tensors[name], order)
    return Weights(architecture, tensors, "gguf", header.metadata)


def _map(path: Path) -> NDArray[np.uint8]:
    try:
        return np.memmap(path, np.uint8, mode="r")
    except ValueError:
        raise IntakeError(f"{path} is empty; fetch the file again.") from None
    except OSError as error:
        raise IntakeError(f"{path} cannot be read: {error.strerror}.") from None


def _tensor(
    path: Path, content: NDArray[np.uint8], info: TensorInfo, order: NDArray[np.intp] | None = None
) -> GgufTensor:
    if info.type not in gguf_types.SUPPORTED:
        known = ", ".join(kind.name for kind in gguf_types.SUPPORTED)
        raise IntakeError(
            f"{path}: tensor '{info.name}' has the type {info.type.name}; known are {known}. "
            f"Take another quantization of the model, best Q8_0 or F16."
        )
    raw = content[info.offset : info.offset + info.rows * info.row_bytes]
    return GgufTensor(path, info, raw.reshape(info.rows, info.row_bytes), order)


def _halves_from_pairs(rows: int, head_dim: int) -> NDArray[np.intp]:
    """Stored row of each row: a head's rows lie as (0, half), (1, half + 1), ... in the file."""
    return np.arange(rows).reshape(-1, head_dim // 2, 2).swapaxes(1, 2).reshape(-1)


def _family(header: GgufHeader) -> Family:
    name = header.metadata.get("general.architecture")
    for family in families.FAMILIES:
        if name in family.gguf_architectures:
            return family
    known = ", ".join(a for family in families.FAMILIES for a in family.gguf_architectures)
    raise IntakeError(
        f"{header.path}: architecture {name!r} is not known; known are {known}. "
        f"Choose a model of one of these families."
    )


def _architecture(header: GgufHeader, family: Family) -> Architecture:
    fields = _Fields(header)
    embedding = header.tensors.get(family.gguf_names["embedding"])
    if embedding is None or len(embedding.shape) != 2:
        raise IntakeError(
            f"{header.path} has no matrix '{family.gguf_names['embedding']}', which a language "
            f"model needs; it may hold another part of one (a vision tower, an adapter)."
        )
    heads = fields.count("attention.head_count")
    hidden = fields.count("embedding_length")
    head_dim = fields.count("attention.key_length", hidden // heads)
    if (value_dim := fields.count("attention.value_length", head_dim)) != head_dim:
        raise fields.wrong("attention.value_length", value_dim, f"the key length, {head_dim}")
    if (rotated := fields.count("rope.dimension_count", head_dim)) != head_dim:
        raise fields.wrong("rope.dimension_count", rotated, f"the whole head, {head_dim}")
    return Architecture(
        family=family.name,
        layers=fields.count("block_count"),
        hidden=hidden,
        intermediate=fields.count("feed_forward_length"),
        heads=heads,
        kv_heads=fields.count("attention.head_count_kv", heads),
        head_dim=head_dim,
        vocabulary=embedding.shape[0],
        context=fields.count("context_length"),
        rope=_rope(header, fields, head_dim),
        norm_epsilon=fields.real("attention.layer_norm_rms_epsilon"),
        tied_head=family.gguf_names["head"] not in header.tensors,
    )


def _rope(header: GgufHeader, fields: _Fields, head_dim: int) -> Rope:
    theta = fields.real("rope.freq_base", 10000.0)
    scaling = fields.get("rope.scaling.type", "none")
    if scaling not in ("none", "linear"):
        raise fields.wrong("rope.scaling.type", scaling, "none or linear")
    factors: tuple[float, ...] | None = None
    if scaling == "linear":
        factors = (fields.real("rope.scaling.factor"),) * (head_dim // 2)
    if (info := header.tensors.get(ROPE_FACTORS)) is not None:
        if factors is not None or info.shape != (head_dim // 2,):
            raise fields.wrong(ROPE_FACTORS, info.shape, f"({head_dim // 2},) and no other scaling")
        stored = _tensor(header.path, _map(header.path), info).floats(0, 1)[0]
        factors = tuple(float(factor) for factor in stored)
    return Rope(theta, factors)


@dataclass(frozen=True)
class _Fields:
    """Settings under the architecture's prefix, checked for type and sign."""

    header: GgufHeader

    def get(self, key: str, default: Any = None) -> Any:
        prefix = self.header.metadata["general.architecture"]
        return self.header.metadata.get(f"{prefix}.{key}", default)

    def count(self, key: str, default: int | None = None) -> int:
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1 << 31:
            raise self.wrong(key, value, "a count of at least 1")
        return value

    def real(self, key: str, default: float | None = None) -> float:
        value = self.get(key, default)
        if not isinstance(value, float) or not 0 < value < np.inf:
            raise self.wrong(key, value, "a positive number")
        return value

    def wrong(self, key: str, value: object, legal: str) -> IntakeError:
        said = "is missing" if value is None else f"is {value!r}"
        return IntakeError(
            f"{self.header.path}: '{key}' {said}; the graph builder needs {legal}. "
            f"Fetch the file again, or choose another model."
        )
