"""What a caller sees: replies, streams, ends, errors, threads, asyncio."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import edgeward
from edgeward.errors import (
    ContextOverflow,
    EdgewardError,
    MemoryLimit,
    ModelClosed,
    OptionError,
    PackError,
)
from edgeward.model import Model
from edgeward.reply import Reply

PROMPT = "hello world, tell me something"


def test_a_reply_says_what_it_was_and_took(tiny_model: Model) -> None:
    reply = tiny_model.generate(PROMPT, max_tokens=8, seed=1, ignore_eos=True)
    assert str(reply) == reply.text
    assert reply.finish_reason == "length"
    assert reply.usage.completion_tokens == len(reply.token_ids) == 8
    assert reply.usage.prompt_tokens == len(tiny_model.tokenizer.encode(PROMPT))
    assert not reply.usage.prompt_truncated
    timing = reply.timing
    assert len(timing.per_token) == 8
    assert 0 < timing.prefill < timing.first_token <= timing.total
    assert reply.receipt.sampling["seed"] == 1
    assert reply.receipt.pack_sha256 == tiny_model.info.pack_sha256
    assert reply.text == tiny_model.tokenizer.decode(list(reply.token_ids))


def test_the_receipt_replays_the_request(tiny_model: Model) -> None:
    first = tiny_model.generate(PROMPT, max_tokens=20, temperature=1.2)
    again = tiny_model.generate(PROMPT, **first.receipt.sampling)
    assert again.token_ids == first.token_ids
    assert again.receipt.prompt_sha256 == first.receipt.prompt_sha256
    assert again.receipt.id != first.receipt.id


def test_another_seed_gives_another_text(tiny_model: Model) -> None:
    texts = {tiny_model.generate(PROMPT, seed=s, max_tokens=20).text for s in range(4)}
    assert len(texts) == 4


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_streaming_and_cache_hits_change_no_token(tiny_pack: Path, threads: int) -> None:
    with edgeward.load(tiny_pack, threads=threads) as model:
        alone = model.generate(PROMPT, seed=3, max_tokens=24)
        hit = model.generate(PROMPT, seed=3, max_tokens=24)
        streamed = model.generate(PROMPT, seed=3, max_tokens=24, stream=True).result()
    assert hit.usage.cached_tokens > 0
    assert alone.usage.cached_tokens == 0
    assert alone.token_ids == hit.token_ids == streamed.token_ids
    with edgeward.load(tiny_pack, threads=1) as model:
        assert model.generate(PROMPT, seed=3, max_tokens=24).token_ids == alone.token_ids


def test_chunks_make_up_the_reply(tiny_model: Model) -> None:
    stream = tiny_model.generate(PROMPT, seed=5, max_tokens=30, stream=True, logprobs=2)
    with pytest.raises(EdgewardError, match="not finished"):
        _ = stream.reply
    chunks = list(stream)
    reply = stream.reply
    assert "".join(c.text for c in chunks) == reply.text
    assert sum((c.token_ids for c in chunks), ()) == reply.token_ids
    assert sum((c.logprobs for c in chunks), ()) == reply.logprobs
    assert [c.finish_reason for c in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].finish_reason == reply.finish_reason


def test_logprobs_are_those_of_the_model(tiny_model: Model) -> None:
    reply = tiny_model.generate(PROMPT, temperature=0, max_tokens=5, logprobs=3)
    assert reply.logprobs is not None
    for entry, token in zip(reply.logprobs, reply.token_ids, strict=True):
        assert entry.id == token == entry.top[0][0]
        assert entry.logprob == entry.top[0][2] <= 0
        assert len(entry.top) == 3
    assert tiny_model.generate(PROMPT, max_tokens=2).logprobs is None


def test_a_stop_string_ends_the_text_before_it(tiny_model: Model) -> None:
    free = tiny_model.generate(PROMPT, seed=9, max_tokens=40, ignore_eos=True)
    stop = free.text[12:15]
    cut = tiny_model.generate(PROMPT, seed=9, max_tokens=40, ignore_eos=True, stop=stop)
    assert cut.finish_reason == "stop"
    assert cut.text == free.text[: free.text.index(stop)]


def test_the_end_token_ends_and_is_no_text(tiny_model: Model) -> None:
    # Bias makes the end certain.
    reply = tiny_model.generate(PROMPT, logit_bias={2: 100}, max_tokens=5)
    assert reply.finish_reason == "stop"
    assert reply.text == ""
    assert reply.token_ids == (2,)
    longer = tiny_model.generate(PROMPT, logit_bias={2: 100}, max_tokens=5, ignore_eos=True)
    assert longer.token_ids == (2,) * 5
    assert longer.finish_reason == "length"


def test_a_full_context_ends_with_length(tiny_pack: Path) -> None:
    with edgeward.load(tiny_pack, context=48) as model:
        ids = list(range(10, 50))
        reply = model.generate(ids, ignore_eos=True)
        assert reply.finish_reason == "length"
        assert reply.usage.completion_tokens == 8
        with pytest.raises(ContextOverflow, match="48 tokens; the context holds 48"):
            model.generate([*ids, *ids[:8]])


def test_a_prompt_of_one_token_answers_and_repeats(tiny_model: Model) -> None:
    first = tiny_model.generate([7], seed=1, max_tokens=6)
    tiny_model.generate([7, 8, 9], seed=1, max_tokens=6)
    assert tiny_model.generate([7], seed=1, max_tokens=6).token_ids == first.token_ids


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"prompt": ""}, "empty"),
        ({"prompt": []}, "empty"),
        ({"prompt": 5}, "int"),
        ({"prompt": b"x"}, "bytes"),
        ({"prompt": [1, -1]}, "-1"),
        ({"prompt": [10**6]}, "1000000"),
        ({"prompt": ["a"]}, "'a'"),
        ({"temprature": 1}, "temperature"),
        ({"temperature": -1}, "temperature is -1"),
        ({"top_p": 0}, "top_p is 0"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"stop": [""]}, "stop"),
        ({"seed": -5}, "seed"),
        ({"logit_bias": {10**6: 1}}, "1000000"),
    ],
)
def test_wrong_arguments_are_named(
    tiny_model: Model, arguments: dict[str, object], said: str
) -> None:
    with pytest.raises(OptionError, match=said):
        tiny_model.generate(**{"prompt": "x", **arguments})  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "empty"),
        ({}, "empty"),
        (["hi"], r"messages\[0\] is a str"),
        ([{"content": "hi"}], "role None"),
        ([{"role": "user"}], "NoneType"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "image_url"),
    ],
)
def test_wrong_messages_are_named(tiny_model: Model, messages: object, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        tiny_model.chat(messages)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["session"])
def test_what_comes_later_is_refused_and_not_ignored(tiny_model: Model, name: str) -> None:
    with pytest.raises(OptionError, match=f"{name} is not in this version"):
        tiny_model.chat("hello", **{name: []})
    absent = {name: None}
    assert tiny_model.chat("hello", max_tokens=1, **absent).usage.completion_tokens == 1


def test_content_parts_are_joined(tiny_model: Model) -> None:
    parts = [{"type": "text", "text": "he"}, {"type": "text", "text": "llo"}]
    first = tiny_model.chat([{"role": "user", "content": parts}], temperature=0, max_tokens=3)
    assert first.token_ids == tiny_model.chat("hello", temperature=0, max_tokens=3).token_ids


def test_errors_leave_the_model_usable(tiny_model: Model) -> None:
    before = tiny_model.generate(PROMPT, seed=2, max_tokens=4)
    for _ in range(3):
        with pytest.raises(OptionError):
            tiny_model.generate("")
        stream = tiny_model.generate(PROMPT, stream=True)
        next(stream)
        stream.close()
    assert tiny_model.generate(PROMPT, seed=2, max_tokens=4).token_ids == before.token_ids
    assert tiny_model._pool.lent == 0


def test_cancel_before_during_and_from_another_thread(real_model: Model) -> None:
    token = edgeward.CancelToken()
    token.cancel()
    reply = real_model.generate(PROMPT, cancel=token)
    assert (reply.finish_reason, reply.text) == ("cancelled", "")

    stream = real_model.generate(PROMPT, stream=True, ignore_eos=True)
    next(stream)
    stream.cancel()
    assert stream.result().finish_reason == "cancelled"


def test_cancel_acts_inside_a_prefill(real_model: Model) -> None:
    ids = [100 + i % 5000 for i in range(7000)]  # many seconds of prefill
    token = edgeward.CancelToken()
    threading.Timer(0.5, token.cancel).start()
    began = time.perf_counter()
    reply = real_model.generate(ids, cancel=token)
    assert reply.finish_reason == "cancelled"
    assert reply.usage.completion_tokens == 0
    # A node of one chunk may run to its end; the whole prefill takes ten times as long.
    assert time.perf_counter() - began < 3.0


def test_other_python_threads_run_during_a_prefill(real_model: Model) -> None:
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    began = time.perf_counter()
    real_model.generate([50 + i % 3000 for i in range(600)], max_tokens=1)
    elapsed = time.perf_counter() - began
    done.set()
    ticker.join()
    # If the GIL were held, there would be a handful of ticks at most.
    assert ticks > 20 * elapsed


def test_many_threads_get_what_they_get_alone(tiny_model: Model) -> None:
    prompts = [f"hello {i} world" * (1 + i % 3) for i in range(12)]

    def ask(prompt: str) -> tuple[int, ...]:
        return tiny_model.generate(prompt, seed=7, max_tokens=16).token_ids

    alone = [ask(p) for p in prompts]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(ask, prompts * 3))
    assert together == alone * 3
    assert tiny_model._pool.lent == 0


def test_asyncio_answers_streams_and_cancels(tiny_model: Model) -> None:
    async def work() -> None:
        plain = await tiny_model.agenerate(PROMPT, seed=4, max_tokens=12)
        assert isinstance(plain, Reply)
        stream = await tiny_model.agenerate(PROMPT, seed=4, max_tokens=12, stream=True)
        text = "".join([chunk.text async for chunk in stream])
        assert text == plain.text == stream.reply.text
        chat = await tiny_model.achat("hello", temperature=0, max_tokens=3)
        assert chat.token_ids == tiny_model.chat("hello", temperature=0, max_tokens=3).token_ids

        task = asyncio.create_task(tiny_model.agenerate(PROMPT, ignore_eos=True))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert tiny_model._pool.lent == 0

    asyncio.run(work())


def test_a_closed_model_says_so(tiny_pack: Path) -> None:
    model = edgeward.load(tiny_pack)
    stream = model.generate(PROMPT, max_tokens=5, stream=True, ignore_eos=True)
    model.close()
    assert stream.result().usage.completion_tokens == 5
    with pytest.raises(ModelClosed, match="load it again"):
        model.generate(PROMPT)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"device": "cuda"}, OptionError, "device='cuda'"),
        ({"threads": 0}, OptionError, "threads=0"),
        ({"threads": 10**6}, OptionError, "threads=1000000"),
        ({"graph": "fastest"}, OptionError, "graph='fastest'"),
        ({"context": 10**6}, OptionError, "context=1000000"),
        ({"memory_limit": 1000}, MemoryLimit, "memory_limit allows 1000"),
    ],
)
def test_wrong_load_arguments_are_named(
    tiny_pack: Path, arguments: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        edgeward.load(tiny_pack, **arguments)  # type: ignore[arg-type]


def test_an_unknown_name_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path))
    with pytest.raises(PackError, match="edgeward pull"):
        edgeward.load("nothing-of-that-name")


def test_memory_stays_flat_over_many_requests(tiny_pack: Path) -> None:
    from edgeward.machine import resident_memory

    with edgeward.load(tiny_pack, threads=1, context=512) as model:

        def burst(count: int) -> int:
            for i in range(count):
                model.generate([3 + (i * 7 + j) % 250 for j in range(100)], max_tokens=3)
            found = resident_memory()
            assert found is not None
            return found[0]

        settled = burst(100)
        assert burst(400) < settled + 2 * 2**20
