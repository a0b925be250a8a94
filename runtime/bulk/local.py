"""The engine "local": this process, on some threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .blocks import Block
from .pump import ordered
from .work import Work


def run(work: Work, blocks: Iterator[Block], concurrency: int | None) -> Iterator[list[Any]]:
    """Results of the blocks, in order; `concurrency` of them are worked on at once."""
    worker = work.open(concurrency)
    try:
        yield from ordered(
            lambda block: worker.run(list(block.read())),
            blocks,
            concurrency or worker.concurrency,
            worker.stop,
        )
    finally:
        worker.close()
