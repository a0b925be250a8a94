"""Tools: checked, shown to the model, enforced by a grammar, read back into objects."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import tiny_gguf

import edgeward
from edgeward import chat
from edgeward.errors import OptionError, ResponseFormatError
from edgeward.model import Model
from edgeward.structure import calls, tools
from edgeward.structure.grammars import Grammars
from edgeward.structure.tools import Choice, chosen

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "maxLength": 5},
                "unit": {"enum": ["c", "f"]},
            },
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
ADD = {
    "name": "add",
    "parameters": {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/n"}, "b": {"$ref": "#/$defs/n"}},
        "required": ["a", "b"],
        "additionalProperties": False,
        "$defs": {"n": {"type": "integer", "minimum": 0, "maximum": 99}},
    },
}
BOTH = [WEATHER, ADD]
NAMED = {"type": "function", "function": {"name": "add"}}
QUESTION = "What is the weather?"


def parameters(name: str) -> Any:
    return WEATHER["function"]["parameters"] if name == "get_weather" else ADD["parameters"]  # type: ignore[index]


@pytest.mark.parametrize("seed", range(4))
def test_required_calls_are_valid(tiny_model: Model, seed: int) -> None:
    reply = tiny_model.chat(QUESTION, tools=BOTH, tool_choice="required", seed=seed)
    assert reply.finish_reason == "stop"
    assert 1 <= len(reply.tool_calls) <= calls.MOST_CALLS
    assert reply.content == ""
    for call in reply.tool_calls:
        jsonschema.validate(call.arguments, parameters(call.name))
        assert len(call.id) == 9
    assert len({call.id for call in reply.tool_calls}) == len(reply.tool_calls)


def test_a_named_function_is_called_once(tiny_model: Model) -> None:
    reply = tiny_model.chat(QUESTION, tools=BOTH, tool_choice=NAMED, seed=1)
    (call,) = reply.tool_calls
    assert call.name == "add"
    jsonschema.validate(call.arguments, ADD["parameters"])
    assert reply.receipt.tool_choice == NAMED


def test_auto_enforces_what_follows_the_marker(tiny_model: Model) -> None:
    bias = dict.fromkeys(tiny_model.tokenizer.eot_ids, -100.0)
    marker = tiny_model.tokenizer.encode("<tool_call>", add_special_tokens=False)
    made = tools.checked(BOTH)
    format = calls.grammar(calls.HERMES, Choice(made, False, False), tiny_model.tokenizer)
    assert format is not None
    grammars = Grammars(tiny_model.tokenizer, tiny_model.tokenizer.vocab_size, [2])
    guide = grammars.guide(format)
    try:
        assert guide.opening() == []
        for token in (*tiny_model.tokenizer.encode("hello "), *marker[:-1]):
            assert guide.advance(token) == []
        forced = tiny_model.tokenizer.decode(guide.advance(marker[-1]))
    finally:
        guide.close()
    assert forced.startswith('\n{"name": "')
    # Without the marker it stays text.
    reply = tiny_model.chat(QUESTION, tools=BOTH, max_tokens=30, seed=2, logit_bias=bias)
    assert (reply.tool_calls, reply.content, reply.finish_reason) == ((), None, "length")


def test_text_that_may_call_tools_is_not_closed_early(tiny_model: Model) -> None:
    bias = dict.fromkeys(tiny_model.tokenizer.eot_ids, -100.0)
    for seed in range(8):
        reply = tiny_model.chat(QUESTION, tools=BOTH, max_tokens=5, seed=seed, logit_bias=bias)
        assert (len(reply.token_ids), reply.usage.forced_tokens) == (5, 0)


def test_no_tools_are_shown_or_called_with_none(tiny_model: Model) -> None:
    plain = tiny_model.chat(QUESTION, seed=1, max_tokens=9)
    none = tiny_model.chat(QUESTION, seed=1, max_tokens=9, tools=BOTH, tool_choice="none")
    empty = tiny_model.chat(QUESTION, seed=1, max_tokens=9, tools=[])
    assert plain.token_ids == none.token_ids == empty.token_ids
    assert plain.receipt.prompt_sha256 == none.receipt.prompt_sha256


def test_a_call_that_was_cut_is_no_call(tiny_model: Model) -> None:
    reply = tiny_model.chat(QUESTION, tools=BOTH, tool_choice=NAMED, seed=1, max_tokens=40)
    assert (reply.finish_reason, reply.tool_calls) == ("length", ())
    assert reply.text.startswith("<tool_call>")
    assert reply.message == {"role": "assistant", "content": reply.text}


def test_calls_and_results_go_back_into_the_conversation(tiny_model: Model) -> None:
    first = tiny_model.chat(QUESTION, tools=BOTH, tool_choice=NAMED, seed=1)
    result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "42"}
    messages = [{"role": "user", "content": QUESTION}, first.message, result]
    for shown in (tools.checked(BOTH), ()):
        prompt = chat.render(messages, tiny_model.tokenizer, shown)
        assert json.dumps(first.tool_calls[0].arguments) in prompt
        assert "<tool_response>\n42\n</tool_response>" in prompt
        assert ("get_weather" in prompt) == bool(shown)
    assert tiny_model.chat(messages, tools=BOTH, max_tokens=3, seed=5).finish_reason == "length"


@pytest.mark.parametrize(
    ("wrong", "choice", "says"),
    [
        ("add", None, "tools is a str"),
        ([5], None, "tools[0] is a int"),
        ([{"type": "function"}], None, "tools[0] must be"),
        ([{"type": "retrieval", "function": ADD}], None, "tools[0] must be"),
        ([{**ADD, "name": "a b"}], None, "has the name 'a b'"),
        ([{"parameters": {}}], None, "has the name None"),
        ([ADD, ADD], None, "'add' twice"),
        ([{**ADD, "paramters": {}}], None, "unknown member 'paramters'"),
        ([{**ADD, "description": 5}], None, "the description 5"),
        ([{"name": "f", "parameters": {"type": "array"}}], None, "arguments are an object"),
        ([{"name": "f", "parameters": [1]}], None, "must be a dict"),
        ([{"name": "f", "parameters": {"not": {}, "type": "object"}}], None, "Unimplemented"),
        (BOTH, "always", "tool_choice is 'always'"),
        (BOTH, {"type": "function"}, "it must be 'auto'"),
        (BOTH, {"type": "function", "function": {"name": "sub"}}, "the tools are get_weather, add"),
        ([], "required", "there are no tools"),
        (None, "auto", "there are no tools"),
        ([ADD] * 129, None, "128 is the most"),
    ],
)
def test_wrong_tools_are_named(tiny_model: Model, wrong: Any, choice: Any, says: str) -> None:
    with pytest.raises(ResponseFormatError) as refused:
        tiny_model.chat(QUESTION, tools=wrong, tool_choice=choice)
    assert says in str(refused.value)


def test_a_format_and_tools_exclude_each_other(tiny_model: Model) -> None:
    form = {"type": "json_object"}
    with pytest.raises(ResponseFormatError, match="give one of them"):
        tiny_model.chat(QUESTION, tools=BOTH, response_format=form)
    reply = tiny_model.chat(
        QUESTION, tools=BOTH, tool_choice="none", response_format=form, max_tokens=4
    )
    assert reply.text.startswith("{")


@pytest.mark.parametrize(
    "call",
    [
        5,
        {"function": "add"},
        {"function": {"name": 5}},
        {"function": {"name": "f", "arguments": "{"}},
    ],
)
def test_wrong_calls_in_messages_are_named(tiny_model: Model, call: Any) -> None:
    with pytest.raises(OptionError, match=r"messages\[0\] has"):
        tiny_model.chat([{"role": "assistant", "content": None, "tool_calls": [call]}])


def test_arguments_as_text_are_parsed() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    (message,) = chat.normalize([{"role": "assistant", "content": None, "tool_calls": [call]}])
    assert message["content"] == ""
    assert message["tool_calls"][0]["function"]["arguments"] == {"a": 1}


READ = [
    (
        calls.HERMES,
        'Sure.\n<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call>',
        "Sure.",
        [1],
    ),
    (
        calls.HERMES,
        '<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call><tool_call>\n{"name": "f", '
        '"arguments": {"x": 2}}\n</tool_call><|im_end|>',
        "",
        [1, 2],
    ),
    (calls.HERMES, '<tool_call>\n{"name": "f", "arguments": {"x": 1', None, []),
    (calls.HERMES, '<tool_call>\n{"name": "g", "arguments": {"x": 1}}', None, []),
    (calls.HERMES, '<tool_call>\n{"name": "f", "arguments": [1]}', None, []),
    (calls.HERMES, "<tool_call>" * 1000 + "[" * 5000, None, []),
    (calls.MISTRAL, '[TOOL_CALLS][{"name": "f", "arguments": {"x": 1}, "id": "abc"}]</s>', "", [1]),
    (
        calls.MISTRAL,
        'Well. [TOOL_CALLS] [{"name": "f", "arguments": {"x": 1}}, {"name": "f", "arguments": '
        '{"x": 2}}]',
        "Well.",
        [1, 2],
    ),
    (calls.MISTRAL, '[TOOL_CALLS][{"name": "f", "arguments": {"x": 1}}, {"na', None, []),
    (calls.LLAMA, '{"name": "f", "parameters": {"x": 1}}<|eot_id|>', "", [1]),
    (calls.LLAMA, 'No: {"name": "f", "parameters": {"x": 1}}', None, []),
    (calls.LLAMA, '{"name": "Bob", "age": 5}', None, []),
]


@pytest.mark.parametrize("number", range(len(READ)))
def test_calls_are_read_in_every_dialect(number: int) -> None:
    dialect, text, content, values = READ[number]
    said, made = calls.read(dialect, text, tools.checked([{"name": "f"}]))
    assert said == content
    assert [call.arguments["x"] for call in made] == values


TEMPLATES = {
    "hermes": "{% if tools %}<tools>{{ tools | tojson }}</tools> <tool_call>{% endif %}",
    "mistral": "{% if tools %}[TOOLS]{{ tools | tojson }}[/TOOLS]{% endif %}[TOOL_CALLS]",
    "llama": '{% if tools %}{{ tools | tojson }} {"name": ..., "parameters": ...}{% endif %}',
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_names_its_dialect(
    name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = TEMPLATES[name] + tiny_gguf.TEMPLATE
    assert calls.dialect_of(template).name == name
    file = tiny_gguf.write(
        tmp_path / "m.gguf", context=2048, scale=0.3, fields={"tokenizer.chat_template": template}
    )
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path / "home"))
    with edgeward.load(edgeward.pull(file, evaluate=False), threads=1) as model:
        prompt = chat.render(QUESTION, model.tokenizer, tools.checked(BOTH))
        assert prompt.count("get_weather") == 1
        for seed in range(3):
            reply = model.chat(QUESTION, tools=BOTH, tool_choice="required", seed=seed)
            assert reply.tool_calls
            assert reply.finish_reason == "stop"
            for call in reply.tool_calls:
                jsonschema.validate(call.arguments, parameters(call.name))
        auto = model.chat(QUESTION, tools=BOTH, max_tokens=5, seed=1)
        assert auto.usage.completion_tokens <= 5


def test_a_model_that_knows_no_tools_is_told_in_a_system_message(tiny_model: Model) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    prompt = chat.render(messages, tiny_model.tokenizer, tools.checked(BOTH))
    system, _, user = prompt.partition("<|im_end|>")
    assert system.startswith("<|im_start|>system\nBe brief.\n\nYou may call these functions:")
    assert '"name": "get_weather"' in system
    assert QUESTION in user


def test_choices() -> None:
    made = tools.checked(BOTH)
    assert chosen((), None) is None
    assert chosen(made, "none") is None
    assert chosen(made, None) == chosen(made, "auto") == Choice(made, False, False)
    assert chosen(made, "required") == Choice(made, True, False)
    assert chosen(made, NAMED) == Choice(made[1:], True, True)
