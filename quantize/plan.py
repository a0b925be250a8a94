"""Which precision each matrix gets. Knows names of matrices and measured losses, not numbers."""

from __future__ import annotations

from collections.abc import Callable

from edgeward.quantize.graph.matrices import Precision
from edgeward.quantize.weights import Weights


def precision(weights: Weights) -> Callable[[str], Precision]:
    """The precision of each matrix by its name in the graph (`layers.3.qkv`, `embedding`)."""
    return lambda name: Precision()
