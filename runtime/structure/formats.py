"""The `response_format` argument: which forms it has, checked before anything is computed.

Knows: the forms of OpenAI's API and ours. Does not know: llguidance, tokens, models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeward.errors import ResponseFormatError

from . import limits

MEMBERS = {
    "text": frozenset[str](),
    "json_object": frozenset[str](),
    "json_schema": frozenset({"json_schema", "schema"}),
    "regex": frozenset({"pattern"}),
    "grammar": frozenset({"grammar", "syntax"}),
}
SYNTAXES = ("lark", "gbnf")
_WRAPPER = frozenset({"name", "description", "schema", "strict"})

# One line, a space after each comma and colon: what json.dumps writes. All that is not a value is
# forced then, and costs no step of the model; and a small model cannot get lost in white space.
_LAYOUT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


@dataclass(frozen=True)
class Format:
    """A checked format, as text: equal ones compile to the same grammar."""

    syntax: str
    """"json", "regex", "lark", "gbnf", or "tools" (Lark of our making, around JSON)."""
    source: str
    """The schema as JSON, the pattern or the grammar."""

    @property
    def is_json(self) -> bool:
        """True when the answer is one JSON value."""
        return self.syntax == "json"

    @property
    def is_closable(self) -> bool:
        """True where a short way to an end is quickly found: in JSON, not in any grammar."""
        return self.syntax in ("json", "tools")


def checked(value: object) -> Format | None:
    """The format that a `response_format` asks for; None for plain text.

    Raises `ResponseFormatError` naming what is wrong and what is legal.

    >>> checked({"type": "regex", "pattern": "yes|no"})
    Format(syntax='regex', source='yes|no')
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ResponseFormatError(
            f"response_format is a {type(value).__name__}; give a dict such as "
            f'{{"type": "json_schema", "schema": {{...}}}}.'
        )
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in MEMBERS:
        raise ResponseFormatError(
            f"response_format has type {kind!r}; it must be one of {', '.join(MEMBERS)}."
        )
    for member in value:
        if member != "type" and member not in MEMBERS[kind]:
            legal = ", ".join(sorted(MEMBERS[kind])) or "nothing else"
            raise ResponseFormatError(
                f"response_format of type {kind!r} has an unknown member {member!r}; it takes "
                f"{legal}."
            )
    if kind == "text":
        return None
    if kind == "json_object":
        return json_format({"type": "object"}, "response_format")
    if kind == "json_schema":
        return json_format(_schema(value), "response_format")
    if kind == "regex":
        pattern = _text(value, "pattern")
        limits.check_regex(pattern, "pattern")
        return Format("regex", pattern)
    syntax = value.get("syntax", "lark")
    if syntax not in SYNTAXES:
        raise ResponseFormatError(f"syntax is {syntax!r}; it must be 'lark' or 'gbnf'.")
    grammar = _text(value, "grammar")
    limits.check_grammar(grammar)
    return Format(syntax, grammar)


def json_format(schema: Any, where: str) -> Format:
    """A format for one JSON value under `schema`. Raises `ResponseFormatError`."""
    return Format("json", schema_text(schema, where))


def schema_text(schema: Any, where: str) -> str:
    """A checked schema as JSON, with our layout unless it asks for another in `x-guidance`."""
    if isinstance(schema, bool) or not isinstance(schema, Mapping):
        raise ResponseFormatError(f"{where}: the schema is {schema!r}; it must be a dict.")
    limits.check_schema(schema, where)
    layout = schema.get("x-guidance", {})
    if not isinstance(layout, Mapping):
        raise ResponseFormatError(f"{where}: x-guidance is {layout!r}; it must be a dict.")
    try:
        return json.dumps({**schema, "x-guidance": {**_LAYOUT, **layout}}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ResponseFormatError(f"{where}: the schema is no JSON: {error}.") from None


def _schema(value: Mapping[str, Any]) -> Any:
    """The schema of {"schema": ...}, {"json_schema": ...} or OpenAI's wrapped form."""
    given = [member for member in ("json_schema", "schema") if value.get(member) is not None]
    if len(given) != 1:
        raise ResponseFormatError(
            "response_format of type 'json_schema' needs one of json_schema and schema; "
            f"{'both are' if given else 'none is'} given."
        )
    schema = value[given[0]]
    # No keyword of JSON Schema has one of these names, so they tell OpenAI's wrapper.
    wrapped = isinstance(schema, Mapping) and not {"schema", "strict", "name"}.isdisjoint(schema)
    if given[0] == "schema" or not wrapped:
        return schema
    for member in schema:
        if member not in _WRAPPER:
            raise ResponseFormatError(
                f"json_schema has an unknown member {member!r}; beside a schema it takes "
                f"{', '.join(sorted(_WRAPPER))}."
            )
    if not isinstance(schema.get("strict"), bool | None):
        raise ResponseFormatError(f"strict is {schema['strict']!r}; it must be True or False.")
    if "schema" not in schema:
        raise ResponseFormatError('json_schema has no schema; give {"schema": {...}} in it.')
    return schema["schema"]


def _text(value: Mapping[str, Any], member: str) -> str:
    text = value.get(member)
    if not isinstance(text, str) or not text:
        raise ResponseFormatError(
            f"response_format of type {value['type']!r} has {member} {text!r}; it must be a "
            f"string that is not empty."
        )
    return text
