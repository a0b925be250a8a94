"""Stands between the sampler and the caller: text is shown only after the checks have seen it.

Knows: a reply's text as it comes, the checks' streams, what each policy does. Does not know:
tokens, models, prompts. All positions are characters of the text as the model said it.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Sequence
from functools import partial

from .check import Check, CheckStream
from .run import Runner
from .verdict import Finding, Verdict

DEFAULT_WINDOW = 64
"""Characters that a text inside a sentence is held back."""
_STRIDE = 16
"""Inside a sentence the checks are asked once for so many new characters, not for each token."""
_SENTENCE_END = re.compile(r"[.!?…]['\")\]»”’]*\s|[。！？\n]")


class Guard:
    """The guard of one reply.

    `window` is the number of characters that is held back inside a sentence; at the end of a
    sentence everything is shown that no check holds back as the beginning of a finding. So a check
    that judges a text as a whole has seen all of a sentence, or `window` characters behind what is
    shown; a check that finds places (phrases, personal data) has seen every place as a whole.
    """

    def __init__(self, checks: Sequence[Check], runner: Runner, window: int) -> None:
        self._checks = [check for check in checks if "assistant" in check.roles]
        self._streams = [_stream(check) for check in self._checks]
        self._runner, self._window = runner, window
        self._held = ""
        self._spaced = False
        self._last: dict[int, Verdict] = {}
        self.shown_to = 0
        """Characters of the model's text that were shown, or redacted in what was."""
        self.redacted: list[Finding] = []
        """Places that were shown under a name only."""
        self.stopped = False
        """A finding ended the reply."""
        self.milliseconds = 0.0

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The last verdict of each check; of one that objected, the objection."""
        return tuple(self._last[i] for i in sorted(self._last))

    def push(self, text: str) -> str:
        """Take the next text of the model; returns what may be shown now."""
        began = time.perf_counter()
        self._take(text)
        shown = ""
        if not self.stopped:
            sentence, limit = self._limit()
            if limit > self.shown_to and (sentence or limit - self.shown_to >= _STRIDE):
                shown = self._release(limit, False)
        self.milliseconds += (time.perf_counter() - began) * 1000
        return shown

    def finish(self) -> str:
        """The model has ended: what is left, if the checks allow it."""
        began = time.perf_counter()
        shown = "" if self.stopped else self._release(self.shown_to + len(self._held), True)
        self.milliseconds += (time.perf_counter() - began) * 1000
        return shown

    def hides(self, begin: int, end: int) -> bool:
        """True if these characters were not shown as the model said them."""
        if end > self.shown_to:
            return True
        for finding in reversed(self.redacted):
            if finding.end <= begin:
                break
            if finding.begin < end:
                return True
        return False

    def _take(self, text: str) -> None:
        self._held += text
        for at, (check, stream) in enumerate(zip(self._checks, self._streams, strict=True)):
            if at in self._last and self._last[at].failed:
                continue
            try:
                stream.push(text)
            except Exception as error:
                self._note(at, self._runner.verdict(check, "assistant", partial(_raise, error)))

    def _limit(self) -> tuple[bool, int]:
        """Where a sentence or the window ends, and no finding can begin; whether by a sentence."""
        settled = min(
            (stream.settled for stream in self._streams), default=self.shown_to + len(self._held)
        )
        inside = self.shown_to + len(self._held) - self._window
        end = 0
        for match in _SENTENCE_END.finditer(self._held):
            end = match.end()
        whole = self.shown_to + end
        if end and whole >= inside:
            return True, min(whole, settled)
        return False, min(inside, settled)

    def _release(self, limit: int, ended: bool) -> str:
        """Ask the checks; what they allow of the text up to `limit`, findings under a name."""
        for at, (check, stream) in enumerate(zip(self._checks, self._streams, strict=True)):
            if not (at in self._last and self._last[at].failed):
                call = partial(stream.verdict, ended)
                self._note(at, self._runner.verdict(check, "assistant", call))
            if self.stopped:
                return self._instead(check)
        findings = self._to_redact()
        # A finding that ends behind the limit waits for the next time.
        limit = min([limit, *(f.begin for f in findings if f.begin < limit < f.end)])
        return self._show(limit, [f for f in findings if f.end <= limit])

    def _note(self, at: int, verdict: Verdict) -> None:
        """Keep a verdict with what is done about it."""
        check, old = self._checks[at], self._last.get(at)
        if verdict.allowed:
            if old is None or old.allowed:
                self._last[at] = verdict
            return
        action = check.policy
        late = any(f.begin < self.shown_to < f.end for f in verdict.findings)
        if (action == "redact" and (late or not verdict.findings)) or (
            verdict.failed and action != "replace"
        ):
            action = "block"
        # What was shown is settled; of the rest the check may know better by now.
        before = () if old is None else (f for f in old.findings if f.begin < self.shown_to)
        findings = (*before, *(f for f in verdict.findings if f.begin >= self.shown_to))
        span = verdict.span if old is None or old.span is None else old.span
        self._last[at] = dataclasses.replace(verdict, action=action, findings=findings, span=span)
        self.stopped = self.stopped or action in ("block", "replace")

    def _instead(self, check: Check) -> str:
        self._held = ""
        if check.policy != "replace":
            return ""
        return (" " if self._spaced else "") + check.replacement

    def _to_redact(self) -> list[Finding]:
        found = [
            finding
            for verdict in self._last.values()
            if verdict.action == "redact"
            for finding in verdict.findings
            if finding.begin >= self.shown_to
        ]
        return sorted(set(found), key=lambda finding: (finding.begin, -finding.end))

    def _show(self, limit: int, findings: list[Finding]) -> str:
        parts, at, base = [], self.shown_to, self.shown_to
        for finding in findings:
            if finding.begin < at:
                continue
            parts += [self._held[at - base : finding.begin - base], name_of(finding)]
            self.redacted.append(finding)
            at = finding.end
        if limit > at:
            parts.append(self._held[at - base : limit - base])
        self._held = self._held[max(at, limit) - base :]
        self.shown_to = max(at, limit)
        shown = "".join(parts)
        self._spaced = bool(shown) and not shown[-1].isspace()
        return shown


def name_of(finding: Finding) -> str:
    """What stands in the place of a finding: "[EMAIL]"."""
    return f"[{finding.category.upper()}]"


def redacted(text: str, findings: Sequence[Finding]) -> str:
    """`text` with a name in the place of each finding; of overlapping ones the first, longest."""
    parts, at = [], 0
    for finding in sorted(findings, key=lambda finding: (finding.begin, -finding.end)):
        if finding.begin >= at:
            parts += [text[at : finding.begin], name_of(finding)]
            at = finding.end
    return "".join([*parts, text[at:]])


class _Broken:
    """The stream of a check that could not begin one."""

    settled = 0

    def __init__(self, error: Exception) -> None:
        self._error = error

    def push(self, text: str) -> None:
        raise self._error

    def verdict(self, ended: bool) -> Verdict:
        raise self._error


def _stream(check: Check) -> CheckStream:
    try:
        return check.stream("assistant")
    except Exception as error:
        return _Broken(error)


def _raise(error: Exception) -> Verdict:
    raise error
