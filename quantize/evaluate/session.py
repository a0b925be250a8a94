"""Plain ONNX Runtime sessions for evaluation: no cache kept, whole windows at once.

Knows the graph's inputs (docs/pack.md). Does not know requests: those run in `edgeward.engine`.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edgeward.quantize.weights import Floats

# Errors only: warnings of the optimizer are no news to the user.
_ERRORS = 3


def open_session(graph: Path | bytes, threads: int | None = None) -> ort.InferenceSession:
    """A CPU session of a file, or of a serialized model without external data."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS
    source = graph if isinstance(graph, bytes) else str(graph)
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def position_inputs(batch: int, length: int) -> dict[str, NDArray[np.generic]]:
    """Inputs that say: `length` new positions in each row, nothing in the cache."""
    return {
        "seqlens_k": np.full(batch, length - 1, np.int32),
        "total_sequence_length": np.array(length, np.int32),
    }


class WindowScorer:
    """Logits of a pack's graph for one window at a time."""

    def __init__(self, graph: Path, threads: int | None = None) -> None:
        self._session = open_session(graph, threads)
        self._caches = {
            node.name: (node.shape[1], node.shape[3])
            for node in self._session.get_inputs()
            if node.name.startswith("past_key_values.")
        }

    def logits(self, ids: NDArray[np.int64], start: int) -> Floats:
        """Logits after each of ids[start:], float32 (len(ids) - start, vocabulary)."""
        length = len(ids)
        feed: dict[str, NDArray[np.generic]] = {
            "input_ids": ids[None, :],
            "logits_from": np.array([start], np.int64),
            **position_inputs(1, length),
        }
        # The cache is empty, so one array of zeros may stand for all of them.
        empty: dict[tuple[int, int], NDArray[np.generic]] = {}
        for name, (heads, size) in self._caches.items():
            feed[name] = empty.setdefault(
                (heads, size), np.zeros((1, heads, length, size), np.float32)
            )
        (logits,) = self._session.run(["logits"], feed)
        return np.asarray(logits[0])
