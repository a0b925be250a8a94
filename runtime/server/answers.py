"""Replies as OpenAI's JSON, with what is ours in the field `edgeward`.

Two ends of ours have no word in OpenAI's: an answer that the clock ended says "length", one that a
safety check ended says "content_filter"; `edgeward.finish_reason` has the true word.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from edgeward.reply import Chunk, Reply, TokenLogprob

_WORDS = {
    "stop": "stop",
    "length": "length",
    "deadline": "length",
    "safety": "content_filter",
    "cancelled": "stop",
}


class Shape:
    """The objects of one answer: its id, time and model are the same in all of them."""

    def __init__(self, name: str, created: int, model: str, fingerprint: str, chat: bool) -> None:
        self._chat = chat
        self._kind = "chat.completion" if chat else "text_completion"
        self._head = {
            "id": f"{'chatcmpl' if chat else 'cmpl'}-{name}",
            "created": created,
            "model": model,
            "system_fingerprint": fingerprint,
        }

    def whole(self, reply: Reply) -> dict[str, Any]:
        """The answer in one piece."""
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish(reply)}
        if self._chat:
            choice["message"] = message(reply)
            choice["logprobs"] = chat_logprobs(reply.logprobs)
        else:
            choice["text"] = reply.text
            choice["logprobs"] = text_logprobs(reply.logprobs)
        return {
            **self._head,
            "object": self._kind,
            "choices": [choice],
            "usage": usage(reply),
            "edgeward": extension(reply),
        }

    def piece(
        self, delta: dict[str, Any] | str, logprobs: tuple[TokenLogprob, ...] = ()
    ) -> dict[str, Any]:
        """A chunk of a streamed answer."""
        choice: dict[str, Any] = {"index": 0, "finish_reason": None, "logprobs": None}
        choice["delta" if self._chat else "text"] = delta
        if logprobs:
            make = chat_logprobs if self._chat else text_logprobs
            choice["logprobs"] = make(logprobs)
        return {**self._chunk(), "choices": [choice]}

    def last(self, reply: Reply) -> dict[str, Any]:
        """The chunk that says how it ended."""
        made = self.piece({} if self._chat else "")
        made["choices"][0]["finish_reason"] = finish(reply)
        return {**made, "edgeward": extension(reply)}

    def counts(self, reply: Reply) -> dict[str, Any]:
        """The chunk after the last, for `stream_options.include_usage`."""
        return {**self._chunk(), "choices": [], "usage": usage(reply)}

    def _chunk(self) -> dict[str, Any]:
        return {**self._head, "object": self._kind + (".chunk" if self._chat else "")}


def opening(chunk: Chunk | None) -> dict[str, Any]:
    """The first delta of a chat."""
    return {"role": "assistant", "content": "" if chunk is None else chunk.text}


def message(reply: Reply) -> dict[str, Any]:
    """A chat's answer."""
    made: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None}
    if reply.tool_calls:
        made["content"] = reply.content or None
        made["tool_calls"] = tool_calls(reply)
    return made


def tool_calls(reply: Reply) -> list[dict[str, Any]]:
    """Calls as OpenAI writes them: arguments are JSON in a string."""
    return [
        {
            "id": call.id,
            "type": "function",
            "function": {
                "name": call.name,
                "arguments": json.dumps(call.arguments, ensure_ascii=False),
            },
        }
        for call in reply.tool_calls
    ]


def finish(reply: Reply) -> str:
    """OpenAI's word for how it ended."""
    if reply.tool_calls and reply.finish_reason == "stop":
        return "tool_calls"
    return _WORDS.get(reply.finish_reason, reply.finish_reason)


def usage(reply: Reply) -> dict[str, Any]:
    """Token counts."""
    u = reply.usage
    return {
        "prompt_tokens": u.prompt_tokens,
        "completion_tokens": u.completion_tokens,
        "total_tokens": u.prompt_tokens + u.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": u.cached_tokens},
    }


def extension(reply: Reply) -> dict[str, Any]:
    """What OpenAI's objects have no place for."""
    made: dict[str, Any] = {
        "finish_reason": reply.finish_reason,
        "stopped_by": reply.stopped_by,
        "prompt_truncated": reply.usage.prompt_truncated,
        "budget": _plain(reply.budget),
        "cost": _plain(reply.cost),
        "receipt": _plain(reply.receipt),
    }
    if verdicts := getattr(reply, "safety", None):
        made["safety"] = [_plain(verdict) for verdict in verdicts]
    return made


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]


def chat_logprobs(logprobs: tuple[TokenLogprob, ...] | None) -> dict[str, Any] | None:
    """In the form of /v1/chat/completions."""
    if logprobs is None:
        return None
    entries = [
        _entry(lp.token, lp.logprob)
        | {"top_logprobs": [_entry(token, value) for _, token, value in lp.top]}
        for lp in logprobs
    ]
    return {"content": entries, "refusal": None}


def text_logprobs(logprobs: tuple[TokenLogprob, ...] | None) -> dict[str, Any] | None:
    """In the older form of /v1/completions."""
    if logprobs is None:
        return None
    offsets, at = [], 0
    for lp in logprobs:
        offsets.append(at)
        at += len(lp.token)
    return {
        "tokens": [lp.token for lp in logprobs],
        "token_logprobs": [lp.logprob for lp in logprobs],
        "top_logprobs": [{token: value for _, token, value in lp.top} for lp in logprobs],
        "text_offset": offsets,
    }


def _entry(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}
