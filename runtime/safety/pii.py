"""`pii_filter`: personal data and keys, reported or put under a name.

Knows: the kinds there are and how a reply comes in parts. Does not know: how each is recognized
(kernels/safety/pii.h).
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeward.errors import OptionError
from edgeward.kernels import _native

from .check import Check
from .verdict import Finding, Policy, Verdict

KINDS: tuple[str, ...] = _native.pii_kinds()
"""What is recognized: addresses, numbers with check digits, keys of common services."""

_BEFORE = 64
"""Characters kept before what is not settled: words that announce a number stand there."""

_MOST = 2048
"""Characters kept of a text without spaces."""


@dataclass(frozen=True)
class PiiCheck(Check):
    """Finds personal data by its form; see `KINDS`. It knows no names and no postal addresses.

    >>> PiiCheck().check("Write to jo@example.org", "user").findings
    (Finding(begin=9, end=23, category='email'),)
    """

    name: str = "pii"
    policy: Policy = "redact"
    timeout: float | None = None
    kinds: tuple[str, ...] = KINDS
    """Which of them count."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for kind in self.kinds:
            if kind not in KINDS:
                raise OptionError(f"kinds has {kind!r}; there are {', '.join(KINDS)}.")

    def score(self, text: str) -> float:
        return float(bool(self.find(text)))

    def find(self, text: str) -> list[Finding]:
        """All places, in order."""
        found = _native.find_pii(text)
        return [Finding(begin, end, kind) for kind, begin, end in found if kind in self.kinds]

    def check(self, text: str, role: str = "user") -> Verdict:
        return self.verdict_on(self.find(text), role)

    def verdict_on(self, findings: list[Finding], role: str) -> Verdict:
        """The verdict that findings mean."""
        return places(self, findings, role, "no personal data")

    def stream(self, role: str = "assistant") -> PiiStream:
        return PiiStream(self, role)


def places(check: Check, findings: list[Finding], role: str, nothing: str) -> Verdict:
    """The verdict of a check that finds places."""
    if not findings:
        return Verdict(check.name, check.name, True, 0.0, check.threshold, nothing, role=role)
    first = findings[0]
    more = f" and {len(findings) - 1} more" if len(findings) > 1 else ""
    return Verdict(
        check.name,
        first.category,
        False,
        1.0,
        check.threshold,
        f"{check.name}: {first.category} at characters {first.begin} to {first.end}{more}",
        (first.begin, first.end),
        tuple(findings),
        role,
    )


class PiiStream:
    """Keeps what may still become a finding, and a little before it."""

    def __init__(self, check: PiiCheck, role: str) -> None:
        self._check, self._role = check, role
        self._tail = ""
        self._dropped = 0
        self._found: list[Finding] = []
        self._settled = 0

    def push(self, text: str) -> None:
        """Take the next part."""
        self._tail += text
        settled = self._dropped + _native.pii_settled(self._tail)
        if settled <= self._settled:
            return
        self._found += self._fresh(settled)
        self._settled = settled
        drop = max(0, settled - self._dropped - _BEFORE)
        # What is cut must begin between words, as the text does, and not inside a finding.
        cut = drop
        while cut and not self._tail[cut - 1].isspace():
            cut -= 1
        # A text without spaces is cut anywhere: what begins there is not looked at any more.
        drop = cut or (drop if len(self._tail) > _MOST else 0)
        if drop and not (self._found and self._found[-1].end > self._dropped + drop):
            self._tail = self._tail[drop:]
            self._dropped += drop

    def verdict(self, ended: bool) -> Verdict:
        """About all parts so far."""
        rest = self._fresh(self._dropped + len(self._tail)) if ended else []
        return self._check.verdict_on([*self._found, *rest], self._role)

    @property
    def settled(self) -> int:
        """Characters that no later text can make part of a finding."""
        return self._settled

    def _fresh(self, until: int) -> list[Finding]:
        """Findings between what was settled before and `until`."""
        places = (
            Finding(found.begin + self._dropped, found.end + self._dropped, found.category)
            for found in self._check.find(self._tail)
        )
        return [found for found in places if self._settled <= found.begin and found.end <= until]
