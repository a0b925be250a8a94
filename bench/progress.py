"""A progress bar for long measurements, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tell = Callable[[str, int, int], None]
"""Takes the phase, the steps done and the steps in all."""


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Tell]:
    """A bar on standard error that goes away at the end; nothing when `quiet`."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(transient=True, disable=quiet, console=Console(stderr=True)) as bar:
        task = bar.add_task("loading")

        def tell(phase: str, done: int, total: int) -> None:
            bar.update(task, description=phase, completed=done, total=total)

        yield tell
