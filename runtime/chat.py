"""From messages to a prompt's text. Knows roles and templates; no ids, no model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import OptionError, TemplateError
from .tokenizer import Tokenizer

if TYPE_CHECKING:
    from .structure.tools import Tool

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


def render(messages: Messages, tokenizer: Tokenizer, tools: Sequence[Tool] = ()) -> str:
    """The prompt for the model's next answer, `tools` told in it.

    Raises `TemplateError` for a model without chat.
    """
    template = tokenizer.tool_template if tools else tokenizer.chat_template
    if template is None:
        raise TemplateError(
            "this model has no chat template: it continues text and was not made for chat. "
            "Use generate()."
        )
    plain = normalize(messages)
    shown = [tool.as_json() for tool in tools] if tools else None
    if tools or any(m["role"] == "tool" or m.get("tool_calls") for m in plain):
        from .structure import calls

        if not calls.knows_tools(template):
            plain, shown = list(calls.explained(plain, tools)), None
    return tokenizer.apply_chat_template(plain, add_generation_prompt=True, tools=shown)


def _message(index: int, message: Message) -> dict[str, Any]:
    where = f"messages[{index}]"
    if not isinstance(message, Mapping):
        raise OptionError(f"{where} is a {type(message).__name__}, not a dict with role, content.")
    role = message.get("role")
    if not isinstance(role, str) or not role:
        raise OptionError(f"{where} has role {role!r}; give 'system', 'user' or 'assistant'.")
    content, calls = message.get("content"), message.get("tool_calls")
    if not calls:
        return {**message, "role": role, "content": _content(where, content)}
    said = "" if content is None else _content(where, content)
    return {**message, "role": role, "content": said, "tool_calls": _calls(where, calls)}


def _calls(where: str, calls: Any) -> list[dict[str, Any]]:
    """Calls in OpenAI's form; arguments may be JSON text, templates want them as a dict."""
    if isinstance(calls, str | Mapping) or not isinstance(calls, Sequence):
        raise OptionError(f"{where} has tool_calls of type {type(calls).__name__}; give a list.")
    made = []
    for call in calls:
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise OptionError(
                f"{where} has the tool call {call!r}; it must be "
                f'{{"id": ..., "type": "function", "function": {{"name": ..., "arguments": ...}}}}.'
            )
        arguments = function.get("arguments", {})
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except (ValueError, RecursionError) as error:
                raise OptionError(
                    f"{where} has a call of {function['name']} whose arguments are no JSON: "
                    f"{error}."
                ) from None
        made.append({**call, "function": {**function, "arguments": arguments}})
    return made


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
