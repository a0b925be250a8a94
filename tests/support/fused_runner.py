"""Runs a fused graph in plain ONNX Runtime: several sequences, each with its slot of the cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edgeward.kernels import operators


class FusedRunner:
    """`rows` sequences of up to `context` positions; `step` appends ids to some of them."""

    def __init__(self, folder: Path, rows: int = 1, context: int = 256) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        options.register_custom_ops_library(str(operators.LIBRARY))
        self.session = ort.InferenceSession(
            str(folder / "fused.onnx"), options, providers=["CPUExecutionProvider"]
        )
        past = next(i for i in self.session.get_inputs() if i.name == "past")
        self.cache = np.zeros((rows, *past.shape[1:4], context, past.shape[5]), np.float16)
        self.lengths = [0] * rows

    def step(
        self,
        ids: dict[int, list[int]],
        *,
        wanted: list[int] | None = None,
        team: int = 0,
        stop: int = 0,
    ) -> NDArray[np.float32]:
        """Append `ids` to each row; logits of the `wanted` tokens of all, counted through."""
        feed = self._feed(ids, wanted, team, stop)
        logits, self.cache = self.session.run(None, feed)
        self._count(ids)
        return np.asarray(logits)

    def bound_step(self, ids: dict[int, list[int]], *, team: int = 0, stop: int = 0) -> None:
        """The same with `cache` as input and output, which can be watched meanwhile; no logits."""
        value = ort.OrtValue.ortvalue_from_numpy
        binding = self.session.io_binding()
        for name, array in self._feed(ids, [], team, stop).items():
            binding.bind_ortvalue_input(name, value(array))
        binding.bind_ortvalue_output("present", value(self.cache))
        binding.bind_output("logits")
        self.session.run_with_iobinding(binding)
        self._count(ids)

    def _feed(
        self, ids: dict[int, list[int]], wanted: list[int] | None, team: int, stop: int
    ) -> dict[str, NDArray[np.generic]]:
        counts = [len(new) for new in ids.values()]
        flat = [i for new in ids.values() for i in new]
        chosen = list(range(len(flat))) if wanted is None else wanted
        return {
            "input_ids": np.asarray(flat, np.int64),
            "row_starts": np.cumsum([0, *counts], dtype=np.int32),
            "positions": np.array([self.lengths[row] for row in ids], np.int32),
            "slots": np.array(list(ids), np.int32),
            "wanted": np.asarray(chosen, np.int32),
            "control": np.array([team, stop], np.int64),
            "past": self.cache,
        }

    def _count(self, ids: dict[int, list[int]]) -> None:
        for row, new in ids.items():
            self.lengths[row] += len(new)
