"""One row of a file, with its place; what is wrong with it is a value, not an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A row as it was read."""

    index: int
    """Its place among the rows, from 0."""
    line: int
    """Its line in the file, from 1 (for Parquet: the row's number, from 1)."""
    value: Mapping[str, Any] | None
    """None for a row that cannot be read; `problem` says why."""
    problem: str = ""


class RowError(ValueError):
    """A row cannot be worked on: says the field, what stands in it and what should."""


def text_of(value: Mapping[str, Any], field: str) -> str:
    """The text in a field. Raises `RowError`."""
    if field not in value:
        have = ", ".join(map(repr, list(value)[:8])) or "no fields at all"
        raise RowError(f"there is no field {field!r}; this row has {have}. Name it with field.")
    found = value[field]
    if not isinstance(found, str):
        raise RowError(f"the field {field!r} is {_short(found)}; it must be a text.")
    return found


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
