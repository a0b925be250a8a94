"""Sampling arguments: names, defaults, types and ranges."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from edgeward.errors import OptionError
from edgeward.sampling import SamplingOptions


def test_defaults_are_off() -> None:
    options = SamplingOptions.from_arguments()
    assert dataclasses.replace(options, seed=0) == SamplingOptions(seed=0)
    assert (options.temperature, options.top_p, options.max_tokens) == (1.0, 1.0, None)
    assert (options.stop, options.logprobs, options.ignore_eos) == ((), None, False)


def test_none_means_the_default() -> None:
    names = [field.name for field in dataclasses.fields(SamplingOptions)]
    options = SamplingOptions.from_arguments(**dict.fromkeys(names))
    assert dataclasses.replace(options, seed=0) == SamplingOptions(seed=0)


def test_values_are_taken_and_made_plain() -> None:
    options = SamplingOptions.from_arguments(
        max_tokens=np.int64(7),
        temperature=np.float32(0.5),
        top_k=-1,
        stop="end",
        logit_bias={"12": 3, 4: -1.5},
        logprobs=0,
        seed=2**64 - 1,
    )
    assert (options.max_tokens, options.temperature, options.top_k) == (7, 0.5, 0)
    assert type(options.max_tokens) is int
    assert type(options.temperature) is float
    assert options.stop == ("end",)
    assert options.logit_bias == {12: 3.0, 4: -1.5}
    assert (options.logprobs, options.seed) == (0, 2**64 - 1)


def test_each_request_gets_a_fresh_seed_that_json_keeps() -> None:
    seeds = {SamplingOptions.from_arguments().seed for _ in range(50)}
    assert len(seeds) == 50
    assert all(seed < 2**53 for seed in seeds)


def test_options_are_plain_data_for_the_receipt() -> None:
    options = SamplingOptions.from_arguments(stop=["a", "b"], logit_bias={1: 2.0}, seed=3)
    data = json.loads(json.dumps(dataclasses.asdict(options)))
    assert SamplingOptions.from_arguments(**data) == options


@pytest.mark.parametrize(
    ("name", "value", "legal"),
    [
        ("max_tokens", 0, "at least 1"),
        ("max_tokens", 1.5, "whole number"),
        ("max_tokens", True, "whole number"),
        ("temperature", -1, "from 0 to 100"),
        ("temperature", 101, "from 0 to 100"),
        ("temperature", float("nan"), "from 0 to 100"),
        ("temperature", "hot", "from 0 to 100"),
        ("temperature", True, "from 0 to 100"),
        ("top_p", 0, "greater than 0 and at most 1"),
        ("top_p", 1.01, "greater than 0 and at most 1"),
        ("top_k", -2, "at least 1, or 0 or -1"),
        ("top_k", 2**63, "at least 1, or 0 or -1"),
        ("top_k", 2.0, "at least 1, or 0 or -1"),
        ("min_p", 1.5, "from 0 to 1"),
        ("typical_p", 0.0, "greater than 0 and at most 1"),
        ("repetition_penalty", 0, "greater than 0 and at most 100"),
        ("frequency_penalty", 3, "from -2 to 2"),
        ("presence_penalty", -2.1, "from -2 to 2"),
        ("seed", -1, "from 0 to 2^64 - 1"),
        ("seed", 2**64, "from 0 to 2^64 - 1"),
        ("seed", 1.0, "from 0 to 2^64 - 1"),
        ("stop", 5, "a string or a list of strings"),
        ("stop", "", "none of them empty"),
        ("stop", ["a", ""], "none of them empty"),
        ("stop", ["a", 1], "a string or a list of strings"),
        ("logprobs", 21, "from 0 to 20"),
        ("logprobs", True, "from 0 to 20"),
        ("logit_bias", [1], "a mapping of token ids"),
        ("logit_bias", {"x": 1}, "a token id"),
        ("logit_bias", {-1: 1}, "a token id"),
        ("logit_bias", {1: 100.5}, "from -100 to 100"),
        ("ignore_eos", 1, "True or False"),
        ("top_n_sigma", -1, "from 0 to 100"),
        ("xtc_probability", 1.1, "from 0 to 1"),
        ("xtc_threshold", 0, "greater than 0 and at most 1"),
        ("mirostat_tau", -1, "from 0 to 100"),
        ("mirostat_eta", 2, "from 0 to 1"),
        ("penalty_window", -1, "at least 0"),
        ("dry_multiplier", -1, "from 0 to 100"),
        ("dry_base", 0.5, "from 1 to 100"),
        ("dry_allowed_length", 0, "at least 1"),
        ("dry_window", -1, "at least 0"),
        ("dry_breaker_ids", [-1], "token ids"),
        ("no_repeat_ngram_size", -1, "at least 0"),
        ("banned_ids", "ab", "token ids"),
        ("bad_words_ids", [[]], "none of them empty"),
        ("forced_ids", [0.5], "token ids"),
        ("min_tokens", -1, "at least 0"),
    ],
)
def test_wrong_values_are_refused_by_name_value_and_range(
    name: str, value: Any, legal: str
) -> None:
    with pytest.raises(OptionError, match=name) as error:
        SamplingOptions.from_arguments(**{name: value})
    assert legal in str(error.value)


def test_an_unknown_argument_is_answered_with_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"unknown argument temprature\. Did you mean temperatu"):
        SamplingOptions.from_arguments(temprature=1)
    with pytest.raises(OptionError, match=r"unknown argument zzz\. Known are max_tokens"):
        SamplingOptions.from_arguments(zzz=1)


def test_replacing_a_value_checks_it_too() -> None:
    with pytest.raises(OptionError, match="top_p is 3"):
        dataclasses.replace(SamplingOptions(), top_p=3)


def test_the_sampler_carries_every_setting() -> None:
    x = np.array([1, 5, 4, 3], dtype=np.float32)
    assert SamplingOptions(temperature=0).sampler(4).sample(x, 0) == 1
    biased = SamplingOptions(temperature=0, logit_bias={3: 10}).sampler(4)
    assert biased.sample(x, 0) == 3
    assert SamplingOptions(seed=12).sampler(4).seed == 12
    for narrow in ({"top_k": 1}, {"top_p": 0.1}, {"min_p": 1}):
        sampler = SamplingOptions.from_arguments(**narrow).sampler(4)
        assert {sampler.sample(x, i) for i in range(50)} == {1}
    for penalty in ("repetition_penalty", "frequency_penalty", "presence_penalty"):
        sampler = SamplingOptions.from_arguments(temperature=0, **{penalty: 1.5}).sampler(4)
        sampler.observe(1)
        assert sampler.sample(x, 0) == 2
    typical = SamplingOptions(typical_p=0.2).sampler(4)
    drawn = {typical.sample(np.zeros(4, dtype=np.float32), i) for i in range(50)}
    assert drawn == {0}


def test_ends_are_held_back_until_min_tokens() -> None:
    x = np.array([9, 1, 0, -50], dtype=np.float32)
    options = SamplingOptions(temperature=0, min_tokens=2)
    sampler = options.sampler(4, end_ids=frozenset({0, 99}))
    drawn = []
    for position in range(3):
        drawn.append(sampler.sample(x, position))
        sampler.observe(drawn[-1])
    assert drawn == [1, 1, 0]


def test_more_tokens_at_least_than_at_most_are_refused() -> None:
    with pytest.raises(OptionError, match=r"min_tokens is 5; it must be at most max_tokens, .* 4"):
        SamplingOptions(min_tokens=5, max_tokens=4)


def test_mirostat_refuses_other_cuts_before_anything_runs() -> None:
    with pytest.raises(
        OptionError, match=r"mirostat_tau is 5.0, and so top_k and top_p must be off"
    ):
        SamplingOptions(mirostat_tau=5, top_p=0.9, top_k=3)


def test_a_bias_outside_the_vocabulary_is_an_option_error() -> None:
    options = SamplingOptions.from_arguments(logit_bias={9: 1.0})
    with pytest.raises(OptionError, match=r"logit_bias is 9; .* 0 to 3"):
        options.sampler(4)
