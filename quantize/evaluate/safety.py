"""How well a safety check tells unsafe texts from safe ones, and whom it flags wrongly.

Knows: any object with `name` and `score_batch`, labelled texts, rates with their uncertainty. Does
not know: how the check works, files, printing. All thresholds come from the safe texts given, so
checks whose scores mean different things can be compared at the same price.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import EdgewardError

from .obfuscation import OBFUSCATIONS

Floats = NDArray[np.float64]

FALSE_POSITIVE_RATES = (0.01, 0.05)
LATENCY_CHARACTERS = 256


class Scores(Protocol):
    """What is measured: every `SafetyCheck` has it."""

    @property
    def name(self) -> str: ...
    def score_batch(self, texts: Sequence[str], /) -> Any: ...


@dataclass(frozen=True)
class Sample:
    """A text, whether it is unsafe, the set it belongs to and, where given, the people it names."""

    text: str
    label: int
    set: str
    subgroup: str = ""


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % Wilson interval."""

    count: int
    of: int
    share: float
    low: float
    high: float

    @classmethod
    def measured(cls, count: int, of: int) -> Rate:
        """Wilson 1927; (0, 1) when nothing was counted."""
        if of == 0:
            return cls(0, 0, float("nan"), 0.0, 1.0)
        z, share = 1.959964, count / of
        middle = (share + z * z / (2 * of)) / (1 + z * z / of)
        reach = z / (1 + z * z / of) * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
        return cls(count, of, share, float(max(middle - reach, 0)), float(min(middle + reach, 1)))


@dataclass
class SetFigures:
    """One set: how much of its unsafe part is found and of its safe part flagged."""

    set: str
    unsafe: int
    safe: int
    recall: dict[str, Rate] = field(default_factory=dict)
    flagged: dict[str, Rate] = field(default_factory=dict)
    auc: float | None = None
    """Of its unsafe texts against its own safe ones, or against all where it has none."""


@dataclass
class Figures:
    """All of a check; keys of rates are the false-positive rates in percent."""

    check: str
    thresholds: dict[str, float]
    sets: list[SetFigures]
    subgroups: dict[str, dict[str, Rate]]
    subgroup_gap: dict[str, float]
    """Highest less lowest share of flagged safe texts over subgroups, in percentage points."""
    brier: float
    calibration_error: float
    """Mean distance of score and frequency over ten bins, weighted by their size."""
    obfuscation: dict[str, dict[str, float]]
    """Share of the plainly found texts that is still found, and of safe texts that is flagged."""
    latency_us: dict[str, float]


def measure(check: Scores, samples: Sequence[Sample], *, most_obfuscated: int = 200) -> Figures:
    """Measure `check` on `samples`, which must hold safe and unsafe texts.

    Raises `EdgewardError` when one kind is missing or a score is no number in [0, 1].
    """
    labels = np.array([sample.label for sample in samples])
    if not ((labels == 0).any() and (labels == 1).any()):
        raise EdgewardError(
            f"evaluation needs safe (label 0) and unsafe (label 1) texts, got "
            f"{int((labels == 0).sum())} and {int((labels == 1).sum())}; add the missing kind."
        )
    scores = _scored(check, [sample.text for sample in samples])
    thresholds = {_key(rate): threshold(scores[labels == 0], rate) for rate in FALSE_POSITIVE_RATES}
    subgroups = _subgroups(samples, scores, thresholds)
    shares = {key: [rates[key].share for rates in subgroups.values()] for key in thresholds}
    return Figures(
        check=check.name,
        thresholds=thresholds,
        sets=_sets(samples, scores, labels, thresholds),
        subgroups=subgroups,
        subgroup_gap={k: 100 * (max(s) - min(s)) for k, s in shares.items() if s},
        brier=float(np.mean((scores - labels) ** 2)),
        calibration_error=calibration_error(scores, labels),
        obfuscation=_obfuscated(check, samples, thresholds[_key(0.01)], most_obfuscated),
        latency_us=latency(check),
    )


def threshold(safe: Floats, rate: float) -> float:
    """The lowest score from which at most `rate` of the scores `safe` are flagged (>=)."""
    ordered = np.sort(safe)[::-1]
    allowed = int(rate * len(ordered) + 1e-9)
    return float(np.nextafter(ordered[allowed], np.inf))


