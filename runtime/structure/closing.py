"""How an answer can still be finished: a short way from where a grammar stands to one of its ends.

Knows: matchers, tokens that tend to close things. Does not know: logits, requests. The way is found
by taking, at each place, what closes most (a quote, a bracket, then a digit, then a letter); it is
short for JSON, which is all it is used for. Where none is found, the answer is cut as ever.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeward.tokenizer import Tokenizer

if TYPE_CHECKING:
    from llguidance import LLMatcher

_QUOTES = ['"}}', '"]}', '"}]', '"}', '"]', '"']
_BRACKETS = ["]}}", "}]}", "}}", "]}", "}]", "]]", "}", "]"]
_OTHERS = [*",Z@:.01aA ", *string.digits[2:], *string.ascii_letters, *"-/()<>_"]


LONGEST = 300
"""Tokens beyond which no way is looked for: it takes 10 ms then, and more for costly patterns."""


class Closing:
    """Finds short endings over one vocabulary of `known` tokens."""

    def __init__(self, tokenizer: Tokenizer, known: int) -> None:
        self._buffer_words = -(-known // 32)
        by_text: dict[bytes, int] = {}
        wanted = {text.encode() for text in (*_QUOTES, *_BRACKETS, *_OTHERS)}
        for id in range(tokenizer.vocab_size):
            raw = tokenizer.token_bytes(id)
            if raw in wanted and not tokenizer.is_special(id):
                by_text.setdefault(raw, id)

        def ids(*texts: str) -> list[int]:
            return [by_text[t.encode()] for t in texts if t.encode() in by_text]

        self._in_text = ids(*_QUOTES, *_BRACKETS, *_OTHERS)
        self._elsewhere = ids(*_BRACKETS, '"', *_OTHERS)
        self._letter = by_text.get(b"q")

    def path(self, matcher: LLMatcher, most: int) -> list[int] | None:
        """At most `most` tokens that end the grammar from here; None if none were found.

        The matcher is not moved. About 40 us a token.
        """
        here = matcher.deep_copy()
        mask = np.zeros(self._buffer_words, dtype=np.uint32)
        taken: list[int] = []
        most = min(most, LONGEST)
        while len(taken) <= most:
            if here.is_accepting() or here.is_stopped():
                return None if here.is_error() else taken
            forced = here.compute_ff_tokens()
            if not forced:
                here.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)
                forced = self._choice(mask)
            if not forced or not here.consume_tokens(forced):
                return None
            taken += forced
        return None

    def _choice(self, mask: NDArray[np.uint32]) -> list[int]:
        # Where any letter may stand, a bracket would be text and a quote is what ends it.
        text = self._letter is not None and _has(mask, self._letter)
        for id in self._in_text if text else self._elsewhere:
            if _has(mask, id):
                return [id]
        words = np.flatnonzero(mask)
        if len(words) == 0:
            return []
        word = int(mask[words[0]])
        return [int(words[0]) * 32 + (word & -word).bit_length() - 1]


def _has(mask: NDArray[np.uint32], id: int) -> bool:
    return bool(mask[id >> 5] >> (id & 31) & 1)
