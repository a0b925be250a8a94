"""/v1/chat/completions and /v1/completions: whole answers and streams of server-sent events.

Knows: the two protocols. Does not know: keys, paths, how an answer is made.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from edgeward.cancel import CancelToken
from edgeward.errors import Cancelled
from edgeward.reply import Chunk, Reply
from edgeward.service.streams import AsyncAnswer

from . import answers
from .asked import ChatRequest, CompletionRequest, read
from .problems import Problem
from .wire import Exchange, Gone

if TYPE_CHECKING:
    from .app import App, Visit

T = TypeVar("T")


class Cancellable(Protocol):
    """What a server that stops must be able to stop."""

    def cancel(self) -> None: ...


async def chat(app: App, exchange: Exchange, visit: Visit) -> None:
    """Answer a conversation."""
    asked = read(await json_body(app, exchange), ChatRequest)
    check_model(app, asked.model)
    arguments = asked.arguments()
    if app.settings.need_key and "session" in arguments:
        # Each key has sessions of its own: a name is no secret.
        arguments["session"] = f"{visit.user}.{arguments['session']}"
    whole = bool(asked.tools)
    token = CancelToken()
    start = app.service.achat(
        asked.messages, stream=True, user=visit.user, cancel=token, **arguments
    )
    await _run(app, exchange, visit, start, token, asked, True, whole)


async def complete(app: App, exchange: Exchange, visit: Visit) -> None:
    """Continue a text."""
    asked = read(await json_body(app, exchange), CompletionRequest)
    check_model(app, asked.model)
    arguments = asked.arguments()
    token = CancelToken()
    prompt = asked.one_prompt()
    start = app.service.agenerate(prompt, stream=True, user=visit.user, cancel=token, **arguments)
    await _run(app, exchange, visit, start, token, asked, False, False)


async def json_body(app: App, exchange: Exchange) -> bytes:
    """The body of a request, which must call itself JSON.

    Otherwise any page could send it here: browsers ask first before they send JSON elsewhere.
    """
    kind = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, f"the body is {kind or 'of no type'}; send application/json.")
    return await exchange.body(app.settings.most_body, app.settings.body_seconds)


def check_model(app: App, name: str) -> None:
    """Raise `Problem` for a model that is not served here."""
    if name != app.name:
        raise Problem(
            404,
            f"the model {name[:200]!r} is not served here; {app.name!r} is.",
            code="model_not_found",
            param="model",
        )


async def _run(
    app: App,
    exchange: Exchange,
    visit: Visit,
    start: Awaitable[Any],
    token: CancelToken,
    asked: ChatRequest | CompletionRequest,
    is_chat: bool,
    whole: bool,
) -> None:
    shape = answers.Shape(visit.request_id, int(time.time()), app.name, app.fingerprint, is_chat)
    app.running.add(token)
    try:
        async with _until_gone(exchange, token):
            answer: AsyncAnswer = await start
            try:
                if asked.stream:
                    reply = await _stream(exchange, visit, answer, shape, asked, is_chat, whole)
                else:
                    reply = await answer.result()
                    await exchange.json(200, shape.whole(reply), _headers(visit, reply))
            finally:
                await answer.aclose()
    finally:
        app.running.discard(token)
    _note(visit, reply)


async def _stream(
    exchange: Exchange,
    visit: Visit,
    answer: AsyncAnswer,
    shape: answers.Shape,
    asked: ChatRequest | CompletionRequest,
    is_chat: bool,
    whole: bool,
) -> Reply:
    """`whole`: the text is sent at the end, when it is known what of it was a call of a tool."""
    # The first chunk decides between an answer and an error: only then the status goes out.
    first = None if whole else await anext(answer, None)
    if whole:
        await answer.result()
    headers = {"x-request-id": visit.request_id, "x-accel-buffering": "no"}
    await exchange.begin(200, "text/event-stream; charset=utf-8", headers)
    if is_chat:
        await exchange.event(shape.piece({"role": "assistant", "content": ""}))
    if whole:
        await _tool_events(exchange, answer.reply, shape)
    else:
        if first is not None:
            await _chunk_event(exchange, first, shape, is_chat)
        async for chunk in answer:
            await _chunk_event(exchange, chunk, shape, is_chat)
    await exchange.event(shape.last(answer.reply))
    if asked.stream_options is not None and asked.stream_options.include_usage:
        await exchange.event(shape.counts(answer.reply))
    await exchange.write(b"data: [DONE]\n\n", last=True)
    return answer.reply


async def _chunk_event(
    exchange: Exchange, chunk: Chunk, shape: answers.Shape, is_chat: bool
) -> None:
    if chunk.text or chunk.logprobs:
        delta = {"content": chunk.text} if is_chat else chunk.text
        await exchange.event(shape.piece(delta, chunk.logprobs))


async def _tool_events(exchange: Exchange, reply: Reply, shape: answers.Shape) -> None:
    said = reply.content if reply.tool_calls else reply.text
    if said:
        await exchange.event(shape.piece({"content": said}, reply.logprobs or ()))
    for index, call in enumerate(answers.tool_calls(reply)):
        await exchange.event(shape.piece({"tool_calls": [{"index": index, **call}]}))


@asynccontextmanager
async def _until_gone(exchange: Exchange, token: CancelToken) -> AsyncIterator[None]:
    """Cancel when the client leaves: nobody reads what is still made."""

    async def watch() -> None:
        await exchange.gone()
        token.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except Cancelled:
        if watcher.done():
            raise Gone from None
        raise
    finally:
        watcher.cancel()


def _headers(visit: Visit, reply: Reply) -> dict[str, str]:
    """What a client that looks at no body may want to know."""
    made = {"x-request-id": visit.request_id, "edgeward-finish-reason": reply.finish_reason}
    if reply.budget is not None:
        made["edgeward-budget"] = "met" if reply.budget.met else "missed"
        made["edgeward-actions"] = ", ".join(map(str, reply.budget.actions))
    if reply.cost is not None:
        made["edgeward-cost"] = f"{reply.cost.total:.3g}; {reply.cost.energy_source}"
    return made


def _note(visit: Visit, reply: Reply) -> None:
    visit.note["end"] = reply.finish_reason
    visit.note["tokens"] = [reply.usage.prompt_tokens, reply.usage.completion_tokens]
    if reply.budget is not None:
        visit.note["met"] = reply.budget.met
