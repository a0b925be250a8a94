"""From a file's tensors to ours: names, fused matrices, order of rows, constant factors.

What families write differently becomes one form here, so that graphs and quantization need to know
nothing of it. Knows no file format: `hf_folder` and `gguf` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeward.quantize import families
from edgeward.quantize.families import Architecture, Family
from edgeward.quantize.views import Elements, Plus, Times
from edgeward.quantize.weights import Tensor

from . import checks

Order = NDArray[np.intp]

# What a fused matrix holds, one below the other.
_FUSED = {"qkv": ("q", "k", "v"), "gate_up": ("gate", "up")}


class Piece(Tensor, Protocol):
    """A tensor as its file has it."""

    def pick(self, rows: slice | Order) -> Tensor:
        """Some rows of a matrix, in that order."""


@dataclass(frozen=True)
class Factors:
    """Constants that multiply the embedding, what each block adds, and the logits."""

    embedding: float = 1.0
    residual: float = 1.0
    logits: float = 1.0


def assemble(
    path: Path,
    found: Mapping[str, Piece],
    family: Family,
    form: families.Form,
    model: Architecture,
    factors: Factors,
    ignored: Callable[[str], bool],
) -> dict[str, Tensor]:
    """Our tensors by our names; `IntakeError` unless `found` holds exactly what `model` needs."""
    table = families.names(family, form)
    wanted = _wanted(family, model)
    checks.tensors(
        path,
        expected={families.theirs(table, name): shape for name, shape in wanted.items()},
        found={name: piece.shape for name, piece in found.items()},
        ignored=ignored,
    )
    orders = _orders(family, form, model)
    made: dict[str, Tensor] = {}
    for name in wanted:
        piece = found[families.theirs(table, name)]
        rows: slice | Order | None
        for ours, part in _parts(name, model):
            rows = part
            order = orders.get(ours.rpartition(".")[2])
            if order is not None:
                rows = order if part is None else order + part.start
            made[ours] = piece if rows is None else _pick(piece, rows)
    return _scaled(made, family, form, model, factors)


def _wanted(family: Family, model: Architecture) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of the file, under our names and those of fused matrices."""
    wanted: dict[str, tuple[int, ...]] = {}
    for name, shape in model.shapes().items():
        at, _, kind = name.rpartition(".")
        whole = next((w for w, parts in _FUSED.items() if kind in parts), None)
        if not family.fused or whole is None:
            wanted[name] = shape
        else:
            rows, columns = wanted.get(f"{at}.{whole}", (0, shape[1]))
            wanted[f"{at}.{whole}"] = (rows + shape[0], columns)
    return wanted


def _parts(name: str, model: Architecture) -> list[tuple[str, slice | None]]:
    """Our tensors in the file's tensor `name`, and the rows of each (None: all)."""
    at, _, kind = name.rpartition(".")
    if kind not in _FUSED:
        return [(name, None)]
    shapes = model.layer_shapes()
    parts: list[tuple[str, slice | None]] = []
    start = 0
    for part in _FUSED[kind]:
        stop = start + shapes[part][0]
        parts.append((f"{at}.{part}", slice(start, stop)))
        start = stop
    return parts


def _orders(family: Family, form: families.Form, model: Architecture) -> dict[str, Order]:
    """By kind of tensor, the file's row (or element) for each of ours."""
    head = np.arange(model.head_dim)
    if model.rope.rotated not in (None, model.head_dim):
        head = _halves(model.rope.rotated or 0, model.head_dim)
    elif form == "gguf" and family.gguf_pairs_qk:
        # A head's rows lie as (0, half), (1, half + 1), ... in the file.
        head = head.reshape(-1, 2).T.reshape(-1)
    else:
        return {}
    orders = {}
    for kind, heads in (("q", model.heads), ("k", model.kv_heads)):
        rows = (np.arange(heads)[:, None] * model.head_dim + head).reshape(-1)
        orders[kind] = orders[f"{kind}_bias"] = rows
        orders[f"{kind}_norm"] = rows if model.qk_norm == "whole" else head
    return orders


def _halves(rotated: int, head_dim: int) -> Order:
    """Rows of a head of which only the first `rotated` turn, such that pairs lie half a head apart.

    Scores stay the same: queries and keys change alike.
    """
    turn, rest = rotated // 2, (head_dim - rotated) // 2
    at = np.arange(head_dim)
    still = at[rotated:]
    return np.concatenate([at[:turn], still[:rest], at[turn:rotated], still[rest:]])


def _pick(piece: Piece, rows: slice | Order) -> Tensor:
    if len(piece.shape) == 1:
        return Elements(piece, np.arange(piece.shape[0])[rows])
    return piece.pick(rows)


def _scaled(
    tensors: dict[str, Tensor],
    family: Family,
    form: families.Form,
    model: Architecture,
    factors: Factors,
) -> dict[str, Tensor]:
    """Constant factors multiplied into the weights: the graph needs no node for them."""
    offset = family.hf_norm_offset if form == "hf" else 0
    by_kind = {"o": factors.residual, "down": factors.residual}
    by_kind |= {"o_bias": factors.residual, "down_bias": factors.residual}
    by_kind["embedding"] = factors.embedding
    # A tied head has the embedding's factor, too.
    by_kind["final_norm"] = factors.logits / (factors.embedding if model.tied_head else 1.0)
    made: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        kind = name.rpartition(".")[2]
        if offset and kind.endswith("norm"):
            tensor = Plus(tensor, offset)
        if (factor := by_kind.get(kind, 1.0)) != 1.0:
            tensor = Times(tensor, factor)
        made[name] = tensor
    return made
