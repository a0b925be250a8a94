"""Stores prompts in a pack with what its graph answers. Knows graphs and ids; no text.

They are asked again by `edgeward.golden`, which is part of the runtime: a device that only runs
packs checks them too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeward import manifest as m
from edgeward.scorer import scorer

# Enough for the attention to matter, few enough to cost nothing.
_PROMPTS, _LENGTH, _TOP = 3, 24, 5


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
