"""The OpenAPI document is valid, tells of every path, and describes what the server reads."""

from __future__ import annotations

import json
import sys

import jsonschema
import pytest
from http_server import Address

from edgeward.errors import EdgewardError
from edgeward.server.app import ROUTES
from edgeward.server.listen import check_installed
from edgeward.server.openapi import document

DOCUMENT = json.loads(document())


def schema(name: str) -> dict[str, object]:
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def test_every_path_and_method_is_in_it_and_no_other() -> None:
    told = {path: {m.upper() for m in methods} for path, methods in DOCUMENT["paths"].items()}
    assert told == {path: set(methods) for path, methods in ROUTES.items()}


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_its_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


def test_it_is_served_without_a_key(server: Address) -> None:
    status, headers, body = server.ask("GET", "/openapi.json")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == DOCUMENT


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"messages": [{"role": "user", "content": "a"}]}, True),
        ({"messages": [{"role": "user", "content": "a"}], "edgeward": {"session": "s"}}, True),
        ({"messages": [{"role": "user", "content": "a"}], "max_tokens": "many"}, False),
        ({"messages": [{"role": "user", "content": "a"}], "unknown": 1}, False),
        ({"messages": "a"}, False),
        ({}, False),
    ],
)
def test_what_the_schema_allows_the_server_reads(
    server: Address, body: dict[str, object], valid: bool
) -> None:
    asked = {"model": "tiny", **({"max_tokens": 2} if valid else {}), **body}
    told = jsonschema.Draft202012Validator(schema("ChatRequest")).is_valid(asked)
    status, answer = server.post("/v1/chat/completions", asked)
    assert told is valid
    assert (status == 200) is valid
    kind = "Error" if status != 200 else None
    if kind is not None:
        jsonschema.validate(answer, schema(kind))
    else:
        paths = DOCUMENT["paths"]["/v1/chat/completions"]["post"]["responses"]
        jsonschema.validate(answer, paths["200"]["content"]["application/json"]["schema"])


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn.protocols.http.h11_impl", None)
    with pytest.raises(EdgewardError, match=r"pip install 'edgeward\[server\]'"):
        check_installed()
