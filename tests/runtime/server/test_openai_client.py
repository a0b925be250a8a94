"""OpenAI's own Python client, over a real socket, finds all it looks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
import tiny_encoder
from http_server import Address, serving

import edgeward
from edgeward import manifest as m
from edgeward.errors import OptionError
from edgeward.quantize.convert_encoder import convert_encoder

MESSAGES: Any = [{"role": "user", "content": "hello world"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"enum": ["Paris", "Rome"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture
def client(server: Address) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as made:
        yield made


@pytest.fixture
def name(service: edgeward.Service) -> str:
    return service.model.info.name


def test_a_chat_is_the_services_own(
    client: openai.OpenAI, service: edgeward.Service, name: str
) -> None:
    made = client.chat.completions.create(model=name, messages=MESSAGES, seed=4, max_tokens=12)
    own = service.chat(MESSAGES, seed=4, max_tokens=12)
    choice = made.choices[0]
    assert choice.message.role == "assistant"
    assert choice.message.content == own.text
    assert choice.finish_reason == own.finish_reason
    assert made.model == name
    assert made.usage is not None
    assert made.usage.prompt_tokens == own.usage.prompt_tokens
    assert made.usage.completion_tokens == own.usage.completion_tokens
    assert made.usage.total_tokens == own.usage.prompt_tokens + own.usage.completion_tokens
    ours = made.model_extra["edgeward"] if made.model_extra else {}
    assert ours["finish_reason"] == own.finish_reason
    assert ours["budget"]["met"]
    assert ours["cost"]["energy_source"]
    assert ours["receipt"]["pack_sha256"] == service.model.info.pack_sha256


def test_a_streamed_chat_is_the_same_text(client: openai.OpenAI, name: str) -> None:
    whole = client.chat.completions.create(model=name, messages=MESSAGES, seed=5, max_tokens=20)
    stream = client.chat.completions.create(
        model=name,
        messages=MESSAGES,
        seed=5,
        max_tokens=20,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    ends = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert ends[-1] == whole.choices[0].finish_reason
    assert set(ends[:-1]) == {None}
    assert chunks[-1].usage == whole.usage or chunks[-1].usage is not None
    assert len({c.id for c in chunks}) == 1


def test_log_probabilities(client: openai.OpenAI, service: edgeward.Service, name: str) -> None:
    made = client.chat.completions.create(
        model=name, messages=MESSAGES, seed=6, max_tokens=3, logprobs=True, top_logprobs=2
    )
    own = service.chat(MESSAGES, seed=6, max_tokens=3, logprobs=2)
    assert own.logprobs is not None
    assert made.choices[0].logprobs is not None
    found = made.choices[0].logprobs.content or []
    assert [f.logprob for f in found] == [lp.logprob for lp in own.logprobs]
    assert [len(f.top_logprobs) for f in found] == [2] * len(found)


def test_completions(client: openai.OpenAI, service: edgeward.Service, name: str) -> None:
    made = client.completions.create(model=name, prompt="hello", seed=7, max_tokens=9, logprobs=1)
    own = service.generate("hello", seed=7, max_tokens=9)
    assert made.choices[0].text == own.text
    stream = client.completions.create(
        model=name, prompt=["hello"], seed=7, max_tokens=9, stream=True
    )
    assert "".join(chunk.choices[0].text for chunk in stream) == own.text
    ids = service.model.tokenizer.encode("hello")
    again = client.completions.create(model=name, prompt=ids, seed=7, max_tokens=9)
    assert again.choices[0].text == own.text


def test_a_format_is_obeyed(client: openai.OpenAI, name: str) -> None:
    schema = {"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"]}
    form: Any = {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": {**schema, "additionalProperties": False}},
    }
    made = client.chat.completions.create(
        model=name, messages=MESSAGES, seed=1, max_tokens=60, response_format=form
    )
    assert json.loads(made.choices[0].message.content or "")["a"] in (1, 2)


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_is_called(client: openai.OpenAI, name: str, stream: bool) -> None:
    asked: Any = {
        "model": name,
        "messages": MESSAGES,
        "seed": 1,
        "max_tokens": 120,
        "tools": [WEATHER],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
    }
    if not stream:
        made = client.chat.completions.create(**asked)
        choice = made.choices[0]
        assert choice.message.tool_calls is not None
        call: Any = choice.message.tool_calls[0]
        finish, extra = choice.finish_reason, made.model_extra
    else:
        chunks = list(client.chat.completions.create(**asked, stream=True))
        (call,) = [c for chunk in chunks for c in chunk.choices[0].delta.tool_calls or []]
        finish, extra = chunks[-1].choices[0].finish_reason, chunks[-1].model_extra
    assert call.function.name == "weather"
    assert json.loads(call.function.arguments)["city"] in ("Paris", "Rome")
    assert extra is not None
    # Random weights babble until max_tokens closes the call for them.
    ended = extra["edgeward"]["finish_reason"]
    assert finish == {"stop": "tool_calls", "length": "length"}[ended]


def test_models(client: openai.OpenAI, name: str) -> None:
    assert [model.id for model in client.models.list()] == [name]


def test_embeddings_without_an_encoder_are_refused(client: openai.OpenAI, name: str) -> None:
    with pytest.raises(openai.BadRequestError, match="--embedder"):
        client.embeddings.create(model=name, input="hello", encoding_format="float")


def test_embeddings_are_the_encoders_own(tiny_pack: Path, tmp_path: Path) -> None:
    folder = tiny_encoder.write_folder(tmp_path / "model")
    source = m.Source(
        kind="path", reference="", file="model", format="safetensors", sha256="0" * 64
    )
    convert_encoder(
        folder,
        tmp_path / "pack",
        name="vectors",
        source=source,
        licence="apache-2.0",
        tokenizer=(folder / "tokenizer.json").read_bytes(),
        bits=32,
    )
    texts = ["the river", "a house"]
    with (
        edgeward.serve(tiny_pack, threads=1, embedder=tmp_path / "pack") as service,
        serving(service) as server,
        openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client,
    ):
        own = service.embed(texts)
        # Left to itself the client asks for base64 and decodes it.
        asked: Any
        for asked in ({}, {"encoding_format": "float"}):
            made = client.embeddings.create(model="vectors", input=texts, **asked)
            assert np.array_equal(np.array([d.embedding for d in made.data], np.float32), own)
        assert made.usage.prompt_tokens > 0
        assert [model.id for model in client.models.list()] == ["tiny", "vectors"]
        with pytest.raises(openai.NotFoundError, match="'vectors' does"):
            client.embeddings.create(model="tiny", input="x", encoding_format="float")
        assert service.stats()["running"] == 0
    with pytest.raises(OptionError, match="is an encoder"):
        edgeward.serve(tmp_path / "pack")


def test_limits_and_sessions_come_in_our_field(
    client: openai.OpenAI, service: edgeward.Service, name: str
) -> None:
    extra: Any = {"edgeward": {"session": "http", "latency_budget": {"total": 60_000}}}
    first = client.chat.completions.create(
        model=name, messages=MESSAGES, max_tokens=5, extra_body=extra
    )
    said = service.messages("http")
    assert said[-1]["content"] == first.choices[0].message.content
    assert first.model_extra is not None
    assert first.model_extra["edgeward"]["budget"]["limits"]["total"] == 60_000


def test_errors_are_those_the_client_knows(client: openai.OpenAI, name: str) -> None:
    def create(**more: Any) -> None:
        client.chat.completions.create(**{"model": name, "messages": MESSAGES, **more})

    with pytest.raises(openai.NotFoundError, match="not served here") as missing:
        create(model="gpt-4o")
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="temperature"):
        create(temperature=-1)
    with pytest.raises(openai.BadRequestError, match="gives one answer"):
        create(n=2)
    with pytest.raises(openai.BadRequestError, match="unrecognized field `reasoning_effort`"):
        create(reasoning_effort="low")
    with pytest.raises(openai.BadRequestError) as long:
        create(messages=[{"role": "user", "content": "z" * 9000}])
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.UnprocessableEntityError, match="first_token") as budget:
        create(extra_body={"edgeward": {"latency_budget": 0.0001}})
    assert budget.value.code == "budget_exceeded"


def test_an_asynchronous_client_may_ask_many_things_at_once(server: Address, name: str) -> None:
    import asyncio

    async def ask() -> list[str | None]:
        async with openai.AsyncOpenAI(base_url=server.url, api_key="none") as client:
            made = await asyncio.gather(
                *(
                    client.chat.completions.create(
                        model=name, messages=MESSAGES, seed=seed, max_tokens=15
                    )
                    for seed in range(10)
                )
            )
        return [m.choices[0].message.content for m in made]

    together = asyncio.run(ask())
    with openai.OpenAI(base_url=server.url, api_key="none") as client:
        for seed, text in enumerate(together):
            alone = client.chat.completions.create(
                model=name, messages=MESSAGES, seed=seed, max_tokens=15
            )
            assert alone.choices[0].message.content == text
