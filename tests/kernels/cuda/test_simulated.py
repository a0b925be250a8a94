"""The CUDA algorithms, run thread after thread on the host, draw the CPU sampler's tokens.

What this proves: the cuts, the selection, the draws and their arithmetic. What it cannot prove: the
barriers, shuffles and atomics of team.cuh, which only a device runs (test_device.py).
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
import sampler_cases
from cuda_step import Simulated, from_bfloat16, to_bfloat16
from numpy.typing import NDArray
from sampler_cases import KINDS, made_logits

from edgeward.kernels import _native

SETTINGS: dict[str, dict[str, Any]] = {
    **sampler_cases.SETTINGS,
    "hottest": {"temperature": 100.0},
    "top_k whole": {"top_k": 10**6},
    "typical_p small": {"typical_p": 0.01},
    "penalties": {"repetition_penalty": 1.3, "frequency_penalty": 0.5, "penalty_window": 4},
    "dry": {"dry_multiplier": 0.8, "dry_allowed_length": 1, "no_repeat_ngram_size": 3},
    "forced": {"forced_ids": [0, 0]},
    "ends": {"min_tokens": 2, "end_ids": [0]},
    "everything": {**sampler_cases.SETTINGS["everything"], "dry_multiplier": 0.5},
}
# Around groups of 32, blocks of 256, chunks of 2,048; more blocks than threads: see below.
SIZES = [1, 2, 31, 33, 255, 256, 257, 2047, 2049, 4099]


def pairs(size: int, count: int, **setting: Any) -> list[list[_native.Sampler]]:
    return [[_native.Sampler(size, seed=s, **setting) for s in range(count)] for _ in "ab"]


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_the_cpu_picks_the_same_tokens(simulated: Simulated, setting: dict[str, Any]) -> None:
    for size in SIZES:
        x = np.stack([made_logits(kind, size) for kind in KINDS])
        ours, theirs = pairs(size, len(KINDS), **setting)
        for sampler in (*ours, *theirs):
            sampler.observe_prompt([0, size // 2])
        for position in range(4):
            blocked = setting.get("min_tokens", 0) > position and size == 1
            if blocked or not _has_token(theirs, x, position):
                break
            positions = [position + row for row in range(len(KINDS))]
            drawn = simulated.sample(ours, x, positions, order=position % 3)
            assert drawn == _native.sample_batch(theirs, x, positions), (size, position)
            for id, a, b in zip(drawn, ours, theirs, strict=True):
                a.observe(id)
                b.observe(id)


def _has_token(samplers: list[_native.Sampler], x: NDArray[np.float32], position: int) -> bool:
    try:
        _native.sample_batch(samplers, x, [position] * len(samplers))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
@pytest.mark.parametrize("size", [49_152, 262_144 + 300])
def test_real_vocabularies(simulated: Simulated, setting: dict[str, Any], size: int) -> None:
    x = np.stack([made_logits(kind, size) for kind in ("real", "tied")])
    ours, theirs = pairs(size, 2, **setting)
    assert simulated.sample(ours, x, [7, 8]) == _native.sample_batch(theirs, x, [7, 8])


@pytest.mark.parametrize("type", ["float16", "bfloat16"])
def test_sixteen_bits_draw_as_their_floats_do(simulated: Simulated, type: str) -> None:
    for size in (33, 5000):
        x = np.stack([made_logits(kind, size) for kind in ("real", "tied", "holes")])
        half = x.astype(np.float16) if type == "float16" else to_bfloat16(x)
        full = half.astype(np.float32) if type == "float16" else from_bfloat16(half)
        for setting in SETTINGS.values():
            ours, theirs = pairs(size, 3, **setting)
            drawn = simulated.sample(ours, half, [1, 2, 3], type=type)
            assert drawn == _native.sample_batch(theirs, full, [1, 2, 3]), setting


def test_every_half_is_converted_exactly(simulated: Simulated) -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    for type, code, exact in (
        ("float16", 1, bits.view(np.float16).astype(np.float32)),
        ("bfloat16", 2, from_bfloat16(bits)),
    ):
        values = np.empty(len(bits), dtype=np.float32)
        simulated.library.edgeward_simulated_floats(
            ctypes.c_void_p(bits.ctypes.data),
            ctypes.c_size_t(len(bits)),
            code,
            ctypes.c_void_p(values.ctypes.data),
        )
        same = (values == exact) | (np.isnan(values) & np.isnan(exact))
        assert same.all(), type
        assert (np.signbit(values) == np.signbit(exact)).all()


@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
def test_masks_are_applied_on_the_device(simulated: Simulated, share: float) -> None:
    rng = np.random.default_rng(5)
    for size in SIZES:
        open_ids = rng.random((3, size)) < share
        open_ids[:, size // 2] = True
        bits = np.zeros((3, (size + 31) // 32 * 32), dtype=np.uint8)
        bits[:, :size] = open_ids
        bits[:, size:] = 1  # bits beyond the vocabulary are ignored
        allowed = np.packbits(bits, axis=1, bitorder="little").view("<u4").astype(np.uint32)
        x = np.stack([made_logits("real", size, seed) for seed in range(3)])
        x[:, size // 2] = 1.0
        for setting in ({}, {"temperature": 0.0}, {"top_k": 3}, {"top_p": 0.8, "min_p": 0.02}):
            ours, theirs = pairs(size, 3, **setting)
            drawn = simulated.sample(ours, x, [0, 1, 2], allowed)
            assert open_ids[[0, 1, 2], drawn].all()
            assert drawn == _native.sample_batch(theirs, x.copy(), [0, 1, 2], allowed)


def test_rows_have_settings_of_their_own(simulated: Simulated) -> None:
    size = 3000
    x = np.stack([made_logits("real", size, seed) for seed in range(len(SETTINGS))])
    ours, theirs = (
        [_native.Sampler(size, seed=s, **setting) for s, setting in enumerate(SETTINGS.values())]
        for _ in "ab"
    )
    for step in range(6):
        positions = [step + row for row in range(len(ours))]
        drawn = simulated.sample(ours, x, positions, order=step % 3)
        assert drawn == _native.sample_batch(theirs, x, positions)
        for id, a, b in zip(drawn, ours, theirs, strict=True):
            a.observe(id)
            b.observe(id)


def test_a_stride_wider_than_the_vocabulary(simulated: Simulated) -> None:
    wide = np.full((2, 700), np.nan, dtype=np.float32)
    wide[:, :300] = np.stack([made_logits("real", 300, seed) for seed in range(2)])
    x = wide[:, :300]
    ours, theirs = pairs(300, 2, top_p=0.9)
    drawn = simulated.sample(ours, x, [0, 1])
    assert drawn == _native.sample_batch(theirs, np.ascontiguousarray(x), [0, 1])


def test_logprobs_are_the_cpus(simulated: Simulated) -> None:
    size = 5000
    x = np.stack([made_logits(kind, size) for kind in KINDS])
    samplers = pairs(size, len(KINDS), temperature=0.7, top_k=9, logit_bias={5: 3.0})[0]
    draws = simulated.draw(samplers, x, [3] * len(KINDS), logprobs=True)
    found = _native.draw_logprobs(draws, len(KINDS))
    ids = _native.settle_step(samplers, draws)
    for row, (id, sampler) in enumerate(zip(ids, samplers, strict=True)):
        assert found[row] == np.float32(sampler.logprobs(x[row], id)[0])


def test_damaged_logits_are_told_of_as_on_the_cpu(simulated: Simulated) -> None:
    size = 600
    for setting in SETTINGS.values():
        if "forced_ids" in setting:
            continue
        for place, value, words in (
            (0, np.nan, r"row 0: logits\[0\] is NaN"),
            (599, -np.nan, r"row 0: logits\[599\] is NaN"),
            (300, np.inf, r"row 0: logits\[300\] is \+inf"),
        ):
            x = np.linspace(-5, 5, size).astype(np.float32)[None]
            x[0, place] = value
            if place == 0:
                x[0, 17] = np.nan  # the first one is named
            if place == 0 and "end_ids" in setting:
                continue  # banned, so not looked at
            with pytest.raises(ValueError, match=words):
                simulated.sample([_native.Sampler(size, **setting)], x, [0])
        x = np.full((1, size), -np.inf, dtype=np.float32)
        with pytest.raises(ValueError, match="row 0: no token is allowed: all 600 logits"):
            simulated.sample([_native.Sampler(size, **setting)], x, [0])


def test_hostile_logits_never_give_an_invalid_id(simulated: Simulated) -> None:
    size = 700
    limits = np.finfo(np.float32)
    rows = [
        np.full(size, limits.max),
        np.full(size, limits.min),
        np.full(size, limits.smallest_subnormal),
        np.where(np.arange(size) % 2, limits.max, limits.min),
        np.where(np.arange(size) == 613, -1e30, -np.inf),
        np.linspace(limits.min / 2, limits.max / 2, size),
    ]
    x = np.stack([row.astype(np.float32) for row in rows])
    for setting in SETTINGS.values():
        ours, theirs = pairs(size, len(rows), **setting)
        drawn = simulated.sample(ours, x, range(len(rows)))
        assert drawn == _native.sample_batch(theirs, x, range(len(rows))), setting


def test_weights_of_one_number_are_those_of_vectors(simulated: Simulated) -> None:
    # The CPU's weights are seen through its draws: two tokens, and the mass they were drawn from.
    drops = -np.concatenate(
        [
            np.linspace(0, 40, 20_001),
            np.geomspace(1e-40, 30, 20_001),
            np.random.default_rng(3).random(40_000) * 25,
        ]
    ).astype(np.float32)
    for temperature in (1.0, 0.3, 7.0):
        scale = np.float32(1.4426950408889634 / temperature)
        ours = np.empty(len(drops), dtype=np.uint32)
        simulated.library.edgeward_simulated_weights(
            ctypes.c_void_p(drops.ctypes.data),
            ctypes.c_size_t(len(drops)),
            ctypes.c_float(scale),
            ctypes.c_void_p(ours.ctypes.data),
        )
        for isa in _native.supported_isas():
            theirs = np.asarray(_native.weights(drops, scale=float(scale), isa=isa))
            assert (ours == theirs).all(), isa


def test_the_plan_is_refused_a_small_buffer_and_strange_draws_are_told_of() -> None:
    sampler = _native.Sampler(8, banned_ids=[1])
    plan = _native.StepPlan()
    plan.make([sampler], [0])
    assert plan.bytes == _native.ROW_BYTES + _native.EDIT_BYTES
    with pytest.raises(ValueError, match=f"the buffer has 3 bytes; this plan needs {plan.bytes}"):
        plan.write(np.zeros(3, dtype=np.uint8))
    with pytest.raises(ValueError, match="draws has 2 bytes; 1 rows have"):
        _native.settle_step([sampler], np.zeros(2, dtype=np.uint8))
    with pytest.raises(RuntimeError, match="status 4008636142"):
        _native.settle_step([sampler], np.full(_native.DRAW_BYTES, 0xEE, dtype=np.uint8))
    with pytest.raises(ValueError, match="positions has 2 entries"):
        plan.make([sampler], [0, 1])
    with pytest.raises(ValueError, match="position is -1"):
        plan.make([sampler], [-1])
