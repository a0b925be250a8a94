"""The forms of `response_format`, and what is refused before anything is compiled."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeward.errors import OptionError, ResponseFormatError
from edgeward.structure import limits
from edgeward.structure.formats import Format, checked

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.mark.parametrize(
    "form",
    [
        {"type": "json_schema", "schema": SCHEMA},
        {"type": "json_schema", "json_schema": SCHEMA},
        {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": SCHEMA}},
        {"type": "json_schema", "json_schema": {"schema": SCHEMA, "description": "d"}},
        {"type": "json_schema", "json_schema": None, "schema": SCHEMA},
    ],
)
def test_every_form_of_a_schema_means_the_same(form: dict[str, Any]) -> None:
    format = checked(form)
    assert format is not None
    assert format.is_json
    source = json.loads(format.source)
    assert source.pop("x-guidance")["item_separator"] == ", "
    assert source == SCHEMA


def test_a_schema_may_ask_for_another_layout() -> None:
    asked = {**SCHEMA, "x-guidance": {"whitespace_flexible": True}}
    format = checked({"type": "json_schema", "schema": asked})
    assert format is not None
    assert json.loads(format.source)["x-guidance"]["whitespace_flexible"] is True


def test_text_is_no_format() -> None:
    assert checked(None) is None
    assert checked({"type": "text"}) is None


def test_other_forms() -> None:
    assert checked({"type": "regex", "pattern": "a+"}) == Format("regex", "a+")
    assert checked({"type": "grammar", "grammar": "start: A"}) == Format("lark", "start: A")
    gbnf = {"type": "grammar", "grammar": "root ::= A", "syntax": "gbnf"}
    assert checked(gbnf) == Format("gbnf", "root ::= A")
    assert checked({"type": "json_object"}) == checked(
        {"type": "json_schema", "schema": {"type": "object"}}
    )


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("json", "is a str"),
        ({}, "has type None; it must be one of text, json_object"),
        ({"type": ["json_object"]}, "it must be one of"),
        ({"type": "json"}, "'json'; it must be one of"),
        ({"type": "json_object", "schema": {}}, "unknown member 'schema'; it takes nothing else"),
        ({"type": "json_schema"}, "none is given"),
        ({"type": "json_schema", "schema": SCHEMA, "json_schema": SCHEMA}, "both are given"),
        ({"type": "json_schema", "schema": SCHEMA, "strct": True}, "unknown member 'strct'"),
        ({"type": "json_schema", "json_schema": {"schema": {}, "x": 1}}, "unknown member 'x'"),
        ({"type": "json_schema", "json_schema": {"name": "n"}}, "has no schema"),
        ({"type": "json_schema", "json_schema": {"schema": {}, "strict": 1}}, "strict is 1"),
        ({"type": "json_schema", "schema": True}, "it must be a dict"),
        ({"type": "json_schema", "schema": [1]}, "it must be a dict"),
        ({"type": "json_schema", "schema": {"const": {1}}}, "no JSON"),
        ({"type": "json_schema", "schema": {"const": float("nan")}}, "no JSON"),
        ({"type": "json_schema", "schema": {1: 2}}, "keys are strings"),
        ({"type": "json_schema", "schema": {"x-guidance": 1}}, "x-guidance is 1"),
        ({"type": "regex"}, "has pattern None"),
        ({"type": "regex", "pattern": ""}, "not empty"),
        ({"type": "regex", "pattern": b"a"}, "has pattern b'a'"),
        ({"type": "grammar", "grammar": "x", "syntax": "ebnf"}, "'lark' or 'gbnf'"),
    ],
)
def test_a_wrong_form_is_named(form: Any, says: str) -> None:
    with pytest.raises(ResponseFormatError, match=r"^[^\n]*$") as refused:
        checked(form)
    assert says in str(refused.value)
    assert isinstance(refused.value, OptionError)


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


def cyclic() -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array"}
    schema["items"] = schema
    return schema


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        (nested(100_000), "deeper than 64 levels"),
        (cyclic(), "deeper than 64 levels"),
        ({"enum": list(range(limits.MAX_NODES + 1))}, "more than 20000 values"),
        ({"description": "x" * 500_001}, "more than 500000 characters"),
        ({"properties": {f"p{i}": {} for i in range(401)}}, "more than 400 properties"),
        ({"type": "integer", "multipleOf": 1_234_567}, "multipleOf is 1234567"),
        ({"type": "number", "multipleOf": 1e-20 / 3}, "multipleOf is"),
        ({"type": "number", "multipleOf": float("inf")}, "multipleOf is inf"),
        ({"type": "string", "pattern": "((a{300}){300}){300}"}, "repeats a part 90000 times"),
        ({"items": {"pattern": "(" * 65}}, "nested deeper than 64"),
    ],
)
def test_a_schema_over_a_limit_is_refused(schema: dict[str, Any], says: str) -> None:
    with pytest.raises(ResponseFormatError) as refused:
        checked({"type": "json_schema", "schema": schema})
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "step", [1, 5, 0.01, 0.5, 12_000, 1e-5, 2.5e6], ids=lambda step: repr(step)
)
def test_ordinary_steps_are_no_hazard(step: float) -> None:
    limits.check_schema({"type": "number", "multipleOf": step}, "here")


@pytest.mark.parametrize(
    "pattern",
    [
        r"[(]{3}\(\({70}" + r"\(" * 100,
        "[]()]" * 100,
        "(a{100}){100}" * 50,
        "5{200}7{200}9{200}",
        "[a-z]{1,40}@[a-z]{1,60}",
        "x{,}y{a}{",
    ],
)
def test_ordinary_patterns_pass(pattern: str) -> None:
    limits.check_regex(pattern, "pattern")


def test_repeats_of_repeats_multiply() -> None:
    for pattern in ("a{1000}{1000}", "(b(a{250}){250}c)+d{2}|(((x{3}){10,400}){50})"):
        with pytest.raises(ResponseFormatError, match="repeats a part"):
            limits.check_regex(pattern, "pattern")


def test_quotes_of_a_grammar_are_no_brackets() -> None:
    limits.check_grammar("start: " + '"(" ' * 100 + '"a\\"("')
    with pytest.raises(ResponseFormatError, match="nested deeper"):
        limits.check_grammar("start: " + "(" * 100)
