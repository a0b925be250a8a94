"""Rows of logits as a real model gives them, for suites that measure samplers.

Knows: packs, engines, three prompts whose next token is certain, likely and open. Does not know:
samplers, what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeward import store
from edgeward.cancel import CancelToken
from edgeward.engine import Engine, Lane
from edgeward.kv_cache import KvCache
from edgeward.pack import TOKENIZER, Pack
from edgeward.tokenizer import Tokenizer

PROMPTS = {
    "certain": "The capital of France is Paris. The capital of Spain is",
    "likely": "The weather was fine, and so we decided to go to the",
    "open": "Once upon a time, there was a little girl named",
}
_CONTEXT = 128


def rows(source: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """(prompt's name, logits of the token behind it) for each prompt.

    `source`: name of a pulled pack, or a pack's folder, told by its slash. Tokens without a text
    are left out. Raises `PackError` for a missing or damaged pack.
    """
    pack = Pack.open(Path(source) if "/" in source else store.find(source))
    graph = next(graph for graph in pack.manifest.graphs if graph.kind == "portable")
    tokenizer = Tokenizer.from_file(pack.path(TOKENIZER))
    engine = Engine(pack, graph, threads=1)
    choices = min(engine.architecture.vocabulary, tokenizer.vocab_size)
    for prompt, text in PROMPTS.items():
        lane = Lane(engine, KvCache(engine.cache_shape(_CONTEXT)), CancelToken())
        try:
            lane.prefill(tokenizer.encode(text), 0)
            yield prompt, lane.logits[0, 0, :choices].copy()
        finally:
            lane.close()
