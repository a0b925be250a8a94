"""Damaged logits, wrong arrays and values out of range end in an error that names them."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from edgeward.kernels import _native

ISAS = _native.supported_isas()
SETTINGS: list[dict[str, Any]] = [
    {},
    {"temperature": 0.0},
    {"top_k": 3},
    {"top_p": 0.9},
    {"min_p": 0.1},
    {"typical_p": 0.9},
    {"top_n_sigma": 1.0},
    {"xtc_probability": 1.0},
    {"mirostat_tau": 3.0},
]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("size", [1, 17, 256, 1000])
def test_a_nan_anywhere_is_an_error(isa: str, setting: dict[str, Any], size: int) -> None:
    sampler = _native.Sampler(size, isa=isa, **setting)
    for place in {0, size // 2, size - 1}:
        for nan in (np.float32("nan"), -np.float32("nan")):
            x = np.linspace(-5, 5, size).astype(np.float32)
            x[place] = nan
            with pytest.raises(ValueError, match=rf"logits\[{place}\] is NaN"):
                sampler.sample(x, 0)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_plus_infinity_is_an_error_also_beside_minus_infinity(
    isa: str, setting: dict[str, Any]
) -> None:
    x = np.full(300, -np.inf, dtype=np.float32)
    x[270] = np.inf
    with pytest.raises(ValueError, match=r"logits\[270\] is \+inf"):
        _native.Sampler(300, isa=isa, **setting).sample(x, 0)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_nothing_left_is_an_error(isa: str, setting: dict[str, Any]) -> None:
    x = np.zeros(40, dtype=np.float32)
    sampler = _native.Sampler(40, isa=isa, **setting)
    with pytest.raises(ValueError, match=r"no token is allowed: all 40 logits"):
        sampler.sample(np.full(40, -np.inf, dtype=np.float32), 0)
    with pytest.raises(ValueError, match=r"no token is allowed"):
        sampler.sample(x, 0, np.zeros(2, dtype=np.uint32))
    banned = _native.Sampler(40, isa=isa, banned_ids=range(40), **setting)
    with pytest.raises(ValueError, match=r"no token is allowed"):
        banned.sample(x, 0)
    assert not x.any()  # put back although the call failed


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_largest_floats_are_no_nan(isa: str, setting: dict[str, Any]) -> None:
    x = np.full(600, np.finfo(np.float32).max, dtype=np.float32)
    x[::2] = -np.inf
    assert _native.Sampler(600, isa=isa, **setting).sample(x, 0) % 2 == 1
    x[:] = np.finfo(np.float32).min
    assert 0 <= _native.Sampler(600, isa=isa, **setting).sample(x, 0) < 600


@pytest.mark.parametrize("setting", SETTINGS)
def test_one_token_left_is_that_token(setting: dict[str, Any]) -> None:
    x = np.full(1000, -np.inf, dtype=np.float32)
    x[613] = -1e30
    sampler = _native.Sampler(1000, **setting)
    assert {sampler.sample(x, i) for i in range(20)} == {613}


@pytest.mark.parametrize(
    ("name", "value", "range_text"),
    [
        ("temperature", -0.1, "between 0 and 100"),
        ("temperature", float("nan"), "between 0 and 100"),
        ("temperature", float("inf"), "between 0 and 100"),
        ("top_k", -2, "at least 1"),
        ("top_p", 0.0, "greater than 0 and at most 1"),
        ("top_p", 1.5, "greater than 0 and at most 1"),
        ("top_p", float("nan"), "greater than 0"),
        ("min_p", -0.1, "between 0 and 1"),
        ("min_p", 1.1, "between 0 and 1"),
        ("typical_p", 0.0, "greater than 0 and at most 1"),
        ("repetition_penalty", 0.0, "greater than 0 and at most 100"),
        ("frequency_penalty", 2.5, "between -2 and 2"),
        ("presence_penalty", -3.0, "between -2 and 2"),
        ("logit_bias", {1: 101.0}, "between -100 and 100"),
        ("logit_bias", {1: float("nan")}, "between -100 and 100"),
        ("logit_bias", {9: 1.0}, "0 to 7"),
        ("banned_ids", [8], "0 to 7"),
        ("banned_ids", [-1], "0 to 7"),
        ("end_ids", [8], "0 to 7"),
        ("forced_ids", [8], "0 to 7"),
        ("bad_words_ids", [[1, 8]], "0 to 7"),
        ("bad_words_ids", [[]], "without tokens"),
        ("dry_breaker_ids", [8], "0 to 7"),
        ("top_n_sigma", -1.0, "between 0 and 100"),
        ("xtc_probability", 1.5, "between 0 and 1"),
        ("xtc_threshold", 0.0, "greater than 0 and at most 1"),
        ("mirostat_tau", -1.0, "between 0 and 100"),
        ("mirostat_eta", 1.5, "between 0 and 1"),
        ("penalty_window", -1, "at least 0"),
        ("dry_multiplier", 101.0, "between 0 and 100"),
        ("dry_base", 0.9, "between 1 and 100"),
        ("dry_allowed_length", 0, "at least 1"),
        ("dry_window", -1, "at least 0"),
        ("no_repeat_ngram_size", -1, "at least 0"),
        ("min_tokens", -1, "at least 0"),
    ],
)
def test_values_out_of_range_are_refused(name: str, value: Any, range_text: str) -> None:
    with pytest.raises(ValueError, match=name) as error:
        _native.Sampler(8, **{name: value})
    assert range_text in str(error.value)


def test_unknown_settings_and_wrong_types_are_type_errors() -> None:
    with pytest.raises(TypeError, match="unknown setting 'top_q'"):
        _native.Sampler(8, top_q=1)  # type: ignore[call-arg]
    for name, value in (("top_k", 1.5), ("top_p", "x"), ("seed", -1), ("seed", 2**64)):
        with pytest.raises(TypeError, match=f"{name} is .*wrong type or does not fit"):
            _native.Sampler(8, **{name: value})


def test_mirostat_refuses_other_cuts() -> None:
    with pytest.raises(ValueError, match="mirostat_tau is 5; mirostat makes the only cut"):
        _native.Sampler(8, mirostat_tau=5.0, top_k=3)


@pytest.mark.parametrize("size", [0, -1, 2**24 + 1, 2**62])
def test_a_vocabulary_of_no_or_too_many_tokens_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=rf"vocab_size is {size}"):
        _native.Sampler(size)


def test_the_smallest_top_p_and_temperature_work() -> None:
    x = np.arange(100, dtype=np.float32)
    assert _native.Sampler(100, top_p=5e-324).sample(x, 0) == 99
    assert _native.Sampler(100, temperature=5e-324).sample(x, 0) == 99
    assert _native.Sampler(100, temperature=1e-5).sample(x * 1e30, 0) == 99
    assert _native.Sampler(100, min_p=5e-324, top_k=2**62).sample(x, 0) > 50


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros(8, dtype=np.float64),
        np.zeros(8, dtype=np.float16),
        np.zeros(8, dtype=">f4"),
        np.zeros(7, dtype=np.float32),
        np.zeros(0, dtype=np.float32),
        np.zeros((1, 8), dtype=np.float32),
        np.zeros(16, dtype=np.float32)[::2],
        np.zeros(8, dtype=np.float32)[::-1],
        np.frombuffer(bytes(33), dtype=np.uint8)[1:].view(np.float32),
    ],
    ids=["double", "half", "swapped", "short", "empty", "matrix", "strided", "reversed", "askew"],
)
def test_arrays_of_another_kind_are_refused(wrong: np.ndarray[Any, Any]) -> None:
    sampler = _native.Sampler(8)
    with pytest.raises(ValueError, match=r"logits is an array of .* contiguous, aligned float32"):
        sampler.sample(wrong, 0)
    with pytest.raises(ValueError, match="logits is an array of"):
        sampler.logprobs(wrong, 0)


def test_masks_of_another_kind_are_refused() -> None:
    x = np.zeros(33, dtype=np.float32)
    for wrong in (np.zeros(1, dtype=np.uint32), np.zeros(2, dtype=np.int32), np.zeros(33, bool)):
        with pytest.raises(ValueError, match=r"allowed is an array of .*uint32 array of shape \(2"):
            _native.Sampler(33).sample(x, 0, wrong)


def test_ids_and_positions_out_of_range_are_refused() -> None:
    x = np.zeros(8, dtype=np.float32)
    sampler = _native.Sampler(8, repetition_penalty=1.1)
    with pytest.raises(ValueError, match="position is -1"):
        sampler.sample(x, -1)
    for wrong in (-1, 8):
        with pytest.raises(ValueError, match=f"id is {wrong}; .* 0 to 7"):
            sampler.observe(wrong)
        with pytest.raises(ValueError, match=f"a prompt id is {wrong}"):
            sampler.observe_prompt([1, wrong])
        with pytest.raises(ValueError, match=f"id is {wrong}"):
            sampler.logprobs(x, wrong)
        with pytest.raises(ValueError, match="top_n is"):
            sampler.logprobs(x, 0, 9 if wrong == 8 else -1)
    for wrong_ids in ([0.5], [[1]], ["a"], [2**70]):
        with pytest.raises(ValueError, match="whole numbers"):
            sampler.observe_prompt(wrong_ids)  # type: ignore[arg-type]
    sampler.observe_prompt([])


def test_a_second_thread_in_the_same_sampler_is_told_so() -> None:
    x = np.random.default_rng(0).normal(0, 1, 1 << 22).astype(np.float32)
    sampler = _native.Sampler(len(x), typical_p=0.5)
    expected = sampler.sample(x, 0)
    told, drawn = [], []

    def draw() -> None:
        try:
            drawn.append(sampler.sample(x, 0))
        except RuntimeError as error:
            told.append(str(error))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(drawn) == {expected}  # the winner is undisturbed
    assert all("in use by another thread" in message for message in told)
    assert len(told) + len(drawn) == 4
    assert told, "the calls never met: the GIL was held"
