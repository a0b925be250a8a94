"""One request's way through a grammar: which tokens may come next, and which must.

Knows: a matcher, masks, its own thread. Does not know: logits, text, schemas. The mask of the next
token is computed in that thread while the model computes its logits; llguidance lets go of the GIL
meanwhile, as ONNX Runtime does.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import ResponseFormatError

from .grammars import reason

if TYPE_CHECKING:
    from llguidance import LLMatcher

    from .closing import Closing

Mask = NDArray[np.uint32]


class Guide:
    """Masks and forced tokens for one answer.

    The cycle of a step: `begin()`, run the model, `allowed()`, draw, `advance(token)`, and
    `forced()` where tokens without logits of their own are welcome. `close()` ends the thread; call
    it once, whatever happened. Not for two threads at once.

    Args:
        matcher: at its start; the guide's own from now on.
        count: tokens that have logits.
        known: tokens that the matcher knows: `count`, or one more that stands for the end.
        end_ids: tokens that end an answer.
        closing: finds the ways to an end for `begin`; None: an answer may be cut.
        shortest: tokens of the shortest whole answer known.
    """

    def __init__(
        self,
        matcher: LLMatcher,
        count: int,
        known: int,
        end_ids: Iterable[int] = (),
        closing: Closing | None = None,
        shortest: int = 0,
    ) -> None:
        self._matcher = matcher
        self._closing = closing
        # One token may open what takes as much to close as a whole answer.
        self._margin = shortest + 16
        self._watched_from = 2 * self._margin
        self._steps = 0
        self._way: list[int] | None = None
        self._end_ids = [i for i in end_ids if 0 <= i < count]
        self._buffer = np.zeros(-(-known // 32), dtype=np.uint32)
        self._mask = self._buffer[: -(-count // 32)]
        self._last_bits = np.uint32((1 << (count % 32 or 32)) - 1)
        self._wanted: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[bool | Exception] = queue.SimpleQueue()
        self.finished = False
        """True when nothing can follow: the answer is complete."""
        self.closed = False
        """True when it was `way_out` that completed it."""
        self.visible = 0.0
        """Seconds that the steps so far spent here, in the thread that runs the model."""
        self._thread = threading.Thread(target=self._work, name="edgeward-mask", daemon=True)
        self._thread.start()

    def begin(self, left: int = 0) -> None:
        """Start on the next mask; returns at once.

        `left`: tokens that the answer may still have, or 0 if it may be cut anywhere. When few are
        left, `way_out` tells how to end in time.
        """
        since = time.perf_counter()
        self._wanted.put(left)
        self.visible += time.perf_counter() - since

    def way_out(self) -> list[int] | None:
        """After `allowed`: tokens that end the answer, if it is time for them; they are taken."""
        if not self._way:
            return None
        if not self._matcher.consume_tokens(self._way):
            raise self._stuck()
        self.finished = self.closed = True
        return self._way

    def allowed(self, *, may_end: bool = True) -> Mask | None:
        """The mask of the next token, once it is ready; None when nothing can follow.

        Bit i % 32 of word i // 32 is token i. Without `may_end` the end tokens are not in it. Valid
        until `begin`. Raises `ResponseFormatError` when the grammar grew over llguidance's limits.
        """
        since = time.perf_counter()
        found = self._ready.get()
        if isinstance(found, Exception):
            raise found
        if found and not may_end:
            for token in self._end_ids:
                self._mask[token // 32] &= ~np.uint32(1 << token % 32)
            found = bool(self._mask.any())
        if not found:
            self.finished = True
        self.visible += time.perf_counter() - since
        return self._mask if found else None

    def forced(self) -> list[int]:
        """The tokens that must come next, taken."""
        since = time.perf_counter()
        matcher = self._matcher
        following: list[int] = [] if self.finished else matcher.compute_ff_tokens()
        if following:
            if not matcher.consume_tokens(following):
                raise self._stuck()
            self.finished = matcher.is_stopped()
        self.visible += time.perf_counter() - since
        return following

    def advance(self, token: int) -> None:
        """Take a token that was drawn."""
        since = time.perf_counter()
        if not self._matcher.consume_token(token):
            raise self._stuck()
        self.finished = self._matcher.is_stopped()
        self.visible += time.perf_counter() - since

    def _stuck(self) -> ResponseFormatError:
        return ResponseFormatError(f"the grammar cannot go on: {reason(self._matcher)}.")

    def close(self) -> None:
        """End the thread."""
        self._wanted.put(None)
        self._thread.join()

    def _work(self) -> None:
        address, size = self._buffer.ctypes.data, self._buffer.nbytes
        while (left := self._wanted.get()) is not None:
            try:
                self._matcher.unsafe_compute_mask_ptr(address, size)
                if left:
                    self._look_ahead(left)
                self._mask[-1] &= self._last_bits
                found: bool | Exception = bool(self._mask.any())
                if self._matcher.is_error():
                    found = ResponseFormatError(
                        "the grammar became too complex to go on: "
                        f"{reason(self._matcher)}. Simplify it."
                    )
            except Exception as error:
                found = error
            self._ready.put(found)

    def _look_ahead(self, left: int) -> None:
        """Find the way to an end, now and then; keep it for `way_out` if it is time."""
        self._steps += 1
        self._way = None
        if self._closing is None or (left > self._watched_from and self._steps % 16):
            return
        way = self._closing.path(self._matcher, left)
        if way:
            self._watched_from = 2 * (len(way) + self._margin)
            if len(way) + self._margin >= left:
                self._way = way
