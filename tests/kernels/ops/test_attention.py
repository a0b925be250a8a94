"""Attention over the segmented cache: equal to its twin, near the textbook, alone as in a crowd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeward.kernels import _native, reference_ops

ISAS = _native.supported_isas()
# Of results that are averages of values of order 1, against double precision over the same cache.
FLOAT16_ERROR = 3e-6
Floats = NDArray[np.float32]


def _random(rows: int, cols: int, seed: int) -> Floats:
    return np.random.default_rng(seed).normal(0, 1, (rows, cols)).astype(np.float32)


def _filled(
    kv_heads: int, dim: int, count: int, int8: bool, isa: str
) -> tuple[_native.KvCache, reference_ops.KvCache]:
    context = -(-(count + 1) // 64) * 64
    real = _native.KvCache(kv_heads, dim, context, int8=int8)
    twin = reference_ops.KvCache(kv_heads, dim, context, int8=int8)
    keys, values = _random(count, kv_heads * dim, 1), _random(count, kv_heads * dim, 2)
    real.append(0, keys, values, isa=isa)
    twin.append(0, keys, values)
    return real, twin


OPTIONS: list[dict[str, Any]] = [
    {"scale": 0.125},
    {"scale": 0.3, "soft_cap": 5.0},
    {"scale": 0.2, "window": 20},
    {"scale": 0.2, "window": 64, "soft_cap": 30.0},
]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
def test_it_is_its_twin_bit_for_bit(options: dict[str, Any], int8: bool, isa: str) -> None:
    for kv_heads, group, dim in ((1, 1, 16), (2, 3, 48), (1, 4, 64)):
        real, twin = _filled(kv_heads, dim, 150, int8, isa)
        heads = kv_heads * group
        for position in (0, 15, 63, 64, 130, 149):
            q = _random(1, heads * dim, position)
            made = real.attend(q, position, heads=heads, isa=isa, **options)
            assert np.array_equal(made, twin.attend(q, position, heads=heads, **options))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("int8", [False, True])
def test_a_query_does_not_depend_on_chunks_threads_or_how_work_is_split(
    int8: bool, isa: str
) -> None:
    kv_heads, heads, dim, count = 3, 9, 64, 210
    real, _ = _filled(kv_heads, dim, count, int8, isa)
    q = _random(count, heads * dim, 5)
    team = _native.Team(2, spin_us=20)
    for options in ({"scale": 0.125}, {"scale": 0.125, "window": 70}):
        kept = {"heads": heads, "isa": isa, **options}
        whole = real.attend(q, 0, **kept)
        for size in (1, 7, 16, 64, 111):
            parts = [real.attend(q[i : i + size], i, **kept) for i in range(0, count, size)]
            assert np.array_equal(np.concatenate(parts), whole)
        assert np.array_equal(real.attend(q, 0, team=team, **kept), whole)
        assert np.array_equal(real.attend(q, 0, team=team, split=True, **kept), whole)
        last = real.attend(q[-1:], count - 1, team=team, split=True, **kept)
        assert np.array_equal(last, whole[-1:])


@pytest.mark.parametrize("isa", ISAS)
def test_it_is_the_textbooks_attention(isa: str) -> None:
    kv_heads, heads, dim, count = 2, 4, 80, 200
    real, twin = _filled(kv_heads, dim, count, False, isa)
    q = _random(count, heads * dim, 5)
    made = real.attend(q, 0, heads=heads, scale=dim**-0.5, isa=isa)
    for t in (0, 1, 100, 199):
        for head in range(heads):
            part = np.s_[head * dim : (head + 1) * dim]
            keys = twin.keys[head // 2, : t + 1].astype(np.float64)
            scores = keys @ q[t, part] * dim**-0.5
            weights = np.exp(scores - scores.max())
            exact = weights @ twin.values[head // 2, : t + 1] / weights.sum()
            assert np.abs(made[t, part] - exact).max() < FLOAT16_ERROR


@pytest.mark.parametrize("isa", ISAS)
def test_all_rows_of_a_tile_and_all_head_sizes_work(isa: str) -> None:
    for heads in range(1, 18):
        real, twin = _filled(1, 32, 20, False, isa)
        q = _random(1, heads * 32, heads)
        expected = twin.attend(q, 19, heads=heads, scale=0.2)
        assert np.array_equal(real.attend(q, 19, heads=heads, scale=0.2, isa=isa), expected)
    for dim in (16, 96, 256, 512):
        real, twin = _filled(1, dim, 3, False, isa)
        q = _random(1, dim, dim)
        expected = twin.attend(q, 2, heads=1, scale=0.05)
        assert np.array_equal(real.attend(q, 2, heads=1, scale=0.05, isa=isa), expected)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("int8", [False, True])
def test_what_lies_behind_the_last_position_is_not_seen(int8: bool, isa: str) -> None:
    real, _ = _filled(1, 32, 70, int8, isa)
    q = _random(1, 32, 3)
    before = real.attend(q, 66, heads=1, isa=isa)
    junk = np.full((3, 32), np.nan, np.float32)
    real.append(67, junk, junk, isa=isa)
    assert np.array_equal(real.attend(q, 66, heads=1, isa=isa), before)
    assert np.isnan(real.attend(q, 67, heads=1, isa=isa)).all()


@pytest.mark.parametrize("isa", ISAS)
def test_a_query_that_is_not_finite_spoils_only_itself(isa: str) -> None:
    real, _ = _filled(1, 32, 40, False, isa)
    q = _random(4, 32, 3)
    expected = real.attend(q, 30, heads=1, isa=isa)
    for bad in (np.nan, np.inf):
        broken = q.copy()
        broken[1, 5] = bad
        made = real.attend(broken, 30, heads=1, isa=isa)
        assert np.isnan(made[1]).all()
        assert np.array_equal(made[[0, 2, 3]], expected[[0, 2, 3]])


@pytest.mark.parametrize("isa", ISAS)
def test_scores_far_apart_choose_one_position(isa: str) -> None:
    real = _native.KvCache(1, 16, 128)
    keys, values = np.zeros((100, 16), np.float32), _random(100, 16, 1)
    keys[:, 0] = np.arange(100) - 50
    real.append(0, keys, values, isa=isa)
    q = np.zeros((1, 16), np.float32)
    q[0, 0] = 1000
    chosen = values[99].astype(np.float16)
    assert np.array_equal(real.attend(q, 99, heads=1, isa=isa)[0], chosen)


def test_no_queries_give_no_rows() -> None:
    real, _ = _filled(1, 16, 3, False, ISAS[0])
    assert real.attend(np.zeros((0, 16), np.float32), 2, heads=1).shape == (0, 16)


def test_shapes_that_do_not_fit_are_refused_with_the_reason() -> None:
    for wrong, said in (
        ((1, 24, 64), "head_dim is 24"),
        ((1, 1024, 64), "head_dim is 1024"),
        ((1, 16, 100), "context is 100"),
        ((0, 16, 64), "kv_heads is 0"),
        ((1, 16, 2**40), "positions; the most are"),
    ):
        with pytest.raises(ValueError, match=said):
            _native.KvCache(*wrong)
    cache = _native.KvCache(2, 16, 64)
    q = np.zeros((2, 48), np.float32)
    with pytest.raises(ValueError, match="heads is 3"):
        cache.attend(q, 0, heads=3)
    with pytest.raises(ValueError, match="do not fit a context of 64"):
        cache.attend(np.zeros((2, 32), np.float32), 63, heads=2)
    with pytest.raises(ValueError, match="do not fit a context of 64"):
        cache.append(64, np.zeros((1, 32), np.float32), np.zeros((1, 32), np.float32))
    with pytest.raises(ValueError, match="soft_cap"):
        cache.attend(np.zeros((1, 32), np.float32), 0, heads=2, soft_cap=-1.0)
