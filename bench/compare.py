"""Two things measured: which figures differ by more than chance, and by how much.

Knows: recordings, ratios, verdicts. Does not know: how samples were taken, printing. In turns (one
recording with two arms) each block is a pair, and drift falls out. Two recordings of different
minutes have no pairs: the machine may have changed between them, so a difference must be larger
than a floor to be called one. docs/bench.md explains both.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgeward.errors import EdgewardError

from .paired import holm, signed_rank
from .records import Key, Recording
from .stats import MORE_IS_BETTER

Verdict = Literal["no difference", "better", "worse", "too few samples"]

ALPHA = 0.02
"""Chance that a comparison of two equal things names any difference, over all its figures."""
FEWEST_PAIRS = 8
"""Blocks below which nothing can be significant after a correction for three figures."""
FEWEST_TURNS = 4
FLOOR = 0.05
"""Between two recordings, at least: what the same machine differs by from one hour to the next."""
APART = ("yardstick", "reading limit", "dot product limit")
"""Figures of the machine, not of what was measured."""


@dataclass(frozen=True)
class Row:
    """One figure of both sides; ratios are the second's median over the first's."""

    metric: str
    at: int | None
    unit: str
    first: float
    second: float
    ratio: float
    low: float
    high: float
    p: float | None
    """Corrected for the number of figures; None where there is no test."""
    verdict: Verdict
    """Of the second against the first."""
    count: int
    """Pairs, or turns of the side that has fewer."""

    @property
    def name(self) -> str:
        """The metric with its place."""
        return self.metric if self.at is None else f"{self.metric} at {self.at}"


def arms(recording: Recording, alpha: float = ALPHA) -> list[Row]:
    """Arm b against arm a, pair by pair. Raises `EdgewardError` where there are no two arms."""
    if len(recording.arms) != 2:
        raise EdgewardError(
            f"the recording has {len(recording.arms)} side(s); one of `edgeward bench ab` has two. "
            "Give two recordings otherwise."
        )
    a, b = recording.arms
    keys = [key for key in recording.keys(a) if key[0] not in APART]
    made = [(key, _pairs(recording, key, a, b)) for key in keys]
    found = [(key, signed_rank(logs, 1 - alpha)) for key, logs in made if logs]
    if not found:
        raise EdgewardError("the recording holds no block in which both sides were measured.")
    rows = []
    for (key, d), p in zip(found, holm([d.p for _, d in found]), strict=True):
        metric, at = key
        verdict: Verdict = "too few samples"
        if d.count >= FEWEST_PAIRS:
            verdict = _verdict(d.value, recording.units[metric], p <= alpha)
        first, second = (_middle(recording.turns(metric, at, arm)) for arm in (a, b))
        rows.append(
            Row(metric, at, recording.units[metric], first, second,
                math.exp(d.value), math.exp(d.low), math.exp(d.high), p, verdict, d.count)
        )  # fmt: skip
    return rows


def recordings(first: Recording, second: Recording, floor: float = FLOOR) -> list[Row]:
    """The second against the first, figure by figure of those that both have.

    Raises `EdgewardError` when they have none in common, or a recording has two arms.
    """
    if len(first.arms) != 1 or len(second.arms) != 1:
        raise EdgewardError("a recording of `edgeward bench ab` is compared alone: it has two.")
    one, two = first.arms[0], second.arms[0]
    common = [key for key in first.keys(one) if key in set(second.keys(two))]
    keys = [key for key in common if key[0] not in APART]
    if not keys:
        raise EdgewardError(
            f"nothing to compare: the recordings have {_names(first, one)} and "
            f"{_names(second, two)}."
        )
    floor = max(floor, 2 * abs(math.log(machine_ratio(first, second))))
    rows = []
    for metric, at in keys:
        x, y = (_logs(of.turns(metric, at, arm)) for of, arm in ((first, one), (second, two)))
        rows.append(_unpaired(metric, at, first.units[metric], x, y, floor))
    return rows


def machine_ratio(first: Recording, second: Recording) -> float:
    """How much longer the yardstick took in the second; 1 where one has none."""
    took = [_middle(of.turns("yardstick", None, of.arms[0])) for of in (first, second)]
    return took[1] / took[0] if all(t > 0 for t in took) else 1.0


def different_machines(first: Recording, second: Recording) -> list[str]:
    """What makes the two hard to compare, in words."""
    said = []
    for key in ("processor", "instruction_set", "physical_cores", "edgeward", "onnxruntime"):
        values = [of.header.machine.get(key) for of in (first, second)]
        if values[0] != values[1]:
            said.append(f"{key}: {values[0]} and {values[1]}.")
    subjects = [next(iter(of.header.subjects.values())) for of in (first, second)]
    for field in ("name", "sha256", "graph", "threads"):
        values = [getattr(subject, field) for subject in subjects]
        if values[0] != values[1]:
            said.append(f"{field}: {values[0]} and {values[1]}.")
    if (ratio := machine_ratio(first, second)) > 1.1 or ratio < 1 / 1.1:
        said.append(
            f"the machine itself took {ratio:.2f} times as long for the same piece of work."
        )
    return said


def _unpaired(
    metric: str, at: int | None, unit: str, x: Sequence[float], y: Sequence[float], floor: float
) -> Row:
    """Turns of two recordings: interval by drawing runs of neighbouring turns."""
    first, second = math.exp(statistics.median(x)), math.exp(statistics.median(y))
    count = min(len(x), len(y))
    if len(set(x)) == len(set(y)) == 1:
        # A size or a figure of the card: no chance in it.
        exact = second / first
        verdict = _verdict(math.log(exact), unit, abs(math.log(exact)) > 1e-9)
        return Row(metric, at, unit, first, second, exact, exact, exact, None, verdict, count)
    drawn = _medians(y, 1) - _medians(x, 0)
    low, high = (float(v) for v in np.percentile(drawn, [50 * ALPHA, 100 - 50 * ALPHA]))
    value = math.log(second / first)
    verdict = "too few samples"
    if count >= FEWEST_TURNS:
        verdict = _verdict(value, unit, low > floor or high < -floor)
    ratio, low, high = (math.exp(v) for v in (value, low, high))
    return Row(metric, at, unit, first, second, ratio, low, high, None, verdict, count)


def _medians(values: Sequence[float], seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Medians of 1,000 draws of runs (moving blocks, Kuensch 1989) of about the root of them."""
    x = np.asarray(values)
    length = max(1, round(len(x) ** 0.5))
    random = np.random.Generator(np.random.Philox(seed))
    starts = random.integers(0, len(x) - length + 1, (1000, -(-len(x) // length)))
    places = (starts[:, :, None] + np.arange(length)).reshape(1000, -1)[:, : len(x)]
    medians: np.ndarray[tuple[int], np.dtype[np.float64]] = np.median(x[places], axis=1)
    return medians


def _pairs(recording: Recording, key: Key, a: str, b: str) -> list[float]:
    """Logarithm of b's median over a's, of each block that has both."""
    one, two = recording.turns(*key, a), recording.turns(*key, b)
    both = [turn for turn in one if turn in two]
    medians = [(statistics.median(one[turn]), statistics.median(two[turn])) for turn in both]
    return [math.log(y / x) for x, y in medians if x > 0 and y > 0]


def _logs(turns: Mapping[int, list[float]]) -> list[float]:
    """Logarithms of each turn's median; a 0 stands for something too small to see."""
    return [math.log(max(statistics.median(values), 1e-12)) for values in turns.values()]


def _middle(turns: Mapping[int, list[float]]) -> float:
    values = [value for turn in turns.values() for value in turn]
    return statistics.median(values) if values else 0.0


def _verdict(log_ratio: float, unit: str, sure: bool) -> Verdict:
    if not sure:
        return "no difference"
    return "better" if (log_ratio > 0) == (unit in MORE_IS_BETTER) else "worse"


def _names(recording: Recording, arm: str) -> str:
    return ", ".join(sorted({name for name, _ in recording.keys(arm)})) or "no figures"
