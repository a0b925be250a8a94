"""An audit log: appended to, never changed, each line bound to the one before by a hash.

A line is JSON: number, time (UTC), event, facts, the hash of the line before, its own. Who changes,
drops or swaps a line breaks the chain from there on; who cuts lines off the end leaves a whole
chain, which only a copy of the last hash kept elsewhere can show (`head`). A line that a crash cut
short was never acknowledged; it is no part of the chain. Holds no text of requests.

Knows: lines, hashes. Does not know: what happened.
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import itertools
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from edgeward import store
from edgeward.errors import KeepError

_BEGIN = "0" * 64
_MOST_LINE = 64 * 1024


@dataclass(frozen=True)
class Check:
    """What `verify` found."""

    lines: int
    """Lines that are whole, in order and unchanged, from the first on."""
    head: str
    """Hash of the last of them."""
    torn: int
    """Pieces of lines that a crash left among them."""
    problem: str | None
    """What is wrong with the next one; None: nothing is."""


def default_path() -> Path:
    """Where the log is kept when nothing else is said; it need not exist."""
    return store.home() / "audit.jsonl"


class AuditLog:
    """One file of events. Safe from many threads and processes. Raises `KeepError`."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()
        self._lock = threading.Lock()

    def add(self, event: str, **facts: Any) -> str:
        """Append an event and return its hash, when it has reached the disk."""
        try:
            with self._lock:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
                with os.fdopen(handle, "r+b") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    return _append(file, event, facts)
        except OSError as error:
            raise KeepError(
                f"the audit log {self.path} cannot be written: {error.strerror or error}. Free "
                f"some space, or serve without audit=True."
            ) from None

    def verify(self) -> Check:
        """Walk the chain from its beginning."""
        number, head, torn = 0, _BEGIN, 0
        try:
            with self.path.open("rb") as file:
                for place, raw in enumerate(file, 1):
                    line = _read(raw)
                    if line is None:
                        torn += 1
                        continue
                    problem = _problem(line, number, head)
                    if problem is not None:
                        return Check(number, head, torn, f"line {place}: {problem}")
                    head = line["hash"]
                    number += 1
        except FileNotFoundError:
            pass
        except OSError as error:
            raise KeepError(f"{self.path} cannot be read: {error.strerror or error}.") from None
        return Check(number, head, torn, None)

    def entries(self) -> Iterator[dict[str, Any]]:
        """The events of the whole part of the chain."""
        whole = self.verify().lines
        if not whole:
            return
        with self.path.open("rb") as file:
            lines = (line for raw in file if (line := _read(raw)) is not None)
            yield from itertools.islice(lines, whole)


def _append(file: IO[bytes], event: str, facts: dict[str, Any]) -> str:
    number, head, torn = _last(file)
    if torn:
        # Killed half way through a line that nobody was told is there: a line of its own says so.
        file.write(b"\n")
    line = {
        "number": number,
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "event": event,
        "facts": facts,
        "before": head,
    }
    line["hash"] = _hash(line)
    raw = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    if len(raw) > _MOST_LINE:
        raise OSError(0, f"an event of {len(raw)} bytes is too long; {_MOST_LINE} are allowed")
    file.write(raw)
    file.flush()
    os.fsync(file.fileno())
    made: str = line["hash"]  # type: ignore[assignment]
    return made


def _last(file: IO[bytes]) -> tuple[int, str, bool]:
    """Number and `before` of the next line, and whether the file ends within one."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - 2 * _MOST_LINE)
    file.seek(start)
    tail = file.read()
    torn = bool(tail) and not tail.endswith(b"\n")
    for raw in reversed(tail.split(b"\n")):
        line = _read(raw)
        if line is not None:
            return line["number"] + 1, line["hash"], torn
    return 0, _BEGIN, torn


def _read(raw: bytes) -> dict[str, Any] | None:
    """A whole line; None for a piece of one."""
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    types = {"number": int, "hash": str, "before": str}
    whole = isinstance(line, dict) and all(isinstance(line.get(k), t) for k, t in types.items())
    return line if whole else None


def _problem(line: dict[str, Any], number: int, head: str) -> str | None:
    if line["number"] != number:
        return f"it has the number {line['number']}, {number} comes next"
    if line["before"] != head:
        return "it does not follow the line before it"
    rest = {name: value for name, value in line.items() if name != "hash"}
    return None if line["hash"] == _hash(rest) else "it was changed"


def _hash(line: dict[str, Any]) -> str:
    plain = json.dumps(line, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
