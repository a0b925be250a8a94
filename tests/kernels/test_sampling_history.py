"""What the tokens so far change: penalties in a window, DRY, n-grams, bad words, first and last."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeward.kernels import _native, reference

SETTINGS: dict[str, dict[str, Any]] = {
    "window": {
        "penalty_window": 5,
        "repetition_penalty": 1.4,
        "frequency_penalty": 0.9,
        "presence_penalty": 0.4,
    },
    "window of output": {"penalty_window": 3, "frequency_penalty": 1.5},
    "dry": {"dry_multiplier": 0.8, "dry_allowed_length": 1},
    "dry limited": {
        "dry_multiplier": 0.8,
        "dry_breaker_ids": [0, 3],
        "dry_window": 12,
        "dry_base": 2.5,
    },
    "ngram 1": {"no_repeat_ngram_size": 1},
    "ngram 2": {"no_repeat_ngram_size": 2},
    "ngram and dry": {"no_repeat_ngram_size": 4, "dry_multiplier": 1.0, "dry_window": 9},
    "bad words": {"bad_words_ids": [[0, 1], [1], [2, 2, 2], [4, 3]]},
    "ends": {"min_tokens": 7, "end_ids": [0, 2]},
    "forced": {"forced_ids": [4, 4, 1]},
    "mirostat": {"mirostat_tau": 2.0, "mirostat_eta": 0.5},
    "mirostat tight": {"mirostat_tau": 0.3, "mirostat_eta": 1.0, "temperature": 2.0},
}


def texts(vocabulary: int, seed: int) -> tuple[list[int], NDArray[np.float32]]:
    """A prompt that repeats itself, and logits that like a few tokens."""
    rng = np.random.default_rng([vocabulary, seed])
    phrase = rng.integers(0, vocabulary, 6).tolist()
    prompt = [*phrase, *phrase[2:], *rng.integers(0, vocabulary, 4).tolist(), *phrase[:3]]
    return prompt, rng.normal(0, 1.5, vocabulary).astype(np.float32)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
@pytest.mark.parametrize("vocabulary", [5, 6, 40, 300])
def test_the_twin_agrees_step_by_step(vocabulary: int, setting: dict[str, Any]) -> None:
    for seed in range(4):
        prompt, x = texts(vocabulary, seed)
        native = _native.Sampler(vocabulary, seed=seed, **setting)
        twin = reference.Sampler(vocabulary, seed=seed, **setting)
        for sampler in (native, twin):
            sampler.observe_prompt(prompt)
        for position in range(40):
            if not np.isfinite(twin.adjusted(x)).any():
                with pytest.raises(ValueError, match="no token is allowed"):
                    native.sample(x, position)
                break
            token = native.sample(x, position)
            assert token == twin.sample(x, position), (seed, position)
            native.observe(token)
            twin.observe(token)


def chosen(x: list[float], seen: list[int], **setting: Any) -> int:
    sampler = _native.Sampler(len(x), temperature=0.0, **setting)
    for token in seen:
        sampler.observe(token)
    return sampler.sample(np.array(x, dtype=np.float32), len(seen))


def test_a_token_that_left_the_window_is_free_again() -> None:
    setting = {"penalty_window": 2, "frequency_penalty": 1.0}
    assert chosen([1.0, 0.5, 0.2, 0.1], [0], **setting) == 1
    assert chosen([1.0, 0.5, 0.2, 0.1], [0, 1], **setting) == 2
    assert chosen([1.0, 0.5, 0.2, 0.1], [0, 1, 2], **setting) == 0


def test_dry_charges_more_the_longer_the_run() -> None:
    # 0 1 2 3 ... 0 1 2: a 3 would repeat a run of three.
    seen = [0, 1, 2, 3, 4, 0, 1, 2]
    paid = 0.5 * 2.0 ** (3 - 2)
    for lead, token in ((paid + 0.01, 3), (paid - 0.01, 4)):
        x = [0.0, 0.0, 0.0, lead, 0.0]
        x[4] = 1e-6
        got = chosen(x, seen, dry_multiplier=0.5, dry_base=2.0, dry_allowed_length=2)
        assert got == token


def test_dry_does_not_look_past_a_breaker_nor_charge_for_one() -> None:
    x = [0.0, 0.0, 0.0, 1.0, 0.5]
    seen = [0, 1, 2, 3, 4, 0, 1, 2]
    assert chosen(x, seen, dry_multiplier=5.0) == 4
    assert chosen(x, seen, dry_multiplier=5.0, dry_breaker_ids=[1]) == 3
    assert chosen(x, seen, dry_multiplier=5.0, dry_breaker_ids=[3]) == 3


def test_dry_stays_finite_however_long_the_run() -> None:
    sampler = _native.Sampler(3, temperature=0.0, dry_multiplier=100.0, dry_base=100.0)
    sampler.observe_prompt([0] * 5000)
    assert sampler.sample(np.array([9, 1, -9], dtype=np.float32), 0) == 1
    only = _native.Sampler(1, temperature=0.0, dry_multiplier=100.0, dry_base=100.0)
    only.observe_prompt([0] * 5000)
    assert only.sample(np.array([9], dtype=np.float32), 0) == 0


def test_no_ngram_comes_twice() -> None:
    x = np.random.default_rng(0).normal(0, 1, 12).astype(np.float32)
    sampler = _native.Sampler(12, no_repeat_ngram_size=3, temperature=0.4, seed=5)
    tokens: list[int] = []
    for position in range(300):
        tokens.append(sampler.sample(x, position))
        sampler.observe(tokens[-1])
    ngrams = list(zip(tokens, tokens[1:], tokens[2:], strict=False))
    assert len(set(ngrams)) == len(ngrams)


def test_a_bad_word_is_not_completed_by_the_output_but_may_follow_the_prompt() -> None:
    x = np.array([0, 1, 0.5], dtype=np.float32)
    sampler = _native.Sampler(3, temperature=0.0, bad_words_ids=[[2, 1]])
    sampler.observe_prompt([2])
    assert sampler.sample(x, 0) == 1
    sampler.observe(2)
    assert sampler.sample(x, 1) == 2
    sampler.observe(0)
    assert sampler.sample(x, 2) == 1


def test_ends_wait_for_min_tokens_and_forced_tokens_for_nothing() -> None:
    x = np.array([9, 1, 0], dtype=np.float32)
    sampler = _native.Sampler(3, temperature=0.0, min_tokens=3, end_ids=[0], forced_ids=[2, 0])
    drawn = []
    for position in range(4):
        drawn.append(sampler.sample(x, position))
        sampler.observe(drawn[-1])
    assert drawn == [2, 0, 1, 0]


def test_mirostat_holds_the_surprise_near_its_target() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(0, 2, (50, 2000)).astype(np.float32)
    free = _native.Sampler(2000, seed=3)
    held = _native.Sampler(2000, seed=3, mirostat_tau=4.0, mirostat_eta=0.1)
    surprise: dict[str, list[float]] = {"free": [], "held": []}
    for position in range(1500):
        x = rows[position % 50]
        for name, sampler in (("free", free), ("held", held)):
            token = sampler.sample(x, position)
            sampler.observe(token)
            surprise[name].append(-sampler.logprobs(x, token)[0] / np.log(2))
    # Against the whole distribution the held surprise reads higher than against what is left.
    assert np.mean(surprise["free"][300:]) > 7
    assert 4 < np.mean(surprise["held"][300:]) < 6


def test_mirostat_does_not_learn_from_a_draw_that_was_not_kept() -> None:
    x = np.random.default_rng(2).normal(0, 2, 500).astype(np.float32)
    once, often = (_native.Sampler(500, seed=1, mirostat_tau=2.0) for _ in "ab")
    for position in range(50):
        for _ in range(3):
            often.sample(x, position)
        tokens = {sampler.sample(x, position) for sampler in (once, often)}
        assert len(tokens) == 1
        for sampler in (once, often):
            sampler.observe(next(iter(tokens)))
