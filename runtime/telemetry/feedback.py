"""What people thought of answers: kept in SQLite on this device, for as long as was said.

Without consent to keep text a row holds a score, numbers and hashes. Knows: SQL, days. Does not
know: services, HTTP.
"""

from __future__ import annotations

import datetime
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeward import store
from edgeward.errors import KeepError

RETENTION_DAYS = 90
MOST_COMMENT = 4000

_TABLE = """
CREATE TABLE IF NOT EXISTS feedback (
    receipt TEXT PRIMARY KEY, day TEXT NOT NULL, pack_sha256 TEXT NOT NULL, score INTEGER NOT NULL,
    comment TEXT, prompt TEXT, answer TEXT, facts TEXT NOT NULL
) STRICT
"""


@dataclass(frozen=True)
class Entry:
    """One opinion. The last three texts are None without consent."""

    receipt: str
    """Id of the answer's receipt."""
    pack_sha256: str
    score: int
    """1: good, -1: bad, 0: neither."""
    facts: dict[str, Any]
    """Numbers and settings: how it ended, tokens, times, sampling with its seed."""
    comment: str | None = None
    prompt: str | None = None
    """Messages as JSON, or the text that was continued."""
    answer: str | None = None


def default_path() -> Path:
    """Where feedback is kept when nothing else is said; it need not exist."""
    return store.home() / "feedback.db"


class Feedback:
    """One file of opinions. Safe from many threads and processes. Raises `KeepError`."""

    def __init__(self, path: Path | None = None, retention_days: int = RETENTION_DAYS) -> None:
        self.path = path or default_path()
        self.retention_days = retention_days
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Keep one opinion, instead of an earlier one of the same answer."""
        today = datetime.date.today()
        row = (
            entry.receipt,
            today.isoformat(),
            entry.pack_sha256,
            entry.score,
            entry.comment,
            entry.prompt,
            entry.answer,
            json.dumps(entry.facts, ensure_ascii=False),
        )
        oldest = today - datetime.timedelta(days=self.retention_days)
        with self._open() as database:
            database.execute("DELETE FROM feedback WHERE day < ?", (oldest.isoformat(),))
            database.execute("INSERT OR REPLACE INTO feedback VALUES (?,?,?,?,?,?,?,?)", row)

    def entries(self) -> list[Entry]:
        """All opinions, the oldest first."""
        if not self.path.exists():
            return []
        with self._open() as database:
            rows = database.execute(
                "SELECT receipt, pack_sha256, score, facts, comment, prompt, answer FROM feedback "
                "ORDER BY day, rowid"
            ).fetchall()
        return [Entry(r[0], r[1], r[2], json.loads(r[3]), r[4], r[5], r[6]) for r in rows]

    def erase(self, receipt: str | None = None) -> int:
        """Delete one opinion, or all; returns how many. What is deleted is overwritten."""
        if not self.path.exists():
            return 0
        with self._open() as database:
            if receipt is None:
                return database.execute("DELETE FROM feedback").rowcount
            return database.execute("DELETE FROM feedback WHERE receipt=?", (receipt,)).rowcount

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                if not self.path.exists():
                    self.path.touch(mode=0o600)
                with closing(sqlite3.connect(self.path, timeout=5)) as database, database:
                    database.execute("PRAGMA secure_delete = ON")
                    database.execute(_TABLE)
                    yield database
        except (sqlite3.Error, OSError) as error:
            raise KeepError(
                f"feedback cannot be kept in {self.path}: {error}. Free some space, or remove the "
                f"file if it is damaged."
            ) from None


def evaluation_set(entries: list[Entry]) -> Iterator[dict[str, Any]]:
    """Rows to test a model with: those whose text was kept."""
    for entry in entries:
        if entry.prompt is not None and entry.answer is not None:
            yield {
                "prompt": entry.prompt,
                "answer": entry.answer,
                "score": entry.score,
                "comment": entry.comment,
            }


def preference_pairs(entries: list[Entry]) -> Iterator[dict[str, Any]]:
    """Rows to train with: each good answer beside each bad one to the same prompt."""
    by_prompt: dict[str, tuple[list[str], list[str]]] = {}
    for entry in entries:
        if entry.prompt is not None and entry.answer is not None and entry.score:
            good, bad = by_prompt.setdefault(entry.prompt, ([], []))
            (good if entry.score > 0 else bad).append(entry.answer)
    for prompt, (good, bad) in by_prompt.items():
        for chosen in good:
            for rejected in bad:
                yield {"prompt": prompt, "chosen": chosen, "rejected": rejected}
