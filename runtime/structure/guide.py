"""One request's way through a grammar: which tokens may come next, and which must.

Knows: a matcher, masks, what is worth waiting for. Does not know: threads (aside.py), logits, text,
schemas. What can wait is done aside while the model computes its logits; llguidance lets go of the
GIL meanwhile, as ONNX Runtime does. A model step reads all weights and leaves nothing else in the
caches: behind it a call of the matcher takes 45 us instead of 5, a mask 120 us instead of 30. So
most steps make no call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeward.errors import ResponseFormatError

from .aside import IDLE, Aside
from .grammars import reason

if TYPE_CHECKING:
    from llguidance import LLMatcher

    from .closing import Closing

Mask = NDArray[np.uint32]

_Answer = Mask | list[int] | None
"""Of the work aside: a mask, tokens that must come before the next mask, or None: nothing can
follow."""
_NONE = -1
"""No token is to be taken before the mask."""


@dataclass(frozen=True)
class Words:
    """What a guide knows of the model's vocabulary."""

    count: int
    """Tokens that have logits."""
    known: int
    """Tokens that a matcher knows: `count`, or one more that stands for the end."""
    end_ids: tuple[int, ...]
    """Tokens below `count` that end an answer."""
    plain: bytes
    """For each of `count` tokens: 1 if it is text that goes on, 0 if it may close or open a part,
    so that something may be forced behind it."""


class Guide:
    """Masks and forced tokens for one answer.

    `opening()` once; then the cycle of a step: `begin()`, run the model, `allowed()`, draw,
    `advance(token)`. `close()` ends the thread; call it once, whatever happened. Not for two
    threads at once.

    Inside a free text nothing is forced behind a token, as a rule. There `advance` only notes the
    token, and `begin` has it taken beside the model; what is forced all the same is `late`, and
    costs a model step. Which tokens are noted depends on the vocabulary and on the mask alone, so
    that equal requests are computed in equal steps.

    Args:
        matcher: at its start; the guide's own from now on.
        words: the vocabulary.
        most: tokens that the answer may have; a way to an end is taken in time. 0: it may be cut.
        forcing: whether forced tokens are looked for.
        closing: finds the ways to an end; None: the answer may be cut.
        shortest: tokens of the shortest whole answer known.
    """

    def __init__(
        self,
        matcher: LLMatcher,
        words: Words,
        most: int = 0,
        forcing: bool = True,
        closing: Closing | None = None,
        shortest: int = 0,
    ) -> None:
        self._matcher = matcher
        self._plain = words.plain
        self._end_ids = words.end_ids
        self._most = most
        self._forcing = forcing
        self._closing = closing
        # One token may open what takes as much to close as a whole answer.
        self._margin = shortest + 16
        self._watched_from = 2 * self._margin
        self._steps = 0
        self._taken = 0
        self._buffer = np.zeros(-(-words.known // 32), dtype=np.uint32)
        self._mask = self._buffer[: -(-words.count // 32)]
        self._last_bits = np.uint32((1 << (words.count % 32 or 32)) - 1)
        self._noted = _NONE
        """The token that the work aside takes first."""
        self._free = False
        """The last mask was that of a free text: half of its words have a bit, or more."""
        self.finished = False
        """True when nothing can follow: the answer is complete."""
        self.closed = False
        """True when it was `way_out` that completed it."""
        self.late: list[int] = []
        """When `allowed` was None: tokens that must come next, taken already."""
        self.way: list[int] | None = None
        """After `allowed`: tokens that end the answer, if it is time for them."""
        self._aside = Aside(self._step, name="edgeward-mask")

    def opening(self) -> list[int]:
        """The tokens that the answer must begin with, taken."""
        return self._forced() if self._forcing else []

    def begin(self) -> None:
        """Start on the next mask, unless it is there already; returns at once."""
        if self._aside.answer is IDLE:
            self._aside.begin()

    def allowed(self, *, may_end: bool = True) -> Mask | None:
        """The mask of the next token, once it is ready; None when nothing is to be drawn.

        That is when tokens must come first (`late`), or when nothing can follow. Bit i % 32 of word
        i // 32 is token i. Without `may_end` the end tokens are not in it. Valid until `begin`.
        Raises `ResponseFormatError` when the grammar grew over llguidance's limits.
        """
        aside = self._aside
        mask: Mask = self._mask
        # The one usual case first: each further line read is cold.
        if aside.answer is mask and may_end:
            aside.answer = IDLE
            return mask
        return self._unusual(may_end)

    def _unusual(self, may_end: bool) -> Mask | None:
        answer: _Answer = self._aside.wait()
        self.late = []
        if isinstance(answer, list):
            self.late = answer
            if not self.finished:
                # The mask behind them is there already: the next `begin` starts nothing.
                self._aside.answer = self._mask
            return None
        if answer is not None and not may_end:
            for token in self._end_ids:
                self._mask[token // 32] &= ~np.uint32(1 << token % 32)
            answer = self._mask if self._mask.any() else None
        self.finished = answer is None
        return answer

    def advance(self, token: int) -> list[int]:
        """Take a token that was drawn; the tokens that must follow it, taken as well."""
        if self._free and self._plain[token]:
            self._noted = token
            return []
        return self._take(token)

    def way_out(self) -> list[int]:
        """Take `way`, which ends the answer."""
        assert self.way is not None
        if not self._matcher.consume_tokens(self.way):
            raise self._stuck()
        self.finished = self.closed = True
        return self.way

    def close(self) -> None:
        """End the thread."""
        self._aside.close()

    # In one thread or the other, never in both at once.

    def _take(self, token: int) -> list[int]:
        if not self._matcher.consume_token(token):
            raise self._stuck()
        self._taken += 1
        forced = self._forced() if self._forcing else []
        if not forced:
            self.finished = self._matcher.is_stopped()
        return forced

    def _forced(self) -> list[int]:
        forced = self._matcher.compute_ff_tokens()
        if forced:
            if not self._matcher.consume_tokens(forced):
                raise self._stuck()
            self._taken += len(forced)
            self.finished = self._matcher.is_stopped()
        return forced

    def _stuck(self) -> ResponseFormatError:
        return ResponseFormatError(f"the grammar cannot go on: {reason(self._matcher)}.")

    # Aside.

    def _step(self) -> _Answer:
        token, self._noted = self._noted, _NONE
        forced = [] if token == _NONE else self._take(token)
        matcher, mask = self._matcher, self._mask
        found = 0
        if not self.finished:
            matcher.unsafe_compute_mask_ptr(self._buffer.ctypes.data, self._buffer.nbytes)
            if self._most:
                self._look_ahead(self._most - self._taken)
            mask[-1] &= self._last_bits
            found = int(np.count_nonzero(mask))
        if matcher.is_error():
            raise ResponseFormatError(
                f"the grammar became too complex to go on: {reason(matcher)}. Simplify it."
            )
        self._free = 2 * found >= len(mask)
        if forced:
            self.finished = not found
            return forced
        return mask if found else None

    def _look_ahead(self, left: int) -> None:
        """Find the way to an end, now and then; keep it for `way_out` if it is time."""
        self._steps += 1
        self.way = None
        if self._closing is None or (left > self._watched_from and self._steps % 16):
            return
        way = self._closing.path(self._matcher, left)
        if way:
            self._watched_from = 2 * (len(way) + self._margin)
            if len(way) + self._margin >= left:
                self.way = way
