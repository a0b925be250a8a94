"""How the next token is chosen: the arguments of a request, checked once, under one name each.

Knows: names, ranges, defaults. Does not know: logits, tokens' texts, models. The arithmetic is
`edgeward.kernels._native.Sampler`; docs/sampling.md says what each setting does and in which order.
"""

from __future__ import annotations

import difflib
import math
import numbers
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from edgeward.kernels import _native

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
    repetition_penalty: float = 1.0
    """Divides (above zero) or multiplies (below) the logits of tokens seen, in (0, 100]."""
    frequency_penalty: float = 0.0
    """Subtracted from a token's logit for each time it was generated, -2 to 2."""
    presence_penalty: float = 0.0
    """Subtracted once from the logits of generated tokens, -2 to 2."""
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

    def sampler(self, vocab_size: int) -> _native.Sampler:
        """A sampler for one request over `vocab_size` logits, with an empty history.

        Raises `OptionError` when `logit_bias` names a token outside the vocabulary.
        """
        try:
            return _native.Sampler(
                vocab_size,
                temperature=self.temperature,
                top_k=self.top_k,
                top_p=self.top_p,
                min_p=self.min_p,
                typical_p=self.typical_p,
                repetition_penalty=self.repetition_penalty,
                frequency_penalty=self.frequency_penalty,
                presence_penalty=self.presence_penalty,
                logit_bias=self.logit_bias,
                seed=self.seed,
            )
        except ValueError as error:
            raise OptionError(f"{error}.") from None


_Check = Callable[[str, Any], Any]


def _refuse(name: str, value: object, legal: str) -> OptionError:
    return OptionError(f"{name} is {value!r}; it must be {legal}.")


def _number(low: float, high: float, *, above: bool = False) -> _Check:
    """A finite number in [low, high], or in (low, high] if `above`."""
    legal = f"a number greater than {low:g} and at most {high:g}" if above else ""
    legal = legal or f"a number from {low:g} to {high:g}"

    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise _refuse(name, value, legal)
        number = float(value)
        if math.isnan(number) or not low <= number <= high or (above and number == low):
            raise _refuse(name, value, legal)
        return number

    return check


def _whole(low: int, high: int | None, legal: str) -> _Check:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise _refuse(name, value, legal)
        whole = int(value)
        if whole < low or (high is not None and whole > high):
            raise _refuse(name, value, legal)
        return whole

    return check


def _optional(check: _Check) -> _Check:
    return lambda name, value: None if value is None else check(name, value)


def _top_k(name: str, value: Any) -> int:
    legal = "a whole number of at least 1, or 0 or -1 for off"
    return max(0, int(_whole(-1, 2**63 - 1, legal)(name, value)))


def _stop(name: str, value: Any) -> tuple[str, ...]:
    strings = [value] if isinstance(value, str) else value
    legal = "a string or a list of strings, none of them empty"
    if not isinstance(strings, Sequence):
        raise _refuse(name, value, legal)
    for string in strings:
        if not isinstance(string, str) or not string:
            raise _refuse(name, value, legal)
    return tuple(strings)


def _logit_bias(name: str, value: Any) -> dict[int, float]:
    legal = "a mapping of token ids to numbers from -100 to 100"
    if not isinstance(value, Mapping):
        raise _refuse(name, value, legal)
    bias: dict[int, float] = {}
    for key, added in value.items():
        # JSON has only strings as keys.
        token = int(key) if isinstance(key, str) and key.isascii() and key.isdigit() else key
        bias[_whole(0, None, "a token id, 0 or greater")(f"a key of {name}", token)] = _number(
            -100, 100
        )(f"{name}[{key}]", added)
    return bias


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refuse(name, value, "True or False")
    return value


_CHECKS: dict[str, _Check] = {
    "max_tokens": _optional(_whole(1, None, "a whole number of at least 1, or None")),
    "temperature": _number(0, 100),
    "top_p": _number(0, 1, above=True),
    "top_k": _top_k,
    "min_p": _number(0, 1),
    "typical_p": _number(0, 1, above=True),
    "repetition_penalty": _number(0, 100, above=True),
    "frequency_penalty": _number(-2, 2),
    "presence_penalty": _number(-2, 2),
    "seed": _whole(0, _LARGEST_SEED, "a whole number from 0 to 2^64 - 1"),
    "stop": _stop,
    "logprobs": _optional(_whole(0, 20, "a whole number from 0 to 20, or None for off")),
    "logit_bias": _logit_bias,
    "ignore_eos": _flag,
}
