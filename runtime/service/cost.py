"""What requests cost: energy and device time times their prices, added up by day and session.

Knows: prices, joules, milliseconds. Does not know: what a request was about, how sums are kept.
"""

from __future__ import annotations

import datetime
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from edgeward import checks
from edgeward.errors import KeepError
from edgeward.reply import CostReport
from edgeward.telemetry.costs import CostBook

from .energy import Meter

_DAYS = 31
_HOUR_MS = 3_600_000.0
_KWH = 3_600_000.0  # joules


@dataclass(frozen=True)
class Prices:
    """What things cost, in whatever money you count in."""

    energy_kwh: float = 0.30
    """A kilowatt-hour; 0.30 is about what a European household paid in euros in 2025."""
    device_hour: float = 0.01
    """An hour of the busy device; 0.01 is a device of 260 written off in three years."""

    def __post_init__(self) -> None:
        check = checks.number(0, 1e9)
        for name in ("energy_kwh", "device_hour"):
            object.__setattr__(self, name, check(name, getattr(self, name)))

    def of(self, joules: float, busy_ms: float) -> float:
        """The price of so much energy and time."""
        return joules / _KWH * self.energy_kwh + busy_ms / _HOUR_MS * self.device_hour


@dataclass
class Totals:
    """Sums over requests."""

    requests: int = 0
    tokens: int = 0
    busy_ms: float = 0.0
    joules: float = 0.0
    cost: float = 0.0

    def add(self, tokens: int, report: CostReport) -> None:
        """Add one request."""
        self.requests += 1
        self.tokens += tokens
        self.busy_ms += report.busy_ms
        self.joules += report.joules
        self.cost += report.total


@dataclass
class _Books:
    all: Totals = field(default_factory=Totals)
    days: dict[str, Totals] = field(default_factory=dict)
    sessions: dict[str, Totals] = field(default_factory=dict)


class Ledger:
    """Accounts of one service since it began. Safe from many threads."""

    def __init__(
        self, meter: Meter, prices: Prices, book: CostBook | None = None, pack: str = ""
    ) -> None:
        """`book` keeps the sums of days, of the pack with the hash `pack`."""
        self.meter, self.prices = meter, prices
        self._book, self._pack = book, pack
        self._not_kept: str | None = None
        self._lock = threading.Lock()
        self._books = _Books()

    def estimate(self, busy_ms: float) -> float:
        """The price of engine time that is still to come, from the power seen so far."""
        with self._lock:
            seen = self._books.all
            known = seen.busy_ms > 1000
            watts = seen.joules / seen.busy_ms * 1000 if known else self.meter.watts()
        return self.prices.of(watts * busy_ms / 1000, busy_ms)

    def charge(
        self, busy_ms: float, joules: float, tokens: int, session: str | None, limit: float | None
    ) -> CostReport:
        """Account for one request: `joules` counted in its turns, if the meter counts."""
        if not self.meter.counts:
            joules = self.meter.watts() * busy_ms / 1000
        total = self.prices.of(joules, busy_ms)
        per_token = total / max(1, tokens)
        met = limit is None or per_token <= limit
        source = self.meter.source
        report = CostReport(total, per_token, joules, source, busy_ms, limit, met)
        day = datetime.date.today().isoformat()
        with self._lock:
            books = self._books
            books.all.add(tokens, report)
            books.days.setdefault(day, Totals()).add(tokens, report)
            while len(books.days) > _DAYS:
                del books.days[min(books.days)]
            if session is not None:
                books.sessions.setdefault(session, Totals()).add(tokens, report)
        self._keep(tokens, report)
        return report

    def _keep(self, tokens: int, report: CostReport) -> None:
        if self._book is None:
            return
        try:
            self._book.add(self._pack, tokens, report.busy_ms, report.joules, report.total)
        except KeepError as error:
            # An answer is not lost for its sum; stats() tells until it can be written again.
            self._not_kept = str(error)
        else:
            self._not_kept = None

    def close(self) -> None:
        """Give the kept sums' file back."""
        if self._book is not None:
            self._book.close()

    def forget(self, session: str) -> None:
        """Drop the sums of a session; those of its days stay."""
        with self._lock:
            self._books.sessions.pop(session, None)

    def session(self, name: str) -> Totals:
        """Sums of a session so far."""
        with self._lock:
            return Totals(**asdict(self._books.sessions.get(name, Totals())))

    def stats(self) -> dict[str, Any]:
        """All sums as plain values, with where the energy came from and the prices.

        `days` are those of all services of this store, as far as they are kept, else of this one.
        """
        days = self._kept_days()
        with self._lock:
            books = self._books
            own = {day: asdict(totals) for day, totals in books.days.items()}
            return {
                "energy_source": self.meter.source,
                "prices": asdict(self.prices),
                "all": asdict(books.all),
                "days": own if days is None else days,
                "not_kept": self._not_kept,
            }

    def _kept_days(self) -> dict[str, Any] | None:
        if self._book is None:
            return None
        try:
            days = self._book.days()
        except KeepError as error:
            self._not_kept = str(error)
            return None
        return {day: days[day] for day in sorted(days)[-_DAYS:]}
