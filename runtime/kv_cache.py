"""Key and value buffers of one request at a time, and the pool that lends them.

A cache is allocated once at the full context; the operating system gives it memory page by page
as positions are written, so a short conversation stays small. Input and output of the attention
operators are the same buffer (past = present): nothing is copied from step to step.

Knows: shapes, bytes, token ids. Does not know: graphs, text, sampling.
"""

from __future__ import annotations

import contextlib
import mmap
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import MemoryLimit


@dataclass(frozen=True)
class CacheShape:
    """Sizes of a cache: per layer a key and a value of (1, kv_heads, context, head_dim) float32."""

    layers: int
    kv_heads: int
    context: int
    head_dim: int

    @property
    def bytes_per_position(self) -> int:
        """Bytes that one token takes."""
        return self.layers * 2 * self.kv_heads * self.head_dim * 4

    @property
    def bytes(self) -> int:
        """Bytes at full context."""
        return self.bytes_per_position * self.context


class KvCache:
    """The buffers of one request, and which tokens its first positions hold."""

    def __init__(self, shape: CacheShape) -> None:
        self.shape = shape
        sizes = (shape.layers, 2, 1, shape.kv_heads, shape.context, shape.head_dim)
        self.buffers: NDArray[np.float32] = _fresh_pages(shape.bytes).reshape(sizes)
        self.prefilled: list[int] = []
        """Ids whose keys and values stand in the first positions and were computed by a prefill.

        Positions that were computed one at a time are not in it: ONNX Runtime's matrix kernels
        round a single row otherwise (by about 1e-6), and a request must give the same tokens
        whether its prefix was cached or not.
        """

    def common_prefix(self, ids: list[int]) -> int:
        """How many leading ids this cache already holds."""
        limit = min(len(ids), len(self.prefilled))
        if self.prefilled[:limit] == ids[:limit]:
            return limit
        return next(i for i in range(limit) if self.prefilled[i] != ids[i])

    def copy_prefix(self, other: KvCache, length: int) -> None:
        """Take over the first `length` positions of another cache of the same shape."""
        self.buffers[..., :length, :] = other.buffers[..., :length, :]
        self.prefilled = other.prefilled[:length]


def _fresh_pages(size: int) -> NDArray[np.float32]:
    """`size` bytes of a mapping of their own: pages that are never touched cost nothing.

    Small pages are asked for by name. NumPy asks for huge ones, and then the first position of
    each head, megabytes apart, would fill a huge page with zeros: half a second and the whole
    cache's memory for a prompt of three words. Raises `MemoryError`.
    """
    try:
        pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:
        raise MemoryError from None
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        # A kernel without huge pages refuses the advice and needs none.
        with contextlib.suppress(OSError):
            pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, dtype=np.float32)


class CachePool:
    """Lends caches to requests; keeps a few of them for the prefixes they hold. Thread-safe."""

    def __init__(self, shape: CacheShape, *, limit: int | None, keep: int = 2) -> None:
        """`limit` caches may exist at once (None: no limit), `keep` idle ones are kept."""
        self.shape = shape
        self._limit = limit
        self._keep = keep
        self._lock = threading.Lock()
        self._idle: list[KvCache] = []
        self._lent = 0

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
            cache = KvCache(self.shape)
        except MemoryError:
            raise MemoryLimit(
                f"no memory for a cache of {self.shape.bytes} bytes ({self.shape.context} "
                f"positions); load the model with a smaller context."
            ) from None
        if best is not None:
            # The other conversation keeps its cache: copying is far cheaper than computing anew.
            cache.copy_prefix(best, shared)
        return cache

    def release(self, cache: KvCache) -> None:
        """Take a cache back; the one idle longest goes when more than `keep` are idle."""
        with self._lock:
            self._lent -= 1
            self._idle.append(cache)
            if len(self._idle) > self._keep:
                self._idle.pop(0)

    def clear(self) -> None:
        """Give back the memory of all idle caches."""
        with self._lock:
            self._idle.clear()

    @property
    def lent(self) -> int:
        """Requests that hold a cache now."""
        return self._lent
