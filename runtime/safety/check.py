"""What a safety check is, and the settings under which it is run.

Knows: the protocol, thresholds, policies. Does not know: any check's method, requests, threads.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from edgeward import checks
from edgeward.errors import OptionError

from .verdict import POLICIES, Finding, OnFailure, Policy, Verdict

ROLES = ("user", "tool", "function", "assistant")
"""Whose texts are checked by default. System messages are the application's own."""


@runtime_checkable
class SafetyCheck(Protocol):
    """Anything with a name and these two methods is a check."""

    @property
    def name(self) -> str: ...
    def score(self, text: str, /) -> float:
        """How surely the text is unsafe, in [0, 1]."""

    def check(self, text: str, role: str, /) -> Verdict:
        """What the check says about a text by `role` ("user", "tool", "assistant")."""


@runtime_checkable
class SharedCheck(Protocol):
    """A check of several that read a text in the same way: it is read once for all of them."""

    @property
    def reader(self) -> object:
        """What reads; checks whose readers are the same object share a reading."""

    def read(self, text: str, /) -> Any:
        """The text as read, for `judge` of every check with this reader."""

    def judge(self, reading: Any, text: str, role: str, /) -> Verdict:
        """What `check` says about the text that was read."""


class CheckStream(Protocol):
    """A check of a text that comes in parts."""

    def push(self, text: str, /) -> None:
        """Take the next part."""

    def verdict(self, ended: bool, /) -> Verdict:
        """About all parts so far; places are characters of the whole text.

        Unless the text has `ended`, only places that cannot become others count.
        """

    @property
    def settled(self) -> int:
        """Characters from the beginning that no later text can make part of a finding."""


