"""The safety of one request: its prompt is checked before anything is computed, its reply guarded.

Knows: messages and roles, what each policy does to a prompt. Does not know: templates, tokens, how
a reply is made.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from edgeward import checks as values
from edgeward.errors import OptionError

from .check import Check, SafetyCheck, SharedCheck, adapted
from .guard import DEFAULT_WINDOW, Guard, redacted
from .run import Runner
from .verdict import Verdict

SafetyChecks = Sequence[SafetyCheck | Callable[[str], float]]


class Screen:
    """The checks of one request and what they have said so far."""

    def __init__(self, checks: Sequence[Check], runner: Runner, window: int) -> None:
        self.checks, self.window = tuple(checks), window
        self._runner = runner
        self.verdicts: list[Verdict] = []
        """About the prompt: all objections, and for each check that has none its highest score."""
        self.stopped = False
        """The prompt must not reach the model."""
        self.said = ""
        """What is said in the place of an answer to such a prompt."""
        self.milliseconds = 0.0

    def prompt(self, text: str, *, as_ids: bool = False) -> str:
        """Check a plain prompt; returns it, redacted where a policy says so."""
        return str(self._screened([{"role": "user", "content": text}], as_ids, False)[0]["content"])

    def messages(self, messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Check what others than the model said; returns the messages as the model may see them."""
        return self._screened(messages, False, True)

    def guard(self) -> Guard | None:
        """The guard of the reply; None if no check looks at replies."""
        if not any("assistant" in check.roles for check in self.checks):
            return None
        return Guard(self.checks, self._runner, self.window)

    def described(self) -> tuple[dict[str, Any], ...]:
        """The checks and their settings, for the receipt."""
        names = ("name", "threshold", "policy", "on_failure", "roles")
        listed = ({name: getattr(check, name) for name in names} for check in self.checks)
        return tuple({**entry, "window": self.window} for entry in listed)

    def _screened(
        self, messages: Sequence[dict[str, Any]], as_ids: bool, numbered: bool
    ) -> list[dict[str, Any]]:
        began = time.perf_counter()
        seen = [dict(message) for message in messages]
        readings: dict[tuple[int, str], Any] = {}
        for check in self.checks:
            best: Verdict | None = None
            for at, message in enumerate(seen):
                role, text = str(message["role"]), message.get("content")
                if self.stopped or role == "assistant" or role not in check.roles:
                    continue
                if not isinstance(text, str) or not text:
                    continue
                made = self._runner.verdict(
                    check, role, partial(_judged, check, text, role, readings)
                )
                if numbered or made.message is not None:
                    made = dataclasses.replace(made, message=at if numbered else None)
                if made.allowed:
                    best = made if best is None or made.score > best.score else best
                else:
                    message["content"] = self._object(check, made, text, as_ids)
            if best is not None and not any(v.check == best.check for v in self.verdicts):
                self.verdicts.append(best)
        self.milliseconds += (time.perf_counter() - began) * 1000
        return seen

    def _object(self, check: Check, verdict: Verdict, text: str, as_ids: bool) -> str:
        """Note an objection and do what the policy says; returns the text to go on with."""
        action = check.policy
        if (action == "redact" and (as_ids or not verdict.findings)) or (
            verdict.failed and action != "replace"
        ):
            action = "block"
        self.verdicts.append(dataclasses.replace(verdict, action=action))
        if action == "redact":
            return redacted(text, verdict.findings)
        if action != "report":
            self.stopped = True
            self.said = check.replacement if action == "replace" else ""
        return text


def _judged(check: Check, text: str, role: str, readings: dict[tuple[int, str], Any]) -> Verdict:
    """What `check` says; a text is read once for all checks with the same reader."""
    if not isinstance(check, SharedCheck):
        return check.check(text, role)
    key = (id(check.reader), text)
    if key not in readings:
        readings[key] = check.read(text)
    return check.judge(readings[key], text, role)


def screen(safety_checks: SafetyChecks | None, window: int | None, runner: Runner) -> Screen | None:
    """The screen of a request; None without checks. Raises `OptionError` for what is no check."""
    if window is None:
        window = DEFAULT_WINDOW
    values.whole(0, 100_000, "a whole number of characters from 0 to 100000")(
        "safety_window", window
    )
    if safety_checks is None:
        return None
    if isinstance(safety_checks, str | SafetyCheck) or not isinstance(safety_checks, Sequence):
        raise OptionError(
            f"safety_checks is {safety_checks!r}; it must be a list of checks, such as "
            f"[edgeward.toxicity_filter, edgeward.pii_filter]."
        )
    made = [adapted(check) for check in safety_checks]
    names = [check.name for check in made]
    for name in names:
        if names.count(name) > 1:
            raise OptionError(
                f"safety_checks has two checks named {name!r}: verdicts could not be told apart. "
                f"Give one of them another name."
            )
    return Screen(made, runner, window) if made else None
