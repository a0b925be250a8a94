"""Caches are lent, counted, and handed to whoever shares the longest beginning."""

from __future__ import annotations

import threading

import numpy as np
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


def lent(pool: CachePool, ids: list[int]) -> KvCache:
    """A cache as a request leaves it."""
    cache = pool.acquire(ids)
    cache.buffers[..., : len(ids), :] = np.asarray(ids, dtype=np.float32)[:, None]
    cache.prefilled, cache.touched = list(ids), max(cache.touched, len(ids))
    return cache


def test_idle_caches_are_bounded_in_bytes_by_what_was_written() -> None:
    pool = CachePool(SHAPE, limit=None)
    pool.keep(10, 9 * SHAPE.bytes_per_position)
    caches = [lent(pool, [i, i, i, i]) for i in range(3)]
    for cache in caches:
        pool.release(cache)
    assert pool.idle_bytes == 8 * SHAPE.bytes_per_position
    assert [pool.held([i] * 4) for i in range(3)] == [0, 4, 4]
    pool.keep(10, 0)
    assert pool.idle_bytes == 0


def test_a_prefix_that_is_used_stays_longer_than_one_that_is_not() -> None:
    pool = CachePool(SHAPE, limit=None, keep=2)
    system, other = lent(pool, [1, 2, 3, 4]), lent(pool, [8, 8])
    pool.release(system)
    pool.release(other)
    pool.keep(3, None)
    pool.release(pool.acquire([1, 2, 9]))  # copies its beginning from the first
    pool.keep(2, None)
    assert pool.held([1, 2, 3, 4]) == 4
    assert pool.held([8, 8]) == 0


def test_a_snapshot_is_put_back_as_it_was() -> None:
    pool, other = CachePool(SHAPE, limit=None), CachePool(SHAPE, limit=None)
    assert pool.snapshot([1, 2]).shape == (2, 2, 1, 1, 0, 4)
    pool.release(lent(pool, [1, 2, 3]))
    keys = pool.snapshot([1, 2, 9])
    assert keys.shape == (2, 2, 1, 1, 2, 4)
    other.deposit([1, 2], keys)
    assert other.held([1, 2, 3]) == 2
    assert np.array_equal(other.acquire([1, 2, 3]).buffers[..., :2, :], keys)
