"""What every intake checks before a model's numbers are trusted. Knows no file format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from edgeward.errors import IntakeError
from edgeward.quantize.families import Architecture
from edgeward.quantize.weights import Floats

_SHOWN = 4
# Tables of cosines and sines take head_dim * 4 bytes a position.
MAX_CONTEXT = 1 << 20
MAX_HEAD = 1 << 12


def finite(path: Path, name: str, *arrays: Floats) -> None:
    """Raise `IntakeError` if any number of tensor `name` is NaN or infinite."""
    for array in arrays:
        if not np.isfinite(array).all():
            raise IntakeError(
                f"{path}: tensor '{name}' holds NaN or infinity; the file is damaged or its "
                f"training diverged. Fetch the file again, or choose another model."
            )


def layers(path: Path, count: int, tensors: int) -> None:
    """Raise `IntakeError` for more layers than there are `tensors`: names are made for each."""
    if count > tensors:
        raise IntakeError(
            f"{path}: {count} layers cannot lie in {tensors} tensors (block_count or "
            f"num_hidden_layers); it is damaged or incomplete. Fetch the whole model again."
        )


def head(path: Path, head_dim: int) -> None:
    """Raise `IntakeError` for a size of heads that the attention operator does not take."""
    if head_dim % 16 or head_dim > MAX_HEAD:
        raise IntakeError(
            f"{path}: a head has {head_dim} values; the attention operator needs a multiple "
            f"of 16 up to {MAX_HEAD}. Choose another model."
        )


def architecture(path: Path, shape: Architecture) -> None:
    """Raise `IntakeError` if the sizes contradict each other.

    What is left passes no bound that later work would run into: cosines are made for every
    position before any tensor is looked up.
    """
    if shape.context > MAX_CONTEXT:
        raise IntakeError(
            f"{path}: a context of {shape.context} tokens; at most {MAX_CONTEXT} are supported "
            f"(context_length or max_position_embeddings). Choose another model."
        )
    if shape.heads % shape.kv_heads:
        raise IntakeError(
            f"{path}: {shape.heads} heads cannot share {shape.kv_heads} heads of keys and values; "
            f"the first must be a multiple of the second. Fetch the file again."
        )


def tensors(
    path: Path,
    *,
    expected: Mapping[str, tuple[int, ...]],
    found: Mapping[str, tuple[int, ...]],
    ignored: Callable[[str], bool],
) -> None:
    """Raise `IntakeError` unless the file holds exactly the tensors its architecture needs.

    A tensor that nobody expects changes the result as surely as one that is missing; only those
    that `ignored` accepts may stay unused.
    """
    if missing := [name for name in expected if name not in found]:
        raise IntakeError(
            f"{path} lacks {_some(missing)}, which its settings call for; it is incomplete or of "
            f"another architecture than it says. Fetch the whole model again."
        )
    for name, shape in expected.items():
        if found[name] != shape:
            raise IntakeError(
                f"{path}: tensor '{name}' has the shape {found[name]}, its settings call for "
                f"{shape}. Fetch the file again, or choose another model."
            )
    if unknown := [name for name in found if name not in expected and not ignored(name)]:
        raise IntakeError(
            f"{path} holds {_some(unknown)}, unknown to its architecture; the result would be "
            f"wrong without. Choose another model."
        )


def _some(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"the tensors {shown}" + (f" and {more} more" if more > 0 else "")
