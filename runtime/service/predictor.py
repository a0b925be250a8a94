"""How long runs will take now: the device's profile times what the last runs took of it.

Knows: the profile, ratios of measured to profiled time, what comes before a first text besides the
model. Does not know: requests, limits. Safe from many threads.
"""

from __future__ import annotations

import threading
from collections import deque

from .profile import DeviceProfile

_RUNS = 24
"""Ratios that count: few enough to follow a device that is slowed down within a second or two."""
_LEAST = 4
_SURPRISE = 4.0
"""A run that took this many times its prediction was held up by something else: it counts as that
many."""


class Window:
    """The last values of something; its middle and its high end."""

    def __init__(self, start: float, size: int = _RUNS) -> None:
        self._values: deque[float] = deque([start], maxlen=size)
        self._ordered: list[float] | None = None

    def add(self, value: float) -> None:
        self._values.append(value)
        self._ordered = None

    def _sorted(self) -> list[float]:
        # A plan asks many times between two runs.
        if self._ordered is None:
            self._ordered = sorted(self._values)
        return self._ordered

    @property
    def middle(self) -> float:
        """The median, of an even number the lower one: a single late run must not count."""
        ordered = self._sorted()
        return ordered[(len(ordered) - 1) // 2]

    @property
    def high(self) -> float:
        """The 90th percentile; with few values the largest."""
        ordered = self._sorted()
        return ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]

    def __len__(self) -> int:
        return len(self._values)


class Predictor:
    """Foretells runs of one engine, and learns from each one that ends."""

    def __init__(self, profile: DeviceProfile) -> None:
        self.profile = profile
        self._lock = threading.Lock()
        self._prefill = Window(1.0)
        self._step = Window(1.0)
        self._beside = Window(1.0)
        self._shown_after = Window(1.0)
        self._answer = Window(64.0, 64)

    def observe_run(self, tokens: int, position: int, ms: float, rows: int = 1) -> None:
        """A run took `ms`; 1 token is a decode step, of `rows` requests."""
        ratio = min(ms / self.profile.one(tokens, position, rows), _SURPRISE)
        with self._lock:
            (self._step if tokens == 1 else self._prefill).add(ratio)

    def observe_answer(self, beside_ms: float, shown_after: int, tokens: int) -> None:
        """A request ended: `beside_ms` before its first text were not the model's nor waiting, the
        text came after `shown_after` tokens, and there were `tokens` of them."""
        with self._lock:
            self._beside.add(max(0.0, beside_ms))
            self._shown_after.add(max(1, shown_after))
            self._answer.add(tokens)

    def prefill(self, tokens: int, position: int, chunk: int, *, sure: bool = False) -> float:
        """Milliseconds to compute `tokens` behind `position` others; `sure`: at the high end."""
        with self._lock:
            scale = self._prefill.high if sure else self._prefill.middle
        return scale * self.profile.prefill(tokens, position, chunk)

    def step(self, position: int, rows: int = 1, *, sure: bool = False) -> float:
        """Milliseconds of a decode step at a position, of `rows` requests together."""
        with self._lock:
            scale = self._step.high if sure else self._step.middle
        return scale * self.profile.one(1, position, rows)

    def beside(self, *, sure: bool = False) -> float:
        """Milliseconds before the first text that are not the engine's nor waiting."""
        with self._lock:
            return self._beside.high if sure else self._beside.middle

    @property
    def held_back(self) -> float:
        """Steps after the prompt until a text is shown: what checks hold back."""
        with self._lock:
            return max(0.0, self._shown_after.middle - 1)

    @property
    def answer_tokens(self) -> int:
        """Tokens that an answer commonly has."""
        with self._lock:
            return max(1, int(self._answer.middle))

    @property
    def load(self) -> float:
        """How many times slower than its profile the device is now."""
        with self._lock:
            known = len(self._step) >= _LEAST
            return (self._step if known else self._prefill).middle

    def fit(self, milliseconds: float, position: int, rows: int = 1) -> int:
        """Decode steps that fit into a time, beginning at a position, with `rows - 1` others."""
        step, slope = self.step(position, rows), self.profile.step_position_ms * rows
        if milliseconds <= 0:
            return 0
        count = milliseconds / step
        # Steps grow longer on the way: once corrected by the middle one.
        return int(milliseconds / (step + slope * count / 2))
