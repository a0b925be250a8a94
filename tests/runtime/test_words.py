"""Settings in words and under other projects' names become tokens and our names."""

from __future__ import annotations

from typing import Any

import pytest

from edgeward import words
from edgeward.errors import OptionError
from edgeward.model import Model
from edgeward.tokenizer import Tokenizer

PROMPT = "hello world, tell me something"


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Model) -> Tokenizer:
    return tiny_model.tokenizer


def encode(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    return tuple(tokenizer.encode(text, add_special_tokens=False))


def test_a_bad_word_is_meant_at_the_start_and_behind_a_space(tokenizer: Tokenizer) -> None:
    # "wor" begins with a token of its own behind a space: Ġw, or.
    found = words.bad_words_ids(("wor", " hell"), tokenizer)
    assert encode(tokenizer, "wor") in found
    assert encode(tokenizer, " wor") in found
    assert encode(tokenizer, "hell") in found
    # Behind a space "hell" is the same token after one for the space: already said.
    assert encode(tokenizer, " hell")[-1:] == encode(tokenizer, "hell")
    assert len(found) == 3


def test_a_bad_word_never_comes(tiny_model: Model) -> None:
    free = tiny_model.generate(PROMPT, seed=2, max_tokens=200, ignore_eos=True)
    first = next(c for c in free.text if c.isascii() and c.isalpha())
    banned = tiny_model.generate(
        PROMPT, seed=2, max_tokens=200, ignore_eos=True, bad_words=[first, "hell", "wor"]
    )
    assert first in free.text
    ids = {i for w in (first, " " + first) for i in encode(tiny_model.tokenizer, w)[-1:]}
    assert ids.isdisjoint(banned.token_ids)
    again = tiny_model.generate(PROMPT, **banned.receipt.sampling)
    assert again.token_ids == banned.token_ids


def test_words_and_ids_add_up(tokenizer: Tokenizer) -> None:
    plain = words.resolved({"bad_words": "x", "bad_words_ids": [[5, 6]]}, tokenizer, 264)
    assert plain["bad_words_ids"] == ((5, 6), encode(tokenizer, "x"))
    plain = words.resolved(
        {"dry_sequence_breakers": ["\n"], "dry_breaker_ids": [9]}, tokenizer, 264
    )
    assert plain["dry_breaker_ids"] == (9, *encode(tokenizer, "\n"))


def test_a_breaker_is_every_token_that_holds_it(tokenizer: Tokenizer) -> None:
    found = words.breaker_ids(("w", "ll"), tokenizer, tokenizer.vocab_size)
    assert {tokenizer.decode([i]) for i in found} == {"w", " w", "ll", "hell"}


def test_breakers_change_what_dry_charges(tiny_model: Model) -> None:
    setting: dict[str, Any] = {"temperature": 0, "dry_multiplier": 5.0, "max_tokens": 60}
    repeats = "abcabcabcabcabc"
    charged = tiny_model.generate(repeats, **setting)
    letters = [chr(c) for c in range(32, 127)]
    free = tiny_model.generate(repeats, dry_sequence_breakers=letters, **setting)
    assert charged.token_ids != free.token_ids


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ({"repeat_penalty": 1.2}, {"repetition_penalty": 1.2}),
        ({"typ_p": 0.5}, {"typical_p": 0.5}),
        ({"repeat_last_n": 64}, {"penalty_window": 64}),
        ({"repeat_last_n": -1}, {"penalty_window": 0}),
        ({"dry_penalty_last_n": -1}, {"dry_window": 0}),
        ({"dry_penalty_last_n": None, "top_k": 3}, {"top_k": 3}),
        ({"bad_words": [], "dry_sequence_breakers": []}, {}),
    ],
)
def test_names_of_llama_cpp(
    tokenizer: Tokenizer, given: dict[str, Any], ours: dict[str, Any]
) -> None:
    assert words.resolved(given, tokenizer, 264) == ours


def test_another_name_goes_before_the_makers_advice(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tiny_model._requests._defaults, "repetition_penalty", 1.5)
    reply = tiny_model.generate(PROMPT, repeat_penalty=1.2, max_tokens=1)
    assert reply.receipt.sampling["repetition_penalty"] == 1.2
    assert tiny_model.generate(PROMPT, max_tokens=1).receipt.sampling["repetition_penalty"] == 1.5


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"bad_words": 5}, "bad_words is 5; it must be a string or a list of strings"),
        ({"bad_words": [""]}, "none of them empty"),
        ({"bad_words": ["  "]}, "bad_words is '  '; it must be words of more than white space"),
        ({"dry_sequence_breakers": [7]}, "dry_sequence_breakers is [7]"),
        ({"dry_sequence_breakers": ["\n", "no token has this"]}, "'no token has this', which no"),
        ({"repeat_last_n": 0}, "repeat_last_n is 0; it must be a whole number of at least 1, or"),
        ({"dry_penalty_last_n": 1.5}, "dry_penalty_last_n is 1.5"),
        ({"repeat_penalty": 1.1, "repetition_penalty": 1.1}, "give one of them"),
        ({"repeat_penalty": "x"}, "repetition_penalty is 'x'"),
    ],
)
def test_wrong_words_are_named(tiny_model: Model, given: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError) as refused:
        tiny_model.generate(PROMPT, **given)
    assert says in str(refused.value)
