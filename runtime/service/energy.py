"""Joules, from what this machine can tell; else from a declared power, and then called estimated.

Knows: the files in which Linux tells energy and power. Does not know: requests, prices.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Protocol

SYS = Path("/sys/class")
WATTS_PER_THREAD = 8.0
"""Declared power of a busy thread where nothing can be read: of the order of a laptop's core under
full load with its share of memory and board. Give `power_watts` to serve() for your device."""

Source = Literal["rapl", "battery", "hwmon", "estimated"]


class Meter(Protocol):
    """Where joules come from."""

    source: Source
    counts: bool
    """It counts joules; the others only know power."""

    def counter(self) -> float:
        """Joules since some fixed moment; 0 from a meter that does not count."""

    def watts(self) -> float:
        """Power of the device now; of a meter that counts: what is assumed before it has."""


class Rapl:
    """Energy counters of the processor's packages (powercap, "Running Average Power Limit")."""

    source: Source = "rapl"
    counts = True

    def __init__(self, zones: list[Path], assumed: float) -> None:
        self._assumed = assumed
        self._files = [os.open(zone / "energy_uj", os.O_RDONLY) for zone in zones]
        self._ranges = [int((zone / "max_energy_range_uj").read_text()) for zone in zones]
        self._last = [self._read(file) for file in self._files]
        self._sum = 0

    def counter(self) -> float:
        """Read at every turn; the caller holds the turn, so no two threads are here at once."""
        for i, file in enumerate(self._files):
            now = self._read(file)
            # The counter starts again at its range, which takes minutes at the least.
            self._sum += (now - self._last[i]) % (self._ranges[i] + 1)
            self._last[i] = now
        return self._sum / 1e6

    def watts(self) -> float:
        return self._assumed

    def __del__(self) -> None:
        for file in getattr(self, "_files", []):
            os.close(file)

    @staticmethod
    def _read(file: int) -> int:
        return int(os.pread(file, 32, 0))


class Gauge:
    """Power in watts, as a product of files: each factor is a file and what one unit of it is."""

    counts = False

    def __init__(self, source: Source, factors: list[tuple[Path, float]]) -> None:
        self.source: Source = source
        self._factors = factors
        self.watts()

    def counter(self) -> float:
        return 0.0

    def watts(self) -> float:
        product = 1.0
        for path, unit in self._factors:
            product *= abs(int(path.read_text())) * unit
        return product


class Declared:
    """A power that somebody stated."""

    source: Source = "estimated"
    counts = False

    def __init__(self, watts: float) -> None:
        self._watts = watts

    def counter(self) -> float:
        return 0.0

    def watts(self) -> float:
        return self._watts


def find_meter(threads: int, declared: float | None, root: Path = SYS) -> Meter:
    """The best meter this machine lets us read; `declared` watts come before all of them."""
    if declared is not None:
        return Declared(declared)
    assumed = WATTS_PER_THREAD * threads
    for make in (_rapl, _battery, _ina):
        try:
            meter = make(root, assumed)
        except (OSError, ValueError):
            continue  # not there, or not for us to read (RAPL is root's on most systems)
        if meter is not None:
            return meter
    return Declared(assumed)


def _rapl(root: Path, assumed: float) -> Meter | None:
    found = sorted(zone for zone in (root / "powercap").glob("intel-rapl:*"))
    packages = [zone for zone in found if zone.name.count(":") == 1]
    zones = [zone for zone in packages if (zone / "name").read_text().startswith("package")]
    return Rapl(zones, assumed) if zones else None


def _battery(root: Path, _: float) -> Meter | None:
    for supply in sorted((root / "power_supply").glob("*")):
        if (supply / "type").read_text().strip() != "Battery":
            continue
        if (supply / "status").read_text().strip() != "Discharging":
            continue  # on mains it tells what charges it
        if (supply / "power_now").exists():
            return Gauge("battery", [(supply / "power_now", 1e-6)])
        current, voltage = supply / "current_now", supply / "voltage_now"
        return Gauge("battery", [(current, 1e-6), (voltage, 1e-6)])
    return None


def _ina(root: Path, _: float) -> Meter | None:
    """The first rail of an INA3221, which on a Jetson is the whole board's."""
    for chip in sorted((root / "hwmon").glob("hwmon*")):
        if (chip / "name").read_text().strip() == "ina3221":
            return Gauge("hwmon", [(chip / "in1_input", 1e-3), (chip / "curr1_input", 1e-3)])
    return None
