"""What a device takes for a run of a model: a curve over run lengths, a slope over positions.

Knows: the numbers, arithmetic on them, the file that keeps them. Does not know how they are
measured (`measure.py`) nor what the device is doing now (`predictor.py`).
"""

from __future__ import annotations

import bisect
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec

from edgeward import store
from edgeward.machine import processor_name, usable_cpus

FORMAT = 2
_LARGEST_FILE = 64 * 1024

Ms = Annotated[float, msgspec.Meta(gt=0, lt=1e7)]


class DeviceProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Milliseconds of one pack's runs on one machine with so many threads."""

    format: int
    key: str
    """What it is a profile of: pack, graph, machine, versions, threads; hashed."""
    sizes: Annotated[list[Annotated[int, msgspec.Meta(ge=2)]], msgspec.Meta(min_length=1)]
    """Lengths of prefill runs, ascending."""
    run_ms: list[Ms]
    """Time of a run of each size at the beginning of a prompt."""
    pair_ms: Annotated[float, msgspec.Meta(ge=0, lt=1e3)]
    """Added for each pair of a token and a position before the run: attention looks back."""
    step_ms: Ms
    """A decode step at the beginning."""
    step_position_ms: Annotated[float, msgspec.Meta(ge=0, lt=1e3)]
    """Added to a step for each position before it."""
    rows: list[Annotated[int, msgspec.Meta(ge=2)]]
    """Numbers of steps of different requests that were computed in one run, ascending; empty where
    that cannot be."""
    rows_ms: list[Ms]
    """Time of a run of so many, at the beginning."""

    def one(self, tokens: int, position: int, rows: int = 1) -> float:
        """Milliseconds of one run of `tokens` behind `position` others.

        1 token is a step, of `rows` requests together.
        """
        if tokens == 1:
            together = self.step_ms
            if rows > 1 and self.rows:
                together = _between([1, *self.rows], [self.step_ms, *self.rows_ms], rows)
            return together + self.step_position_ms * position * rows
        return self._at_start(tokens) + self.pair_ms * tokens * position

    def prefill(self, tokens: int, position: int, chunk: int) -> float:
        """Milliseconds of `tokens` behind `position` others in runs of at most `chunk`."""
        total, done = 0.0, 0
        while done < tokens:
            size = min(chunk, tokens - done)
            total += self.one(max(size, 2), position + done)
            done += size
        return total

    def _at_start(self, tokens: int) -> float:
        return _between(self.sizes, self.run_ms, tokens)


def _between(sizes: list[int], times: list[float], size: int) -> float:
    """Milliseconds at `size` of a curve known at `sizes`: lines between and beyond."""
    if len(sizes) == 1:
        return times[0] * size / sizes[0]
    right = min(max(bisect.bisect_left(sizes, size), 1), len(sizes) - 1)
    slope = (times[right] - times[right - 1]) / (sizes[right] - sizes[right - 1])
    return max(times[0] * 0.5, times[right - 1] + slope * (size - sizes[right - 1]))


def key_of(pack_sha256: str, graph: str, runtime: str, isa: str, threads: int) -> str:
    """Name of a profile: it fits this pack, graph, machine, versions and threads, no other."""
    facts = [pack_sha256, graph, runtime, isa, threads, processor_name(), len(usable_cpus())]
    return hashlib.sha256(json.dumps([FORMAT, *facts]).encode()).hexdigest()[:32]


def path_of(key: str) -> Path:
    """Where the profile of this name is kept; it need not exist."""
    return store.home() / "profiles" / f"{key}.json"


def read(key: str) -> DeviceProfile | None:
    """The kept profile; None when there is none, or one that is damaged: it is measured anew."""
    try:
        with path_of(key).open("rb") as file:
            raw = file.read(_LARGEST_FILE)
        found = msgspec.json.decode(raw, type=DeviceProfile)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    curves = ((found.sizes, found.run_ms), (found.rows, found.rows_ms))
    whole = all(sorted(set(at)) == at and len(at) == len(took) for at, took in curves)
    return found if whole and found.format == FORMAT and found.key == key else None


def write(profile: DeviceProfile) -> None:
    """Keep a profile: written whole, then moved to its place. Raises `OSError`."""
    path = path_of(profile.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".profile-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(profile))
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
