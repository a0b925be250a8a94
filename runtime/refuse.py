"""The answer to a prompt that a safety check stopped: nothing is computed.

Knows: what a reply is made of. Does not know: why the check objected.
"""

from __future__ import annotations

from collections.abc import Generator

from .engine import Engine
from .kv_cache import CachePool
from .receipt import make_receipt
from .reply import Chunk, Reply, Timing, Usage
from .request import Request
from .tokenizer import Tokenizer


def refuse(
    request: Request, engine: Engine, pool: CachePool, tokenizer: Tokenizer
) -> Generator[Chunk, None, Reply]:
    """One chunk with what the policy says instead, which may be nothing; then the reply."""
    assert request.screen is not None
    screen = request.screen
    yield Chunk(screen.said, (), (), "safety")
    spent = request.tokenize_ms + screen.milliseconds
    return Reply(
        text=screen.said,
        finish_reason="safety",
        usage=Usage(len(request.ids), 0, 0),
        timing=Timing(request.tokenize_ms, 0.0, spent, (), spent, safety=screen.milliseconds),
        receipt=make_receipt(engine, request),
        token_ids=(),
        logprobs=() if request.sampling.logprobs is not None else None,
        safety=tuple(screen.verdicts),
    )
