"""From a recording to figures: medians and percentiles with their intervals. Knows no form."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from . import resample
from .records import Recording
from .resample import Interval
from .stats import MORE_IS_BETTER


@dataclass(frozen=True)
class Figure:
    """One metric at one place; percentiles look at the bad end, as in `stats.Summary`."""

    metric: str
    at: int | None
    unit: str
    median: Interval
    p95: Interval
    p99: Interval
    samples: int
    turns: int

    @property
    def name(self) -> str:
        """The metric with its place."""
        return self.metric if self.at is None else f"{self.metric} at {self.at}"


def figures(recording: Recording, arm: str = "") -> list[Figure]:
    """All of an arm, in the order in which they were taken."""
    made = []
    for metric, at in recording.keys(arm):
        unit = recording.units[metric]
        turns = list(recording.turns(metric, at, arm).values())
        bad = (5, 1) if unit in (*MORE_IS_BETTER, "GB/s", "GOP/s") else (95, 99)
        median, p95, p99 = (resample.percentile(turns, point) for point in (50, *bad))
        count = sum(len(turn) for turn in turns)
        made.append(Figure(metric, at, unit, median, p95, p99, count, len(turns)))
    return made


def title(recording: Recording, arm: str = "") -> str:
    """What was measured, in a line."""
    of = recording.header.subjects[arm]
    side = f"{arm}: " if arm else ""
    return f"{side}{of.name}, {of.graph} graph, {of.threads} threads"


def notes(recording: Recording) -> list[str]:
    """What a reader must know, an interruption first."""
    cut = [] if recording.complete else ["interrupted: this recording is partial."]
    return cut + recording.notes


def as_json(recording: Recording) -> dict[str, Any]:
    """Figures with their intervals, the machine, the subjects, notes; without raw samples."""
    header = recording.header
    return {
        "format": header.format,
        "command": header.command,
        "started": header.started,
        "complete": recording.complete,
        "machine": header.machine,
        "subjects": msgspec.to_builtins(header.subjects),
        "setting": header.setting,
        "figures": {
            arm: [asdict(figure) | {"name": figure.name} for figure in figures(recording, arm)]
            for arm in recording.arms
        },
        "notes": notes(recording),
    }
