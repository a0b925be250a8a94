"""A loaded model: text in, text out. One object serves many threads and asyncio tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

from . import chat as chat_
from . import manifest as m
from . import words
from .beam import BeamOptions
from .cancel import CancelToken
from .engine import Engine
from .errors import ContextOverflow, ModelClosed, OptionError, ResponseFormatError
from .generate import generate
from .kv_cache import CachePool
from .memory import MemoryPlan
from .reply import Reply
from .request import Request
from .sampling import SamplingOptions
from .stream import AsyncStream, Stream
from .tokenizer import Tokenizer

if TYPE_CHECKING:
    from .structure.grammars import Grammars
    from .structure.shape import Shape, ToolUse

Prompt = str | Sequence[int]
ResponseFormat = Mapping[str, Any]
Tools = Sequence[Mapping[str, Any]]
ToolChoice = str | Mapping[str, Any]


@dataclass(frozen=True)
class ModelInfo:
    """What was loaded and how it runs."""

    name: str
    licence: str
    folder: str
    pack_sha256: str
    architecture: m.Architecture
    quantization: tuple[m.TensorGroup, ...]
    evaluation: m.Evaluation | None
    graph: str
    """File of the graph that runs; `graph_kind` is "portable" or "fused"."""
    graph_kind: str
    provider: str
    threads: int
    instruction_set: str
    context: int
    """Tokens that prompt and answer may take together."""
    memory: MemoryPlan
    load_ms: float


@dataclass(frozen=True)
class _ShapeArguments:
    """The arguments that say what an answer looks like."""

    response_format: ResponseFormat | None = None
    tools: ToolUse | None = None
    tool_choice: ToolChoice | None = None


class Model:
    """A loaded pack; `edgeward.load` makes one. Safe to use from many threads at once."""

    def __init__(
        self, engine: Engine, tokenizer: Tokenizer, pool: CachePool, info: ModelInfo
    ) -> None:
        self.tokenizer = tokenizer
        """The model's tokenizer."""
        self.info = info
        """What was loaded and how it runs."""
        self._engine: Engine | None = engine
        self._pool = pool
        generation = engine.pack.manifest.generation
        self._stop_ids = frozenset(generation.stop_ids)
        self._defaults = _defaults(generation)

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back. Requests that are running end as they would have."""
        self._engine = None
        self._pool.clear()

    @overload
    def generate(
        self,
        prompt: Prompt,
        *,
        stream: Literal[False] = False,
        response_format: ResponseFormat | None = None,
        cancel: CancelToken | None = None,
        **sampling: Any,
    ) -> Reply: ...
    @overload
    def generate(
        self,
        prompt: Prompt,
        *,
        stream: Literal[True],
        response_format: ResponseFormat | None = None,
        cancel: CancelToken | None = None,
        **sampling: Any,
    ) -> Stream: ...
    def generate(
        self,
        prompt: Prompt,
        *,
        stream: bool = False,
        response_format: ResponseFormat | None = None,
        cancel: CancelToken | None = None,
        **sampling: Any,
    ) -> Reply | Stream:
        """Continue a text, or a list of token ids.

        `sampling` takes the arguments of `SamplingOptions`, and some in words (`bad_words`,
        `dry_sequence_breakers`); what is left out comes from the
        model's makers' advice in the pack, then from `SamplingOptions`. With `num_beams` and the
        other arguments of `BeamOptions` it is a beam search. With `stream` the answer
        comes as a `Stream` of chunks while it is made. `response_format` makes the answer obey a
        JSON schema, a regex or a grammar: docs/structured.md has its forms. `cancel` is a token to
        stop it from another thread. Raises `OptionError` for a wrong argument or an empty prompt,
        `ResponseFormatError` for a format that cannot be obeyed, `ContextOverflow` for a prompt
        that does not fit, `MemoryLimit`.

        >>> model.generate("A number:", response_format={"type": "regex", "pattern": "[0-9]"})
        ... # doctest: +SKIP
        """
        shape = _ShapeArguments(response_format)
        return self._answer(prompt, True, stream, shape, cancel, sampling)

    @overload
    def chat(
        self,
        messages: chat_.Messages,
        *,
        stream: Literal[False] = False,
        tools: Tools | None = None,
        tool_choice: ToolChoice | None = None,
        response_format: ResponseFormat | None = None,
        session: None = None,
        cancel: CancelToken | None = None,
        **sampling: Any,
    ) -> Reply: ...
    @overload
    def chat(
        self,
        messages: chat_.Messages,
        *,
        stream: Literal[True],
        tools: Tools | None = None,
        tool_choice: ToolChoice | None = None,
        response_format: ResponseFormat | None = None,
        session: None = None,
        cancel: CancelToken | None = None,
        **sampling: Any,
    ) -> Stream: ...
    def chat(
        self,
        messages: chat_.Messages,
        *,
        stream: bool = False,
        tools: Tools | None = None,
        tool_choice: ToolChoice | None = None,
        response_format: ResponseFormat | None = None,
        session: None = None,
        cancel: CancelToken | None = None,
        **sampling: Any,
    ) -> Reply | Stream:
        """Answer a message or a conversation.

        `messages` is a string (one user message) or a list of `{"role", "content"}`. The rest is
        as in `generate`; `TemplateError` for a model that has no chat template. `tools` are
        functions the model may call, in OpenAI's form; `reply.tool_calls` has the calls it made.
        `tool_choice` is "auto", "none", "required" or the one function to call:
        docs/structured.md. `session` is a name kept for later versions: in this one anything but
        None is an `OptionError`.

        >>> model.chat("What is the capital of France?").text  # doctest: +SKIP
        'The capital of France is Paris.'
        """
        _refuse_later(session=session)
        use = self._tool_use(tools, tool_choice)
        prompt = chat_.render(messages, self.tokenizer, () if use is None else use.choice.tools)
        shape = _ShapeArguments(response_format, use, tool_choice)
        return self._answer(prompt, False, stream, shape, cancel, sampling)

    async def agenerate(
        self,
        prompt: Prompt,
        *,
        stream: bool = False,
        cancel: CancelToken | None = None,
        **sampling: Any,
    ) -> Reply | AsyncStream:
        """`generate` for asyncio; cancelling the task stops the model."""
        return await self._aanswer(self.generate, prompt, stream, cancel, sampling)

    async def achat(
        self,
        messages: chat_.Messages,
        *,
        stream: bool = False,
        cancel: CancelToken | None = None,
        **sampling: Any,
    ) -> Reply | AsyncStream:
        """`chat` for asyncio; cancelling the task stops the model."""
        return await self._aanswer(self.chat, messages, stream, cancel, sampling)

    def _answer(
        self,
        prompt: Prompt,
        add_special_tokens: bool,
        stream: bool,
        asked: _ShapeArguments,
        cancel: CancelToken | None,
        sampling: dict[str, Any],
    ) -> Reply | Stream:
        engine = self._engine
        if engine is None:
            raise ModelClosed(f"the model {self.info.name!r} was closed; load it again.")
        cancel = cancel or CancelToken()
        request = self._request(prompt, add_special_tokens, asked, cancel, sampling)
        run = generate
        if request.beams is not None:
            if stream:
                raise OptionError("a beam search has no text before its end; leave out stream.")
            from .beam_run import search

            run = search
        running = Stream(run(request, engine, self._pool, self.tokenizer), cancel)
        return running if stream else running.result()

    def _request(
        self,
        prompt: Prompt,
        add_special_tokens: bool,
        asked: _ShapeArguments,
        cancel: CancelToken,
        sampling: dict[str, Any],
    ) -> Request:
        beams = BeamOptions.taken_from(sampling)
        if beams is None:
            sampling = {**self._defaults, **sampling}
        sampling = words.resolved(sampling, self.tokenizer, self._choices)
        options = SamplingOptions.from_arguments(**sampling)
        if beams is not None:
            options.check_beams()
            if asked != _ShapeArguments():
                raise OptionError("a beam search takes no response_format and no tools.")
        shape = self._shape(asked, options)
        began = time.perf_counter()
        ids = self._ids(prompt, add_special_tokens)
        tokenize_ms = (time.perf_counter() - began) * 1000
        if not ids:
            raise OptionError("the prompt is empty: it gives no tokens. Give some text.")
        left = self.info.context - len(ids)
        if left < 1:
            raise ContextOverflow(
                f"the prompt has {len(ids)} tokens; the context holds {self.info.context} and "
                f"must leave room for at least one more. Shorten the prompt by {1 - left} tokens, "
                f"or load the model with a larger context."
            )
        limit = left if options.max_tokens is None else min(left, options.max_tokens)
        stop_ids: frozenset[int] = frozenset() if options.ignore_eos else self._stop_ids
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
        )

    def _shape(self, asked: _ShapeArguments, options: SamplingOptions) -> Shape | None:
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

    def _tool_use(self, tools: Tools | None, choice: ToolChoice | None) -> ToolUse | None:
        """The tools that may be called. Raises `ResponseFormatError`."""
        if tools is None and choice is None:
            return None
        from .structure import calls
        from .structure import tools as tools_
        from .structure.shape import ToolUse

        made = tools_.chosen(tools_.checked(() if tools is None else tools), choice)
        dialect = calls.dialect_of(self.tokenizer.tool_template or "")
        return None if made is None else ToolUse(made, dialect)

    @property
    def _choices(self) -> int:
        """Tokens that can be drawn: those with a logit and a text."""
        return min(self.info.architecture.vocabulary, self.tokenizer.vocab_size)

    @cached_property
    def _grammars(self) -> Grammars:
        from .structure.grammars import Grammars

        return Grammars(self.tokenizer, self._choices, self._stop_ids)

    def _ids(self, prompt: Prompt, add_special_tokens: bool) -> list[int]:
        if isinstance(prompt, str):
            return self.tokenizer.encode(prompt, add_special_tokens=add_special_tokens)
        if not isinstance(prompt, Sequence) or isinstance(prompt, bytes):
            raise OptionError(f"prompt is a {type(prompt).__name__}; give a string or token ids.")
        top = self.info.architecture.vocabulary
        for token in prompt:
            if isinstance(token, bool) or not isinstance(token, int) or not 0 <= token < top:
                raise OptionError(f"prompt holds {token!r}; token ids are 0 to {top - 1}.")
        return [int(token) for token in prompt]

    async def _aanswer(
        self,
        call: Any,
        prompt: Any,
        stream: bool,
        cancel: CancelToken | None,
        sampling: dict[str, Any],
    ) -> Reply | AsyncStream:
        if not stream and sampling.get("num_beams") not in (None, 1):
            return await _in_thread(call, prompt, cancel or CancelToken(), sampling)
        made = await asyncio.to_thread(call, prompt, stream=True, cancel=cancel, **sampling)
        running = AsyncStream(made)
        return running if stream else await running.result()


async def _in_thread(
    call: Any, prompt: Any, cancel: CancelToken, sampling: dict[str, Any]
) -> Reply:
    """A call without pieces; cancelling the task stops the model."""
    work = asyncio.ensure_future(asyncio.to_thread(call, prompt, cancel=cancel, **sampling))
    try:
        reply: Reply = await asyncio.shield(work)
    except asyncio.CancelledError:
        cancel.cancel()
        await asyncio.wait([work])
        raise
    return reply


def _refuse_later(**arguments: object) -> None:
    for name, value in arguments.items():
        if value is not None:
            raise OptionError(f"{name} is not in this version of edgeward; leave it out, or None.")


def _defaults(generation: m.Generation) -> dict[str, Any]:
    """The makers' advice as sampling arguments; what they did not state is left out."""
    names = ("temperature", "top_p", "top_k", "repetition_penalty")
    stated = {name: getattr(generation, name) for name in names}
    return {name: value for name, value in stated.items() if value is not None}
