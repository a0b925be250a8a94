"""The decode loop: prefill, then sample, text, step until something ends it.

Knows: ids, logits, sampling, stop strings, time. Does not know: chat, a pack's files, the network.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgeward.kernels._native import Sampler

from .cancel import CancelToken
from .engine import Engine, Lane
from .errors import Cancelled
from .kv_cache import CachePool, KvCache
from .receipt import make_receipt
from .reply import Chunk, FinishReason, Reply, Timing, TokenLogprob, Usage
from .sampling import SamplingOptions
from .tokenizer import Tokenizer


@dataclass(frozen=True)
class Request:
    """One prompt and everything it is run under."""

    ids: list[int]
    sampling: SamplingOptions
    limit: int
    """Tokens that may be sampled: max_tokens, or what the context leaves."""
    stop_ids: frozenset[int]
    cancel: CancelToken
    tokenize_ms: float


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
    first_ms: float | None = None
    reported: int = 0

    def chunk(self, text: str, now: float, finish: FinishReason | None = None) -> Chunk:
        """The next chunk: `text` and all tokens since the last one."""
        if text and self.first_ms is None:
            self.first_ms = now
        self.said.append(text)
        start, self.reported = self.reported, len(self.ids)
        return Chunk(text, tuple(self.ids[start:]), tuple(self.logprobs[start:]), finish)


def generate(
    request: Request, engine: Engine, pool: CachePool, tokenizer: Tokenizer
) -> Generator[Chunk, None, Reply]:
    """Run one request; yields text as it becomes final and returns the finished reply.

    A cancelled request ends with the text it had. Raises `MemoryLimit` when no cache is to be
    had, `EdgewardError` when ONNX Runtime fails.
    """
    clock = _Clock(request.tokenize_ms)
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
    record = _Record()
    text = tokenizer.stream(stop=request.sampling.stop)
    # A graph padded beyond its vocabulary has rows without a text; they are no choice.
    choices = min(lane.engine.architecture.vocabulary, tokenizer.vocab_size)
    sampler = request.sampling.sampler(choices, end_ids=request.stop_ids)
    sampler.observe_prompt(np.asarray(request.ids, dtype=np.int64))
    # A hit still computes two tokens: a run of one would round otherwise (see engine.py).
    cached = max(0, min(cache.common_prefix(request.ids), len(request.ids) - 2))
    finish: FinishReason | None = None
    try:
        began = clock.now()
        lane.prefill(request.ids, cached)
        record.prefill_ms = clock.now() - began
        while finish is None:
            began = clock.now()
            if record.ids:
                lane.step(record.ids[-1])
            logits = lane.logits[0, 0, :choices]
            token = sampler.sample(logits, lane.length)
            sampler.observe(token)
            record.ids.append(token)
            if request.sampling.logprobs is not None:
                record.logprobs.append(_logprob(sampler, logits, token, request, tokenizer))
            piece = "" if token in request.stop_ids else text.push(token)
            if token in request.stop_ids or text.stopped is not None:
                finish = "stop"
            elif len(record.ids) == request.limit:
                finish = "length"
            record.per_token.append(clock.now() - began)
            if finish is None:
                if piece:
                    chunk = record.chunk(piece, clock.now())
                    clock.pause()
                    yield chunk
                    clock.resume()
                piece = ""
    except Cancelled:
        finish, piece = "cancelled", ""
    piece += text.finish()
    last = record.chunk(piece, clock.now(), finish)
    clock.pause()
    yield last
    clock.resume()
    return _reply(request, lane, record, cached, finish, clock.now())


def _logprob(
    sampler: Sampler, logits: NDArray[np.float32], token: int, request: Request, names: Tokenizer
) -> TokenLogprob:
    chosen, top = sampler.logprobs(logits, token, request.sampling.logprobs or 0)
    return TokenLogprob(
        token,
        names.decode([token], skip_special_tokens=False),
        chosen,
        tuple((i, names.decode([i], skip_special_tokens=False), p) for i, p in top),
    )


def _reply(
    request: Request, lane: Lane, record: _Record, cached: int, finish: FinishReason, total: float
) -> Reply:
    first = record.first_ms if record.first_ms is not None else total
    return Reply(
        text="".join(record.said),
        finish_reason=finish,
        usage=Usage(len(request.ids), cached, len(record.ids)),
        timing=Timing(
            request.tokenize_ms, record.prefill_ms, first, tuple(record.per_token), total
        ),
        receipt=make_receipt(lane.engine, request.ids, request.sampling),
        token_ids=tuple(record.ids),
        logprobs=tuple(record.logprobs) if request.sampling.logprobs is not None else None,
    )
