"""Runs a pack's graph through ONNX Runtime: tokens in, logits of the last position out.

Knows: sessions, caches, the order of runs. Does not know: how a graph's inputs are bound
(`portable_runs`, `fused_runs`), text, sampling, requests. Every call frees the GIL; a cancel acts
inside a prefill too.

Prefill goes in chunks of at least two tokens and decode in steps of exactly one: within each of
the two kinds the portable graph's results do not depend on how the tokens were cut, between them
they differ by about 1e-6. The fused graph's never depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeward.kernels import operators

from . import fused_runs, portable_runs
from . import manifest as m
from .cancel import CancelToken
from .errors import Cancelled, EdgewardError, PackError
from .fused_runs import FusedRuns
from .graph_file import check_graph
from .huge_pages import huge_pages
from .kv_cache import CacheShape, KvCache
from .pack import Pack
from .portable_runs import PortableRuns

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
        self.fused = graph.kind == "fused"
        path = pack.path(graph.file)
        check_graph(path, graph.data, pack.manifest.files[graph.data].size)
        self.team: operators.Team | None = None
        if self.fused:
            self.session = open_session(path, threads=1, operators_in=operators.LIBRARY)
            self.team = operators.Team(threads)
        else:
            with huge_pages():
                self.session = open_session(path, threads)
        self.provider: str = self.session.get_providers()[0]
        self.runtime_version: str = ort.__version__
        self._check_signature()

    def cache_shape(self, context: int) -> CacheShape:
        """Shape of a cache for `context` positions."""
        return shape_of(self.architecture, self.graph, context)

    def runs(self, cache: KvCache) -> PortableRuns | FusedRuns:
        """The graph's calls, bound to one request's cache."""
        vocabulary = self.architecture.vocabulary
        if self.team is not None:
            return FusedRuns(self.session, cache, vocabulary, self.team)
        return PortableRuns(self.session, cache, vocabulary)

    def _check_signature(self) -> None:
        """The graph must take what the manifest says: buffers are sized by it."""
        a = self.architecture
        expected = (fused_runs if self.fused else portable_runs).inputs(a)
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
        self.engine = engine
        self.cache = cache
        self.length = 0
        """Positions of the cache that are filled."""
        self._cancel = cancel
        self._runs = engine.runs(cache)
        self.logits: NDArray[np.float32] = self._runs.logits
        cancel.watch(self._runs.stop)

    def close(self) -> None:
        """Let go of the cancel token. The cache stays the pool's."""
        self._cancel.unwatch(self._runs.stop)
        self._runs.close()

    def prefill(self, ids: Sequence[int], start: int) -> None:
        """Compute `ids[start:]` after the first `start` positions, which the cache holds.

        Leaves the logits of the last position in `logits`. At least two ids are computed, except
        for a prompt of one.
        """
        self.length = start
        self.cache.prefilled = list(ids[:start])
        while self.length < len(ids):
            size = _next_chunk(len(ids) - self.length, self._cancel.most())
            self._run(ids[self.length : self.length + size])
            if size > 1 or self.engine.fused:
                self.cache.prefilled = list(ids[: self.length])

    def extend(self, tokens: Sequence[int]) -> None:
        """Append tokens and leave the logits of the position behind them in `logits`.

        One token is a step; several are computed together, as a prefill does.
        """
        left = list(tokens)
        while left:
            size = _next_chunk(len(left), self._cancel.most())
            self._append(left[:size])
            del left[:size]

    def step(self, token: int) -> None:
        """Append one token and leave the logits of the next position in `logits`."""
        self._append([token])

    def _append(self, tokens: list[int]) -> None:
        whole = len(self.cache.prefilled) == self.length
        self._run(tokens)
        # Only fused graphs round a step as a prefill does; see KvCache.prefilled.
        if self.engine.fused and whole:
            self.cache.prefilled += tokens

    def _run(self, tokens: Sequence[int]) -> None:
        self._cancel.run(Run(self, tokens))
        self.length += len(tokens)

    def compute(self, tokens: Sequence[int]) -> None:
        """Run the graph on `tokens` now. Raises `Cancelled`, `EdgewardError`."""
        if self._cancel.cancelled:
            raise Cancelled("the request was cancelled.")
        self.claim(len(tokens))
        try:
            if len(tokens) == 1:
                self._runs.step(tokens[0], self.length)
            else:
                self._runs.chunk(tokens, self.length)
        except Exception as error:
            if self._cancel.cancelled:
                raise Cancelled("the request was cancelled.") from None
            raise EdgewardError(f"ONNX Runtime failed: {error}") from error

    def claim(self, tokens: int) -> None:
        """Say that a run will write the next `tokens` positions: what they held is of no use."""
        del self.cache.prefilled[self.length :]
        self.cache.touched = max(self.cache.touched, self.length + tokens)


class Run:
    """What one lane wants computed next; a single token may go together with those of others."""

    __slots__ = ("ids", "lane", "position", "tokens")

    def __init__(self, lane: Lane, ids: Sequence[int]) -> None:
        self.lane, self.ids = lane, ids
        self.tokens, self.position = len(ids), lane.length

    def alone(self) -> None:
        """Compute it now, in the calling thread."""
        self.lane.compute(self.ids)


def shape_of(a: m.Architecture, graph: m.Graph, context: int) -> CacheShape:
    """Shape of a cache of `context` positions for one of a pack's graphs."""
    return CacheShape(a.layers, a.kv_heads, context, a.head_dim, graph.cache_type)


def open_session(path: Path, threads: int, operators_in: Path | None = None) -> Any:
    """A CPU session of a graph that was checked; `PackError` if ONNX Runtime refuses it."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        if operators_in is not None:
            options.register_custom_ops_library(str(operators_in))
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
