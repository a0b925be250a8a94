"""What this machine gives a process: cores and memory, read from Linux's own files."""

from __future__ import annotations

import os
from pathlib import Path

_CPU = Path("/sys/devices/system/cpu")
_CGROUP = Path("/sys/fs/cgroup")


def usable_cpus() -> list[int]:
    """Logical processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def physical_cores() -> int:
    """Physical cores among the usable processors, no more than the container's quota; at least 1.

    Two hardware threads of one core share its arithmetic units, so a second one gains little for
    dot products and doubles the cost of each wait.
    """
    cores = {_core_of(cpu) for cpu in usable_cpus()}
    quota = _cpu_quota()
    limit = len(cores) if quota is None else min(len(cores), max(1, int(quota)))
    return max(1, limit)


def total_memory() -> int | None:
    """Bytes this process may use: the machine's or its container's; None if unknown."""
    values = [v for v in (_meminfo("MemTotal"), _cgroup_number("memory.max")) if v is not None]
    return min(values) if values else None


def available_memory() -> int | None:
    """Bytes that can be had now without swapping; None if unknown."""
    values = []
    if (free := _meminfo("MemAvailable")) is not None:
        values.append(free)
    limit, used = _cgroup_number("memory.max"), _cgroup_number("memory.current")
    if limit is not None and used is not None:
        values.append(max(0, limit - used))
    return min(values) if values else None


def resident_memory() -> tuple[int, int] | None:
    """(private, file-backed) resident bytes of this process now; None if unknown."""
    fields = _status("/proc/self/status")
    if "RssAnon" not in fields:
        return None
    return fields["RssAnon"], fields.get("RssFile", 0)


def peak_memory() -> int | None:
    """Largest resident size of this process so far, in bytes; None if unknown."""
    return _status("/proc/self/status").get("VmHWM")


def processor_name() -> str:
    """The processor's name as the system gives it, or the architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return os.uname().machine


def _core_of(cpu: int) -> tuple[str, str]:
    topology = _CPU / f"cpu{cpu}" / "topology"
    try:
        package = (topology / "physical_package_id").read_text().strip()
        return package, (topology / "core_id").read_text().strip()
    except OSError:
        return "", str(cpu)


def _cpu_quota() -> float | None:
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def _cgroup_number(name: str) -> int | None:
    try:
        text = (_CGROUP / name).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _meminfo(name: str) -> int | None:
    return _status("/proc/meminfo").get(name)


def _status(path: str) -> dict[str, int]:
    """Lines such as "VmHWM:  1234 kB" as bytes."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return {}
    split = (line.split() for line in lines)
    return {w[0].rstrip(":"): int(w[1]) * 1024 for w in split if len(w) == 3 and w[2] == "kB"}
