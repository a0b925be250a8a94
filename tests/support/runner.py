"""Runs a pack's graph in plain ONNX Runtime, cache and all: the slow obvious way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray


class Runner:
    """One sequence; `step` appends ids and returns the logits of the positions asked for."""

    def __init__(self, pack: Path, context: int = 256) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(
            str(pack / "portable.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.context = context
        self.length = 0
        self.cache: dict[str, NDArray[Any]] = {
            node.name: np.zeros((1, node.shape[1], self.context, node.shape[3]), np.float32)
            for node in self.session.get_inputs()
            if node.name.startswith("past_key_values.")
        }

    def restart(self) -> Runner:
        """Forget all ids; what they left in the cache is not read."""
        self.length = 0
        return self

    def step(self, ids: NDArray[np.int64] | list[int], start: int = 0) -> NDArray[np.float32]:
        """Logits after each of ids[start:]: float32 (len(ids) - start, vocabulary)."""
        self.length += len(ids)
        feed = {
            "input_ids": np.asarray([ids], np.int64),
            "seqlens_k": np.array([self.length - 1], np.int32),
            "total_sequence_length": np.array(self.length, np.int32),
            "logits_from": np.array([start], np.int64),
            **self.cache,
        }
        names = [node.name for node in self.session.get_outputs()]
        results = dict(zip(names, self.session.run(names, feed), strict=True))
        for name in self.cache:
            self.cache[name] = results[name.replace("past_key_values", "present")]
        return np.asarray(results["logits"][0])
