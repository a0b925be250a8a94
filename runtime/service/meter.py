"""A request's own clock, as its caller lives it. Knows: chunks and times. Does not know: limits."""

from __future__ import annotations

import time

from edgeward.reply import Chunk, Latency

from .ticket import Ticket


class Stopwatch:
    """Times from the call on; stands still while the caller holds a chunk."""

    def __init__(self, began: float, ticket: Ticket) -> None:
        self._began = began
        self._ticket = ticket
        self._held = 0.0
        self._since = began
        self._first: float | None = None
        self._last = began
        self._tokens = 0
        self.shown_after = 0
        """Tokens that were made when the first text came."""
        self.beside_ms = 0.0
        """Time before the first text that went neither to the engine nor to waiting for a turn."""

    def saw(self, chunk: Chunk) -> None:
        """A chunk came."""
        self._since = time.perf_counter()
        self._last = self._since - self._held
        self._tokens += len(chunk.token_ids)
        if chunk.text and self._first is None:
            self._first = self._last
            self.shown_after = self._tokens
            ticket = self._ticket
            ticket.first_by = None
            spent = ticket.prefill_ms + ticket.step_ms + ticket.share.waited
            self.beside_ms = (self._first - self._began) * 1000 - spent

    def resume(self) -> None:
        """The caller wants more."""
        self._held += time.perf_counter() - self._since

    def pace(self, least: int) -> float | None:
        """Milliseconds a token since the first text, of at least so many tokens; None before."""
        made = self._tokens - self.shown_after
        if self._first is None or made < least:
            return None
        return (self._last - self._first) * 1000 / made

    def times(self, tokens: int) -> Latency:
        """What the request took; `tokens` are those of the whole answer."""
        total = (self._last - self._began) * 1000
        if self._first is None:
            return Latency(None, None, total)
        rest = tokens - self.shown_after
        per_token = (self._last - self._first) * 1000 / rest if rest > 0 else None
        return Latency((self._first - self._began) * 1000, per_token, total)
