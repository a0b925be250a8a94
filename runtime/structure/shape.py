"""What a request asks of its answer's form: a format or tools, compiled, and how it is read.

Knows: formats, grammars, tool calls. Does not know: sampling, prompts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgeward.errors import ResponseFormatError
from edgeward.tokenizer import Tokenizer

from . import calls, formats
from .formats import Format
from .grammars import Grammars
from .guide import Guide
from .tools import Choice


@dataclass(frozen=True)
class ToolUse:
    """The tools an answer may call, and how this model writes calls."""

    choice: Choice
    dialect: calls.Dialect

    def read(self, ids: Sequence[int], tokenizer: Tokenizer) -> dict[str, Any]:
        """Calls and what was said beside them, as members of a reply."""
        text = tokenizer.decode(ids, skip_special_tokens=False)
        content, made = calls.read(self.dialect, text, self.choice.tools)
        return {"content": content, "tool_calls": tuple(made)}


@dataclass(frozen=True)
class Shape:
    """The form of one answer."""

    grammars: Grammars
    format: Format | None
    tools: ToolUse | None

    def guide(self, most: int, forcing: bool) -> Guide | None:
        """A guide at the start of an answer; None if any token may follow any other."""
        return None if self.format is None else self.grammars.guide(self.format, most, forcing)

    def read(self, text: str, ids: Sequence[int], complete: bool) -> dict[str, Any]:
        """What the finished text means, as members of a reply."""
        if self.tools is not None:
            return self.tools.read(ids, self.grammars.tokenizer)
        return {
            "parsed": parsed(text) if self.format and self.format.is_json and complete else None
        }


def make(response_format: object, tools: ToolUse | None, grammars: Grammars) -> Shape | None:
    """The form that the arguments ask for, compiled; None for plain text.

    Raises `ResponseFormatError` for a form that cannot be obeyed.
    """
    format = formats.checked(response_format)
    if tools is not None:
        if format is not None:
            raise ResponseFormatError(
                "an answer is either a call of tools or in the response_format; give one of them, "
                "or tool_choice='none'."
            )
        format = calls.grammar(tools.dialect, tools.choice, grammars.tokenizer)
    elif format is None:
        return None
    if format is not None:
        grammars.check(format)
    return Shape(grammars, format, tools)


def parsed(text: str) -> Any:
    """The value of a JSON text; None for what Python cannot hold (a number of 4,300 digits, a
    thousand levels)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
