"""Where a pack's greedy continuation of a prompt first differs from the reference's.

The reference need not write anything: both have the same text up to the first difference, so it
reads what the pack wrote, and the first place where it would have chosen another token is that
difference. Knows engines and ids; no text.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from edgeward import manifest as m
from edgeward.cancel import CancelToken
from edgeward.engine import Engine, Lane
from edgeward.kv_cache import KvCache
from edgeward.pack import Pack

from . import intervals
from .references import Reference, Step
from .report import Divergence

PROMPT, TOKENS = 32, 64


def divergence(
    pack: Pack,
    graph: m.Graph,
    reference: Reference,
    windows: NDArray[np.int64],
    *,
    threads: int | None = None,
    progress: Step = lambda done, total: None,
) -> Divergence:
    """Continue the first ids of each of `windows` (windows, length) and compare."""
    prompt = min(PROMPT, windows.shape[1] // 2)
    tokens = min(TOKENS, pack.manifest.architecture.context - prompt)
    written = continuations(pack, graph, windows[:, :prompt], tokens, threads, progress)
    texts = np.concatenate([windows[:, :prompt], written], axis=1)
    # After the last prompt id comes the first choice, after the last token none that counts.
    reference.read(texts[:, :-1], prompt - 1, lambda done, total: None)
    alike = np.empty(written.shape, bool)
    for number, ids in enumerate(written):
        choices = reference.logits(number, 0, tokens).argmax(axis=1)
        alike[number] = choices == ids
    first = np.where(alike.all(axis=1), tokens, alike.argmin(axis=1)).astype(np.float64)
    return Divergence(
        prompts=len(windows),
        tokens=tokens,
        mean=intervals.of_draws(len(windows), lambda drawn: float(first[drawn].mean())),
        median=float(np.median(first)),
        same=float(np.mean(first == tokens)),
    )


def continuations(
    pack: Pack,
    graph: m.Graph,
    prompts: NDArray[np.int64],
    tokens: int,
    threads: int | None = None,
    progress: Step = lambda done, total: None,
) -> NDArray[np.int64]:
    """The likeliest next id again and again, stop ids included: int64 (prompts, tokens)."""
    engine = Engine(pack, graph, threads or len(os.sched_getaffinity(0)))
    written = np.empty((len(prompts), tokens), np.int64)
    for number, prompt in enumerate(prompts):
        cache = KvCache(engine.cache_shape(len(prompt) + tokens))
        lane = Lane(engine, cache, CancelToken())
        try:
            lane.prefill(prompt.tolist(), 0)
            for at in range(tokens):
                written[number, at] = lane.logits.argmax()
                if at + 1 < tokens:
                    lane.step(int(written[number, at]))
        finally:
            lane.close()
        progress(number + 1, len(prompts))
    return written
