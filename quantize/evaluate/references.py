"""What a graph is compared with: the source's weights in float32, or another pack.

Knows ids and logits. Does not know texts or figures.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeward.quantize.weights import Floats, Weights
from edgeward.scorer import Scorer, scorer

from .reference import LayeredReference

Step = Callable[[int, int], None]


class Reference(Protocol):
    """Logits of windows of ids, a piece at a time."""

    vocabulary: int

    def read(self, windows: NDArray[np.int64], start: int, progress: Step) -> None:
        """Take up `windows` (windows, length); logits will be asked from `start` on."""

    def logits(self, window: int, begin: int, end: int) -> Floats:
        """Logits after ids[start + begin : start + end] of a window: the caller's to overwrite."""


class FloatReference:
    """The weights of a source in float32."""

    def __init__(self, weights: Weights, threads: int | None = None) -> None:
        self.vocabulary = weights.architecture.vocabulary
        self._layered = LayeredReference(weights, threads)

    def read(self, windows: NDArray[np.int64], start: int, progress: Step) -> None:
        self._hidden = self._layered.hidden(windows, start, progress)

    def logits(self, window: int, begin: int, end: int) -> Floats:
        return self._layered.logits(self._hidden[window, begin:end])


class PackReference:
    """A graph of another pack."""

    def __init__(self, graph: Path, threads: int | None = None) -> None:
        self._scorer: Scorer = scorer(graph, threads)
        self.vocabulary = self._scorer.vocabulary
        self._last: tuple[int, Floats] | None = None

    def read(self, windows: NDArray[np.int64], start: int, progress: Step) -> None:
        self._windows, self._start, self._last = windows, start, None

    def logits(self, window: int, begin: int, end: int) -> Floats:
        if self._last is None or self._last[0] != window:
            self._last = window, self._scorer.logits(self._windows[window], self._start)
        return self._last[1][begin:end].copy()
