"""Caches are lent, counted, and handed to whoever shares the longest beginning."""

from __future__ import annotations

import threading

import pytest

from edgeward.errors import MemoryLimit
from edgeward.kv_cache import CachePool, CacheShape, KvCache
from edgeward.machine import resident_memory

SHAPE = CacheShape(layers=2, kv_heads=1, context=16, head_dim=4)


def filled(ids: list[int]) -> KvCache:
    cache = KvCache(SHAPE)
    cache.buffers[...] = float(ids[0])
    cache.prefilled = ids
    return cache


def test_bytes_are_those_of_the_buffers() -> None:
    assert KvCache(SHAPE).buffers.nbytes == SHAPE.bytes == SHAPE.bytes_per_position * 16


def test_only_touched_positions_take_memory() -> None:
    before = resident_memory()
    large = KvCache(CacheShape(layers=30, kv_heads=3, context=8192, head_dim=64))
    large.buffers[..., :10, :] = 1.0
    after = resident_memory()
    assert before is not None
    assert after is not None
    assert large.buffers.nbytes > 350 * 2**20
    assert after[0] - before[0] < 10 * 2**20


@pytest.mark.parametrize(
    ("held", "asked", "shared"),
    [
        ([], [1], 0),
        ([1], [], 0),
        ([1, 2], [1, 2, 3], 2),
        ([1, 2, 3], [1, 2], 2),
        ([1, 9], [1, 2], 1),
    ],
)
def test_common_prefix(held: list[int], asked: list[int], shared: int) -> None:
    cache = KvCache(SHAPE)
    cache.prefilled = held
    assert cache.common_prefix(asked) == shared


def test_a_returned_cache_is_lent_to_the_prompt_that_continues_it() -> None:
    pool = CachePool(SHAPE, limit=None)
    first, second = pool.acquire([1]), pool.acquire([2])
    first.prefilled, second.prefilled = [1, 2, 3], [2, 3]
    pool.release(first)
    pool.release(second)
    assert pool.acquire([1, 2, 3, 4]) is first


def test_a_prompt_that_only_shares_a_beginning_gets_a_copy_of_it() -> None:
    pool = CachePool(SHAPE, limit=None)
    other = pool.acquire([])
    other.buffers[...] = 7.0
    other.prefilled = [1, 2, 3, 4]
    pool.release(other)
    cache = pool.acquire([1, 2, 9])
    assert cache is not other
    assert cache.prefilled == [1, 2]
    assert (cache.buffers[..., :2, :] == 7.0).all()
    assert other.prefilled == [1, 2, 3, 4]


def test_idle_caches_are_bounded() -> None:
    pool = CachePool(SHAPE, limit=None, keep=2)
    lent = [pool.acquire([i]) for i in range(5)]
    for i, cache in enumerate(lent):
        cache.prefilled = [i, i]
        pool.release(cache)
    again = [pool.acquire([i, i]) for i in range(5)]
    assert sum(cache in lent for cache in again) == 2
    assert pool.lent == 5


def test_the_limit_is_refused_and_not_exceeded() -> None:
    pool = CachePool(SHAPE, limit=1)
    cache = pool.acquire([1])
    with pytest.raises(MemoryLimit, match="memory_limit"):
        pool.acquire([2])
    pool.release(cache)
    assert pool.acquire([2]) is cache


def test_many_threads_never_hold_one_cache_together() -> None:
    pool = CachePool(SHAPE, limit=None)
    clashes = []

    def work(name: int) -> None:
        for _ in range(200):
            cache = pool.acquire([name])
            cache.prefilled = [name]
            cache.buffers[0, 0, 0, 0, 0, 0] = name
            if cache.buffers[0, 0, 0, 0, 0, 0] != name:
                clashes.append(name)
            pool.release(cache)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not clashes
    assert pool.lent == 0
