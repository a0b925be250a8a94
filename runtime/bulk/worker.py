"""What every task has in common: rows in, one result each out, a bad row told from a bad run.

Knows: rows, which errors are a row's own. Does not know: models, files, threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from edgeward.errors import Cancelled, EdgewardError, MemoryLimit, ModelClosed

from .row import Row, RowError

# These are about the machine or the run: going on would only repeat them for every row.
_NOT_A_ROWS = (MemoryLimit, ModelClosed, Cancelled)


class Worker(ABC):
    """One loaded task. Many threads may call `run` at once."""

    TOGETHER = False
    """The rows of a block go into one call. Then the block is part of what a result depends on: an
    encoder's last bits do on what shares its run."""

    def __init__(self, keep: Sequence[str]) -> None:
        self._keep = keep

    @abstractmethod
    def prepare(self, row: Row, value: Mapping[str, Any]) -> Any:
        """What `answer` needs of a row. Raises `RowError`, `EdgewardError` for a bad one."""

    @abstractmethod
    def answer(self, prepared: Sequence[Any]) -> list[dict[str, Any]]:
        """A result for each; raises as a whole."""

    @property
    def concurrency(self) -> int:
        """Blocks that are best worked on at once."""
        return 1

    def stop(self) -> None:  # noqa: B027 (most have nothing to end)
        """End what is running soon, as if it had been cancelled."""

    def close(self) -> None:  # noqa: B027 (nor to give back)
        """Give the memory back."""

    def run(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """A result for each row, in order: `index`, what is kept of the row, and the result.

        A row that cannot be worked on has an `error` instead, with its line. Raises what is not a
        row's fault.
        """
        made: dict[int, dict[str, Any]] = {}
        ready: list[tuple[Row, Any]] = []
        for row in rows:
            try:
                if row.value is None:
                    raise RowError(row.problem)
                ready.append((row, self.prepare(row, row.value)))
            except (RowError, EdgewardError) as error:
                made[row.index] = _failed(row, error)
        for group in [ready] if self.TOGETHER else [[one] for one in ready]:
            made |= self._answered(group)
        return [{"index": row.index, **self._kept(row), **made[row.index]} for row in rows]

    def _answered(self, ready: list[tuple[Row, Any]]) -> dict[int, dict[str, Any]]:
        if not ready:
            return {}
        try:
            results = self.answer([prepared for _, prepared in ready])
        except (RowError, EdgewardError) as error:
            if len(ready) == 1:
                return {ready[0][0].index: _failed(ready[0][0], error)}
            # One of them is bad; which one is seen by doing each alone.
            alone: dict[int, dict[str, Any]] = {}
            for one in ready:
                alone |= self._answered([one])
            return alone
        return {row.index: result for (row, _), result in zip(ready, results, strict=True)}

    def _kept(self, row: Row) -> dict[str, Any]:
        value = row.value or {}
        return {name: value[name] for name in self._keep if name in value}


def _failed(row: Row, error: Exception) -> dict[str, Any]:
    if isinstance(error, _NOT_A_ROWS):
        raise error
    kind = "RowError" if isinstance(error, RowError) else type(error).__name__
    return {"error": {"line": row.line, "type": kind, "message": str(error)}}
