"""The sampler picks the twin's token, on every instruction set, at every size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sampler_cases import KINDS, SETTINGS, made_logits

from edgeward.kernels import _native, reference

ISAS = _native.supported_isas()
# Around every vector width, every block of 256, and a real vocabulary.
SIZES = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 255, 256, 257, 511, 513, 1023, 4099]


def bits_of(open_ids: NDArray[np.bool_]) -> NDArray[np.uint32]:
    mask = np.zeros((len(open_ids) + 31) // 32 * 32, dtype=np.uint8)
    mask[: len(open_ids)] = open_ids
    return np.packbits(mask, bitorder="little").view("<u4").astype(np.uint32)


def pair(isa: str, size: int, **setting: Any) -> tuple[_native.Sampler, reference.Sampler]:
    return _native.Sampler(size, isa=isa, **setting), reference.Sampler(size, **setting)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_the_twin_picks_the_same_tokens(isa: str, setting: dict[str, Any]) -> None:
    for size in SIZES:
        for kind in KINDS:
            x = made_logits(kind, size)
            native, twin = pair(isa, size, seed=size, **setting)
            for sampler in (native, twin):
                sampler.observe_prompt([0, size // 2])
            for position in range(3):
                token = native.sample(x, position)
                assert token == twin.sample(x, position), (size, kind, position)
                native.observe(token)
                twin.observe(token)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_the_twin_agrees_at_a_real_vocabulary(isa: str, setting: dict[str, Any]) -> None:
    for kind in KINDS:
        x = made_logits(kind, 49_152)
        native, twin = pair(isa, len(x), seed=3, **setting)
        assert native.sample(x, 11) == twin.sample(x, 11), kind


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_masks_keep_to_the_allowed_set_and_agree(isa: str, share: float) -> None:
    rng = np.random.default_rng(5)
    for size in SIZES:
        open_ids = rng.random(size) < share
        open_ids[size // 2] = True
        allowed = bits_of(open_ids)
        x = made_logits("real", size)
        for setting in ({}, {"temperature": 0.0}, {"top_k": 3}, {"top_p": 0.8, "min_p": 0.02}):
            native, twin = pair(isa, size, seed=1, **setting)
            for position in range(3):
                token = native.sample(x, position, allowed)
                assert open_ids[token]
                assert token == twin.sample(x, position, allowed)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_narrow_masks_change_nothing_but_the_time(setting: dict[str, Any]) -> None:
    for size in (257, 4099):
        for kind in KINDS:
            x = made_logits(kind, size)
            open_ids = np.random.default_rng(size).random(size) < 0.06
            open_ids[[size // 3, size // 2, size - 1]] = True
            x[np.flatnonzero(~open_ids)[:3]] = np.nan
            allowed = bits_of(open_ids)
            for isa in ISAS:
                native, twin = pair(isa, size, seed=1, **setting)
                for position in range(3):
                    token = native.sample(x, position, allowed)
                    assert token == twin.sample(x, position, allowed), (kind, isa)
                    native.observe(token)
                    twin.observe(token)


def test_damage_under_a_narrow_mask_is_told_with_its_place() -> None:
    x = np.zeros(5000, dtype=np.float32)
    open_ids = np.zeros(5000, dtype=bool)
    with pytest.raises(ValueError, match="all 5000 logits are -inf or masked"):
        _native.Sampler(5000).sample(x, 0, bits_of(open_ids))
    open_ids[[40, 4321]] = True
    for value in (np.nan, np.inf):
        x[4321] = value
        with pytest.raises(ValueError, match=r"logits\[4321\] is"):
            _native.Sampler(5000).sample(x, 0, bits_of(open_ids))
    x[4321] = -np.inf
    assert _native.Sampler(5000).sample(x, 0, bits_of(open_ids)) == 40


def test_bits_beyond_the_vocabulary_are_ignored() -> None:
    x = np.zeros(5, dtype=np.float32)
    allowed = np.array([0xFFFFFFE4], dtype=np.uint32)
    sampler = _native.Sampler(5)
    assert {sampler.sample(x, i, allowed) for i in range(50)} == {2}


@pytest.mark.parametrize("isa", ISAS)
def test_weights_follow_the_exponential(isa: str) -> None:
    # Two tokens: how often the second wins tells its weight; logprobs tell the sum.
    for gap in np.linspace(0, 20, 41):
        x = np.array([0, -gap], dtype=np.float32)
        exact = -np.log1p(np.exp(-np.float64(x[0] - x[1])))
        assert _native.Sampler(2, isa=isa).logprobs(x, 0)[0] == pytest.approx(exact, abs=3e-7)


def test_the_same_seed_and_position_give_the_same_token_in_any_order() -> None:
    x = made_logits("real", 1000)
    forth = _native.Sampler(1000, seed=9)
    back = _native.Sampler(1000, seed=9)
    ahead = [forth.sample(x, i) for i in range(100)]
    assert ahead == [back.sample(x, i) for i in reversed(range(100))][::-1]
    assert ahead != [_native.Sampler(1000, seed=10).sample(x, i) for i in range(100)]


def test_high_positions_and_seeds_count() -> None:
    x = np.zeros(1 << 16, dtype=np.float32)
    places = [(0, 0), (0, 1 << 32), (1 << 32, 0), (2**64 - 1, 2**63 - 1)]
    drawn = [_native.Sampler(len(x), seed=s).sample(x, p) for s, p in places]
    twins = [reference.Sampler(len(x), seed=s).sample(x, p) for s, p in places]
    assert drawn == twins
    assert len(set(drawn)) == 4


@pytest.mark.parametrize("setting", [{}, SETTINGS["everything"]])
def test_the_callers_logits_are_unchanged(setting: dict[str, Any]) -> None:
    x = made_logits("real", 3000)
    before = x.copy()
    sampler = _native.Sampler(3000, banned_ids=[7, 7, 8], **setting)
    sampler.observe_prompt([7, 9, 9])
    for position in range(20):
        sampler.observe(sampler.sample(x, position))
    assert x.tobytes() == before.tobytes()


def test_read_only_logits_give_the_same_tokens() -> None:
    x = made_logits("real", 3000)
    frozen = x.copy()
    frozen.flags.writeable = False
    ours, theirs = (_native.Sampler(3000, logit_bias={1: 20.0}, top_p=0.9) for _ in "ab")
    assert [ours.sample(x, i) for i in range(50)] == [theirs.sample(frozen, i) for i in range(50)]


def test_banned_tokens_are_never_drawn() -> None:
    x = made_logits("flat", 6)
    sampler = _native.Sampler(6, banned_ids=[0, 2, 5])
    assert {sampler.sample(x, i) for i in range(200)} == {1, 3, 4}


def test_repetition_counts_the_prompt_and_frequency_does_not() -> None:
    x = np.array([2.0, 1.9, -9.0], dtype=np.float32)
    repeats = _native.Sampler(3, temperature=0, repetition_penalty=1.5)
    counts = _native.Sampler(3, temperature=0, frequency_penalty=0.2)
    for sampler in (repeats, counts):
        assert sampler.sample(x, 0) == 0
        sampler.observe_prompt([0])
    assert repeats.sample(x, 1) == 1
    assert counts.sample(x, 1) == 0
    counts.observe(0)
    assert counts.sample(x, 2) == 1


@pytest.mark.parametrize("isa", ISAS)
def test_logprobs_are_the_models_own(isa: str) -> None:
    for size in SIZES:
        for kind in KINDS:
            x = made_logits(kind, size)
            native, twin = pair(isa, size, temperature=0.3, logit_bias={0: 50.0}, top_k=1)
            top_n = min(size, 8)
            chosen, top = native.logprobs(x, size // 3, top_n)
            expected, expected_top = twin.logprobs(x, size // 3, top_n)
            assert chosen == pytest.approx(expected, rel=1e-6, abs=2e-6)
            assert [i for i, _ in top] == [i for i, _ in expected_top]
            np.testing.assert_allclose(
                [p for _, p in top], [p for _, p in expected_top], rtol=1e-6, atol=2e-6
            )
