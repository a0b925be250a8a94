"""Checks of your own words: phrases to object to, and longer ones that excuse them.

Knows: lists of phrases, how a reply comes in parts. Does not know: how they are found
(kernels/safety/phrases.h).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from edgeward import checks
from edgeward.errors import OptionError
from edgeward.kernels import _native

from .check import Check
from .pii import places
from .verdict import Finding, Verdict


@dataclass(frozen=True)
class PhraseCheck(Check):
    """Objects to texts with one of `blocked` in it, unless it stands inside one of `allowed`.

    Case, accents, look-alike letters, leetspeak, invisible characters and letters spaced out make
    no difference. Make one with `phrase_filter`.
    """

    name: str = "phrases"
    timeout: float | None = None
    blocked: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    whole_words: bool = True
    _phrases: _native.Phrases = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.blocked:
            raise OptionError("phrase_filter has no phrases to object to; give at least one.")
        try:
            made = _native.Phrases(self.blocked, self.allowed, self.whole_words)
        except ValueError as error:
            raise OptionError(f"{error}.") from None
        object.__setattr__(self, "_phrases", made)

    def score(self, text: str) -> float:
        return float(bool(self._phrases.find(text)))

    def check(self, text: str, role: str = "user") -> Verdict:
        return self.verdict_on(self._phrases.find(text), role)

    def verdict_on(self, found: Sequence[tuple[int, int, int]], role: str) -> Verdict:
        """The verdict that matches mean."""
        findings = [Finding(begin, end, self.name) for _, begin, end in found]
        return places(self, findings, role, "no such phrase")

    def stream(self, role: str = "assistant") -> PhraseStream:
        return PhraseStream(self, self._phrases.stream(), role)


class PhraseStream:
    """The automaton's state and what it has found."""

    def __init__(self, check: PhraseCheck, stream: _native.PhraseStream, role: str) -> None:
        self._check, self._stream, self._role = check, stream, role
        self._found: list[tuple[int, int, int]] = []
        self._settled = 0

    def push(self, text: str) -> None:
        """Take the next part."""
        self._found += self._stream.push(text)
        self._settled = self._stream.settled

    def verdict(self, ended: bool) -> Verdict:
        """About all parts so far."""
        if ended:
            self._found += self._stream.finish()
        return self._check.verdict_on(self._found, self._role)

    @property
    def settled(self) -> int:
        """Characters that no later text can make part of a match."""
        return self._settled


def phrase_filter(
    blocked: Sequence[str],
    allowed: Sequence[str] = (),
    *,
    whole_words: bool = True,
    **settings: Any,
) -> PhraseCheck:
    """A check that objects to phrases of yours.

    `blocked` and `allowed` are lists of phrases; one of `blocked` inside one of `allowed` is
    excused. With `whole_words` a phrase must begin and end where words do. `settings` are those of
    every check: `policy`, `roles`, `name` ... Raises `OptionError`.

    >>> check = phrase_filter(["kill"], allowed=["kill the process"])
    >>> [check.check(t).allowed for t in ("k1ll him", "Kill the process!", "skilled")]
    [False, True, True]
    """
    lists = [checks.strings("blocked", blocked), checks.strings("allowed", allowed)]
    return PhraseCheck(blocked=lists[0], allowed=lists[1], whole_words=whole_words, **settings)
