"""Between rows and the columns of a Ray Data batch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .row import Row


def rows_of_columns(batch: Mapping[str, Any]) -> list[Row]:
    """The rows of a batch of columns, of NumPy's types made plain."""
    names = list(batch)
    columns = [_plain(batch[name]) for name in names]
    rows = []
    for at, values in enumerate(zip(*columns, strict=True)):
        value = dict(zip(names, values, strict=True))
        index = value.get("index", at)
        index = index if isinstance(index, int) and not isinstance(index, bool) else at
        rows.append(Row(index, index + 1, value))
    return rows


def columns_of(results: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    """A column for each part of the results; what has a form of its own is JSON."""
    names = {name: None for result in results for name in result if name != "index"}
    columns = {}
    for name in [*names, *(n for n in ("error",) if n not in names)]:
        column = np.empty(len(results), dtype=object)
        for at, result in enumerate(results):
            column[at] = _cell(name, result.get(name))
        columns[name] = column
    return columns


def _plain(column: Any) -> list[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def _cell(name: str, value: Any) -> Any:
    if name == "vector" and value is not None:
        return np.array(value, dtype=np.float32)
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return value
