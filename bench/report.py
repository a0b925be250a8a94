"""Shows results: a table for people, JSON for programs, both from the same figures."""

from __future__ import annotations

import dataclasses
import platform
from typing import Any

from rich.console import Console
from rich.table import Table

from edgeward import __version__, machine
from edgeward.kernels import _native

from .stats import Summary


def fingerprint() -> dict[str, Any]:
    """What the figures were taken on."""
    import onnxruntime

    return {
        "edgeward": __version__,
        "onnxruntime": onnxruntime.__version__,
        "python": platform.python_version(),
        "processor": machine.processor_name(),
        "cpu_features": _native.cpu_features(),
        "instruction_set": _native.active_isa(),
        "physical_cores": machine.physical_cores(),
        "memory_total": machine.total_memory(),
        "system": platform.platform(),
    }


def as_json(title: str, figures: dict[str, Summary], setting: Any) -> dict[str, Any]:
    """Everything that was measured, raw samples included."""
    return {
        "bench": title,
        "machine": fingerprint(),
        "setting": dataclasses.asdict(setting),
        "figures": {name: dataclasses.asdict(summary) for name, summary in figures.items()},
    }


def print_table(title: str, figures: dict[str, Summary]) -> None:
    """Median, spread and percentiles, one figure a row."""
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    for column in ("median", "min", "max", "p95", "p99", "samples"):
        table.add_column(column, justify="right")
    table.add_column("unit")
    for name, s in figures.items():
        numbers = (number(x) for x in (s.median, s.low, s.high, s.p95, s.p99))
        table.add_row(name, *numbers, str(len(s.samples)), s.unit)
    Console().print(table)


def number(value: float) -> str:
    """Three digits or so, for a table."""
    if 0 < abs(value) < 0.1:
        return f"{value:.2g}"
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:.{digits}f}"
