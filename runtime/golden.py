"""Prompts stored in a pack with what its graph answered, asked again on this device.

A pack whose bytes are right may still compute something else: another ONNX Runtime, a processor
whose kernels round otherwise, a fault in memory. Knows graphs and ids; no text. The prompts are
stored by `edgeward.quantize.golden`.
"""

from __future__ import annotations

import numpy as np

from . import manifest as m
from .errors import PackError
from .pack import Pack
from .scorer import scorer

# What rounding of another processor may move a logit by, as a share of their spread. Kernels of one
# machine differ by 1e-6 in float32 and 1e-3 in 8 bits; a wrong graph by more than 1.
_TOLERANCE = 0.1


def check(pack: Pack) -> int:
    """Ask again the graph that was asked; the number of prompts. `PackError` if one differs.

    A pack without stored prompts (an encoder, one made by an earlier version) has 0.
    """
    goldens = pack.manifest.golden
    # A fused graph cannot run everywhere, so it is asked only where a pack has no other.
    graph = min(pack.manifest.graphs, key=lambda g: g.kind != "portable")
    if not goldens:
        return 0
    file = pack.path(graph.file)
    try:
        asked = scorer(file, threads=1)
    except Exception as error:  # ONNX Runtime raises many kinds, all about the graph
        raise PackError(f"ONNX Runtime refuses {file}: {error}") from None
    for number, golden in enumerate(goldens):
        _check_one(pack, number, golden)
        logits = asked.logits(np.asarray(golden.ids, np.int64), len(golden.ids) - 1)[0]
        moved = float(np.abs(logits[golden.top] - np.asarray(golden.logits)).max())
        if not moved <= _TOLERANCE * golden.spread:
            raise PackError(
                f"{file} answers stored prompt {number} otherwise than when it was made: a logit "
                f"differs by {moved:.3g}, {_TOLERANCE * golden.spread:.3g} is allowed. Make the "
                f"pack anew here, or try another version of onnxruntime."
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
    if len(golden.top) != len(golden.logits) or not golden.top:
        raise PackError(f"{pack.folder}: stored prompt {number} is damaged. Make the pack anew.")
