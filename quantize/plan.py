"""Which precision each matrix gets. Knows names of matrices and measured losses, not numbers.

8-bit weights lose next to nothing; what is lost, `MatMulNBits` loses by rounding its activations
to 8 bits, one scale for each block of the weights. Blocks of 16 instead of 32 take a ninth of
a matrix's size more and halve that loss, so they go where it counts most a byte: the head, the
last third of the layers, and the projections to queries, keys and values. docs/quality.md has the
table.
"""

from __future__ import annotations

from collections.abc import Callable

from .families import Architecture
from .graph.matrices import Precision

COARSE = Precision(block=32)
FINE = Precision(block=16)


def precision(model: Architecture) -> Callable[[str], Precision]:
    """The precision of each matrix by its name in the graph (`layers.3.qkv`, `embedding`)."""
    fine_from = model.layers - model.layers // 3

    def of(name: str) -> Precision:
        if not name.startswith("layers."):
            return FINE
        _, layer, kind = name.split(".")
        return FINE if kind == "qkv" or int(layer) >= fine_from else COARSE

    return of
