"""How the next token is chosen: the arguments of a request, checked once, under one name each.

Knows: names, ranges, defaults. Does not know: logits, tokens' texts, models. The arithmetic is
`edgeward.kernels._native.Sampler`; docs/sampling.md says what each setting does and in which order.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from edgeward.kernels import _native

from . import checks
from .errors import OptionError

_LARGEST_SEED = 2**64 - 1


def fresh_seed() -> int:
    """A random seed from the operating system, below 2^53 so that any JSON reader keeps it."""
    return int.from_bytes(os.urandom(8), "little") >> 11


@dataclass(frozen=True)
class SamplingOptions:
    """Everything that decides which tokens a request may draw and when it ends.

    The words and the defaults are those of OpenAI's API and vLLM. A setting at its default is off
    and costs nothing. Raises `OptionError` for a value of the wrong type or out of range.

    >>> SamplingOptions(temperature=0).temperature
    0.0
    """

    max_tokens: int | None = None
    """Tokens to generate at most, 1 or more; None: until the context is full."""
    temperature: float = 1.0
    """Divides the logits, 0 to 100; 0 (anything below 1e-5) takes the most probable token."""
    top_p: float = 1.0
    """Keep the smallest set of the most probable tokens whose mass reaches this, in (0, 1]."""
    top_k: int = 0
    """Keep this many most probable tokens, 1 or more; 0 or -1: off."""
    min_p: float = 0.0
    """Drop tokens less probable than this share of the most probable one, 0 to 1."""
    typical_p: float = 1.0
    """Keep the most typical tokens until their mass reaches this, in (0, 1] (Meister et al.)."""
    top_n_sigma: float = 0.0
    """Keep logits within this many standard deviations of the highest one, 0 to 100; 0: off."""
    xtc_probability: float = 0.0
    """How often all top choices but the least probable one are dropped, 0 to 1; 0: off."""
    xtc_threshold: float = 0.1
    """A top choice holds at least this probability, in (0, 1]."""
    mirostat_tau: float = 0.0
    """Surprise in bits that mirostat 2 holds the text at, 0 to 100; 0: off. The only cut then."""
    mirostat_eta: float = 0.1
    """Share of mirostat's error that is corrected in a step, 0 to 1."""
    repetition_penalty: float = 1.0
    """Divides (above zero) or multiplies (below) the logits of tokens seen, in (0, 100]."""
    frequency_penalty: float = 0.0
    """Subtracted from a token's logit for each time it was generated, -2 to 2."""
    presence_penalty: float = 0.0
    """Subtracted once from the logits of generated tokens, -2 to 2."""
    penalty_window: int = 0
    """The last tokens that the three penalties look at, 1 or more; 0: all."""
    dry_multiplier: float = 0.0
    """DRY: what a token pays that repeats a run of the allowed length, 0 to 100; 0: off."""
    dry_base: float = 1.75
    """DRY: each further token of the run multiplies the price by this, 1 to 100."""
    dry_allowed_length: int = 2
    """DRY: a run is charged for from this many tokens on, 1 or more."""
    dry_window: int = 0
    """DRY: the last tokens searched for runs, 1 or more; 0: all."""
    dry_breaker_ids: tuple[int, ...] = ()
    """DRY: tokens that no run goes across; a request's `dry_sequence_breakers` are strings."""
    no_repeat_ngram_size: int = 0
    """No run of this many tokens comes twice, 1 or more; 0: off. The prompt counts."""
    banned_ids: tuple[int, ...] = ()
    """Tokens that are never drawn."""
    bad_words_ids: tuple[tuple[int, ...], ...] = ()
    """Sequences of tokens that the output never completes; a request's `bad_words` are strings."""
    forced_ids: tuple[int, ...] = ()
    """The first tokens of the output, whatever the model says."""
    min_tokens: int = 0
    """End-of-text tokens are banned until this many tokens are generated; 0: off."""
    seed: int = field(default_factory=fresh_seed)
    """Key of the random numbers, 0 to 2^64 - 1; left out: a fresh one, told in the receipt."""
    stop: tuple[str, ...] = ()
    """Strings that end the text; they are not part of it."""
    logprobs: int | None = None
    """Report the log-probability of each token and of this many best ones, 0 to 20; None: off."""
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    """Token id -> value added to its logit, -100 to 100."""
    ignore_eos: bool = False
    """Go on past end-of-text tokens, until `max_tokens`, a stop string or a full context."""

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            object.__setattr__(self, name, check(name, getattr(self, name)))
        if self.max_tokens is not None and self.min_tokens > self.max_tokens:
            legal = f"at most max_tokens, which is {self.max_tokens}"
            raise checks.refusal("min_tokens", self.min_tokens, legal)
        cuts = [name for name in _CUTS if getattr(self, name) != _CUTS[name]]
        if self.mirostat_tau > 0 and cuts:
            raise OptionError(
                f"mirostat_tau is {self.mirostat_tau}, and so {' and '.join(cuts)} must be off: "
                f"mirostat makes the only cut. Leave one of them out."
            )

    def check_beams(self) -> None:
        """Raise `OptionError` for a setting that a beam search has no place for.

        Bans, bias, penalties, `min_tokens` and `no_repeat_ngram_size` have one.
        """
        drawn = {**_CUTS, "mirostat_tau": 0.0, "stop": (), "logprobs": None, "forced_ids": ()}
        on = [name for name, off in drawn.items() if getattr(self, name) != off]
        if on or self.temperature != 1:
            name = on[0] if on else "temperature"
            raise OptionError(
                f"{name} is {getattr(self, name)!r}, but a beam search draws nothing and ends no "
                f"text before its time; leave {name} out, or num_beams."
            )

    @classmethod
    def from_arguments(cls, **arguments: Any) -> SamplingOptions:
        """Options from keyword arguments; None means the default.

        Raises `OptionError` for an unknown name (with the nearest known one), a value of the wrong
        type and a value out of range (with the range).

        >>> SamplingOptions.from_arguments(top_k=-1, stop="end", seed=7).stop
        ('end',)
        """
        known = [f.name for f in fields(cls)]
        for name in arguments:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
                hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
                raise OptionError(f"unknown argument {name}. {hint}")
        return cls(**{name: value for name, value in arguments.items() if value is not None})

    def sampler(self, vocab_size: int, end_ids: Iterable[int] = ()) -> _native.Sampler:
        """A sampler for one request over `vocab_size` logits, with an empty history.

        `end_ids` are the tokens that `min_tokens` holds back; those outside the vocabulary are
        never drawn anyway. Raises `OptionError` when a setting names a token outside of it.
        """
        settings = {name: getattr(self, name) for name in _CHECKS if name not in _NOT_OF_SAMPLER}
        ends = [token for token in end_ids if 0 <= token < vocab_size] if self.min_tokens else []
        try:
            return _native.Sampler(vocab_size, end_ids=ends, **settings)
        except ValueError as error:
            raise OptionError(f"{error}.") from None


