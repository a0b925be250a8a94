"""Large memory that is mapped inside the block gets huge pages; what was there before does not."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import pytest

from edgeward.huge_pages import _new, huge_pages, on_request

SIZE = 64 * 2**20


def huge_bytes() -> int:
    text = Path("/proc/self/smaps_rollup").read_text()
    found = re.search(r"AnonHugePages:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) * 1024


def touched() -> mmap.mmap:
    pages = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, SIZE, mmap.PAGESIZE):
        pages[at] = at // mmap.PAGESIZE % 251
    return pages


@pytest.mark.skipif(not on_request(), reason="this system gives huge pages always or never")
def test_new_memory_becomes_huge_and_keeps_its_content() -> None:
    with touched() as old:
        before = huge_bytes()
        with huge_pages():
            new = touched()
        gained = huge_bytes() - before
        # A kernel before 6.1 gathers them later.
        assert gained == 0 or SIZE // 2 < gained <= SIZE
        for pages in (old, new):
            assert all(pages[at] == at // mmap.PAGESIZE % 251 for at in range(0, SIZE, 4096))
        new.close()


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ([], [(0, 9)], [(0, 9)]),
        ([(0, 9)], [(0, 9)], []),
        ([(2, 4)], [(0, 9)], [(0, 2), (4, 9)]),
        ([(0, 4)], [(0, 9)], [(4, 9)]),
        ([(5, 9)], [(0, 9)], [(0, 5)]),
        ([(0, 2), (4, 6)], [(1, 5), (7, 9)], [(2, 4), (7, 9)]),
        ([(0, 20)], [(3, 9)], []),
    ],
)
def test_what_is_new(
    before: list[tuple[int, int]], after: list[tuple[int, int]], new: list[tuple[int, int]]
) -> None:
    assert list(_new(before, after)) == new
