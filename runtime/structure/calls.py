"""How models write tool calls: told from the chat template, enforced by a grammar, read back.

Knows: the forms that model families were trained on. Does not know: requests, sampling. A template
that knows no tools is given Hermes' form, which most small models have seen, in a system message.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgeward.reply import ToolCall
from edgeward.tokenizer import Tokenizer

from .formats import Format
from .tools import Choice, Tool

MOST_CALLS = 8
"""Calls of one answer: a small model would go on for ever."""


@dataclass(frozen=True)
class Dialect:
    """A form of calls: `first` (`before` JSON `after`) `between` (...) `last`.

    The JSON is {"name": ..., `arguments`: {...}}.
    """

    name: str
    marker: str = ""
    """What tells a call from text; empty if a call is the whole answer."""
    first: str = ""
    before: str = ""
    after: str = ""
    between: str = ""
    last: str = ""
    arguments: str = "arguments"
    closing: str = ""
    """A marker within `after`."""


HERMES = Dialect(
    "hermes", "<tool_call>", before="<tool_call>\n", after="\n</tool_call>", between="\n",
    closing="</tool_call>",
)  # fmt: skip
MISTRAL = Dialect(
    "mistral", "[TOOL_CALLS]", first="[TOOL_CALLS][", between=", ", last="]"
)  # fmt: skip
LLAMA = Dialect("llama", arguments="parameters")


def dialect_of(template: str) -> Dialect:
    """The form a chat template teaches."""
    if "[TOOL_CALLS]" in template:
        return MISTRAL
    if "<tool_call>" not in template and '"parameters": ' in template and "tools" in template:
        return LLAMA
    return HERMES


def knows_tools(template: str) -> bool:
    """True for a template that shows tools to the model by itself."""
    return "tools" in template


# --- what the model may write ------------------------------------------------------------------


def grammar(dialect: Dialect, choice: Choice, tokenizer: Tokenizer) -> Format | None:
    """The grammar of answers; None where text cannot be told from calls before it is whole."""

    def piece(text: str) -> str:
        return _literal(text, (dialect.marker, dialect.closing), tokenizer)

    rules = [f"body: {' | '.join(f'tool_{i}' for i in range(len(choice.tools)))}"]
    for i, tool in enumerate(choice.tools):
        head = json.dumps(f'{{"name": {json.dumps(tool.name)}, "{dialect.arguments}": ')
        rules += [f'tool_{i}: {head} arguments_{i} "}}"', f"arguments_{i}: %json {tool.schema}"]
    rules.append(f"call: {_joined(piece(dialect.before), 'body', piece(dialect.after))}")
    more = f"({piece(dialect.between)} call){{0,{MOST_CALLS - 1}}}"
    if choice.one or not dialect.marker:
        more = ""
    if choice.must:
        start = _joined(piece(dialect.first), "call", more, piece(dialect.last))
        return Format("tools", "\n".join([f"start: {start}", *rules]) + "\n")
    if not dialect.marker:
        return None
    # Text, until the marker stands there: from then on calls, then text again.
    opened = f"opened: TEXT {piece(dialect.marker)}"
    if _special(dialect.marker, tokenizer) is None:
        opened = f"opened[lazy]: TEXT {piece(dialect.marker)}"
    if dialect.first:
        opening = piece(dialect.first.removeprefix(dialect.marker))
        inside = _joined(opening, "call", more, piece(dialect.last))
    else:
        opening = piece(dialect.before.removeprefix(dialect.marker))
        inside = _joined(opening, "body", piece(dialect.after))
    head = f"start: (opened {inside}){{0,{MOST_CALLS}}} tail"
    lines = [head, opened, "tail: TEXT", r"TEXT: /(.|\n)*/", *rules]
    return Format("tools", "\n".join(lines) + "\n")


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _special(text: str, tokenizer: Tokenizer) -> int | None:
    """The id of a marker that is a special token: such a token has no text in a grammar."""
    id = tokenizer.token_to_id(text) if text else None
    return id if id is not None and tokenizer.is_special(id) else None


def _literal(text: str, markers: Sequence[str], tokenizer: Tokenizer) -> str:
    """Lark for a fixed text in which markers may be special tokens."""
    for marker in markers:
        id = _special(marker, tokenizer)
        if id is not None and marker in text:
            before, _, after = text.partition(marker)
            rest = (_literal(part, markers, tokenizer) for part in (before, after))
            return f" <[{id}]> ".join(rest).strip()
    return json.dumps(text) if text else ""


# --- what the model wrote ----------------------------------------------------------------------


def read(dialect: Dialect, text: str, tools: Sequence[Tool]) -> tuple[str | None, list[ToolCall]]:
    """What was said beside the calls, and the complete calls, of an answer with its markers.

    A call that was cut, is no JSON, or names no tool of the request is left where it is: in the
    text. The first value is None where there is no call.
    """
    known = {tool.name for tool in tools}
    calls: list[ToolCall] = []
    start, at = None, 0
    while (found := text.find(dialect.marker, at)) >= 0:
        at = found + max(1, len(dialect.marker))
        values, end = _values(text, found + len(dialect.marker))
        made = [_call(value, dialect, known) for value in values]
        read_all = [call for call in made if call is not None]
        if read_all and len(read_all) == len(made):
            start = found if start is None else start
            calls += read_all
            at = max(at, end)
        if not dialect.marker:
            break  # the whole answer is the call, or it is none
    return (None if start is None else text[:start].strip()), calls


def _values(text: str, at: int) -> tuple[list[Any], int]:
    """The JSON value, or the entries of the JSON list, that stands at `at`; where it ends."""
    at += len(text[at:]) - len(text[at:].lstrip())
    try:
        value, end = json.JSONDecoder().raw_decode(text, at)
    except (ValueError, RecursionError):
        return [], at
    return (value if isinstance(value, list) else [value]), end


def _call(value: Any, dialect: Dialect, known: set[str]) -> ToolCall | None:
    if not isinstance(value, dict) or value.get("name") not in known:
        return None
    arguments = value.get(dialect.arguments, value.get("arguments", {}))
    if not isinstance(arguments, dict):
        return None
    # Nine letters and digits: the form that Mistral's templates insist on.
    return ToolCall(uuid.uuid4().hex[:9], value["name"], arguments)


# --- templates without tools -------------------------------------------------------------------


def explained(messages: Sequence[Mapping[str, Any]], tools: Sequence[Tool]) -> Iterator[Any]:
    """The conversation with the tools told in the system message, calls and results as text."""
    listed = "\n".join(json.dumps(tool.as_json(), ensure_ascii=False) for tool in tools)
    told = (
        "You may call these functions:\n<tools>\n" + listed + "\n</tools>\n"
        "To call one, answer with its name and arguments as JSON, between these tags:\n"
        '<tool_call>\n{"name": "...", "arguments": {...}}\n</tool_call>'
    )
    first = messages[0] if messages and messages[0]["role"] == "system" else None
    yield {"role": "system", "content": f"{first['content']}\n\n{told}" if first else told}
    for message in messages[1:] if first else messages:
        if message["role"] == "tool":
            text = f"<tool_response>\n{message['content']}\n</tool_response>"
            yield {"role": "user", "content": text}
        elif message.get("tool_calls"):
            yield {"role": "assistant", "content": _written(message)}
        else:
            yield message


def _written(message: Mapping[str, Any]) -> str:
    """An assistant's message with its calls, as HERMES writes it."""
    parts = [message["content"]] if message["content"] else []
    for call in message["tool_calls"]:
        function = call["function"]
        body = {"name": function["name"], "arguments": function["arguments"]}
        text = json.dumps(body, ensure_ascii=False)
        parts.append(f"{HERMES.before}{text}{HERMES.after}")
    return "\n".join(parts)
