"""llama-bench's table of a recording, so that numbers that people know can be lined up.

`pp N` is prefill of N tokens, `tg N @ d` decoding N tokens behind d, in tokens a second with mean
and standard deviation, as llama-bench prints them. Theirs leave tokenization and sampling out; ours
are taken through the public API and hold them, and decoding is timed token by token.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from edgeward.errors import EdgewardError

from ..records import Recording

_HEAD = (
    "| model | size | params | backend | threads | test | t/s |\n|" + " --- |" * 5 + " ---: |" * 2
)


def text(recording: Recording) -> str:
    """The table, in Markdown as llama-bench's default. Raises where there are no curves."""
    rows = []
    for arm, of in recording.header.subjects.items():
        about = (
            f"| {of.name} {of.graph} | {of.weight_bytes / 2**20:.2f} MiB "
            f"| {of.parameters / 1e6:.2f} M | CPU | {of.threads} "
        )
        for length, turns in recording.curve("prefill", arm).items():
            speeds = [1000 * length / ms for values in turns.values() for ms in values]
            rows.append(f"{about}| pp{length} | {_spread(speeds)} |")
        for context, turns in recording.curve("time per token", arm).items():
            speeds = [1000 * len(values) / sum(values) for values in turns.values()]
            count = len(next(iter(turns.values())))
            rows.append(f"{about}| tg{count} @ d{context} | {_spread(speeds)} |")
    if not rows:
        raise EdgewardError(
            "the recording has no curves of prefill and decode; `edgeward bench all` takes them."
        )
    return "\n".join([_HEAD, *rows])


def _spread(speeds: Iterable[float]) -> str:
    values = list(speeds)
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.2f} ± {deviation:.2f}"
