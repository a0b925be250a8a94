"""How often one client may ask. Knows: names and times. Does not know: requests."""

from __future__ import annotations

import time
from collections import OrderedDict

_CLIENTS = 10_000
"""Clients that are remembered; of more, those seen longest ago begin anew."""


class Rate:
    """A bucket a client: `per_minute` requests flow in, at most that many wait in it."""

    def __init__(self, per_minute: float | None) -> None:
        self._per_second = None if per_minute is None else per_minute / 60
        self._most = per_minute or 0.0
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Take one; returns 0, or the seconds until there will be one."""
        if self._per_second is None:
            return 0.0
        now = time.monotonic()
        level, then = self._buckets.pop(client, (self._most, now))
        level = min(self._most, level + (now - then) * self._per_second)
        wait = 0.0 if level >= 1 else (1 - level) / self._per_second
        self._buckets[client] = (level - 1 if not wait else level, now)
        while len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        return wait
