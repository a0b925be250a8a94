"""A loaded model: text in, text out. One object serves many threads and asyncio tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

from . import chat as chat_
from . import manifest as m
from .cancel import CancelToken
from .engine import Engine
from .errors import ModelClosed, OptionError
from .generate import generate
from .kv_cache import CachePool
from .memory import MemoryPlan
from .refuse import refuse
from .reply import Reply
from .request_maker import Asked, Prompt, RequestMaker, ResponseFormat, ToolChoice, Tools
from .safety.run import Runner
from .safety.screen import SafetyChecks, Screen
from .safety.screen import screen as screen_of
from .stream import AsyncStream, Stream
from .tokenizer import Tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
    graph_reason: str
    """Why it is not the fused one; empty where it is."""
    provider: str
    threads: int
    instruction_set: str
    context: int
    """Tokens that prompt and answer may take together."""
    memory: MemoryPlan
    load_ms: float


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
        self._checks = Runner()
        generation = engine.pack.manifest.generation
        self._requests = RequestMaker(
            tokenizer, info.architecture.vocabulary, info.context, generation
        )

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
        safety_checks: SafetyChecks | None = None,
        safety_window: int | None = None,
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
        safety_checks: SafetyChecks | None = None,
        safety_window: int | None = None,
        cancel: CancelToken | None = None,
        **sampling: Any,
    ) -> Stream: ...
    def generate(
        self,
        prompt: Prompt,
        *,
        stream: bool = False,
        response_format: ResponseFormat | None = None,
        safety_checks: SafetyChecks | None = None,
        safety_window: int | None = None,
        cancel: CancelToken | None = None,
        **sampling: Any,
    ) -> Reply | Stream:
        """Continue a text, or a list of token ids.

        `sampling` takes the arguments of `SamplingOptions`, and some in words (`bad_words`,
        `dry_sequence_breakers`); what is left out comes from the
        model's makers' advice in the pack, then from `SamplingOptions`. With `num_beams` and the
        other arguments of `BeamOptions` it is a beam search. With `stream` the answer
        comes as a `Stream` of chunks while it is made. `response_format` makes the answer obey a
        JSON schema, a regex or a grammar: docs/structured.md has its forms. `safety_checks` see the
        prompt before the model does and the reply before the caller does; inside a sentence the
        last `safety_window` characters are held back (docs/safety.md). `cancel` is a token to
        stop it from another thread. Raises `OptionError` for a wrong argument or an empty prompt,
        `ResponseFormatError` for a format that cannot be obeyed, `ContextOverflow` for a prompt
        that does not fit, `MemoryLimit`.

        >>> model.generate("A number:", response_format={"type": "regex", "pattern": "[0-9]"})
        ... # doctest: +SKIP
        """
        shape = Asked(response_format)
        screen = screen_of(safety_checks, safety_window, self._checks)
        if screen is not None:
            prompt = self._screened(prompt, screen)
        return self._answer(prompt, True, stream, shape, cancel, sampling, screen)

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
        safety_checks: SafetyChecks | None = None,
        safety_window: int | None = None,
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
        safety_checks: SafetyChecks | None = None,
        safety_window: int | None = None,
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
        safety_checks: SafetyChecks | None = None,
        safety_window: int | None = None,
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
        use = self._requests.tool_use(tools, tool_choice)
        screen = screen_of(safety_checks, safety_window, self._checks)
        if screen is not None:
            messages = screen.messages(chat_.normalize(messages))
        prompt = chat_.render(messages, self.tokenizer, () if use is None else use.choice.tools)
        shape = Asked(response_format, use, tool_choice)
        return self._answer(prompt, False, stream, shape, cancel, sampling, screen)

    def embed(self, texts: str | Sequence[str], *, truncate: bool = False) -> NDArray[np.float32]:
        """A vector for each text: float32 (texts, dimension).

        For encoders such as `all-minilm-l6-v2`; a model that writes text raises `OptionError`. A
        text longer than the model reads raises `ContextOverflow`, or with `truncate` is cut.

        >>> edgeward.load("all-minilm-l6-v2").embed(["A river.", "A stream."])  # doctest: +SKIP
        array([[ 0.05, ...]], dtype=float32)
        """
        raise OptionError(
            f"{self.info.name!r} writes text and has no vectors of texts; load an encoder, such "
            f"as all-minilm-l6-v2."
        )

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

    def prompt_ids(
        self,
        prompt: Any,
        *,
        chat: bool = False,
        tools: Tools | None = None,
        tool_choice: ToolChoice | None = None,
    ) -> list[int]:
        """The token ids that `generate` would begin with, or `chat` for messages and tools.

        Raises what they raise for the same arguments.

        >>> len(model.prompt_ids("Hello", chat=True))  # doctest: +SKIP
        31
        """
        if not chat:
            return self._requests.ids(prompt, True)
        use = self._requests.tool_use(tools, tool_choice)
        text = chat_.render(prompt, self.tokenizer, () if use is None else use.choice.tools)
        return self._requests.ids(text, False)

    def cached_prefix(self, ids: list[int]) -> int:
        """How many of a prompt's first ids would not be computed if it came now."""
        return max(0, min(self._pool.held(ids), len(ids) - 2))

    def opened(self) -> tuple[Engine, CachePool]:
        """The engine and its caches, for those that plan for them. Raises `ModelClosed`."""
        if self._engine is None:
            raise ModelClosed(f"the model {self.info.name!r} was closed; load it again.")
        return self._engine, self._pool

    def _answer(
        self,
        prompt: Prompt,
        add_special_tokens: bool,
        stream: bool,
        asked: Asked,
        cancel: CancelToken | None,
        sampling: dict[str, Any],
        screen: Screen | None,
    ) -> Reply | Stream:
        engine, pool = self.opened()
        cancel = cancel or CancelToken()
        request = self._requests.make(prompt, add_special_tokens, asked, cancel, sampling, screen)
        run = refuse if screen is not None and screen.stopped else generate
        if request.beams is not None:
            if stream:
                raise OptionError("a beam search has no text before its end; leave out stream.")
            from .beam_run import search

            run = search
        running = Stream(run(request, engine, pool, self.tokenizer), cancel)
        return running if stream else running.result()

    def _screened(self, prompt: Prompt, screen: Screen) -> Prompt:
        """The prompt as the model may see it; checks read ids as their text."""
        if isinstance(prompt, str):
            return screen.prompt(prompt)
        ids = self._requests.ids(prompt, False)
        screen.prompt(self.tokenizer.decode(ids, skip_special_tokens=False), as_ids=True)
        return ids

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
