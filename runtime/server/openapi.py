"""The OpenAPI document of this server, made from the types that check its requests.

Bodies of requests are described by the same structs that decode them (`asked.py`), so that what the
document allows is what the server reads. Answers are described as far as clients rely on them.

Knows: OpenAPI 3.1, paths, status codes. Does not know: how anything is answered.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from edgeward import __version__

from .asked import ChatRequest, CompletionRequest, EmbeddingRequest, FeedbackRequest

_REFUSALS = {
    400: "A field is wrong, the prompt too long, or a check refused it.",
    401: "No API key, or none of this server's.",
    403: "A page of another site asks.",
    404: "No such model.",
    408: "The body took too long.",
    413: "The body is too large.",
    415: "The body does not call itself JSON.",
    421: "Not this server's name.",
    422: "A budget that this device cannot keep for this prompt.",
    429: "No room, or too often; `Retry-After` says when.",
    503: "The server is stopping.",
    507: "No memory, or no space.",
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_USAGE = {
    "type": "object",
    "required": ["prompt_tokens", "total_tokens"],
    "properties": {
        "prompt_tokens": {"type": "integer"},
        "completion_tokens": {"type": "integer"},
        "total_tokens": {"type": "integer"},
    },
}


def _answer(kind: str, **more: Any) -> dict[str, Any]:
    properties = {"object": {"const": kind}, **more}
    return {"type": "object", "required": list(properties), "properties": properties}


_CHOICES = {"type": "array", "items": {"type": "object", "required": ["index", "finish_reason"]}}
_TEXTS = {
    "id": {"type": "string"},
    "created": {"type": "integer"},
    "model": {"type": "string"},
    "choices": _CHOICES,
    "usage": _USAGE,
    "edgeward": {"type": "object", "description": "Budget, cost, safety, receipt."},
}
_CHAT = _answer("chat.completion", **_TEXTS)
_COMPLETION = _answer("text_completion", **_TEXTS)
_LIST = _answer("list", data={"type": "array", "items": {"type": "object"}})
_ANY = {"type": "object"}


@functools.cache
def document() -> bytes:
    """The document as JSON."""
    kinds = (ChatRequest, CompletionRequest, EmbeddingRequest, FeedbackRequest)
    _, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    made = {
        "openapi": "3.1.0",
        "info": {
            "title": "Edgeward",
            "version": __version__,
            "description": "OpenAI's protocol with budgets, cost and safety; docs/serve.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{}, {"key": []}],
        "paths": {
            "/v1/chat/completions": _post("Answer a conversation", ChatRequest, _CHAT, True),
            "/v1/completions": _post("Continue a text", CompletionRequest, _COMPLETION, True),
            "/v1/embeddings": _post("Vectors of texts", EmbeddingRequest, _LIST),
            "/v1/feedback": _post("Say what an answer was worth", FeedbackRequest, _ANY),
            "/v1/models": _get("What is served", _LIST),
            "/v1/stats": _get("Counts, times, cost", _ANY),
            "/metrics": _get("Figures for Prometheus", None, "text/plain", {501: "Not installed."}),
            "/health": _get("The process answers", _ANY),
            "/ready": _get("Requests are taken", _ANY),
            "/openapi.json": _get("This document", _ANY),
            "/": _get("The chat page", None, "text/html"),
        },
        "components": {
            "schemas": {**schemas, "Error": _ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }
    return msgspec.json.encode(made)


def _post(summary: str, body: type, answer: dict[str, Any], stream: bool = False) -> dict[str, Any]:
    content = {"application/json": {"schema": answer}}
    if stream:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    reference = {"$ref": f"#/components/schemas/{body.__name__}"}
    return {
        "post": {
            "summary": summary,
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": reference}},
            },
            "responses": {
                "200": {"description": "The answer.", "content": content},
                **_refusals(_REFUSALS),
            },
        }
    }


def _get(
    summary: str,
    answer: dict[str, Any] | None,
    kind: str = "application/json",
    more: dict[int, str] | None = None,
) -> dict[str, Any]:
    refusals = {status: _REFUSALS[status] for status in (401, 403, 421, 429, 503)} | (more or {})
    content = {kind: {"schema": {"type": "string"} if answer is None else answer}}
    ok = {"description": "The answer.", "content": content}
    return {"get": {"summary": summary, "responses": {"200": ok, **_refusals(refusals)}}}


def _refusals(statuses: dict[int, str]) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    content = {"application/json": {"schema": schema}}
    return {str(s): {"description": text, "content": content} for s, text in statuses.items()}
