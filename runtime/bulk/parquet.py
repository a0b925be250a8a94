"""Rows in Parquet files, through pyarrow (extra `parquet`).

Knows: pyarrow. Does not know: what rows mean, beyond the columns every result has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeward.errors import OptionError

from .journal import rows_of
from .row import Row

_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class ParquetBlock:
    """Some rows of one row group."""

    path: Path
    first: int
    count: int
    group: int
    skip: int
    """Rows of the group before the first one."""

    def read(self) -> Iterator[Row]:
        """The rows, read a piece of the group at a time."""
        seen, end = 0, self.skip + self.count
        with _opened(self.path) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=[self.group]):
                low, high = max(self.skip - seen, 0), min(end - seen, batch.num_rows)
                seen += batch.num_rows
                if low < high:
                    index = self.first + seen - batch.num_rows + low - self.skip
                    for value in batch.slice(low, high - low).to_pylist():
                        yield Row(index, index + 1, value)
                        index += 1
                if seen >= end:
                    return


def blocks(path: Path, size: int) -> Iterator[ParquetBlock]:
    """The blocks of a file; none crosses a row group, so that reading one needs one."""
    first = 0
    with _opened(path) as file:
        counts = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
    for group, count in enumerate(counts):
        for skip in range(0, count, size):
            yield ParquetBlock(path, first + skip, min(size, count - skip), group, skip)
        first += count


def write(partial: Path, made: Path) -> None:
    """Write a journal's rows as Parquet.

    Texts, numbers and vectors are columns; what has a form of its own (usage, receipt, verdicts,
    errors) is JSON in a text. Reads the rows twice and holds a thousand of them.
    """
    pa = _pyarrow()
    import pyarrow.parquet as pq

    kinds = _kinds(partial)
    schema = pa.schema([(name, _arrow(pa, kind)) for name, kind in kinds.items()])
    with pq.ParquetWriter(made, schema) as writer:
        pending: list[dict[str, Any]] = []
        for row in rows_of(partial):
            pending.append({name: _cell(row.get(name), kind) for name, kind in kinds.items()})
            if len(pending) == _ROWS_AT_ONCE:
                writer.write_table(pa.Table.from_pylist(pending, schema=schema))
                pending.clear()
        if pending:
            writer.write_table(pa.Table.from_pylist(pending, schema=schema))


def check() -> None:
    """Raise `OptionError` where pyarrow is not installed."""
    _pyarrow()


def _kinds(partial: Path) -> dict[str, str]:
    """Each column's kind; one that rows do not agree about is JSON."""
    kinds: dict[str, str] = {}
    for row in rows_of(partial):
        for name, value in row.items():
            if value is not None:
                kind = _kind(value)
                kinds[name] = kind if kinds.get(name, kind) == kind else "json"
    return kinds


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -(2**63) <= value < 2**63 else "json"
    if isinstance(value, float | str):
        return type(value).__name__
    if isinstance(value, list) and value and all(isinstance(x, float) for x in value):
        return "vector"
    return "json"


def _arrow(pa: Any, kind: str) -> Any:
    plain = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "str": pa.string()}
    return pa.list_(pa.float32()) if kind == "vector" else plain.get(kind, pa.string())


def _cell(value: Any, kind: str) -> Any:
    if value is None or kind != "json":
        return value
    return json.dumps(value, ensure_ascii=False)


def _opened(path: Path) -> Any:
    pa = _pyarrow()
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except pa.ArrowException as error:
        raise OptionError(f"{path} is no Parquet file: {error}.") from None


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise OptionError(
            "Parquet needs pyarrow: pip install edgeward[parquet]. JSONL needs nothing."
        ) from None
    return pyarrow
