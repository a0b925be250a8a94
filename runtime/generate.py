"""The decode loop: prefill, then sample, text, step until something ends it.

Knows: ids, logits, sampling, guides, stop strings, time. Does not know: chat, schemas, a pack's
files, the network.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .engine import Engine, Lane
from .errors import Cancelled, EdgewardError, ResponseFormatError
from .kv_cache import CachePool, KvCache
from .receipt import make_receipt
from .reply import Chunk, FinishReason, Reply, Timing, TokenLogprob, Usage
from .request import Request
from .safety.tokens import TokenGuard
from .tokenizer import Tokenizer

if TYPE_CHECKING:
    from .structure.guide import Guide


class _Clock:
    """Milliseconds of work so far; stands still while the consumer holds a chunk."""

    def __init__(self, already: float) -> None:
        self._total = already
        self._since = time.perf_counter()

    def now(self) -> float:
        return self._total + (time.perf_counter() - self._since) * 1000

    def pause(self) -> None:
        self._total = self.now()

    def resume(self) -> None:
        self._since = time.perf_counter()


@dataclass
class _Record:
    """What has happened so far in one generation."""

    ids: list[int] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    per_token: list[float] = field(default_factory=list)
    prefill_ms: float = 0.0
    host: list[float] = field(default_factory=list)
    forced: int = 0
    first_ms: float | None = None
    reported: int = 0
    """Tokens that a chunk was made of, or that are hidden for good."""
    shown: list[int] = field(default_factory=list)
    """Of these, the places of those that were shown."""

    def chunk(
        self,
        text: str,
        now: float,
        finish: FinishReason | None = None,
        tokens: Sequence[int] | None = None,
    ) -> Chunk:
        """The next chunk: `text`, and `tokens` (places) or all since the last one."""
        if text and self.first_ms is None:
            self.first_ms = now
        self.said.append(text)
        if tokens is None:
            tokens = range(self.reported, len(self.ids))
            self.reported = len(self.ids)
        self.shown += tokens
        return Chunk(
            text,
            tuple(self.ids[i] for i in tokens),
            tuple(self.logprobs[i] for i in tokens if i < len(self.logprobs)),
            finish,
        )


def generate(
    request: Request, engine: Engine, pool: CachePool, tokenizer: Tokenizer
) -> Generator[Chunk, None, Reply]:
    """Run one request; yields text as it becomes final and returns the finished reply.

    A cancelled request ends with the text it had. Raises `MemoryLimit` when no cache is to be
    had, `EdgewardError` when ONNX Runtime fails.
    """
    checked = 0.0 if request.screen is None else request.screen.milliseconds
    clock = _Clock(request.tokenize_ms + checked)
    cache = pool.acquire(request.ids)
    try:
        lane = Lane(engine, cache, request.cancel)
        try:
            return (yield from _generate(request, lane, cache, tokenizer, clock))
        finally:
            lane.close()
    finally:
        pool.release(cache)


def _generate(
    request: Request, lane: Lane, cache: KvCache, tokenizer: Tokenizer, clock: _Clock
) -> Generator[Chunk, None, Reply]:
    guide = request.guide()
    try:
        return (yield from _Loop(request, lane, cache, tokenizer, clock, guide).run())
    finally:
        if guide is not None:
            guide.close()


class _Loop:
    """The state of one generation, and what is done with each token."""

    def __init__(
        self,
        request: Request,
        lane: Lane,
        cache: KvCache,
        tokenizer: Tokenizer,
        clock: _Clock,
        guide: Guide | None,
    ) -> None:
        self.request, self.lane, self.clock, self.guide = request, lane, clock, guide
        self.names = tokenizer
        self.record = _Record()
        self.text = tokenizer.stream(stop=request.sampling.stop)
        # A graph padded beyond its vocabulary has rows without a text; they are no choice.
        self.choices = min(lane.engine.architecture.vocabulary, tokenizer.vocab_size)
        self.sampler = request.sampling.sampler(self.choices, end_ids=request.stop_ids)
        self.sampler.observe_prompt(np.asarray(request.ids, dtype=np.int64))
        # A hit still computes two tokens: a run of one would round otherwise (see engine.py).
        self.cached = max(0, min(cache.common_prefix(request.ids), len(request.ids) - 2))
        self.guard = TokenGuard.of(request)
        self.finish: FinishReason | None = None
        self.stopped_by: str | int | None = None
        self.may_end_from = (
            sys.maxsize if request.sampling.ignore_eos else request.sampling.min_tokens
        )
        """Tokens from which on a grammar's mask may hold the end."""
        self.cut = False
        """Forced tokens did not fit `max_tokens`."""
        self.complete = False
        """The model or the grammar ended the text, no limit and no stop string."""

    def run(self) -> Generator[Chunk, None, Reply]:
        clock, record, piece = self.clock, self.record, ""
        try:
            began = clock.now()
            # What a grammar begins with needs no model: it is computed with the prompt.
            new = [] if self.guide is None else self._kept(self.guide.opening(), 0)
            self._begin()
            self.lane.prefill([*self.request.ids, *new], self.cached)
            record.prefill_ms = clock.now() - began
            piece = self._take(new)
            record.per_token += [0.0] * len(new)
            new, ready = [], clock.now()
            while self.finish is None:
                began = clock.now()
                if new:
                    self._begin()
                    record.host.append(clock.now() - ready)
                    self.lane.extend(new)
                    ready = clock.now()
                new = self._choose()
                piece += self._take(new)
                record.per_token += [clock.now() - began, *[0.0] * (len(new) - 1)][: len(new)]
                if self.finish is None and piece:
                    chunk = record.chunk(piece, clock.now(), tokens=self._visible(False))
                    clock.pause()
                    yield chunk
                    clock.resume()
                    piece = ""
        except Cancelled:
            self.finish, piece = self.request.cancel.reason or "cancelled", ""
        piece += self._rest()
        last = record.chunk(piece, clock.now(), self.finish, self._visible(True))
        clock.pause()
        yield last
        clock.resume()
        return self._reply()

    def _begin(self) -> None:
        if self.guide is not None:
            self.guide.begin()

    def _choose(self) -> list[int]:
        """The next token, and those that a grammar forces behind it; none at a grammar's end."""
        request, guide, made = self.request, self.guide, len(self.record.ids)
        logits = self.lane.logits[0, 0, : self.choices]
        allowed = None
        if guide is not None:
            allowed = guide.allowed(may_end=made >= self.may_end_from)
            if allowed is None:
                return self._kept(guide.late, made)
            if guide.way is not None:
                way = guide.way_out()
                self.record.forced += len(way)
                return way
        try:
            token = self.sampler.sample(logits, self.lane.length, allowed)
        except ValueError as error:
            raise _no_choice(error, made, guide is not None) from None
        self.sampler.observe(token)
        if request.sampling.logprobs is not None:
            self.record.logprobs.append(self._logprob(logits, token))
        if guide is None:
            return [token]
        forced = guide.advance(token)
        return [token, *self._kept(forced, made + 1)] if forced else [token]

    def _kept(self, forced: list[int], made: int) -> list[int]:
        """Tokens a grammar leaves no choice about, as far as they fit behind the `made` first."""
        room = self.request.limit - made
        self.cut = len(forced) > room
        for token in forced[:room]:
            self.sampler.observe(token)
        self.record.forced += len(forced[:room])
        return forced[:room]

    def _take(self, tokens: list[int]) -> str:
        """Note the tokens of a step; returns their text and sets `finish` where they end it."""
        request, record, pieces = self.request, self.record, []
        for token in tokens:
            record.ids.append(token)
            if token in request.stop_ids:
                self.finish, self.stopped_by, self.complete = "stop", token, True
                break
            piece = self.text.push(token)
            pieces.append(piece if self.guard is None else self.guard.push(piece))
            if self.text.stopped is not None:
                self.finish, self.stopped_by = "stop", self.text.stopped
                break
            if self.guard is not None and self.guard.stopped:
                self.finish = "safety"
                break
        if self.finish is None and self.guide is not None and self.guide.finished and not self.cut:
            self.finish, self.complete = "length" if self.guide.closed else "stop", True
        elif self.finish is None and len(record.ids) == request.limit:
            self.finish = "length"
        return "".join(pieces)

    def _rest(self) -> str:
        """The text that was held back; none of it if a check objects."""
        rest = self.text.finish()
        if self.guard is None:
            return rest
        rest = self.guard.finish(rest)
        if self.guard.stopped:
            self.finish, self.stopped_by, self.complete = "safety", None, False
        return rest

    def _visible(self, ended: bool) -> Sequence[int] | None:
        """Places of the tokens that may be shown now; None: all."""
        if self.guard is None:
            return None
        start = self.record.reported
        self.record.reported = end = self.guard.passed(start, len(self.record.ids), ended)
        return [i for i in range(start, end) if not self.guard.hides(i)]

    def _logprob(self, logits: NDArray[np.float32], token: int) -> TokenLogprob:
        chosen, top = self.sampler.logprobs(logits, token, self.request.sampling.logprobs or 0)
        name = functools.partial(self.names.decode, skip_special_tokens=False)
        return TokenLogprob(token, name([token]), chosen, tuple((i, name([i]), p) for i, p in top))

    def _reply(self) -> Reply:
        request, record, total = self.request, self.record, self.clock.now()
        assert self.finish is not None
        text = "".join(record.said)
        ids = tuple(record.ids[i] for i in record.shown)
        logprobs = tuple(record.logprobs[i] for i in record.shown if i < len(record.logprobs))
        screen, guard = request.screen, self.guard
        return Reply(
            text=text,
            finish_reason=self.finish,
            usage=Usage(len(request.ids), self.cached, len(record.ids), record.forced),
            timing=Timing(
                request.tokenize_ms,
                record.prefill_ms,
                record.first_ms if record.first_ms is not None else total,
                tuple(record.per_token),
                total,
                tuple(record.host),
                (0.0 if screen is None else screen.milliseconds)
                + (0.0 if guard is None else guard.milliseconds),
            ),
            receipt=make_receipt(self.lane.engine, request),
            token_ids=ids,
            logprobs=logprobs if request.sampling.logprobs is not None else None,
            stopped_by=self.stopped_by,
            safety=(
                *(() if screen is None else screen.verdicts),
                *(guard.verdicts if guard else ()),
            ),
            **request.read(text, ids, self.complete),
        )


def _no_choice(error: ValueError, made: int, guided: bool) -> EdgewardError:
    """The sampler's refusal, with where it came and what to do."""
    if guided:
        return ResponseFormatError(
            f"after {made} tokens nothing may follow that both the grammar and the bans of this "
            f"request allow ({error}). Drop banned_ids, bad_words, no_repeat_ngram_size or the "
            f"bias that forbids it."
        )
    return EdgewardError(f"after {made} tokens no token could be drawn: {error}.")
