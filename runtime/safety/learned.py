"""`toxicity_filter` and `jailbreak_detector`: the learned scorers as checks.

Knows: the model that ships, its heads and levels, normalization, where in a text the objection
lies. Does not know: how a score is made (docs/safety-models.md), what is done about it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import OptionError
from edgeward.kernels import _native

from . import weights
from .check import Check
from .normalizer import normalize
from .verdict import Verdict

LEVELS = ("strict", "balanced", "permissive")
"""Thresholds by name: set to flag 5 %, 1 % and 0.1 % of benign prompts."""

_PIECE = re.compile(r"[^.!?\n。！？]*[.!?\n。！？]*")
_MOST_PIECES = 512


class Reading(NamedTuple):
    """A text as the scorers read it."""

    scores: NDArray[np.float32]
    """One a head; the highest of the text and of what is encoded in it."""
    sources: list[int]
    """For each head the alternative that scored highest; -1: the text itself."""


@dataclass(frozen=True)
class LearnedCheck(Check):
    """One head of the scorers that ship. Make copies with `with_threshold` and `configured`."""

    head: str = ""
    level: str = "balanced"
    """The name of the threshold; "custom" for a number of your own."""
    timeout: float | None = None
    _model: _native.SafetyModel = field(
        default_factory=weights.load, init=False, repr=False, compare=False
    )

    def with_threshold(self, threshold: float | str) -> Self:
        """A copy with another threshold: strict, balanced, permissive, or a number, 0 to 1."""
        if not isinstance(threshold, str):
            return dataclasses.replace(self, threshold=threshold, level="custom")
        if threshold not in LEVELS:
            raise OptionError(
                f"threshold is {threshold!r}; it must be {', '.join(LEVELS)}, or a number from 0 "
                f"to 1."
            )
        value = self._model.threshold(self.head, threshold)
        return dataclasses.replace(self, threshold=value, level=threshold)

    def score(self, text: str) -> float:
        return float(self._model.score_meaning(text)[0][self._column])

    def score_batch(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([self.score(text) for text in texts], dtype=np.float32)

    def check(self, text: str, role: str = "user") -> Verdict:
        return self.judge(self.read(text), text, role)

    @property
    def reader(self) -> _native.SafetyModel:
        """Checks with one reader can share what it read."""
        return self._model

    def read(self, text: str) -> Reading:
        """What all heads make of a text, in one pass over it."""
        return Reading(*self._model.score_meaning(text))

    def judge(self, reading: Reading, text: str, role: str) -> Verdict:
        """`check` of a text that has been read."""
        column = self._column
        verdict = self.verdict_of(float(reading.scores[column]), role)
        return verdict if verdict.allowed else self._explained(verdict, text, reading.sources)

    def verdict_of(self, score: float, role: str) -> Verdict:
        allowed = score < self.threshold
        reason = f"{self.head} {score:.2f} is below {self.threshold:.2f}"
        if not allowed:
            rate = ""
            if self.level in LEVELS:
                share = self._model.false_positive_rate(self.head, self.level)
                rate = f", which is set to flag {share:.1%} of benign prompts"
            reason = f"{self.head} {score:.2f} reaches {self.threshold:.2f} ({self.level}{rate})"
        return Verdict(self.name, self.head, allowed, score, self.threshold, reason, role=role)

    def stream(self, role: str = "assistant") -> LearnedStream:
        return LearnedStream(self, self._model.stream(), role)

    def __getstate__(self) -> dict[str, object]:
        """All but the weights and what follows from them, which every process has of its own."""
        return {name: value for name, value in vars(self).items() if name[0] != "_"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state, _model=weights.load())

    @cached_property
    def _column(self) -> int:
        return self._model.heads.index(self.head)

    def _explained(self, verdict: Verdict, text: str, sources: Sequence[int]) -> Verdict:
        """With the place that scores highest, and whether it had to be decoded."""
        if (at := sources[self._column]) >= 0:
            other = normalize(text).alternatives[at]
            reason = f"{verdict.reason}; decoded from {other.encoding}"
            return dataclasses.replace(verdict, span=(other.begin, other.end), reason=reason)
        pieces = [match.span() for match in _PIECE.finditer(text) if match.group().strip()]
        if not 1 < len(pieces) <= _MOST_PIECES:
            return verdict
        best = int(np.argmax(self.score_batch([text[begin:end] for begin, end in pieces])))
        return dataclasses.replace(verdict, span=pieces[best])


class LearnedStream:
    """Scores a reply as it comes: normalized text up to the last whole word.

    At the end the verdict is that of the whole text, decoded pieces included.
    """

    def __init__(self, check: LearnedCheck, stream: _native.SafetyStream, role: str) -> None:
        self._check, self._stream, self._role = check, stream, role
        self._normalizer = _native.NormalizeStream()
        self._text: list[str] = []
        self._taken = 0
        self._score = 0.0

    def push(self, text: str) -> None:
        """Take the next part."""
        self._text.append(text)
        self._taken += len(text)
        if words := self._normalizer.push(text):
            self._score = float(self._stream.push(words)[self._check._column])

    def verdict(self, ended: bool) -> Verdict:
        """About all parts so far."""
        if ended:
            return self._check.check("".join(self._text), self._role)
        return self._check.verdict_of(self._score, self._role)

    @property
    def settled(self) -> int:
        """Everything: this check judges texts, not places."""
        return self._taken


def toxicity() -> LearnedCheck:
    """Insults, hate and threats in what is asked and answered."""
    return LearnedCheck(name="toxicity", head="toxicity").with_threshold("balanced")


def jailbreak() -> LearnedCheck:
    """Attempts to turn the model against its instructions, in questions and tool results."""
    made = LearnedCheck(name="jailbreak", head="jailbreak", roles=("user", "tool", "function"))
    return made.with_threshold("balanced")
