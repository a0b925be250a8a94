"""What a schema, regex or grammar may not be: so large that compiling it takes seconds.

llguidance bounds its own work, but not everywhere: what was seen to take seconds or hundreds of
megabytes (objects of thousands of properties, a large `multipleOf`, repetitions of repetitions) is
refused here, before it is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from edgeward.errors import ResponseFormatError

MAX_DEPTH = 64
"""Levels of a schema's JSON, and of brackets in a regex or grammar."""
MAX_NODES = 20_000
"""Values in a schema's JSON, those of enums included."""
MAX_CHARACTERS = 500_000
"""Of all strings of a schema together, of a pattern, of a grammar."""
MAX_PROPERTIES = 400
"""Of one object."""
MAX_MULTIPLE = 20_000
"""Largest `multipleOf`, but for factors of 10: the automaton has a state for each remainder."""
MAX_REPEAT = 50_000
"""Product of nested repetition counts in a regex."""


def check_schema(schema: Any, where: str) -> None:
    """Raise `ResponseFormatError` if the schema is over a limit or no JSON."""
    nodes = characters = 0
    left: list[tuple[Any, int]] = [(schema, 1)]
    while left:
        value, depth = left.pop()
        nodes += 1
        if depth > MAX_DEPTH:
            raise _over(where, "is nested deeper than", MAX_DEPTH, "levels")
        if isinstance(value, Mapping):
            _check_object(value, where)
            characters += sum(len(key) for key in value)
            left.extend((entry, depth + 1) for entry in value.values())
        elif isinstance(value, list | tuple):
            left.extend((entry, depth + 1) for entry in value)
        elif isinstance(value, str):
            characters += len(value)
        if nodes + len(left) > MAX_NODES:
            raise _over(where, "has more than", MAX_NODES, "values")
        if characters > MAX_CHARACTERS:
            raise _over(where, "has more than", MAX_CHARACTERS, "characters")


def _check_object(value: Mapping[Any, Any], where: str) -> None:
    for key in value:
        if not isinstance(key, str):
            raise ResponseFormatError(f"{where}: the schema has the key {key!r}; keys are strings.")
    properties = value.get("properties")
    if isinstance(properties, Mapping) and len(properties) > MAX_PROPERTIES:
        raise _over(where, "has an object of more than", MAX_PROPERTIES, "properties")
    step = value.get("multipleOf")
    if isinstance(step, int | float) and _remainders(step) > MAX_MULTIPLE:
        raise ResponseFormatError(
            f"{where}: multipleOf is {step!r}; without its factors of 2 and 5 and its decimal "
            f"point it must be {MAX_MULTIPLE} at most."
        )
    if isinstance(pattern := value.get("pattern"), str):
        check_regex(pattern, f"{where}: pattern")


def _remainders(step: float) -> int:
    """States of the automaton that tells multiples of `step`: its part prime to 10."""
    if step != step or abs(step) > 1e100:
        return MAX_MULTIPLE + 1
    number = int("".join(map(str, Decimal(repr(step + 0)).as_tuple().digits)))
    for factor in (2, 5):
        while number and number % factor == 0:
            number //= factor
    return number


def check_regex(pattern: str, where: str, *, quotes: bool = False) -> None:
    """Raise `ResponseFormatError` for a pattern too long, too deep or of too many repetitions."""
    if len(pattern) > MAX_CHARACTERS:
        raise _over(where, "has more than", MAX_CHARACTERS, "characters")
    try:
        _check_repeats(pattern, quotes)
    except OverflowError as error:
        raise ResponseFormatError(f"{where} {error}. Simplify it.") from None


def check_grammar(grammar: str) -> None:
    """As `check_regex`, for a grammar: its brackets and counts mean the same outside of quotes."""
    check_regex(grammar, "grammar", quotes=True)


def _check_repeats(pattern: str, quotes: bool) -> None:
    """Raises OverflowError over MAX_DEPTH, and over MAX_REPEAT for counts `{n,m}` within others.

    Reads brackets and counts and nothing else, so it holds for every dialect; character classes,
    escapes and, in a grammar, quoted strings are skipped.
    """
    inside = [1]  # for each open bracket: the largest repeat within it so far
    last = 1  # repeat of the part that a following count multiplies
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "\\":
            at, last = at + 1, 1
        elif character == "[":
            at, last = _end(pattern, at, "]"), 1
        elif character == '"' and quotes:
            at, last = _end(pattern, at, '"'), 1
        elif character == "(":
            inside.append(1)
            if len(inside) > MAX_DEPTH:
                raise OverflowError(f"is nested deeper than {MAX_DEPTH} levels")
        elif character == ")":
            last = inside.pop() if len(inside) > 1 else inside[0]
            inside[-1] = max(inside[-1], last)
        elif character == "{":
            count, at = _count(pattern, at)
            last *= count
            inside[-1] = max(inside[-1], last)
            if last > MAX_REPEAT:
                raise OverflowError(f"repeats a part {last} times; {MAX_REPEAT} is the most")
        elif character not in "+*? \t":
            last = 1


def _end(pattern: str, at: int, close: str) -> int:
    """Behind the `close` that ends what opened before `at`; `at` if its line has none."""
    i = at + 1 if pattern[at : at + 1] == close == "]" else at
    while i < len(pattern) and pattern[i] not in (close, "\n"):
        i += 2 if pattern[i] == "\\" else 1
    return i + 1 if pattern[i : i + 1] == close else at


def _count(pattern: str, at: int) -> tuple[int, int]:
    """The larger number of `{n}`, `{n,}` or `{n,m}` and where it ends; (1, at) if it is none."""
    close = pattern.find("}", at, at + 30)
    parts = [p.strip() for p in pattern[at:close].split(",")] if close > 0 else [""]
    if not all(p == "" or (p.isascii() and p.isdigit()) for p in parts) or not any(parts):
        return 1, at
    return max(int(p) for p in parts if p) or 1, close + 1


def _over(where: str, what: str, limit: int, unit: str) -> ResponseFormatError:
    return ResponseFormatError(f"{where} {what} {limit} {unit}, the limit. Simplify it.")
