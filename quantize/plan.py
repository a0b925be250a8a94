"""Which precision each matrix gets. Knows names of matrices, not numbers.

Every matrix takes blocks of 32. Blocks of 16 lose less, as activations are rounded in the blocks of
the weights, but are slower to read; balanced weights (`calibrate.equalize`) gain as much for
nothing. docs/quality.md has the table.
"""

from __future__ import annotations

from collections.abc import Callable

from .families import Architecture
from .graph.matrices import Precision


def precision(model: Architecture) -> Callable[[str], Precision]:
    """The precision of each matrix by its name in the graph (`layers.3.qkv`, `embedding`)."""
    return lambda name: Precision(block=32)
