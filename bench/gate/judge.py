"""Figures against margins: passed only where the whole interval is within (non-inferiority).

Knows: intervals and margins. Does not know: how figures are taken. A figure whose interval reaches
over the margin is not shown to be good enough; that is no pass, and measuring longer may settle it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from edgeward.quantize.evaluate.report import Report

from .. import compare
from ..records import Recording, Subject
from .policy import Policy

Outcome = Literal["passed", "failed", "not shown", "not measured"]


@dataclass(frozen=True)
class Finding:
    """One figure of the policy; ratios are the candidate's over the baseline's."""

    name: str
    margin: float
    outcome: Outcome
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def said(self) -> str:
        """In words."""
        if self.value is None:
            return f"{self.name}: not measured"
        between = f"{self.low:.4g} to {self.high:.4g}"
        return f"{self.name}: {self.value:.4g} ({between}), margin {self.margin:.4g}"


def speed(policy: Policy, recording: Recording) -> list[Finding]:
    """Times of a recording in turns; the candidate is its second side."""
    rows = {row.metric: row for row in compare.arms(recording)}
    found = []
    for metric, share in policy.speed.items():
        row, most = rows.get(metric), 1 + share
        if row is None:
            found.append(Finding(f"speed: {metric}", most, "not measured"))
            continue
        outcome: Outcome = _outcome(row.low, row.high, most)
        if row.verdict == "too few samples":
            outcome = "not shown"
        found.append(Finding(f"speed: {metric}", most, outcome, row.ratio, row.low, row.high))
    return found


def size(policy: Policy, subjects: Mapping[str, Subject]) -> list[Finding]:
    """Bytes, in which there is no chance."""
    a, b = subjects.values()
    sizes = {"pack": (a.bytes, b.bytes), "weights": (a.weight_bytes, b.weight_bytes)}
    found = []
    for name, share in policy.size.items():
        first, second = sizes[name]
        ratio = second / first
        outcome = _outcome(ratio, ratio, 1 + share)
        found.append(Finding(f"size: {name}", 1 + share, outcome, ratio, ratio, ratio))
    return found


def quality(policy: Policy, report: Report) -> list[Finding]:
    """The candidate against the baseline's own distributions."""
    found = []
    for name, margin in policy.quality.items():
        figure = getattr(report, name)
        if figure is None:
            found.append(Finding(f"quality: {name}", margin, "not measured"))
            continue
        low, high, most = figure.low, figure.high, margin
        if name == "top1_agreement":
            low, high, most = -high, -low, -margin  # more is better
        outcome = _outcome(low, high, most)
        finding = Finding(
            f"quality: {name}", margin, outcome, figure.value, figure.low, figure.high
        )
        found.append(finding)
    return found


def _outcome(low: float, high: float, most: float) -> Outcome:
    if high <= most:
        return "passed"
    return "failed" if low > most else "not shown"
