"""Every setting of the sampler, and every bad input, through `generate`: an error or a result."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from edgeward.engine import Lane
from edgeward.errors import EdgewardError, OptionError
from edgeward.model import Model
from edgeward.sampling import SamplingOptions

PROMPT = "hello world"
ON: dict[str, Any] = {
    "max_tokens": 3,
    "temperature": 0.7,
    "top_p": 0.9,
    "top_k": 5,
    "min_p": 0.05,
    "typical_p": 0.9,
    "top_n_sigma": 1.0,
    "xtc_probability": 0.5,
    "xtc_threshold": 0.2,
    "mirostat_tau": 5.0,
    "mirostat_eta": 0.2,
    "repetition_penalty": 1.2,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "penalty_window": 8,
    "dry_multiplier": 0.8,
    "dry_base": 2.0,
    "dry_allowed_length": 1,
    "dry_window": 16,
    "dry_breaker_ids": [5],
    "no_repeat_ngram_size": 2,
    "banned_ids": [7],
    "bad_words_ids": [[8], [9, 10]],
    "forced_ids": [20, 21],
    "min_tokens": 2,
    "seed": 1,
    "stop": ["zzz"],
    "logprobs": 2,
    "logit_bias": {11: 1.5},
    "ignore_eos": True,
}
WRONG: list[tuple[str, Any]] = [
    ("temperature", -1),
    ("temperature", float("nan")),
    ("temperature", float("inf")),
    ("temperature", "hot"),
    ("top_p", 0),
    ("top_p", 1.1),
    ("top_k", -2),
    ("top_k", 1.5),
    ("min_p", -0.1),
    ("typical_p", 0),
    ("top_n_sigma", -1),
    ("xtc_probability", 2),
    ("xtc_threshold", 0),
    ("mirostat_tau", -5),
    ("repetition_penalty", 0),
    ("frequency_penalty", 3),
    ("presence_penalty", -3),
    ("penalty_window", -1),
    ("dry_base", 0.5),
    ("dry_allowed_length", 0),
    ("no_repeat_ngram_size", -1),
    ("banned_ids", [264]),
    ("banned_ids", [-1]),
    ("bad_words_ids", [[]]),
    ("bad_words_ids", [[300]]),
    ("forced_ids", [99_999]),
    ("logit_bias", {264: 1.0}),
    ("logit_bias", {1: float("nan")}),
    ("logit_bias", {1: 101}),
    ("logit_bias", {"x": 1}),
    ("min_tokens", -1),
    ("max_tokens", 0),
    ("seed", -1),
    ("logprobs", 21),
    ("stop", [""]),
    ("top_kk", 5),
]


def test_every_setting_is_tried_here() -> None:
    assert set(ON) == {field.name for field in dataclasses.fields(SamplingOptions)}


@pytest.mark.parametrize("name", ON)
def test_a_setting_reaches_the_sampler(tiny_model: Model, name: str) -> None:
    reply = tiny_model.generate(PROMPT, **{"max_tokens": 4, name: ON[name]})
    assert reply.usage.completion_tokens >= 1
    assert all(0 <= token < tiny_model.tokenizer.vocab_size for token in reply.token_ids)
    expected = getattr(SamplingOptions.from_arguments(**{name: ON[name]}), name)
    assert reply.receipt.sampling[name] == expected


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_by_name(tiny_model: Model, name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=name):
        tiny_model.generate(PROMPT, **{name: value})


def test_more_than_the_vocabulary_is_all_of_it(tiny_model: Model) -> None:
    setting: dict[str, Any] = {"seed": 3, "max_tokens": 10}
    free = tiny_model.generate(PROMPT, **setting)
    assert tiny_model.generate(PROMPT, top_k=10**9, **setting).token_ids == free.token_ids


@pytest.mark.parametrize("setting", [{"temperature": 0}, {}, {"top_p": 0.5}, {"top_k": 4}])
@pytest.mark.parametrize(
    ("value", "where", "says"),
    [
        (np.nan, slice(5, 6), "NaN"),
        (np.inf, slice(5, 6), "inf"),
        (-np.inf, slice(None), "no token"),
        (np.nan, slice(None), "NaN"),
    ],
)
def test_damaged_logits_are_an_error_and_no_token(
    tiny_model: Model,
    monkeypatch: pytest.MonkeyPatch,
    setting: dict[str, Any],
    value: float,
    where: slice,
    says: str,
) -> None:
    compute = Lane.prefill

    def damaged(lane: Lane, ids: list[int], start: int) -> None:
        compute(lane, ids, start)
        lane.logits[0, 0, where] = value

    monkeypatch.setattr(Lane, "prefill", damaged)
    with pytest.raises(EdgewardError, match=f"after 0 tokens no token could be drawn.*{says}"):
        tiny_model.generate(PROMPT, max_tokens=3, **setting)
    assert tiny_model._pool.lent == 0


def test_bans_of_everything_are_an_error(tiny_model: Model) -> None:
    with pytest.raises(EdgewardError, match="no token could be drawn"):
        tiny_model.generate(PROMPT, banned_ids=list(range(tiny_model.tokenizer.vocab_size)))
    almost = list(range(1, tiny_model.tokenizer.vocab_size))
    reply = tiny_model.generate(PROMPT, banned_ids=almost, max_tokens=2, ignore_eos=True)
    assert reply.token_ids == (0, 0)
