"""Runs a pack's graph through ONNX Runtime: tokens in, logits of the last position out.

Knows: the graph's inputs and outputs (docs/pack.md), buffers, threads. Does not know: text,
sampling, requests. Every call frees the GIL; a run ends at the next graph node once its
`terminate` flag is set, so a cancel acts inside a prefill too.

Prefill goes in chunks of at least two tokens and decode in steps of exactly one: within each of
the two kinds ONNX Runtime's results do not depend on how the tokens were cut, between them they
differ by about 1e-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import manifest as m
from .cancel import CancelToken
from .errors import Cancelled, EdgewardError, PackError
from .graph_file import check_graph
from .huge_pages import huge_pages
from .kv_cache import CacheShape, KvCache
from .pack import WEIGHTS, Pack

PREFILL_CHUNK = 512
"""Tokens of one prefill run: many enough for the matrix kernels, few enough to bound memory."""


class Engine:
    """One loaded graph; many threads may run it at once, each with its own `Lane`."""

    def __init__(self, pack: Pack, graph: m.Graph, threads: int) -> None:
        import onnxruntime as ort

        self.pack = pack
        self.graph = graph
        self.threads = threads
        self.architecture = pack.manifest.architecture
        path = pack.path(graph.file)
        check_graph(path, WEIGHTS, pack.manifest.files[WEIGHTS].size)
        with huge_pages():
            self.session = _open_session(ort, path, threads)
        self.provider: str = self.session.get_providers()[0]
        self.runtime_version: str = ort.__version__
        self._check_signature()

    def cache_shape(self, context: int) -> CacheShape:
        """Shape of a cache for `context` positions."""
        a = self.architecture
        return CacheShape(a.layers, a.kv_heads, context, a.head_dim)

    def _check_signature(self) -> None:
        """The graph must take what the manifest says: buffers are sized by it."""
        a = self.architecture
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
        found = {i.name: (i.type, _fixed(i.shape)) for i in self.session.get_inputs()}
        if found != expected:
            wrong = next(k for k in {**expected, **found} if found.get(k) != expected.get(k))
            raise PackError(
                f"{self.pack.path(self.graph.file)}: input {wrong!r} is {found.get(wrong)}, the "
                f"manifest's architecture asks for {expected.get(wrong)}. Make the pack anew."
            )
        logits = self.session.get_outputs()[0]
        if logits.name != "logits" or _fixed(logits.shape)[-1] not in (a.vocabulary, None):
            raise PackError(
                f"{self.pack.path(self.graph.file)}: output {logits.name!r} of shape "
                f"{logits.shape} is not the logits of {a.vocabulary} tokens. Make the pack anew."
            )


class Lane:
    """One request's way through the engine: its cache, bound once, and its place in it."""

    def __init__(self, engine: Engine, cache: KvCache, cancel: CancelToken) -> None:
        import onnxruntime as ort

        self.engine = engine
        self.cache = cache
        self.length = 0
        """Positions of the cache that are filled."""
        self.logits: NDArray[np.float32] = np.empty(
            (1, 1, engine.architecture.vocabulary), dtype=np.float32
        )
        self._cancel = cancel
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
        cancel.watch(self._terminate)

    def close(self) -> None:
        """Let go of the cancel token. The cache stays the pool's."""
        self._cancel.unwatch(self._terminate)

    def prefill(self, ids: Sequence[int], start: int) -> None:
        """Compute `ids[start:]` after the first `start` positions, which the cache holds.

        Leaves the logits of the last position in `logits`. At least two ids are computed, except
        for a prompt of one.
        """
        self.length = start
        self.cache.prefilled = list(ids[:start])
        while self.length < len(ids):
            size = _next_chunk(len(ids) - self.length, self._cancel.most())
            self._run_chunk(ids[self.length : self.length + size])
            if size > 1:
                self.cache.prefilled = list(ids[: self.length])

    def extend(self, tokens: Sequence[int]) -> None:
        """Append tokens and leave the logits of the position behind them in `logits`.

        One token is a step; several are computed together, as a prefill does.
        """
        if len(tokens) == 1:
            self.step(tokens[0])
            return
        left = list(tokens)
        while left:
            size = _next_chunk(len(left), self._cancel.most())
            self._run_chunk(left[:size])
            del left[:size]

    def step(self, token: int) -> None:
        """Append one token and leave the logits of the next position in `logits`."""
        self._token[0, 0] = token
        self._run(self._decode, 1)

    def _run_chunk(self, ids: Sequence[int]) -> None:
        if self._several is None:
            self._several = self._bind()
        chunk = np.asarray([ids], dtype=np.int64)
        last = np.asarray([len(ids) - 1], dtype=np.int64)
        self._several.bind_ortvalue_input("input_ids", self._value(chunk))
        self._several.bind_ortvalue_input("logits_from", self._value(last))
        self._run(self._several, len(ids))

    def _bind(self) -> Any:
        binding = self.engine.session.io_binding()
        binding.bind_ortvalue_input("seqlens_k", self._value(self._seqlens))
        binding.bind_ortvalue_input("total_sequence_length", self._value(self._total))
        for layer, pair in enumerate(self.cache.buffers):
            for part, buffer in zip(("key", "value"), pair, strict=True):
                value = self._value(buffer)
                binding.bind_ortvalue_input(f"past_key_values.{layer}.{part}", value)
                binding.bind_ortvalue_output(f"present.{layer}.{part}", value)
        binding.bind_ortvalue_output("logits", self._value(self.logits))
        return binding

    def _run(self, binding: Any, tokens: int) -> None:
        self._seqlens[0] = self.length + tokens - 1
        self._total[()] = self.length + tokens
        with self._cancel.turn(tokens, self.length):
            if self._cancel.cancelled:
                raise Cancelled("the request was cancelled.")
            try:
                self.engine.session.run_with_iobinding(binding, self._options)
            except Exception as error:
                if self._cancel.cancelled:
                    raise Cancelled("the request was cancelled.") from None
                raise EdgewardError(f"ONNX Runtime failed: {error}") from error
            finally:
                self.cache.touched = max(self.cache.touched, self.length + tokens)
        self.length += tokens

    def _terminate(self) -> None:
        self._options.terminate = True


def _open_session(ort: Any, path: Path, threads: int) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises many kinds, all about the file
        raise PackError(f"ONNX Runtime {ort.__version__} cannot load {path}: {error}") from None


def _next_chunk(left: int, most: int | None = None) -> int:
    """Size of the next prefill run, such that no run of one token is left over."""
    chunk = PREFILL_CHUNK if most is None else max(2, min(most, PREFILL_CHUNK))
    if left <= chunk:
        return left
    if left == chunk + 1:
        # Three tokens in runs of two would leave one; one run of three is the way out.
        return chunk - 1 if chunk > 2 else left
    return chunk


def _fixed(shape: Sequence[int | str | None]) -> list[int | None]:
    return [d if isinstance(d, int) else None for d in shape]