@dataclass(frozen=True)
class Check(ABC):
    """A check to build on: give it a `score`, and the rest is here. Immutable.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class NoShouting(Check):
    ...     name: str = "shouting"
    ...     def score(self, text: str) -> float:
    ...         return float(text.isupper())
    >>> NoShouting().check("LOUD", "user").allowed
    False
    >>> NoShouting().configured(policy="report").policy
    'report'
    """

    name: str = "check"
    threshold: float = 0.5
    """The score from which a text is objected to."""
    policy: Policy = "block"
    on_failure: OnFailure = "block"
    timeout: float | None = 1000.0
    """Milliseconds for one call; None: not measured, and run without a thread of its own."""
    roles: tuple[str, ...] = ROLES
    replacement: str = "I cannot help with that."
    """What is said under the policy `replace`."""
    reach: int = 0
    """Characters that a finding may be long and go across the end of a sentence: a reply is held
    back so far. 0 for checks that judge sentences as wholes."""

    def __post_init__(self) -> None:
        checks.number(0, 1)("threshold", self.threshold)
        if self.policy not in POLICIES:
            raise checks.refusal("policy", self.policy, f"one of {', '.join(POLICIES)}")
        if self.on_failure not in ("block", "allow"):
            raise checks.refusal("on_failure", self.on_failure, "'block' or 'allow'")
        if self.timeout is not None:
            checks.number(0, 1e9, above=True)("timeout", self.timeout)
        checks.count(0)("reach", self.reach)
        object.__setattr__(self, "roles", checks.strings("roles", self.roles))

    @abstractmethod
    def score(self, text: str) -> float:
        """How surely the text is unsafe, in [0, 1]."""

    def score_batch(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """`score` of each text, shape (n,)."""
        return np.array([self.score(text) for text in texts], dtype=np.float32)

    def check(self, text: str, role: str = "user") -> Verdict:
        """What the check says about a text by `role`."""
        return self.verdict_of(self.score(text), role)

    def verdict_of(self, score: float, role: str) -> Verdict:
        """The verdict that a score means."""
        allowed = score < self.threshold
        word = "below" if allowed else "reaches"
        reason = f"{self.name}: {score:.3f} {word} {self.threshold:.3f}"
        return Verdict(
            self.name, self.name, allowed, float(score), self.threshold, reason, role=role
        )

    def stream(self, role: str = "assistant") -> CheckStream:
        """An empty text of this check's, to be given in parts."""
        return Rescan(self, role, self.reach)

    def configured(self, **settings: Any) -> Self:
        """A copy with other settings: `threshold`, `policy`, `on_failure`, `timeout`, `roles` ...

        Raises `OptionError` for an unknown one or a value out of range.
        """
        known = [f.name for f in dataclasses.fields(self) if f.init]
        for name in settings:
            if name not in known:
                raise OptionError(f"{self.name} has no setting {name}. It has {', '.join(known)}.")
        return dataclasses.replace(self, **settings)

    def with_threshold(self, threshold: float) -> Self:
        """A copy that objects from another score on, 0 to 1."""
        return self.configured(threshold=threshold)

    def with_policy(self, policy: Policy) -> Self:
        """A copy that does something else about a finding."""
        return self.configured(policy=policy)


class Rescan:
    """A stream for checks that only know whole texts: the last characters are checked again."""

    WINDOW = 2000
    """Characters that are looked at, so that a long reply costs no more than a short one."""

    def __init__(self, check: SafetyCheck, role: str, reach: int = 0) -> None:
        self._check, self._role = check, role
        self._window = max(self.WINDOW, 2 * reach)
        self._reach = reach
        self._tail = ""
        self._taken = 0

    def push(self, text: str) -> None:
        """Take the next part."""
        self._taken += len(text)
        self._tail = (self._tail + text)[-self._window :]

    def verdict(self, ended: bool) -> Verdict:
        """About the last characters; places are characters of the whole text."""
        made = self._check.check(self._tail, self._role)
        before = self._taken - len(self._tail)
        if before == 0 or made.span is None:
            return made
        return dataclasses.replace(
            made,
            span=(made.span[0] + before, made.span[1] + before),
            findings=tuple(
                Finding(f.begin + before, f.end + before, f.category) for f in made.findings
            ),
        )

    @property
    def settled(self) -> int:
        """Characters that no later text can make part of a finding."""
        return max(0, self._taken - self._reach)


@dataclass(frozen=True)
class Adapted(Check):
    """A check of someone else's under our settings: any `SafetyCheck`, or a function of a text."""

    inner: Any = None

    def score(self, text: str) -> float:
        return float(self.inner(text) if self._is_function else self.inner.score(text))

    def check(self, text: str, role: str = "user") -> Verdict:
        if self._is_function:
            return super().check(text, role)
        made = self.inner.check(text, role)
        if not isinstance(made, Verdict):
            raise TypeError(f"check() returned a {type(made).__name__}, not a Verdict")
        return made

    @property
    def _is_function(self) -> bool:
        return not isinstance(self.inner, SafetyCheck)


def adapted(check: SafetyCheck | Callable[[str], float], **settings: Any) -> Check:
    """A check with settings, of a `SafetyCheck` or of a function of a text that gives its score.

    Settings that a `SafetyCheck` has as attributes (`policy`, `timeout`, `on_failure`, `roles`,
    `reach`, `replacement`, `threshold`) hold where none is given here. Raises `OptionError` for
    anything else than a check.

    >>> adapted(lambda text: float("zounds" in text), name="oaths").check("zounds!").allowed
    False
    """
    if isinstance(check, Check):
        return check.configured(**settings) if settings else check
    if not isinstance(check, SafetyCheck) and not callable(check):
        raise OptionError(
            f"{check!r} is no safety check: it must have name, score(text) and check(text, role), "
            f"or be a function of a text that gives a score from 0 to 1."
        )
    names = [f.name for f in dataclasses.fields(Check)]
    own = {n: getattr(check, n) for n in names if n != "name" and hasattr(check, n)}
    own["name"] = getattr(check, "name", None) or getattr(check, "__name__", "check")
    return Adapted(**{**own, **settings}, inner=check)
