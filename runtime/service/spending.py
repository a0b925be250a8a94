"""A price per token, held while an answer is made: whether one more token may be computed.

Knows: what was used, what a step uses, prices. Does not know: how a request is stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LEAST = 4
"""Steps before their own time is believed."""


@dataclass(frozen=True)
class Spending:
    """One request's limit. Times are milliseconds of the engine, its share of joint runs."""

    limit: float
    """The most that a token of the answer may cost."""
    most: int
    """Tokens that the answer may have."""
    price: Callable[[float], float]
    """What so many milliseconds cost."""

    def allows(self, used_ms: float, step_ms: float, steps: int, made: int) -> bool:
        """Whether to compute the next token of an answer that has `made` ones.

        `steps` of it took `step_ms`. A token more makes the mean price fall while it costs less
        than the mean: the prompt is paid by all. So an answer goes on while the limit is kept with
        one token more, or may still be reached by the end of the longest answer.
        """
        if steps < LEAST or made >= self.most:
            return True
        each = self.price(step_ms / steps)
        spent = self.price(used_ms)
        with_one = (spent + each) / (made + 1)
        with_all = (spent + each * (self.most - made)) / self.most
        return min(with_one, with_all) <= self.limit
