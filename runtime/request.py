"""One checked request: what is run, under which settings, and how its answer is read.

Knows: ids, settings, limits, the shape asked of the answer. Does not know: engines, text as it
comes, chat templates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .beam import BeamOptions
from .cancel import CancelToken
from .sampling import SamplingOptions

if TYPE_CHECKING:
    from .safety.screen import Screen
    from .structure.guide import Guide
    from .structure.shape import Shape


@dataclass(frozen=True)
class Request:
    """One prompt and everything it is run under."""

    ids: list[int]
    sampling: SamplingOptions
    limit: int
    """Tokens that may be sampled: max_tokens, or what the context leaves."""
    stop_ids: frozenset[int]
    cancel: CancelToken
    tokenize_ms: float
    shape: Shape | None = None
    beams: BeamOptions | None = None
    response_format: dict[str, Any] | None = None
    tool_choice: Any = None
    """Both as they were given: for the receipt."""
    screen: Screen | None = None
    """The safety checks, which have seen the prompt."""

    def guide(self) -> Guide | None:
        """A guide for the answer; None for plain text."""
        if self.shape is None:
            return None
        # A token that is computed together with the next has no logits, and so no logprob.
        each_has_logits = self.sampling.logprobs is not None
        return self.shape.guide(0 if each_has_logits else self.limit, not each_has_logits)

    def read(self, text: str, ids: Sequence[int], complete: bool) -> dict[str, Any]:
        """What the finished text means, as members of a reply."""
        return {} if self.shape is None else self.shape.read(text, ids, complete)
