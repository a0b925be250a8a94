"""From the arguments of a call to a checked request.

Knows: which arguments there are, what they may be together, the model's limits and its makers'
advice. Does not know: engines, text as it comes, how a call is made (threads, asyncio, streams).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from . import manifest as m
from . import words
from .beam import BeamOptions
from .cancel import CancelToken
from .errors import ContextOverflow, OptionError, ResponseFormatError
from .request import Request
from .sampling import SamplingOptions
from .tokenizer import Tokenizer

if TYPE_CHECKING:
    from .safety.screen import Screen
    from .structure.grammars import Grammars
    from .structure.shape import Shape, ToolUse

Prompt = str | Sequence[int]
ResponseFormat = Mapping[str, Any]
Tools = Sequence[Mapping[str, Any]]
ToolChoice = str | Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """The arguments that say what an answer looks like."""

    response_format: ResponseFormat | None = None
    tools: ToolUse | None = None
    tool_choice: ToolChoice | None = None


class RequestMaker:
    """Makes the requests of one model. Safe to use from many threads.

    `vocabulary` tokens have logits, `context` positions a cache.
    """

    def __init__(
        self, tokenizer: Tokenizer, vocabulary: int, context: int, generation: m.Generation
    ) -> None:
        self.stop_ids = frozenset(generation.stop_ids)
        """Tokens that end an answer."""
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._context = context
        self._defaults = _defaults(generation)
        # Tokens that can be drawn: those with a logit and a text.
        self._choices = min(vocabulary, tokenizer.vocab_size)

    def make(
        self,
        prompt: Prompt,
        add_special_tokens: bool,
        asked: Asked,
        cancel: CancelToken,
        sampling: dict[str, Any],
        screen: Screen | None = None,
    ) -> Request:
        """The request of these arguments.

        Raises what `Model.generate` says. `sampling` loses the arguments of a beam search.
        """
        beams = BeamOptions.taken_from(sampling)
        named = words.resolved(sampling, self._tokenizer, self._choices)
        options = SamplingOptions.from_arguments(**(named if beams else self._defaults | named))
        if beams is not None:
            options.check_beams()
            if asked != Asked():
                raise OptionError("a beam search takes no response_format and no tools.")
            if screen is not None:
                raise OptionError(
                    "a beam search takes no safety_checks: it has several answers. Leave out "
                    "num_beams, or check reply.beams yourself."
                )
        shape = self._shape(asked, options)
        began = time.perf_counter()
        ids = self.ids(prompt, add_special_tokens)
        tokenize_ms = (time.perf_counter() - began) * 1000
        if not ids:
            raise OptionError("the prompt is empty: it gives no tokens. Give some text.")
        left = self._context - len(ids)
        if left < 1:
            raise ContextOverflow(
                f"the prompt has {len(ids)} tokens; the context holds {self._context} and "
                f"must leave room for at least one more. Shorten the prompt by {1 - left} tokens, "
                f"or load the model with a larger context."
            )
        limit = left if options.max_tokens is None else min(left, options.max_tokens)
        stop_ids: frozenset[int] = frozenset() if options.ignore_eos else self.stop_ids
        return Request(
            ids,
            options,
            limit,
            stop_ids,
            cancel,
            tokenize_ms,
            shape,
            beams,
            None if asked.response_format is None else dict(asked.response_format),
            asked.tool_choice,
            screen,
        )

    def _shape(self, asked: Asked, options: SamplingOptions) -> Shape | None:
        """What the answer must look like, compiled. Raises `ResponseFormatError`."""
        if asked.response_format is None and asked.tools is None:
            return None
        from .structure import shape

        made = shape.make(asked.response_format, asked.tools, self._grammars)
        if made is not None and made.format is not None and options.forced_ids:
            raise ResponseFormatError(
                "forced_ids are drawn whatever a grammar says, and this request has one (from "
                "response_format or tools); leave one of them out."
            )
        return made

    def tool_use(self, tools: Tools | None, choice: ToolChoice | None) -> ToolUse | None:
        """The tools that may be called. Raises `ResponseFormatError`."""
        if tools is None and choice is None:
            return None
        from .structure import calls
        from .structure import tools as tools_
        from .structure.shape import ToolUse

        made = tools_.chosen(tools_.checked(() if tools is None else tools), choice)
        dialect = calls.dialect_of(self._tokenizer.tool_template or "")
        return None if made is None else ToolUse(made, dialect)

    @cached_property
    def _grammars(self) -> Grammars:
        from .structure.grammars import Grammars

        return Grammars(self._tokenizer, self._choices, self.stop_ids)

    def ids(self, prompt: Prompt, add_special_tokens: bool) -> list[int]:
        """A prompt's ids, checked. Raises `OptionError`."""
        if isinstance(prompt, str):
            return self._tokenizer.encode(prompt, add_special_tokens=add_special_tokens)
        if not isinstance(prompt, Sequence) or isinstance(prompt, bytes):
            raise OptionError(f"prompt is a {type(prompt).__name__}; give a string or token ids.")
        top = self._vocabulary
        for token in prompt:
            if isinstance(token, bool) or not isinstance(token, int) or not 0 <= token < top:
                raise OptionError(f"prompt holds {token!r}; token ids are 0 to {top - 1}.")
        return [int(token) for token in prompt]


def _defaults(generation: m.Generation) -> dict[str, Any]:
    """The makers' advice as sampling arguments; what they did not state is left out."""
    names = ("temperature", "top_p", "top_k", "repetition_penalty")
    stated = {name: getattr(generation, name) for name in names}
    return {name: value for name, value in stated.items() if value is not None}
