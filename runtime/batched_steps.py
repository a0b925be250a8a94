"""Steps of several requests in one run of the fused graph.

A step reads all weights once, whether it computes one row or eight; the rows share that. The bits
of a row do not depend on the others (docs/fused.md), so an answer is that of the request alone.

Knows: the graph's inputs, the arena that the caches lie in. Does not know: who takes part when.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .engine import Engine, Run
from .errors import EdgewardError
from .kv_arena import Arena


class BatchedSteps:
    """Computes steps of lanes whose caches lie in one arena. One call at a time."""

    def __init__(self, engine: Engine, arena: Arena) -> None:
        """`engine` runs a fused graph."""
        assert engine.team is not None
        self._engine, self._arena = engine, arena
        self._team = engine.team
        self._bound: dict[int, _Rows] = {}

    def takes(self, run: Run) -> bool:
        """Whether `compute` may be given this run: a single token, its cache in the arena."""
        return run.tokens == 1 and run.lane.cache.arena is self._arena

    def compute(self, runs: Sequence[Run]) -> None:
        """Append each run's token to its lane; the lanes' `logits` are those behind them.

        It is not stopped half way: the others of a request that is cancelled go on. Raises
        `EdgewardError` when ONNX Runtime fails, and then no lane has moved.
        """
        rows = self._bound.get(len(runs))
        if rows is None:
            rows = self._bound[len(runs)] = _Rows(self._engine, self._arena, len(runs))
        for i, run in enumerate(runs):
            run.lane.claim(1)
            rows.ids[i] = run.ids[0]
            rows.positions[i] = run.position
            rows.slots[i] = run.lane.cache.slot
        try:
            self._engine.session.run_with_iobinding(rows.binding, rows.options)
        except Exception as error:
            raise EdgewardError(f"ONNX Runtime failed: {error}") from error
        for i, run in enumerate(runs):
            # A copy: the next run may begin before everybody has drawn its token.
            run.lane.logits[0, 0] = rows.logits[i]


class _Rows:
    """Buffers of a run of `count` steps, bound once."""

    def __init__(self, engine: Engine, arena: Arena, count: int) -> None:
        import onnxruntime as ort

        assert engine.team is not None
        self.ids = np.zeros(count, dtype=np.int64)
        self.positions = np.zeros(count, dtype=np.int32)
        self.slots = np.zeros(count, dtype=np.int32)
        self.logits: NDArray[np.float32] = np.empty(
            (count, engine.architecture.vocabulary), dtype=np.float32
        )
        self.options = ort.RunOptions()
        self.options.log_severity_level = 4  # what goes wrong is raised
        # Bound values point into arrays; older versions of ONNX Runtime keep no reference.
        self._fixed = {
            "row_starts": np.arange(count + 1, dtype=np.int32),
            "wanted": np.arange(count, dtype=np.int32),
            "control": np.array([engine.team.number, 0], dtype=np.int64),
        }
        self.binding: Any = engine.session.io_binding()
        value = ort.OrtValue.ortvalue_from_numpy
        moving = {"input_ids": self.ids, "positions": self.positions, "slots": self.slots}
        for name, array in {**moving, **self._fixed}.items():
            self.binding.bind_ortvalue_input(name, value(array))
        caches = value(arena.buffers)
        self.binding.bind_ortvalue_input("past", caches)
        self.binding.bind_ortvalue_output("present", caches)
        self.binding.bind_ortvalue_output("logits", value(self.logits))
