"""How one request calls the portable graph: its inputs, and the buffers bound to them.

Knows the graph's inputs and outputs (docs/pack.md). Does not know requests, threads, text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import manifest as m
from .kv_cache import KvCache

Signature = Mapping[str, tuple[str, list[int | None]]]


def inputs(a: m.Architecture) -> Signature:
    """Element type and shape of every input; None where a dimension is open."""
    expected: dict[str, tuple[str, list[int | None]]] = {
        "input_ids": ("tensor(int64)", [None, None]),
        "seqlens_k": ("tensor(int32)", [None]),
        "total_sequence_length": ("tensor(int32)", []),
        "logits_from": ("tensor(int64)", [1]),
    }
    for layer in range(a.layers):
        for part in ("key", "value"):
            shape = [None, a.kv_heads, None, a.head_dim]
            expected[f"past_key_values.{layer}.{part}"] = ("tensor(float)", shape)
    return expected


class PortableRuns:
    """Bound once: a step changes numbers in arrays, a chunk brings its own ids."""

    def __init__(self, session: Any, cache: KvCache, vocabulary: int) -> None:
        import onnxruntime as ort

        self.logits: NDArray[np.float32] = np.empty((1, 1, vocabulary), dtype=np.float32)
        self._session = session
        self._cache = cache
        self._options = ort.RunOptions()
        self._value = ort.OrtValue.ortvalue_from_numpy
        self._seqlens = np.zeros(1, dtype=np.int32)
        self._total = np.zeros((), dtype=np.int32)
        self._token = np.zeros((1, 1), dtype=np.int64)
        # Bound values point into these arrays; older versions of ONNX Runtime keep no reference.
        self._first = np.zeros(1, dtype=np.int64)
        self._several: Any = None
        self._decode = self._bind()
        self._decode.bind_ortvalue_input("input_ids", self._value(self._token))
        self._decode.bind_ortvalue_input("logits_from", self._value(self._first))

    def step(self, token: int, length: int) -> None:
        """Append one token after `length` positions."""
        self._token[0, 0] = token
        self._run(self._decode, length, 1)

    def chunk(self, ids: Sequence[int], length: int) -> None:
        """Append several; logits are those after the last."""
        if self._several is None:
            self._several = self._bind()
        chunk = np.asarray([ids], dtype=np.int64)
        last = np.asarray([len(ids) - 1], dtype=np.int64)
        self._several.bind_ortvalue_input("input_ids", self._value(chunk))
        self._several.bind_ortvalue_input("logits_from", self._value(last))
        self._run(self._several, length, len(ids))

    def stop(self) -> None:
        """End the run that is under way at its next node, and all later ones. Any thread."""
        self._options.terminate = True

    def close(self) -> None:
        """Nothing is held beyond arrays."""

    def _bind(self) -> Any:
        binding = self._session.io_binding()
        binding.bind_ortvalue_input("seqlens_k", self._value(self._seqlens))
        binding.bind_ortvalue_input("total_sequence_length", self._value(self._total))
        for layer, pair in enumerate(self._cache.buffers):
            for part, buffer in zip(("key", "value"), pair, strict=True):
                value = self._value(buffer)
                binding.bind_ortvalue_input(f"past_key_values.{layer}.{part}", value)
                binding.bind_ortvalue_output(f"present.{layer}.{part}", value)
        binding.bind_ortvalue_output("logits", self._value(self.logits))
        return binding

    def _run(self, binding: Any, length: int, tokens: int) -> None:
        self._seqlens[0] = length + tokens - 1
        self._total[()] = length + tokens
        self._session.run_with_iobinding(binding, self._options)
