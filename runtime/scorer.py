"""A graph's logits for whole windows, no cache kept: for measuring a model and for golden prompts.

Knows the graph's inputs (docs/pack.md). Does not know requests: those run in `edgeward.engine`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edgeward.kernels import operators

from .pack import FUSED

Floats = NDArray[np.float32]

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


class Scorer(Protocol):
    """Logits of a pack's graph for one window at a time."""

    vocabulary: int

    def logits(self, ids: NDArray[np.int64], start: int) -> Floats:
        """Logits after each of ids[start:], float32 (len(ids) - start, vocabulary)."""


def scorer(graph: Path, threads: int | None = None) -> Scorer:
    """For a portable or a fused graph, whichever the file holds."""
    fused = graph.name == FUSED
    return FusedScorer(graph, threads) if fused else WindowScorer(graph, threads)


class FusedScorer:
    """Of a fused graph, by our own operators."""

    def __init__(self, graph: Path, threads: int | None = None) -> None:
        self._team = operators.Team(threads or len(os.sched_getaffinity(0)))
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = _ERRORS
        options.register_custom_ops_library(str(operators.LIBRARY))
        self._session = ort.InferenceSession(
            str(graph), options, providers=["CPUExecutionProvider"]
        )
        past = next(node for node in self._session.get_inputs() if node.name == "past")
        self.vocabulary = int(self._session.get_outputs()[0].shape[-1])
        self._cache = (1, *past.shape[1:4], past.shape[5])

    def logits(self, ids: NDArray[np.int64], start: int) -> Floats:
        length = len(ids)
        *sizes, head_dim = self._cache
        feed = {
            "input_ids": ids,
            "row_starts": np.array([0, length], np.int32),
            "positions": np.zeros(1, np.int32),
            "slots": np.zeros(1, np.int32),
            "wanted": np.arange(start, length, dtype=np.int32),
            "control": np.array([self._team.number, 0], np.int64),
            "past": np.zeros((*sizes, -(-length // 64) * 64, head_dim), np.float16),
        }
        (logits,) = self._session.run(["logits"], feed)
        return np.asarray(logits, np.float32)


class WindowScorer:
    """Of a portable graph."""

    def __init__(self, graph: Path, threads: int | None = None) -> None:
        self._session = open_session(graph, threads)
        self.vocabulary = int(self._session.get_outputs()[0].shape[-1])
        self._caches = {
            node.name: (node.shape[1], node.shape[3])
            for node in self._session.get_inputs()
            if node.name.startswith("past_key_values.")
        }

    def logits(self, ids: NDArray[np.int64], start: int) -> Floats:
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
