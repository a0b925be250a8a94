"""Memory of several caches in one piece, so that one run of the fused graph can reach them all.

The piece is reserved once. The system gives it memory page by page as positions are written, and
takes the pages of a cache back when it is dropped.

Knows: bytes, shapes, slots. Does not know: tokens, requests, graphs.
"""

from __future__ import annotations

import contextlib
import mmap
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .kv_cache import CacheShape


class Arena:
    """Room for `slots` caches of one shape, one behind the other. Thread-safe."""

    def __init__(self, shape: CacheShape, slots: int) -> None:
        """Raises `MemoryError` when the system has no such piece to give."""
        self._pages = _fresh_pages(shape.bytes * slots)
        self._each = shape.bytes
        # What a portable graph reads begins with layers, a fused one's with slots; only there can
        # several lie in one array.
        sizes = shape.sizes if slots == 1 else (slots, *shape.sizes[1:])
        self.buffers: NDArray[Any] = np.frombuffer(self._pages, dtype=shape.kind).reshape(sizes)
        self._lock = threading.Lock()
        self._free = list(range(slots))

    def take(self) -> int | None:
        """A free slot, the lowest; None: all are taken."""
        with self._lock:
            return self._free.pop(0) if self._free else None

    def give(self, slot: int) -> None:
        """Take a slot back, and its memory."""
        if hasattr(mmap, "MADV_DONTNEED") and self._each % mmap.PAGESIZE == 0:
            # Where it is refused the pages stay until they are written anew: nothing depends on it.
            with contextlib.suppress(OSError):
                self._pages.madvise(mmap.MADV_DONTNEED, slot * self._each, self._each)
        with self._lock:
            self._free.append(slot)
            self._free.sort()


def _fresh_pages(size: int) -> mmap.mmap:
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
    return pages
