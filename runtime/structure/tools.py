"""The `tools` and `tool_choice` arguments, checked, and what a request does with them.

Knows: OpenAI's form of tools and choices. Does not know: how models write calls (calls.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgeward.errors import ResponseFormatError

from .formats import schema_text

MAX_TOOLS = 128
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NO_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True)
class Tool:
    """A function the model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    schema: str
    """`parameters` as checked JSON for the grammar."""

    def as_json(self) -> dict[str, Any]:
        """The form that chat templates take."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }
        return {"type": "function", "function": function}


@dataclass(frozen=True)
class Choice:
    """Which tools may be called, and whether one must be."""

    tools: tuple[Tool, ...]
    must: bool
    one: bool
    """One call and no more."""


def checked(tools: object) -> tuple[Tool, ...]:
    """The tools of a request. Raises `ResponseFormatError` naming the one that is wrong."""
    if isinstance(tools, str | Mapping) or not isinstance(tools, Sequence):
        raise ResponseFormatError(f"tools is a {type(tools).__name__}; give a list of dicts.")
    if len(tools) > MAX_TOOLS:
        raise ResponseFormatError(f"tools has {len(tools)} entries; {MAX_TOOLS} is the most.")
    made = tuple(_tool(f"tools[{i}]", tool) for i, tool in enumerate(tools))
    names = [tool.name for tool in made]
    for name in names:
        if names.count(name) > 1:
            raise ResponseFormatError(f"tools has the name {name!r} twice; names are unique.")
    return made


def chosen(tools: tuple[Tool, ...], choice: object) -> Choice | None:
    """What `tool_choice` allows; None: no calls. Raises `ResponseFormatError`."""
    if choice == "none" or (choice is None and not tools):
        return None
    legal = '\'auto\', \'none\', \'required\' or {"type": "function", "function": {"name": ...}}'
    name = _named(choice)
    if name is None and choice not in (None, "auto", "required"):
        raise ResponseFormatError(f"tool_choice is {choice!r}; it must be {legal}.")
    if not tools:
        raise ResponseFormatError(f"tool_choice is {choice!r}, but there are no tools; give some.")
    if name is None:
        return Choice(tools, must=choice == "required", one=False)
    for tool in tools:
        if tool.name == name:
            return Choice((tool,), must=True, one=True)
    known = ", ".join(tool.name for tool in tools)
    raise ResponseFormatError(f"tool_choice names {name!r}; the tools are {known}.")


def _named(choice: object) -> str | None:
    if not isinstance(choice, Mapping) or set(choice) != {"type", "function"}:
        return None
    function = choice["function"]
    if choice["type"] != "function" or not isinstance(function, Mapping):
        return None
    name = function.get("name")
    return name if isinstance(name, str) and set(function) == {"name"} else None


def _tool(where: str, tool: Any) -> Tool:
    if not isinstance(tool, Mapping):
        raise ResponseFormatError(f"{where} is a {type(tool).__name__}; give a dict.")
    function = tool
    if "function" in tool or "type" in tool:
        _only(where, tool, {"type", "function"})
        if tool.get("type") != "function" or not isinstance(tool.get("function"), Mapping):
            raise ResponseFormatError(
                f'{where} must be {{"type": "function", "function": {{"name": ...}}}}.'
            )
        function = tool["function"]
    _only(where, function, {"name", "description", "parameters", "strict"})
    name, description = function.get("name"), function.get("description") or ""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ResponseFormatError(
            f"{where} has the name {name!r}; it must be 1 to 64 letters, digits, '_', '.' and '-'."
        )
    if not isinstance(description, str):
        raise ResponseFormatError(f"{where} has the description {description!r}; give a string.")
    parameters = function.get("parameters") or _NO_ARGUMENTS
    schema = schema_text(parameters, f"{where} ({name}): parameters")
    if parameters.get("type", "object") != "object":
        raise ResponseFormatError(
            f"{where} ({name}): parameters are of type {parameters['type']!r}; arguments are an "
            f"object."
        )
    return Tool(name, description, parameters, schema)


def _only(where: str, given: Mapping[Any, Any], known: set[str]) -> None:
    for member in given:
        if member not in known:
            raise ResponseFormatError(
                f"{where} has an unknown member {member!r}; it takes {', '.join(sorted(known))}."
            )