# What ends or reports a request, and what mirostat cannot stand beside it.
_NOT_OF_SAMPLER = {"max_tokens", "stop", "logprobs", "ignore_eos"}
_CUTS = {
    "top_k": 0,
    "top_p": 1.0,
    "min_p": 0.0,
    "typical_p": 1.0,
    "top_n_sigma": 0.0,
    "xtc_probability": 0.0,
}

_CHECKS: dict[str, checks.Check] = {
    "max_tokens": checks.optional(
        checks.whole(1, 2**63 - 1, "a whole number of at least 1, or None")
    ),
    "temperature": checks.number(0, 100),
    "top_p": checks.number(0, 1, above=True),
    "top_k": checks.count_or_off,
    "min_p": checks.number(0, 1),
    "typical_p": checks.number(0, 1, above=True),
    "top_n_sigma": checks.number(0, 100),
    "xtc_probability": checks.number(0, 1),
    "xtc_threshold": checks.number(0, 1, above=True),
    "mirostat_tau": checks.number(0, 100),
    "mirostat_eta": checks.number(0, 1),
    "repetition_penalty": checks.number(0, 100, above=True),
    "frequency_penalty": checks.number(-2, 2),
    "presence_penalty": checks.number(-2, 2),
    "penalty_window": checks.count(0),
    "dry_multiplier": checks.number(0, 100),
    "dry_base": checks.number(1, 100),
    "dry_allowed_length": checks.count(1),
    "dry_window": checks.count(0),
    "dry_breaker_ids": checks.token_ids,
    "no_repeat_ngram_size": checks.count(0),
    "banned_ids": checks.token_ids,
    "bad_words_ids": checks.token_sequences,
    "forced_ids": checks.token_ids,
    "min_tokens": checks.count(0),
    "seed": checks.whole(0, _LARGEST_SEED, "a whole number from 0 to 2^64 - 1"),
    "stop": checks.strings,
    "logprobs": checks.optional(
        checks.whole(0, 20, "a whole number from 0 to 20, or None for off")
    ),
    "logit_bias": checks.token_numbers(checks.number(-100, 100)),
    "ignore_eos": checks.flag,
}
