"""The smaller paths: models, embeddings, health, figures."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

from .asked import EmbeddingRequest, FeedbackRequest, read
from .completions import json_body
from .openapi import document
from .page import page
from .problems import Problem
from .wire import Exchange

if TYPE_CHECKING:
    from edgeward.model import ModelInfo

    from .app import App, Visit


async def models(app: App, exchange: Exchange, visit: Visit) -> None:
    """/v1/models: the one that answers, and the encoder beside it."""
    served = [app.service.model, app.service.embedder]
    data = [_entry(app, model.info) for model in served if model is not None]
    await exchange.json(200, {"object": "list", "data": data})


def _entry(app: App, info: ModelInfo) -> dict[str, Any]:
    ours = {
        "licence": info.licence,
        "pack_sha256": info.pack_sha256,
        "context": info.context,
        "threads": info.threads,
        "instruction_set": info.instruction_set,
    }
    plain = {"id": info.name, "object": "model", "created": app.started, "owned_by": "edgeward"}
    return {**plain, "edgeward": ours}


async def embed(app: App, exchange: Exchange, visit: Visit) -> None:
    """/v1/embeddings: vectors of texts, from a model that makes them."""
    asked = read(await json_body(app, exchange), EmbeddingRequest)
    encoder = app.service.embedder
    if encoder is None:
        raise Problem(
            400,
            f"{app.name!r} writes text, and no encoder is served beside it; start the server with "
            f"--embedder NAME.",
            param="model",
        )
    if asked.model != encoder.info.name:
        raise Problem(
            404,
            f"the model {asked.model[:200]!r} makes no embeddings here; "
            f"{encoder.info.name!r} does.",
            code="model_not_found",
            param="model",
        )
    if asked.encoding_format not in ("float", "base64"):
        raise Problem(400, "encoding_format is 'float' or 'base64'.", param="encoding_format")
    if asked.dimensions is not None:
        raise Problem(400, "vectors cannot be shortened; leave dimensions out.", param="dimensions")
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    if not texts:
        raise Problem(400, "input is empty; give a text or a list of texts.", param="input")
    vectors = await asyncio.to_thread(app.service.embed, texts, user=visit.user)
    tokens = sum(len(encoder.tokenizer.encode(text)) for text in texts)
    data = [
        {"object": "embedding", "index": i, "embedding": _vector(v, asked.encoding_format)}
        for i, v in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    body = {"object": "list", "data": data, "model": asked.model, "usage": usage}
    await exchange.json(200, body)


def _vector(vector: Any, encoding: str) -> Any:
    if encoding == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return vector.tolist()


async def feedback(app: App, exchange: Exchange, visit: Visit) -> None:
    """/v1/feedback: what somebody thought of an answer."""
    asked = read(await json_body(app, exchange), FeedbackRequest)
    await asyncio.to_thread(app.service.feedback, asked.receipt, asked.score, asked.comment)
    await exchange.json(200, {"kept": True})


async def metrics(app: App, exchange: Exchange, visit: Visit) -> None:
    """/metrics: for Prometheus."""
    if app.metrics is None:
        raise Problem(501, "metrics need prometheus-client: pip install 'edgeward[metrics]'.")
    text = await asyncio.to_thread(app.metrics.text)
    await exchange.reply(200, text, app.metrics.content_type)


async def chat_page(app: App, exchange: Exchange, visit: Visit) -> None:
    """/: the chat page."""
    content, policy = page()
    headers = {"content-security-policy": policy}
    await exchange.reply(200, content, "text/html; charset=utf-8", headers)


async def openapi(app: App, exchange: Exchange, visit: Visit) -> None:
    """/openapi.json: what may be asked, for programs."""
    await exchange.reply(200, document(), "application/json")


async def stats(app: App, exchange: Exchange, visit: Visit) -> None:
    """/v1/stats: what `Service.stats` says."""
    await exchange.json(200, app.service.stats())


async def health(app: App, exchange: Exchange, visit: Visit) -> None:
    """/health: the process answers."""
    await exchange.json(200, {"status": "ok"})


async def ready(app: App, exchange: Exchange, visit: Visit) -> None:
    """/ready: requests are taken."""
    if app.draining:
        raise Problem(503, "the server is stopping.", code="stopping", retry_after=5)
    await exchange.json(200, {"status": "ready", "model": app.name})
