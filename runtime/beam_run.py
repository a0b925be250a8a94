"""A beam search on the engine: one cache a beam, copied where beams part.

Knows: lanes, caches, samplers. Does not know: which beams to keep (beam.py). The prompt is computed
once; a beam that is continued twice costs a copy of its generated positions. Memory: one cache a
beam, of which the positions in use are touched.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack

import numpy as np

from .beam import Beam, BeamSearch, Step
from .engine import Engine, Lane
from .errors import Cancelled
from .kv_cache import CachePool
from .receipt import make_receipt
from .reply import BeamResult, Chunk, FinishReason, Reply, Timing, Usage
from .request import Request
from .tokenizer import Tokenizer


def search(
    request: Request, engine: Engine, pool: CachePool, tokenizer: Tokenizer
) -> Generator[Chunk, None, Reply]:
    """Run a beam search; one chunk, the best text, then the reply with all sequences.

    Raises what `generate` raises. A cancelled search has no text.
    """
    with ExitStack() as stack:
        run = _Search(request, engine, pool, tokenizer, stack)
        reply = run.reply()
    yield Chunk(reply.text, reply.token_ids, (), reply.finish_reason)
    return reply


class _Search:
    """The lanes of one search and its clock."""

    def __init__(
        self,
        request: Request,
        engine: Engine,
        pool: CachePool,
        tokenizer: Tokenizer,
        stack: ExitStack,
    ) -> None:
        assert request.beams is not None
        self.request, self.engine, self.pool, self.stack = request, engine, pool, stack
        self.tokenizer = tokenizer
        self.beams = BeamSearch(request.beams, request.limit, request.stop_ids)
        self.choices = min(engine.architecture.vocabulary, tokenizer.vocab_size)
        self.began = time.perf_counter()
        self.lanes: list[Lane] = []
        self.cached = 0
        self.prefill_ms = 0.0
        self.per_token: list[float] = []

    def reply(self) -> Reply:
        try:
            self._run()
        except Cancelled:
            return self._reply([], self.request.cancel.reason or "cancelled")
        return self._reply(self.beams.best(), None)

    def _run(self) -> None:
        ids = self.request.ids
        lane = self._lane()
        self.cached = max(0, min(lane.cache.common_prefix(ids), len(ids) - 2))
        lane.prefill(ids, self.cached)
        self.prefill_ms = (time.perf_counter() - self.began) * 1000
        self.lanes = [lane]
        steps = self._choose()
        while steps:
            self._fork(steps)
            for lane, step in zip(self.lanes, steps, strict=False):
                lane.step(step.token)
            steps = self._choose()

    def _lane(self) -> Lane:
        cache = self.pool.acquire(self.request.ids)
        self.stack.callback(self.pool.release, cache)
        lane = Lane(self.engine, cache, self.request.cancel)
        self.stack.callback(lane.close)
        return lane

    def _choose(self) -> list[Step]:
        began = time.perf_counter()
        tops = [
            self._top(lane, beam)
            for lane, beam in zip(self.lanes, self.beams.running, strict=False)
        ]
        steps = self.beams.step(tops)
        self.per_token.append((time.perf_counter() - began) * 1000)
        return steps

    def _top(self, lane: Lane, beam: Beam) -> list[tuple[int, float]]:
        """The likeliest tokens behind a beam, after bans and penalties, with log-probabilities."""
        request = self.request
        sampler = request.sampling.sampler(self.choices, end_ids=request.stop_ids)
        sampler.observe_prompt(np.asarray(request.ids, dtype=np.int64))
        for token in beam.ids:
            sampler.observe(token)
        logits = lane.logits[0, 0, : self.choices]
        most = min(self.beams.candidates, self.choices)
        return sampler.final_logprobs(logits, lane.length, 0, most)[1]

    def _fork(self, steps: list[Step]) -> None:
        """Give each running beam a lane that holds what it continues."""
        start = len(self.request.ids)
        while len(self.lanes) < len(steps):
            lane = self._lane()
            lane.cache.copy_prefix(self.lanes[0].cache, start)
            lane.length = start
            self.lanes.append(lane)
        heirs: list[Lane | None] = [None] * len(steps)
        free = dict(enumerate(self.lanes))
        # The first heir keeps its parent's lane; the others copy into those without an heir.
        for number, step in enumerate(steps):
            if step.parent in free:
                heirs[number] = free.pop(step.parent)
        spare = list(free.values())
        kept = {step.parent: heirs[i] for i, step in enumerate(steps) if heirs[i] is not None}
        for number, step in enumerate(steps):
            if heirs[number] is None:
                lane, parent = spare.pop(), kept[step.parent]
                assert parent is not None
                lane.cache.copy_positions(parent.cache, start, parent.length)
                lane.cache.prefilled = list(parent.cache.prefilled)
                lane.length = parent.length
                heirs[number] = lane
        self.lanes = [lane for lane in (*heirs, *spare) if lane is not None]

    def _reply(self, beams: list[Beam], finish: FinishReason | None) -> Reply:
        request = self.request
        results = tuple(self._result(beam) for beam in beams)
        best = results[0] if results else BeamResult("", (), 0.0, finish or "length")
        total = (time.perf_counter() - self.began) * 1000 + request.tokenize_ms
        return Reply(
            text=best.text,
            finish_reason=best.finish_reason,
            usage=Usage(len(request.ids), self.cached, len(best.token_ids)),
            timing=Timing(
                request.tokenize_ms, self.prefill_ms, total, tuple(self.per_token), total
            ),
            receipt=make_receipt(self.engine, request),
            token_ids=best.token_ids,
            beams=results,
        )

    def _result(self, beam: Beam) -> BeamResult:
        ended = bool(beam.ids) and beam.ids[-1] in self.request.stop_ids
        text = self.tokenizer.decode(beam.ids[:-1] if ended else beam.ids)
        return BeamResult(text, beam.ids, beam.score, "stop" if ended else "length")
