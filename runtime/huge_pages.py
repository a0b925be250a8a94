"""Huge pages for weights, where Linux gives them on request.

A decode step reads every weight once: in pages of 4 KB that is tens of thousands of address
translations a token. The packed weights are ONNX Runtime's own allocations, so they are found in
/proc/self/maps as what was mapped while a session opened. Linux only; anywhere else, and where the
system always or never uses huge pages, nothing happens.

Knows: mappings. Does not know: models.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_MAPS = Path("/proc/self/maps")
_HUGE = 2 * 1024 * 1024
_MADV_HUGEPAGE = 14
# Since Linux 6.1: gather the pages now and not when the background thread comes by. An older
# kernel refuses it, and the first advice still holds.
_MADV_COLLAPSE = 25

Range = tuple[int, int]


def on_request() -> bool:
    """Whether this system gives huge pages to those who ask, and only to them."""
    try:
        return "[madvise]" in _SETTING.read_text()
    except OSError:
        return False


@contextmanager
def huge_pages() -> Iterator[None]:
    """Ask for huge pages for the large private memory that is mapped inside the block."""
    if not on_request():
        yield
        return
    before = _anonymous()
    yield
    libc = ctypes.CDLL(None, use_errno=True)
    for start, end in _new(before, _anonymous()):
        first, last = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
        if last > first:
            for advice in (_MADV_HUGEPAGE, _MADV_COLLAPSE):
                # It is advice: a refusal changes no result.
                libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), advice)


def _anonymous() -> list[Range]:
    """Private writable mappings without a file, by address."""
    found = []
    for line in _MAPS.read_text().splitlines():
        place, permissions, *rest = line.split(maxsplit=5)
        named = len(rest) == 4 and rest[3] != "[heap]"
        if permissions == "rw-p" and not named:
            start, _, end = place.partition("-")
            found.append((int(start, 16), int(end, 16)))
    return found


def _new(before: list[Range], after: list[Range]) -> Iterator[Range]:
    """The parts of `after` that `before` does not cover; both ascending and without overlap."""
    for start, end in after:
        for old_start, old_end in before:
            if old_end <= start or old_start >= end:
                continue
            if old_start > start:
                yield start, old_start
            start = old_end
        if start < end:
            yield start, end
