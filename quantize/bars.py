"""Progress of long commands as bars on standard error. Knows phases and counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from .disk import in_words
from .progress import Progress


@contextmanager
def shown(*, quiet: bool) -> Iterator[Progress]:
    """A bar for each phase, on standard error; nothing at all when `quiet`."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"))
    console = Console(stderr=True, quiet=quiet)
    with Bars(*columns, TimeElapsedColumn(), console=console) as bars:
        shown = _Phases(bars)
        yield shown
        shown.end_current()


class _Phases:
    """`Progress` drawn by rich: a new phase ends the one before."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._phase = ""
        self._task: TaskID | None = None

    def __call__(self, phase: str, done: int, total: int, unit: str = "items") -> None:
        if self._task is None or phase != self._phase:
            self.end_current()
            self._phase, self._task = phase, self._bars.add_task(phase, total=None, state="")
        state = _state(done, total, unit)
        self._bars.update(self._task, completed=done, total=total or None, state=state)

    def end_current(self) -> None:
        """A bar of unknown length runs to and fro until it is told that it is full."""
        if self._task is not None:
            if self._bars.tasks[self._task].total is None:
                self._bars.update(self._task, total=1, completed=1)
            self._bars.stop_task(self._task)


def _state(done: int, total: int, unit: str) -> str:
    if not total:
        return ""
    if unit == "bytes":
        return f"{in_words(done)} of {in_words(total)}"
    return f"{done} of {total}"
