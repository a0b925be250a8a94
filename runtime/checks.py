"""Checks of argument values: each returns the value made plain, or raises one clear sentence.

Knows: types and ranges. Does not know: which argument has which. A check is a function of the
argument's name, for the message, and its value.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import OptionError

Check = Callable[[str, Any], Any]
_LARGEST = 2**63 - 1


def refusal(name: str, value: object, legal: str) -> OptionError:
    """The error for a value that is not legal."""
    return OptionError(f"{name} is {value!r}; it must be {legal}.")


def number(low: float, high: float, *, above: bool = False) -> Check:
    """A finite number in [low, high], or in (low, high] if `above`."""
    legal = f"a number from {low:g} to {high:g}"
    if above:
        legal = f"a number greater than {low:g} and at most {high:g}"

    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise refusal(name, value, legal)
        plain = float(value)
        if math.isnan(plain) or not low <= plain <= high or (above and plain == low):
            raise refusal(name, value, legal)
        return plain

    return check


def whole(low: int, high: int, legal: str) -> Check:
    """A whole number in [low, high]; True and 1.0 are none."""

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise refusal(name, value, legal)
        plain = int(value)
        if not low <= plain <= high:
            raise refusal(name, value, legal)
        return plain

    return check


def count(low: int) -> Check:
    """A whole number of at least `low`."""
    return whole(low, _LARGEST, f"a whole number of at least {low}")


def optional(check: Check) -> Check:
    """None, or what `check` takes."""
    return lambda name, value: None if value is None else check(name, value)


def flag(name: str, value: Any) -> bool:
    """True or False, not 1 or 0."""
    if not isinstance(value, bool):
        raise refusal(name, value, "True or False")
    return value


def count_or_off(name: str, value: Any) -> int:
    """A whole number of at least 1; 0 and -1 are off and become 0."""
    legal = "a whole number of at least 1, or 0 or -1 for off"
    plain: int = whole(-1, _LARGEST, legal)(name, value)
    return max(0, plain)


def strings(name: str, value: Any) -> tuple[str, ...]:
    """One string or several, none of them empty."""
    listed = [value] if isinstance(value, str) else value
    legal = "a string or a list of strings, none of them empty"
    if not isinstance(listed, Sequence):
        raise refusal(name, value, legal)
    for string in listed:
        if not isinstance(string, str) or not string:
            raise refusal(name, value, legal)
    return tuple(listed)


def token_ids(name: str, value: Any) -> tuple[int, ...]:
    """Token ids of some vocabulary."""
    legal = "a list of token ids, each 0 or greater"
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise refusal(name, value, legal)
    check = whole(0, _LARGEST, legal)
    return tuple(check(name, token) for token in value)


def token_sequences(name: str, value: Any) -> tuple[tuple[int, ...], ...]:
    """Several sequences of token ids, none of them empty."""
    legal = "a list of lists of token ids, none of them empty"
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise refusal(name, value, legal)
    sequences = tuple(token_ids(f"an entry of {name}", sequence) for sequence in value)
    if not all(sequences):
        raise refusal(name, value, legal)
    return sequences


def token_numbers(check: Check) -> Check:
    """A mapping of token ids, which in JSON are strings, to what `check` takes."""
    id_check = whole(0, _LARGEST, "a token id, 0 or greater")

    def check_all(name: str, value: Any) -> dict[int, Any]:
        if not isinstance(value, Mapping):
            raise refusal(name, value, "a mapping of token ids to numbers")
        plain: dict[int, Any] = {}
        for key, entry in value.items():
            digits = isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 20
            token = int(key) if digits else key
            plain[id_check(f"a key of {name}", token)] = check(f"{name}[{key}]", entry)
        return plain

    return check_all
