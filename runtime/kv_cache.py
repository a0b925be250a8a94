"""Key and value buffers of one request at a time, and the pool that lends them.

A cache is allocated once at the full context (`kv_arena.py`), so a short conversation stays small:
its memory comes page by page. Input and output of the attention
operators are the same buffer (past = present): nothing is copied from step to step.

Knows: shapes, bytes, token ids. Does not know: graphs, text, sampling.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import MemoryLimit
from .kv_arena import Arena

_KEY_BLOCK = 16


@dataclass(frozen=True)
class CacheShape:
    """Sizes of a cache: a key and a value of `head_dim` numbers a layer, head and position.

    `kind` "float32" is the portable graph's, with buffers (layers, 2, 1, kv_heads, context,
    head_dim). "float16" is the fused graph's, (1, layers, 2, kv_heads, positions, head_dim), where
    keys lie in blocks of 16 positions, (positions / 16, head_dim, 16) a head.
    """

    layers: int
    kv_heads: int
    context: int
    head_dim: int
    kind: Literal["float32", "float16"] = "float32"

    @property
    def positions(self) -> int:
        """Positions there is room for: the context, in whole segments of 64 for the fused graph."""
        return self.context if self.kind == "float32" else -(-self.context // 64) * 64

    @property
    def bytes_per_position(self) -> int:
        """Bytes that one token takes."""
        return self.layers * 2 * self.kv_heads * self.head_dim * np.dtype(self.kind).itemsize

    @property
    def bytes(self) -> int:
        """Bytes at full context."""
        return self.bytes_per_position * self.positions

    @property
    def sizes(self) -> tuple[int, ...]:
        """Shape of the buffers."""
        if self.kind == "float32":
            return (self.layers, 2, 1, self.kv_heads, self.positions, self.head_dim)
        return (1, self.layers, 2, self.kv_heads, self.positions, self.head_dim)

    def whole_blocks(self, position: int) -> tuple[int, int]:
        """The nearest rows at or before `position`, and at or after, where the buffers can be cut.

        A float16 cache has the keys of 16 positions in 16 rows together.
        """
        block = 1 if self.kind == "float32" else _KEY_BLOCK
        return position // block * block, -(-position // block) * block


class KvCache:
    """The buffers of one request, and which tokens its first positions hold."""

    def __init__(self, shape: CacheShape, arena: Arena | None = None) -> None:
        """In a free slot of `arena`, else in memory of its own. Raises `MemoryError`."""
        self.shape = shape
        slot = None if arena is None else arena.take()
        self._give_back: Callable[[], object] | None = None
        if arena is None or slot is None:
            arena, slot = Arena(shape, 1), 0
            self.buffers: NDArray[Any] = arena.buffers
        else:
            self.buffers = arena.buffers[slot : slot + 1]
            self._give_back = weakref.finalize(self, arena.give, slot)
        self.arena, self.slot = arena, slot
        """Where it lies; caches of one arena can be stepped together."""
        self.prefilled: list[int] = []
        """Ids whose keys and values stand in the first positions, as a prefill computes them.

        Positions that the portable graph computed one at a time are not in it: ONNX Runtime's
        matrix kernels round a single row otherwise (by about 1e-6), and a request must give the
        same tokens whether its prefix was cached or not. The fused graph rounds all alike.
        """
        self.touched = 0
        """Positions that were ever written: what the cache really takes is this many."""

    def drop(self) -> None:
        """Give the slot to others now, whoever still refers to this cache. Nobody may use it."""
        if self._give_back is not None:
            self._give_back()

    @property
    def resident(self) -> int:
        """Bytes of memory behind the positions that were ever written."""
        return self.touched * self.shape.bytes_per_position

    def common_prefix(self, ids: list[int]) -> int:
        """How many leading ids this cache already holds."""
        limit = min(len(ids), len(self.prefilled))
        if self.prefilled[:limit] == ids[:limit]:
            return limit
        return next(i for i in range(limit) if self.prefilled[i] != ids[i])

    def copy_prefix(self, other: KvCache, length: int) -> None:
        """Take over the first `length` positions of another cache of the same shape."""
        self.copy_positions(other, 0, length)
        self.prefilled = other.prefilled[:length]

    def copy_positions(self, other: KvCache, start: int, stop: int) -> None:
        """Take over positions `start` to `stop` of a cache that has the same ids before `start`."""
        rows = slice(self.shape.whole_blocks(start)[0], self.shape.whole_blocks(stop)[1])
        self.buffers[..., rows, :] = other.buffers[..., rows, :]
        self.touched = max(self.touched, stop)


class CachePool:
    """Lends caches to requests; keeps a few of them for the prefixes they hold. Thread-safe."""

    def __init__(self, shape: CacheShape, *, limit: int | None, keep: int = 2) -> None:
        """`limit` caches may exist at once (None: no limit), `keep` idle ones are kept."""
        self.shape = shape
        self._limit = limit
        self._keep = keep
        self._keep_bytes: int | None = None
        self._lock = threading.Lock()
        self._idle: list[KvCache] = []
        self._lent = 0
        self._arena: Arena | None = None

    def gather(self, caches: int) -> Arena | None:
        """Lay up to `caches` coming caches next to each other; None where that cannot be.

        What idle caches hold is forgotten. Caches beyond lie elsewhere. The memory is reserved and
        not taken; the portable graph cannot use it, nor is it there where the system has no room.
        """
        with self._lock:
            if self._limit is not None:
                caches = min(caches, self._limit)
            if self.shape.kind != "float16" or caches < 2:
                return None
            try:
                self._arena = Arena(self.shape, caches)
            except MemoryError:
                return None
            while self._idle:
                self._idle.pop().drop()
            return self._arena

    def acquire(self, ids: list[int]) -> KvCache:
        """A cache for a prompt of `ids`, holding as much of its beginning as any idle one does.

        Raises `MemoryLimit` when the limit is reached or the system has no memory to give.
        """
        with self._lock:
            # Of equals the first, which was idle longest: the newest is the likeliest to return.
            best = max(self._idle, key=lambda cache: cache.common_prefix(ids), default=None)
            fits = self._limit is None or self._lent + len(self._idle) < self._limit
            cache = self._choose(best, ids, fits and len(self._idle) < self._keep)
            self._lent += 1
            return cache

    def _choose(self, best: KvCache | None, ids: list[int], room: bool) -> KvCache:
        shared = 0 if best is None else best.common_prefix(ids)
        if best is not None and (not room or shared == len(best.prefilled)):
            self._idle.remove(best)
            return best
        if not room:
            raise MemoryLimit(
                f"{self._lent} requests are running and the memory limit given to load() holds "
                f"the caches of {self._limit}; end one, or raise memory_limit by "
                f"{self.shape.bytes} bytes for each more."
            )
        try:
            cache = KvCache(self.shape, self._arena)
        except MemoryError:
            raise MemoryLimit(
                f"no memory for a cache of {self.shape.bytes} bytes ({self.shape.context} "
                f"positions); load the model with a smaller context."
            ) from None
        if best is not None and shared:
            # The other conversation keeps its cache: copying is far cheaper than computing anew.
            cache.copy_prefix(best, shared)
            self._idle.remove(best)
            self._idle.append(best)
        return cache

    def release(self, cache: KvCache) -> None:
        """Take a cache back; those used longest ago go when more than `keep` allows are idle."""
        with self._lock:
            self._lent -= 1
            # One that found no room beside the others cannot be stepped with them: not kept.
            if self._arena is None or cache.arena is self._arena:
                self._idle.append(cache)
            self._trim()

    def keep(self, caches: int, size: int | None) -> None:
        """Keep this many idle caches at most, and `size` bytes of written positions (None: any)."""
        with self._lock:
            self._keep, self._keep_bytes = caches, size
            self._trim()

    def held(self, ids: list[int]) -> int:
        """How many leading ids an idle cache holds, as `acquire` would find them now."""
        with self._lock:
            return max((cache.common_prefix(ids) for cache in self._idle), default=0)

    def snapshot(self, ids: list[int]) -> NDArray[Any]:
        """A copy of the keys and values of the longest beginning of `ids` that is held.

        As the buffers, but with the rows of these positions only: a float16 cache is cut to whole
        blocks of 16.
        """
        with self._lock:
            best = max(self._idle, key=lambda cache: cache.common_prefix(ids), default=None)
            if best is None:
                *sizes, _, head_dim = self.shape.sizes
                return np.empty((*sizes, 0, head_dim), dtype=self.shape.kind)
            rows = self.shape.whole_blocks(best.common_prefix(ids))[0]
            return best.buffers[..., :rows, :].copy()

    def deposit(self, ids: list[int], keys: NDArray[Any]) -> None:
        """Hold keys and values that `snapshot` made, for prompts that begin with `ids`.

        Raises `MemoryLimit` like `acquire`.
        """
        cache = self.acquire(ids)
        try:
            cache.prefilled = []
            cache.buffers[..., : keys.shape[-2], :] = keys
            cache.touched = max(cache.touched, len(ids))
            cache.prefilled = list(ids)
        finally:
            self.release(cache)

    def _trim(self) -> None:
        """Let go of idle caches, first of those used longest ago, until the bounds are kept."""
        most = self._keep_bytes
        while self._idle and (
            len(self._idle) > self._keep
            or (most is not None and sum(cache.resident for cache in self._idle) > most)
        ):
            self._idle.pop(0).drop()

    @property
    def idle_bytes(self) -> int:
        """Bytes of written positions in idle caches."""
        with self._lock:
            return sum(cache.resident for cache in self._idle)

    def clear(self) -> None:
        """Give back the memory of all idle caches."""
        with self._lock:
            while self._idle:
                self._idle.pop().drop()

    @property
    def lent(self) -> int:
        """Requests that hold a cache now."""
        return self._lent
