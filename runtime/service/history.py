"""Which part of a conversation is told to the model, when not all of it can be.

The rule: leading system messages and the last turn always stay; of the rest whole turns go, the
oldest first. A turn is a user's message and all that follows it up to the next one, so that a
tool's result never stands without its call.

Knows: roles. Does not know: tokens, limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Messages = list[dict[str, Any]]


class History:
    """A conversation cut into what stays and what may go."""

    def __init__(self, messages: Sequence[dict[str, Any]]) -> None:
        listed = list(messages)
        first = next((i for i, m in enumerate(listed) if m["role"] not in _HEAD), len(listed))
        self.head: Messages = listed[:first]
        self.turns: list[Messages] = []
        for message in listed[first:]:
            if not self.turns or message["role"] == "user":
                self.turns.append([])
            self.turns[-1].append(message)

    @property
    def droppable(self) -> int:
        """Turns that may go: all but the last."""
        return max(0, len(self.turns) - 1)

    def without(self, dropped: int) -> Messages:
        """The conversation without its `dropped` oldest turns."""
        kept = self.turns[dropped:]
        return [*self.head, *(message for turn in kept for message in turn)]


_HEAD = ("system", "developer")
