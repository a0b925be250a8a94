"""What a request may take: milliseconds, checked once. Does not know what it will take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from edgeward import checks
from edgeward.errors import OptionError
from edgeward.reply import Latency

OnMiss = Literal["degrade", "reject", "report"]

_LONGEST = 86_400_000.0  # a day


@dataclass(frozen=True)
class Budget:
    """Limits of one request in milliseconds, each from above 0 to a day; None: no limit.

    `on_miss` says what is done about a limit that cannot be kept:

    - "degrade": before the start, in this order: use what is cached of the prompt, drop the oldest
      turns of the conversation, allow a shorter answer; refuse what still does not fit. Once
      started, a late first token is shown late and reported.
    - "reject": refuse what will not fit as it is, and stop at the moment a limit is passed.
    - "report": do it all the same, and say by how much it was missed.

    `total` ends an answer at the deadline with the text so far (not for "report").

    >>> Budget(first_token=100)
    Budget(first_token=100.0, per_token=None, total=None, on_miss='degrade')
    """

    first_token: float | None = None
    """From the call to the first visible text."""
    per_token: float | None = None
    """Mean time between the tokens after the first."""
    total: float | None = None
    """From the call to the end of the answer."""
    on_miss: OnMiss = "degrade"

    def __post_init__(self) -> None:
        check = checks.optional(checks.number(0, _LONGEST, above=True))
        for name in ("first_token", "per_token", "total"):
            object.__setattr__(self, name, check(name, getattr(self, name)))
        if self.on_miss not in get_args(OnMiss):
            legal = "'degrade', 'reject' or 'report'"
            raise checks.refusal("on_miss", self.on_miss, legal)

    @property
    def limits(self) -> Latency:
        """The limits, as a reply tells them."""
        return Latency(self.first_token, self.per_token, self.total)

    @property
    def stops(self) -> bool:
        """Whether the clock ends what takes too long."""
        return self.on_miss != "report"


NO_BUDGET = Budget()


def budget_of(value: Budget | float | None) -> Budget:
    """The argument `latency_budget`: a number is the time to the first token, None no limit."""
    if value is None:
        return NO_BUDGET
    if isinstance(value, Budget):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OptionError(
            f"latency_budget is {value!r}; give milliseconds to the first token, or "
            f"edgeward.Budget(first_token=..., per_token=..., total=..., on_miss=...)."
        )
    return Budget(first_token=value)
