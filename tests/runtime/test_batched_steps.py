"""A step computed with others' has the bits of the step alone; caches share one piece of memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import edgeward
from edgeward.batched_steps import BatchedSteps
from edgeward.cancel import CancelToken
from edgeward.engine import Engine, Lane, Run
from edgeward.errors import EdgewardError
from edgeward.kv_arena import Arena
from edgeward.kv_cache import CachePool, CacheShape, KvCache
from edgeward.pack import Pack

PROMPTS = ([5, 6, 7], [9, 8, 7, 6, 5] * 20, [11] * 17, [3, 4])


@pytest.fixture(scope="module")
def engine(tiny_pack: Path) -> Iterator[Engine]:
    if all(graph.kind != "fused" for graph in Pack.open(tiny_pack).manifest.graphs):
        pytest.skip("the pack at hand was made without a fused graph")
    with edgeward.load(tiny_pack, threads=2, graph="fused") as model:
        yield model.opened()[0]


def lanes(engine: Engine, arena: Arena | None) -> list[Lane]:
    shape = engine.cache_shape(256)
    made = [Lane(engine, KvCache(shape, arena), CancelToken()) for _ in PROMPTS]
    for lane, prompt in zip(made, PROMPTS, strict=True):
        lane.prefill(prompt, 0)
    return made


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1), (2, 0, 3)])
def test_rows_of_a_batch_have_the_bits_of_steps_alone(
    engine: Engine, order: tuple[int, ...]
) -> None:
    arena = Arena(engine.cache_shape(256), 4)
    alone, together = lanes(engine, None), lanes(engine, arena)
    batch = BatchedSteps(engine, arena)
    for step in range(20):
        runs = [Run(together[i], [(7 * i + step) % 250]) for i in order]
        assert all(batch.takes(run) for run in runs)
        batch.compute(runs)
        for run, i in zip(runs, order, strict=True):
            run.lane.length += 1
            alone[i].step(run.ids[0])
            assert np.array_equal(together[i].logits, alone[i].logits)
    left_out = set(range(4)) - set(order)
    for i in left_out:  # nobody wrote into caches that took no part
        together[i].step(1)
        alone[i].step(1)
        assert np.array_equal(together[i].logits, alone[i].logits)


def test_only_single_tokens_of_caches_in_the_arena_are_taken(engine: Engine) -> None:
    shape = engine.cache_shape(256)
    arena = Arena(shape, 1)
    inside, outside = KvCache(shape, arena), KvCache(shape, arena)
    assert outside.arena is not arena  # it was full
    batch = BatchedSteps(engine, arena)
    lane = Lane(engine, inside, CancelToken())
    assert batch.takes(Run(lane, [1]))
    assert not batch.takes(Run(lane, [1, 2]))
    assert not batch.takes(Run(Lane(engine, outside, CancelToken()), [1]))


def test_what_onnx_runtime_refuses_moves_no_lane(engine: Engine) -> None:
    arena = Arena(engine.cache_shape(256), 4)
    made = lanes(engine, arena)
    before = [lane.logits.copy() for lane in made]
    with pytest.raises(EdgewardError, match="ONNX Runtime failed"):
        BatchedSteps(engine, arena).compute([Run(made[0], [1]), Run(made[1], [10**6])])
    assert [lane.length for lane in made] == [len(prompt) for prompt in PROMPTS]
    for lane, logits in zip(made, before, strict=True):
        assert np.array_equal(lane.logits, logits)


SHAPE = CacheShape(layers=2, kv_heads=2, context=1024, head_dim=64, kind="float16")


def test_a_dropped_cache_gives_its_slot_and_its_memory_back() -> None:
    arena = Arena(SHAPE, 2)
    first, second = KvCache(SHAPE, arena), KvCache(SHAPE, arena)
    assert (first.slot, second.slot) == (0, 1)
    first.buffers[...] = 1.0
    second.buffers[...] = 2.0
    del first
    gc.collect()
    assert not arena.buffers[0].any()  # fresh pages
    assert (arena.buffers[1] == 2.0).all()
    assert KvCache(SHAPE, arena).slot == 0


def test_a_pool_lays_caches_next_to_each_other_where_the_graph_can_use_it() -> None:
    pool = CachePool(SHAPE, limit=None)
    arena = pool.gather(2)
    assert arena is not None
    lent = [pool.acquire([1, 2, 3]) for _ in range(3)]
    assert [cache.arena is arena for cache in lent] == [True, True, False]
    limited = CachePool(SHAPE, limit=2).gather(8)
    assert limited is not None
    assert len(limited.buffers) == 2
    portable = CacheShape(layers=2, kv_heads=2, context=64, head_dim=64)
    assert CachePool(portable, limit=None).gather(4) is None


def test_a_prefix_is_copied_from_slot_to_slot() -> None:
    pool = CachePool(SHAPE, limit=None)
    pool.gather(3)
    first = pool.acquire([1, 2, 3, 4])
    first.buffers[..., :16, :] = 5.0
    first.prefilled, first.touched = [1, 2, 3, 4], 4
    pool.release(first)
    second = pool.acquire([1, 2, 9])
    assert second is not first
    assert second.prefilled == [1, 2]
    assert (second.buffers[..., :2, :] == 5.0).all()


def test_slots_of_a_pool_do_not_wait_for_the_garbage_collector() -> None:
    pool = CachePool(SHAPE, limit=None, keep=1)
    arena = pool.gather(2)
    held = []
    for number in range(20):  # each prompt is new; somebody still holds the caches of the old ones
        cache = pool.acquire([number, 1, 2])
        assert cache.arena is arena
        held.append(cache)
        cache.prefilled = [number, 1, 2]
        pool.release(cache)


def test_a_cache_that_found_no_room_is_not_kept() -> None:
    pool = CachePool(SHAPE, limit=None, keep=4)
    arena = pool.gather(2)
    lent = [pool.acquire([i, i]) for i in range(3)]
    for cache in lent:
        cache.prefilled = [7, 8]
        pool.release(cache)
    assert pool.acquire([7, 8]).arena is arena
    assert pool.acquire([7, 8]).arena is arena
