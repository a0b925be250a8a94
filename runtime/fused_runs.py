"""How one request calls the fused graph: its inputs, and the buffers bound to them.

Knows the graph's inputs and outputs (docs/fused.md). Does not know requests, text, arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeward.kernels import operators

from . import manifest as m
from .kv_cache import KvCache
from .portable_runs import Signature


def inputs(a: m.Architecture) -> Signature:
    """Element type and shape of every input; None where a dimension is open."""
    return {
        "input_ids": ("tensor(int64)", [None]),
        "row_starts": ("tensor(int32)", [None]),
        "positions": ("tensor(int32)", [None]),
        "slots": ("tensor(int32)", [None]),
        "wanted": ("tensor(int32)", [None]),
        "control": ("tensor(int64)", [2]),
        "past": ("tensor(float16)", [None, a.layers, 2, a.kv_heads, None, a.head_dim]),
    }


def reason_against() -> str | None:
    """Why this machine cannot run a fused graph, or None. Asks nothing of the pack."""
    import onnxruntime as ort

    version = tuple(int(part) for part in ort.__version__.split(".")[:2])
    if version < (1, 20):
        return f"ONNX Runtime {ort.__version__} is older than 1.20"
    return operators.problem()


class FusedRuns:
    """Bound once: a step changes numbers in arrays, a chunk brings its own ids."""

    def __init__(self, session: Any, cache: KvCache, vocabulary: int, team: operators.Team) -> None:
        import onnxruntime as ort

        self.logits: NDArray[np.float32] = np.empty((1, 1, vocabulary), dtype=np.float32)
        self._session = session
        self._cache = cache
        self._options = ort.RunOptions()
        # A run that is stopped ends with an error, which is raised; it need not be logged as well.
        self._options.log_severity_level = 4
        self._value = ort.OrtValue.ortvalue_from_numpy
        self._flag = operators.StopFlag()
        self._team = team  # its threads live as long as a run may need them
        self._token = np.zeros(1, dtype=np.int64)
        self._starts = np.array([0, 1], dtype=np.int32)
        self._position = np.zeros(1, dtype=np.int32)
        self._slot = np.zeros(1, dtype=np.int32)
        self._wanted = np.zeros(1, dtype=np.int32)
        self._control = np.array([team.number, self._flag.number], dtype=np.int64)
        self._several: Any = None
        self._decode = self._bind()
        self._decode.bind_ortvalue_input("input_ids", self._value(self._token))

    def step(self, token: int, length: int) -> None:
        """Append one token after `length` positions."""
        self._token[0] = token
        self._run(self._decode, length, 1)

    def chunk(self, ids: Sequence[int], length: int) -> None:
        """Append several; logits are those after the last."""
        if self._several is None:
            self._several = self._bind()
        chunk = np.asarray(ids, dtype=np.int64)
        self._several.bind_ortvalue_input("input_ids", self._value(chunk))
        self._run(self._several, length, len(ids))

    def stop(self) -> None:
        """End the run that is under way within milliseconds, and all later ones. Any thread."""
        self._options.terminate = True
        self._flag.set()

    def close(self) -> None:
        """Give the stop flag back; no run may come after."""
        self._flag.close()

    def _bind(self) -> Any:
        binding = self._session.io_binding()
        for name, array in (
            ("row_starts", self._starts),
            ("positions", self._position),
            ("slots", self._slot),
            ("wanted", self._wanted),
            ("control", self._control),
        ):
            binding.bind_ortvalue_input(name, self._value(array))
        cache = self._value(self._cache.buffers)
        binding.bind_ortvalue_input("past", cache)
        binding.bind_ortvalue_output("present", cache)
        binding.bind_ortvalue_output("logits", self._value(self.logits[0]))
        return binding

    def _run(self, binding: Any, length: int, tokens: int) -> None:
        self._starts[1] = tokens
        self._position[0] = length
        self._wanted[0] = tokens - 1
        self._session.run_with_iobinding(binding, self._options)