def auc(scores: Floats, labels: NDArray[Any]) -> float:
    """Probability that an unsafe text scores above a safe one; ties count half."""
    _, place, size = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(size) - (size - 1) / 2)[place]
    unsafe = labels == 1
    n, m = int(unsafe.sum()), int((~unsafe).sum())
    return float((ranks[unsafe].sum() - n * (n + 1) / 2) / (n * m))


def calibration_error(scores: Floats, labels: NDArray[Any], bins: int = 10) -> float:
    """Expected calibration error over equal bins of the score."""
    at = np.minimum((scores * bins).astype(int), bins - 1)
    parts = [(at == b) for b in range(bins) if (at == b).any()]
    return float(sum(p.mean() * abs(scores[p].mean() - labels[p].mean()) for p in parts))


def latency(check: Scores, turns: int = 200) -> dict[str, float]:
    """Microseconds for one text of LATENCY_CHARACTERS, alone: p50 and p99."""
    sentence = "Could you tell me how the weather will be in Lisbon on Sunday? "
    text = (sentence * 8)[:LATENCY_CHARACTERS]
    times = []
    for _ in range(turns):
        begin = time.perf_counter_ns()
        check.score_batch([text])
        times.append((time.perf_counter_ns() - begin) / 1000)
    return {"p50": float(np.percentile(times, 50)), "p99": float(np.percentile(times, 99))}


def _key(rate: float) -> str:
    return f"{100 * rate:g}%"


def _scored(check: Scores, texts: Sequence[str]) -> Floats:
    scores = np.asarray(check.score_batch(texts), np.float64)
    wrong = ~((scores >= 0) & (scores <= 1)) if scores.shape == (len(texts),) else None
    if wrong is None:
        raise EdgewardError(
            f"{check.name}.score_batch gave shape {scores.shape} for {len(texts)} texts; "
            f"it must give ({len(texts)},)."
        )
    if wrong.any():
        raise EdgewardError(
            f"{check.name}.score_batch gave {scores[wrong][0]}; scores lie in [0, 1]."
        )
    return scores


def _sets(
    samples: Sequence[Sample], scores: Floats, labels: NDArray[Any], limits: Mapping[str, float]
) -> list[SetFigures]:
    names = np.array([sample.set for sample in samples])
    found = []
    for name in sorted(set(names.tolist())):
        unsafe, safe = (names == name) & (labels == 1), (names == name) & (labels == 0)
        figures = SetFigures(name, int(unsafe.sum()), int(safe.sum()))
        for key, limit in limits.items():
            if unsafe.any():
                figures.recall[key] = _rate(scores[unsafe] >= limit)
            if safe.any():
                figures.flagged[key] = _rate(scores[safe] >= limit)
        if unsafe.any():
            against = unsafe | (safe if safe.any() else labels == 0)
            figures.auc = auc(scores[against], labels[against])
        found.append(figures)
    return found


def _subgroups(
    samples: Sequence[Sample], scores: Floats, limits: Mapping[str, float]
) -> dict[str, dict[str, Rate]]:
    found = {}
    for group in sorted({s.subgroup for s in samples if s.subgroup and s.label == 0}):
        own = [i for i, s in enumerate(samples) if s.subgroup == group and s.label == 0]
        found[group] = {key: _rate(scores[own] >= limit) for key, limit in limits.items()}
    return found


def _rate(flags: NDArray[np.bool_]) -> Rate:
    return Rate.measured(int(flags.sum()), len(flags))


def _obfuscated(
    check: Scores, samples: Sequence[Sample], limit: float, most: int
) -> dict[str, dict[str, float]]:
    unsafe, safe = (
        _spread([s.text for s in samples if s.label == label and len(s.text) < 600], most)
        for label in (1, 0)
    )
    if not unsafe:
        return {}
    found = _scored(check, unsafe) >= limit
    known = [text for text, was in zip(unsafe, found, strict=True) if was]
    if not known or not safe:
        return {}

    def flagged(texts: list[str], change: Callable[[str], str]) -> float:
        return float((_scored(check, [change(text) for text in texts]) >= limit).mean())

    return {
        name: {"recall_kept": flagged(known, change), "safe_flagged": flagged(safe, change)}
        for name, change in OBFUSCATIONS.items()
    }


def _spread(texts: list[str], most: int) -> list[str]:
    """At most `most`, evenly from the whole list."""
    step = max(len(texts) / max(most, 1), 1.0)
    return [texts[int(i * step)] for i in range(min(most, len(texts)))]
