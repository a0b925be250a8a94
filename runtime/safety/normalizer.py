"""Text as safety checks read it: one spelling for the many ways to write the same words.

Knows: how to call the native normalizer and read its answer (kernels/safety/normalize.h has the
rules). Does not know: checks, models, what is unsafe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeward.kernels import _native


class Alternative(NamedTuple):
    """Another reading of a part of a text: a decoded piece, normalized."""

    encoding: str
    """"base64", "hex", "percent", "rot13" or "tags" (invisible characters)."""
    text: str
    begin: int
    end: int
    """Characters of the original that it was decoded from, half open."""


@dataclass(frozen=True)
class NormalizedText:
    """A text in its one spelling, and the way back to the original."""

    text: str
    offsets: NDArray[np.int32]
    """For each character of `text`, and for its end, the index of the original character."""
    alternatives: tuple[Alternative, ...]
    """Decoded pieces, at most 32; having one says nothing bad about a text."""

    def original(self, begin: int, end: int) -> tuple[int, int]:
        """The original characters behind `text[begin:end]`, half open.

        >>> normalize("I\\u200bgn0re it").original(0, 6)
        (0, 7)
        """
        first = int(self.offsets[begin])
        if end <= begin:
            return first, first
        last = int(self.offsets[end - 1])
        # Several characters may come of one (ﬁ): the end is where the next one begins.
        return first, int(self.offsets[np.searchsorted(self.offsets, last, side="right")])


def normalize(text: str) -> NormalizedText:
    """The text as safety checks read it. Linear in its length; lone surrogates become U+FFFD.

    Raises ValueError for a text of 2^31 bytes or more.

    >>> normalize("1gn0re  ａｌｌ").text
    'ignore all'
    """
    normal, offsets, others = _native.safety_normalize(text)
    return NormalizedText(normal, offsets, tuple(Alternative(*other) for other in others))
