"""What a device's answers cost, day by day, beyond the life of a process: SQLite, no texts.

Knows: SQL, days, sums. Does not know: prices, requests. Several processes may add to one file.
"""

from __future__ import annotations

import datetime
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from edgeward import store
from edgeward.errors import KeepError

KEPT_DAYS = 400

_TABLE = """
CREATE TABLE IF NOT EXISTS days (
    day TEXT NOT NULL, pack_sha256 TEXT NOT NULL, requests INTEGER NOT NULL,
    tokens INTEGER NOT NULL, busy_ms REAL NOT NULL, joules REAL NOT NULL, cost REAL NOT NULL,
    PRIMARY KEY (day, pack_sha256)
) STRICT
"""
_ADD = """
INSERT INTO days VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    requests = requests + 1, tokens = tokens + excluded.tokens,
    busy_ms = busy_ms + excluded.busy_ms, joules = joules + excluded.joules,
    cost = cost + excluded.cost
"""
_SUMS = """
SELECT day, SUM(requests), SUM(tokens), SUM(busy_ms), SUM(joules), SUM(cost) FROM days
GROUP BY day ORDER BY day
"""
NAMES = ("requests", "tokens", "busy_ms", "joules", "cost")


class CostBook:
    """The file of one store. Safe from many threads and processes. Raises `KeepError`."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or store.home() / "costs.db"
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def add(self, pack: str, tokens: int, busy_ms: float, joules: float, cost: float) -> None:
        """Add one request to today's sums of a pack.

        Written when this returns: it outlives the process, if not the power.
        """
        today = datetime.date.today()
        with self._lock:
            try:
                database = self._opened()
                with database:
                    row = (today.isoformat(), pack, tokens, busy_ms, joules, cost)
                    database.execute(_ADD, row)
                    oldest = today - datetime.timedelta(days=KEPT_DAYS)
                    database.execute("DELETE FROM days WHERE day < ?", (oldest.isoformat(),))
            except (sqlite3.Error, OSError) as error:
                raise self._cannot("written", error) from None

    def days(self) -> dict[str, dict[str, Any]]:
        """Sums of each day, over all packs, the oldest first."""
        if not self.path.exists():
            return {}
        with self._lock:
            try:
                rows = self._opened().execute(_SUMS).fetchall()
            except (sqlite3.Error, OSError) as error:
                raise self._cannot("read", error) from None
        return {row[0]: dict(zip(NAMES, row[1:], strict=True)) for row in rows}

    def close(self) -> None:
        """Give the file back; another call opens it again."""
        with self._lock:
            if self._database is not None:
                with closing(self._database):
                    self._database = None

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            database = sqlite3.connect(self.path, timeout=5.0, check_same_thread=False)
            try:
                # Each request writes: without waiting for the disk; only a power cut can tell.
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = NORMAL")
                database.execute(_TABLE)
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    def _cannot(self, done: str, error: Exception) -> KeepError:
        return KeepError(
            f"{self.path} cannot be {done}: {error}. Free space there, or delete the file: it "
            f"holds sums of cost only."
        )
