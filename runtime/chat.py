"""From messages to a prompt's text. Knows roles and templates; no ids, no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import OptionError, TemplateError
from .tokenizer import Tokenizer

Message = Mapping[str, Any]
Messages = str | Sequence[Message]


def normalize(messages: Messages) -> list[dict[str, Any]]:
    """Messages as the template takes them: dicts with `role` and a string `content`.

    A string is one user message. Content may be OpenAI's list of parts, of type "text" only.
    Raises `OptionError` naming the message that is wrong.
    """
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    if not isinstance(messages, Sequence) or not messages:
        raise OptionError(
            "messages is empty or no list; give a string, or a list of "
            '{"role": "user", "content": "..."}.'
        )
    listed: Sequence[Any] = messages
    return [_message(i, message) for i, message in enumerate(listed)]


def render(messages: Messages, tokenizer: Tokenizer) -> str:
    """The prompt for the model's next answer. Raises `TemplateError` for a model without chat."""
    if tokenizer.chat_template is None:
        raise TemplateError(
            "this model has no chat template: it continues text and was not made for chat. "
            "Use generate()."
        )
    return tokenizer.apply_chat_template(normalize(messages), add_generation_prompt=True)


def _message(index: int, message: Message) -> dict[str, Any]:
    where = f"messages[{index}]"
    if not isinstance(message, Mapping):
        raise OptionError(f"{where} is a {type(message).__name__}, not a dict with role, content.")
    role = message.get("role")
    if not isinstance(role, str) or not role:
        raise OptionError(f"{where} has role {role!r}; give 'system', 'user' or 'assistant'.")
    return {**message, "role": role, "content": _content(where, message.get("content"))}


def _content(where: str, content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        parts = []
        for part in content:
            if not isinstance(part, Mapping) or part.get("type") != "text":
                kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
                raise OptionError(f"{where} has a part of type {kind!r}; this model takes 'text'.")
            parts.append(str(part.get("text", "")))
        return "".join(parts)
    raise OptionError(f"{where} has content of type {type(content).__name__}; give a string.")
