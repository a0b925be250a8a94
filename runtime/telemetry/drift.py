"""Notices that requests or answers are no longer what they were, from counts alone.

The first `LEARN` requests are the reference, kept in the store; each `WINDOW` after them is held
against it once. Counted are lengths, ends, refusals and scripts of answers: no text, no ids, no
order of requests is kept, and nothing can be read back from a count.

Knows: outcomes. Does not know: what a drift means.
"""

from __future__ import annotations

import bisect
import os
import tempfile
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edgeward import store
from edgeward.reply import Reply
from edgeward.service.core import Outcome

from .sketch import joined, psi, threshold

LEARN = 500
WINDOW = 200
FALSE_ALARMS = 0.01
"""Share of windows without any drift that raise an alarm, all features together."""

_LENGTHS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
_ENDS = ("stop", "length", "deadline", "cancelled", "safety", "refused", "error")
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI", "CJK", "HIRAGANA")
FEATURES = {
    "prompt_tokens": len(_LENGTHS) + 1,
    "completion_tokens": len(_LENGTHS) + 1,
    "end": len(_ENDS),
    "script": len(_SCRIPTS) + 2,
    "budget": 2,
}
"""Name -> bins."""

Counts = dict[str, list[int]]


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was usual."""

    pack_sha256: str
    requests: int
    counts: dict[str, list[int]]


@dataclass(frozen=True)
class Alarm:
    """A feature that moved in one window."""

    feature: str
    psi: float
    threshold: float
    window: int
    """Number of the window since the service began, from 1."""


class DriftMonitor:
    """Counts of one service. Safe from many threads."""

    def __init__(self, pack_sha256: str, path: Path | None = None) -> None:
        self._pack = pack_sha256
        self._path = path or store.home() / "drift" / f"{pack_sha256[:32]}.json"
        self._lock = threading.Lock()
        self._reference = _read(self._path, pack_sha256)
        self._counts, self._seen, self._windows = _empty(), 0, 0
        self._alarms: list[Alarm] = []
        self._last: dict[str, float] = {}
        self.note = "" if self._reference is None else f"reference read from {self._path}"

    def saw(self, outcome: Outcome) -> None:
        """A call ended."""
        bins = _bins(outcome)
        with self._lock:
            for feature, place in bins.items():
                self._counts[feature][place] += 1
            self._seen += 1
            if self._reference is None and self._seen == LEARN:
                self._reference = Reference(self._pack, LEARN, self._counts)
                self._keep(self._reference)
                self._counts, self._seen = _empty(), 0
            elif self._reference is not None and self._seen == WINDOW:
                self._hold_against(self._reference)
                self._counts, self._seen = _empty(), 0

    def _hold_against(self, reference: Reference) -> None:
        self._windows += 1
        for feature, now in self._counts.items():
            before, after = joined(reference.counts[feature], now)
            if not sum(before) or not sum(after):
                continue
            rate = FALSE_ALARMS / len(FEATURES)
            limit = threshold(sum(before), sum(after), len(before), rate)
            found = psi(before, after)
            self._last[feature] = found
            if len(before) > 1 and found > limit:
                self._alarms = [*self._alarms[-99:], Alarm(feature, found, limit, self._windows)]

    def _keep(self, reference: Reference) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".drift-")
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(reference))
            os.replace(temporary, self._path)
            self.note = f"reference learned, kept in {self._path}"
        except OSError as error:
            self.note = f"reference learned, and not kept: {error.strerror or error}"

    @property
    def alarms(self) -> list[Alarm]:
        """The last hundred alarms."""
        with self._lock:
            return list(self._alarms)

    def stats(self) -> dict[str, Any]:
        """Where it stands, as plain values."""
        with self._lock:
            learning = self._reference is None
            return {
                "state": "learning" if learning else "watching",
                "seen": self._seen,
                "of": LEARN if learning else WINDOW,
                "windows": self._windows,
                "psi": dict(self._last),
                "alarms": [vars(alarm) for alarm in self._alarms],
                "note": self.note,
            }


def _empty() -> Counts:
    return {feature: [0] * bins for feature, bins in FEATURES.items()}


def _bins(outcome: Outcome) -> dict[str, int]:
    """The bin of each feature that this outcome has."""
    reply = outcome.reply
    if reply is None:
        kind = type(outcome.error).__name__
        refused = kind in ("BudgetExceeded", "Overloaded", "SafetyBlocked")
        return {"end": _ENDS.index("refused" if refused else "error")}
    found = {
        "prompt_tokens": bisect.bisect_left(_LENGTHS, reply.usage.prompt_tokens),
        "completion_tokens": bisect.bisect_left(_LENGTHS, reply.usage.completion_tokens),
        "end": _ENDS.index(reply.finish_reason),
        "script": _script(reply),
    }
    if reply.budget is not None:
        found["budget"] = int(reply.budget.met)
    return found


def _script(reply: Reply) -> int:
    """The script of most of the first letters; a bin for other scripts, one for no letters."""
    counts = [0] * (len(_SCRIPTS) + 2)
    for character in reply.text[:200]:
        if character.isalpha():
            name = unicodedata.name(character, "").split(" ")[0]
            counts[_SCRIPTS.index(name) if name in _SCRIPTS else len(_SCRIPTS)] += 1
    if not any(counts):
        return len(_SCRIPTS) + 1
    return counts.index(max(counts))


def _read(path: Path, pack_sha256: str) -> Reference | None:
    """The kept reference; None when there is none, or one that is damaged: it is learned anew."""
    try:
        with path.open("rb") as file:
            found = msgspec.json.decode(file.read(64 * 1024), type=Reference)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    bins = {feature: len(counts) for feature, counts in found.counts.items()}
    whole = bins == FEATURES and found.pack_sha256 == pack_sha256
    return found if whole and all(min(c) >= 0 for c in found.counts.values()) else None
