"""Log-probabilities after every setting are those of the distribution that is drawn from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeward.kernels import _native, reference

SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {"temperature": 0.7},
    "top_k": {"top_k": 6},
    "top_p": {"top_p": 0.8},
    "min_p": {"min_p": 0.1, "temperature": 1.5},
    "typical": {"typical_p": 0.6},
    "sigma": {"top_n_sigma": 1.1},
    "always xtc": {"xtc_probability": 1.0, "xtc_threshold": 0.03, "top_p": 0.9},
    "mirostat": {"mirostat_tau": 1.4},
    "penalties": {"repetition_penalty": 1.4, "logit_bias": {5: 2.0}, "banned_ids": [1]},
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_they_match_the_exact_distribution(setting: dict[str, Any]) -> None:
    for size in (9, 300):
        x = np.random.default_rng(size).normal(0, 2, size).astype(np.float32)
        before = x.copy()
        native, twin = _native.Sampler(size, **setting), reference.Sampler(size, **setting)
        for sampler in (native, twin):
            sampler.observe_prompt([2, 3])
        exact = twin.probabilities(x)
        order = np.lexsort((np.arange(size), -exact))
        expected = [int(i) for i in order if exact[i] > 0]
        _, top = native.final_logprobs(x, 0, 0, top_n=size)
        assert [i for i, _ in top] == expected
        np.testing.assert_allclose([p for _, p in top], np.log(exact[expected]), atol=3e-6)
        for token in range(size):
            chosen, _ = native.final_logprobs(x, 0, token)
            assert np.exp(chosen) == pytest.approx(exact[token], abs=1e-6)
        assert x.tobytes() == before.tobytes()


def test_what_is_certain_is_at_zero() -> None:
    x = np.array([0, 3, 1], dtype=np.float32)
    greedy = _native.Sampler(3, temperature=0.0)
    assert greedy.final_logprobs(x, 0, 1, top_n=3) == (0.0, [(1, 0.0)])
    assert greedy.final_logprobs(x, 0, 2) == (-np.inf, [])
    forced = _native.Sampler(3, forced_ids=[2])
    assert forced.final_logprobs(x, 0, 2, top_n=1) == (0.0, [(2, 0.0)])


def test_a_mask_is_part_of_the_distribution() -> None:
    x = np.zeros(3, dtype=np.float32)
    chosen, top = _native.Sampler(3).final_logprobs(x, 0, 0, 3, np.array([5], dtype=np.uint32))
    assert chosen == pytest.approx(np.log(0.5))
    assert [i for i, _ in top] == [0, 2]
    with pytest.raises(ValueError, match="no token is allowed"):
        _native.Sampler(3).final_logprobs(x, 0, 0, 3, np.array([0], dtype=np.uint32))
