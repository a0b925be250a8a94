"""The machine a recording was made on, and how restless it was.

Knows Linux's files and a yardstick. The yardstick is a fixed piece of work, timed in
every turn: where it takes longer, the machine did.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgeward import machine

from .report import fingerprint

_CPU = Path("/sys/devices/system/cpu")
_SPREAD = 1.3
"""A yardstick whose 90th percentile is this many times its 10th is called restless."""
_STOLEN = 0.02


class Yardstick:
    """Reading 8 MB once and adding it up: half a millisecond, or several on a busy machine."""

    def __init__(self) -> None:
        self._array = np.ones(1 << 20, np.float64)

    def ms(self) -> float:
        """Milliseconds of it now."""
        began = time.perf_counter()
        self._array.sum()
        return (time.perf_counter() - began) * 1000


class Watch:
    """What other programs and other machines took while something was measured."""

    def __init__(self) -> None:
        self._before = _ticks()
        load = os.getloadavg()[0]
        self._busy_before = load
        self._cores = len(machine.usable_cpus())

    def warnings(self, yardstick: Sequence[float]) -> list[str]:
        """Reasons to distrust the figures, in words; none on a quiet machine."""
        said = []
        if self._busy_before > 0.2 * self._cores:
            said.append(
                f"noisy machine: its load was {self._busy_before:.1f} on {self._cores} processors "
                "before the measurement began."
            )
        now = _ticks()
        total, stolen = (now[key] - self._before[key] for key in ("total", "steal"))
        if total > 0 and stolen / total > _STOLEN:
            said.append(f"noisy machine: {stolen / total:.0%} of its time went to other guests.")
        if len(yardstick) >= 5:
            low, high = np.percentile(yardstick, [10, 90])
            if high > _SPREAD * low:
                said.append(
                    f"noisy machine: the same piece of work took {low:.1f} to {high:.1f} ms "
                    "(10th and 90th percentile)."
                )
        return said


def describe() -> dict[str, Any]:
    """`fingerprint`, and what changes: governor, load, temperature. None where unknown."""
    return fingerprint() | {
        "governor": _text(_CPU / "cpu0/cpufreq/scaling_governor"),
        "processors": len(machine.usable_cpus()),
        "load": round(os.getloadavg()[0], 2),
        "temperature": _temperature(),
        "numpy": np.__version__,
    }


def _ticks() -> dict[str, int]:
    """Clock ticks of all processors since the start, and those given to other guests."""
    fields = (_text(Path("/proc/stat")) or "cpu 0").split("\n")[0].split()[1:]
    numbers = [int(field) for field in fields]
    return {"total": sum(numbers[:8]), "steal": numbers[7] if len(numbers) > 7 else 0}


def _temperature() -> float | None:
    """Degrees Celsius, the median of the zones that tell."""
    zones = (_text(zone / "temp") for zone in Path("/sys/class/thermal").glob("thermal_zone*"))
    degrees = [
        int(text) / 1000 for text in zones if text is not None and text.lstrip("-").isdigit()
    ]
    return statistics.median(degrees) if degrees else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
