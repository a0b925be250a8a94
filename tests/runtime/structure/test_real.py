"""The default model under real schemas: what it says validates."""

from __future__ import annotations

import jsonschema
import pytest

from edgeward.bench.suites import structured
from edgeward.model import Model

KNOWN = dict(structured.schemas())


@pytest.mark.parametrize("name", ["function_call", "review", "geojson"])
def test_answers_validate(real_model: Model, name: str) -> None:
    reply = real_model.chat(
        KNOWN[name]["description"],
        response_format={"type": "json_schema", "schema": KNOWN[name]},
        seed=1,
        max_tokens=160,
    )
    jsonschema.validate(reply.parsed, KNOWN[name])
    assert reply.usage.forced_tokens > 10


def test_a_call_is_made(real_model: Model) -> None:
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 30}},
        "required": ["city"],
        "additionalProperties": False,
    }
    tool = {"name": "get_weather", "parameters": parameters}
    reply = real_model.chat(
        "What is the weather in Paris?", tools=[tool], tool_choice="required", seed=1
    )
    assert {call.name for call in reply.tool_calls} == {"get_weather"}
    assert all(isinstance(call.arguments["city"], str) for call in reply.tool_calls)
