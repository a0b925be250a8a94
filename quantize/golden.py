"""Prompts stored in a pack with what its graph answered, to be asked again.

A pack whose bytes are right may still compute something else: another ONNX Runtime, a processor
whose kernels round otherwise, a fault in memory. Knows graphs and ids; no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeward import manifest as m
from edgeward.errors import PackError
from edgeward.pack import Pack

from .evaluate.session import scorer

# Enough for the attention to matter, few enough to cost nothing.
_PROMPTS, _LENGTH, _TOP = 3, 24, 5
# What rounding of another processor may move a logit by, as a share of their spread. Kernels of one
# machine differ by 1e-6 in float32 and 1e-3 in 8 bits; a wrong graph by more than 1.
_TOLERANCE = 0.1


def ask(graph: Path, windows: NDArray[np.int64]) -> list[m.Golden]:
    """What `graph` answers after the first ids of some of `windows` (windows, length)."""
    asked = scorer(graph, threads=1)
    made = []
    for row in windows[:_PROMPTS, :_LENGTH]:
        logits = asked.logits(row, len(row) - 1)[0]
        top = np.argsort(-logits, kind="stable")[:_TOP]
        made.append(
            m.Golden(
                ids=row.tolist(),
                top=top.tolist(),
                logits=[round(float(value), 3) for value in logits[top]],
                spread=round(float(logits.std()), 3),
            )
        )
    return made


def check(pack: Pack) -> int:
    """Ask again the graph that was asked; the number of prompts. `PackError` if one differs."""
    goldens: Sequence[m.Golden] = pack.manifest.golden
    # A fused graph cannot run everywhere, so it is asked only where a pack has no other.
    graph = min(pack.manifest.graphs, key=lambda g: g.kind != "portable")
    if not goldens:
        return 0
    asked = scorer(pack.path(graph.file), threads=1)
    for number, golden in enumerate(goldens):
        _check_one(pack, number, golden)
        logits = asked.logits(np.asarray(golden.ids, np.int64), len(golden.ids) - 1)[0]
        moved = float(np.abs(logits[golden.top] - np.asarray(golden.logits)).max())
        if not moved <= _TOLERANCE * golden.spread:
            raise PackError(
                f"{pack.path(graph.file)} answers stored prompt {number} otherwise than when it "
                f"was made: a logit differs by {moved:.3g}, {_TOLERANCE * golden.spread:.3g} is "
                f"allowed. Make the pack anew here, or try another version of onnxruntime."
            )
    return len(goldens)


def _check_one(pack: Pack, number: int, golden: m.Golden) -> None:
    """`PackError` unless the stored prompt can be asked at all."""
    shape = pack.manifest.architecture
    most = max([*golden.ids, *golden.top])
    if most >= shape.vocabulary or len(golden.ids) > shape.context:
        raise PackError(
            f"{pack.folder}: stored prompt {number} has the id {most} and {len(golden.ids)} ids; "
            f"the model has {shape.vocabulary} and reads {shape.context}. Make the pack anew."
        )
    if len(golden.top) != len(golden.logits):
        raise PackError(f"{pack.folder}: stored prompt {number} is damaged. Make the pack anew.")
