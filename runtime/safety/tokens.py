"""The guard of a reply, as the decode loop sees it: which tokens may be shown with the text.

Knows: where a token's text ends at the latest. Does not know: checks, tokenizers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .guard import Guard
from .verdict import Verdict

if TYPE_CHECKING:
    from edgeward.request import Request

_HALF_A_CHARACTER = 1


class TokenGuard:
    """A `Guard` that is told the text of one token after the other.

    A token tells its text, so it is shown only when all of its text may be. Some of that may come
    with later tokens: half a character, or what may become a stop string. `lag` is the most that
    can be.
    """

    def __init__(self, guard: Guard, lag: int) -> None:
        self._guard, self._lag = guard, lag
        self._spans: list[tuple[int, int]] = []
        self._said = 0

    @classmethod
    def of(cls, request: Request) -> TokenGuard | None:
        """The guard of a request's reply; None without one."""
        guard = None if request.screen is None else request.screen.guard()
        if guard is None:
            return None
        return cls(guard, _HALF_A_CHARACTER + max(map(len, request.sampling.stop), default=0))

    @property
    def stopped(self) -> bool:
        """A finding ended the reply."""
        return self._guard.stopped

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What the checks said about the reply."""
        return self._guard.verdicts

    @property
    def milliseconds(self) -> float:
        """What the checks took."""
        return self._guard.milliseconds

    def push(self, text: str) -> str:
        """Take what the next token added to the text; returns what may be shown."""
        begin, self._said = self._said, self._said + len(text)
        self._spans.append((begin, self._said + self._lag))
        return self._guard.push(text)

    def finish(self, text: str) -> str:
        """Take the last of the text, which is no token's; returns what may be shown."""
        self._said += len(text)
        shown = self._guard.push(text)
        return shown + self._guard.finish()

    def passed(self, start: int, made: int, ended: bool) -> int:
        """Of `made` tokens, how many have no text that is still to be decided."""
        if ended and not self.stopped:
            return made
        at = start
        while at < len(self._spans) and self._spans[at][1] <= self._guard.shown_to:
            at += 1
        return at

    def hides(self, token: int) -> bool:
        """True if a part of the token's text was not shown as it is."""
        if token >= len(self._spans):
            return False
        begin, end = self._spans[token]
        return self._guard.hides(begin, min(end, self._said))
