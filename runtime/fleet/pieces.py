"""Where a file is cut into pieces, so that a changed file shares most pieces with the old one.

Cuts depend on the content (as in rsync and restic), but fall between pages of 4,096 bytes only:
packs align tensors to pages, so a tensor that grew moves the others by whole pages, and a page is a
row of numbers that NumPy hashes at the speed of memory. A page whose hash ends in zeros closes its
piece. Knows bytes; no packs, no channels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PAGE = 4096
# In pages: a piece has 64 KiB to 1 MiB, some 300 KiB on average. Smaller ones cost requests, larger
# ones fetch more around a change.
SHORTEST, LONGEST = 16, 256
_MASK = np.uint64(63)
_SHIFT = np.uint64(40)
_SLAB = 2048  # pages read at once: 8 MiB


def cut(path: Path) -> Iterator[tuple[str, int, int]]:
    """The pieces of a file, as (sha256, offset, size); an empty file has none."""
    offset = 0
    rest = b""
    with path.open("rb") as file:
        while True:
            read = file.read(_SLAB * PAGE)
            slab = rest + read
            at = 0
            for size in _sizes(slab, last=len(read) < _SLAB * PAGE):
                yield hashlib.sha256(slab[at : at + size]).hexdigest(), offset + at, size
                at += size
            offset += at
            rest = slab[at:]
            if len(read) < _SLAB * PAGE:
                return


def _sizes(slab: bytes, *, last: bool) -> Iterator[int]:
    """Sizes of the pieces that begin in `slab`; unless it is the last, of the complete ones."""
    pages = len(slab) // PAGE
    ends = np.flatnonzero(_closing(slab[: pages * PAGE])) + 1
    begin = 0
    while True:
        found = np.searchsorted(ends, begin + SHORTEST)
        end = min(int(ends[found]) if found < len(ends) else pages + 1, begin + LONGEST)
        if end > pages:
            break
        yield (end - begin) * PAGE
        begin = end
    if last and begin * PAGE < len(slab):
        yield len(slab) - begin * PAGE  # fewer than LONGEST pages and a part of one


def _closing(pages: bytes) -> NDArray[np.bool_]:
    """For each page, whether a piece may end behind it: about one in 64."""
    words = np.frombuffer(pages, "<u8").reshape(-1, PAGE // 8)
    hashes = (words * _factors()).sum(axis=1, dtype=np.uint64)
    return np.asarray((hashes >> _SHIFT) & _MASK == 0)


@cache
def _factors() -> NDArray[np.uint64]:
    """Odd random numbers, part of the format: another choice would cut elsewhere."""
    numbers = np.frombuffer(
        b"".join(hashlib.sha256(b"edgeward piece %d" % i).digest() for i in range(PAGE // 32)),
        "<u8",
    )
    return numbers | np.uint64(1)
