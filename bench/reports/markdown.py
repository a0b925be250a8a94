"""A recording as Markdown, for an issue or a README."""

from __future__ import annotations

from .. import figures
from ..records import Recording
from ..report import number


def text(recording: Recording) -> str:
    """A table for each side, the machine, and what a reader must know."""
    parts = []
    for arm in recording.arms:
        parts += [f"### {figures.title(recording, arm)}", _table(recording, arm)]
    parts += ["\n".join(f"- {line}" for line in [machine(recording), *figures.notes(recording)])]
    return "\n\n".join(parts)


def machine(recording: Recording) -> str:
    """The machine and versions in a line."""
    m = recording.header.machine
    return (
        f"{m.get('processor')}, {m.get('instruction_set')}, {m.get('physical_cores')} cores; "
        f"edgeward {m.get('edgeward')}, onnxruntime {m.get('onnxruntime')}, Python "
        f"{m.get('python')}; {recording.header.started}"
    )


def _table(recording: Recording, arm: str) -> str:
    lines = [
        "| figure | median | 95 % | p95 | p99 | samples | unit |",
        "|---|" + "---:|" * 5 + "---|",
    ]
    for f in figures.figures(recording, arm):
        between = f"{number(f.median.low)} - {number(f.median.high)}"
        lines.append(
            f"| {f.name} | {number(f.median.value)} | {between} | {number(f.p95.value)} "
            f"| {number(f.p99.value)} | {f.samples} | {f.unit} |"
        )
    return "\n".join(lines)
