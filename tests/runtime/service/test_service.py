"""What a caller of a service sees: the model's own answers, under limits, honestly reported."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from pathlib import Path

import pytest

import edgeward
from edgeward.cancel import CancelToken
from edgeward.errors import BudgetExceeded, ModelClosed, OptionError, Overloaded
from edgeward.reply import Reply
from edgeward.service.budget import Budget
from edgeward.service.core import Outcome

PROMPT = "what is the capital of the river"


def same(reply: Reply, service: edgeward.Service, **sampling: object) -> bool:
    return reply.token_ids == service.model.generate(PROMPT, **sampling).token_ids


def test_an_answer_is_the_models_own_with_a_report(service: edgeward.Service) -> None:
    reply = service.generate(PROMPT, max_tokens=9, seed=1, ignore_eos=True)
    assert same(reply, service, max_tokens=9, seed=1, ignore_eos=True)
    assert reply.budget is not None
    assert reply.budget.met
    assert reply.budget.limits.first_token is None
    actual = reply.budget.actual
    assert actual.first_token is not None
    assert actual.total is not None
    assert 0 < actual.first_token <= actual.total
    assert reply.budget.predicted.first_token is not None
    assert reply.cost is not None
    assert reply.cost.total > 0
    assert reply.cost.per_token == pytest.approx(reply.cost.total / 9)


def test_chat_streams_the_same_text(service: edgeward.Service) -> None:
    whole = service.chat(PROMPT, max_tokens=12, seed=2)
    stream = service.chat(PROMPT, max_tokens=12, seed=2, stream=True)
    assert "".join(chunk.text for chunk in stream) == whole.text == stream.reply.text
    assert stream.reply.budget is not None


def test_a_second_request_finds_the_prefix_and_says_so(service: edgeward.Service) -> None:
    ids = [3 + i % 200 for i in range(300)]
    first = service.generate(ids, max_tokens=4, seed=3)
    again = service.generate(ids, max_tokens=4, seed=3)
    assert again.token_ids == first.token_ids
    assert again.usage.cached_tokens == 298
    assert again.budget is not None
    assert "reused_prefix 298" in map(str, again.budget.actions)


def test_total_ends_the_answer_with_the_text_so_far(service: edgeward.Service) -> None:
    reply = service.generate(
        PROMPT, seed=4, ignore_eos=True, max_tokens=1500, latency_budget=Budget(total=80)
    )
    assert reply.finish_reason == "deadline"
    whole = service.model.generate(PROMPT, seed=4, ignore_eos=True, max_tokens=1500)
    assert 0 < len(reply.token_ids) < 1500
    assert reply.token_ids == whole.token_ids[: len(reply.token_ids)]


def test_a_hopeless_budget_is_refused_before_anything_is_computed(
    service: edgeward.Service,
) -> None:
    before = service.stats()["busy_ms"]
    with pytest.raises(BudgetExceeded, match=r"first_token 0\.0001 ms"):
        service.generate(PROMPT, latency_budget=0.0001)
    assert service.stats()["busy_ms"] == before
    assert service.stats()["running"] == 0


def test_report_answers_and_says_by_how_much_it_missed(service: edgeward.Service) -> None:
    limits = Budget(first_token=0.001, total=0.002, on_miss="report")
    reply = service.generate(PROMPT, max_tokens=3, seed=5, latency_budget=limits)
    assert reply.budget is not None
    assert not reply.budget.met
    assert [reason.split()[0] for reason in reply.budget.missed] == ["first_token", "total"]
    assert reply.finish_reason != "deadline"


def test_reject_stops_a_request_that_the_clock_overtook(service: edgeward.Service) -> None:
    service_core = service.core
    token = service_core.turnstile  # held by another, so that the first token cannot come in time
    from edgeward.service.turns import Share, Waiter

    holder = Share("other")
    turn = token.enter(holder, Waiter())
    assert turn is not None
    try:
        began = time.perf_counter()
        with pytest.raises(BudgetExceeded, match="did not come within first_token=2000"):
            service.generate(PROMPT, latency_budget=Budget(first_token=2000, on_miss="reject"))
        assert 1.9 < time.perf_counter() - began < 4
    finally:
        token.exit(turn, 0.0)
    assert service.stats()["running"] == 0


def test_long_conversations_are_told_without_their_oldest_turns(
    service: edgeward.Service,
) -> None:
    context = service.model.info.context
    turns = []
    for i in range(12):
        turns.append({"role": "user", "content": f"{i} " + "water " * (context // 8)})
        turns.append({"role": "assistant", "content": "light"})
    turns.append({"role": "user", "content": "what is that"})
    reply = service.chat(turns, max_tokens=3, seed=6)
    assert reply.usage.prompt_truncated
    assert reply.budget is not None
    dropped = next(a.amount for a in reply.budget.actions if a.name == "dropped_turns")
    kept = turns[2 * dropped :]
    assert reply.token_ids == service.model.chat(kept, max_tokens=3, seed=6).token_ids


def test_many_tasks_get_their_own_answers(service: edgeward.Service) -> None:
    async def all_of_them() -> list[Reply]:
        asked = [
            service.agenerate(PROMPT, seed=seed, max_tokens=25, user=str(seed % 3))
            for seed in range(20)
        ]
        return [r for r in await asyncio.gather(*asked) if isinstance(r, Reply)]

    replies = asyncio.run(all_of_them())
    assert len(replies) == 20
    for seed, reply in enumerate(replies):
        assert same(reply, service, seed=seed, max_tokens=25)
    assert service.stats()["running"] == 0


def test_threads_share_one_service(service: edgeward.Service) -> None:
    replies: dict[int, Reply] = {}

    def work(seed: int) -> None:
        replies[seed] = service.chat(PROMPT, seed=seed, max_tokens=15)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, reply in replies.items():
        assert reply.text == service.model.chat(PROMPT, seed=seed, max_tokens=15).text


def test_cancelling_a_task_frees_its_place(service: edgeward.Service) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(
            service.agenerate(PROMPT, seed=1, ignore_eos=True, max_tokens=1900)
        )
        while service.stats()["running"] == 0:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert service.stats()["running"] == 0


def test_a_token_cancels_and_the_reply_has_the_text_so_far(service: edgeward.Service) -> None:
    token = CancelToken()
    stream = service.generate(PROMPT, seed=1, ignore_eos=True, stream=True, cancel=token)
    texts = [next(stream).text for _ in range(5)]
    token.cancel()
    texts += [chunk.text for chunk in stream]
    assert stream.reply.finish_reason == "cancelled"
    assert stream.reply.text == "".join(texts)
    assert token._watchers == []


def test_a_stream_that_is_dropped_gives_its_place_back(service: edgeward.Service) -> None:
    stream = service.generate(PROMPT, stream=True)
    assert service.stats()["running"] == 1
    del stream
    gc.collect()
    assert service.stats()["running"] == 0
    stream = service.generate(PROMPT, stream=True)
    next(stream)
    stream.close()
    assert service.stats()["running"] == 0


def test_what_does_not_fit_into_the_queue_is_refused_at_once(tiny_pack: Path) -> None:
    with edgeward.serve(tiny_pack, threads=1, max_active=1, max_queue=0) as small:
        held = small.generate(PROMPT, stream=True)
        with pytest.raises(Overloaded, match="max_active=1 and max_queue=0") as caught:
            small.generate(PROMPT)
        assert caught.value.retry_after is not None
        held.close()
        assert small.generate(PROMPT, max_tokens=2).usage.completion_tokens <= 2


def test_every_end_is_counted_once(tiny_pack: Path) -> None:
    with edgeward.serve(tiny_pack, threads=1) as fresh:
        outcomes: list[Outcome] = []
        fresh.core.observers.append(outcomes.append)
        fresh.generate(PROMPT, max_tokens=2, seed=1, ignore_eos=True)
        with pytest.raises(OptionError):
            fresh.generate(PROMPT, temperature=-1)
        with pytest.raises(BudgetExceeded):
            fresh.generate(PROMPT, latency_budget=1e-6)
        stream = fresh.generate(PROMPT, stream=True)
        stream.close()
        stats = fresh.stats()
    assert len(outcomes) == stats["requests"] == 4
    assert stats["ended"] == {"length": 1}
    assert stats["failed"] == {"OptionError": 1, "BudgetExceeded": 1, "GeneratorExit": 1}
    assert stats["tokens"]["completion"] == 2


def test_a_fault_in_an_account_costs_no_answer(
    tiny_pack: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(_: Outcome) -> None:
        raise RuntimeError("full")

    with edgeward.serve(tiny_pack, threads=1) as fresh:
        fresh.core.observers.insert(0, faulty)
        assert fresh.generate(PROMPT, max_tokens=2).usage.completion_tokens <= 2
        assert fresh.stats()["requests"] == 1
    assert "RuntimeError: full" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"priority": "urgent"}, "'high', 'normal' or 'low'"),
        ({"user": 7}, "user is 7"),
        ({"session": "a"}, "use chat"),
        ({"tools": []}, "use chat"),
        ({"num_beams": 2}, "beam search"),
        ({"cost_per_token": 0}, "cost_per_token is 0"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"tempo": 1}, "tempo"),
    ],
)
def test_wrong_arguments_are_refused(
    service: edgeward.Service, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(OptionError, match=says):
        service.generate(PROMPT, **arguments)


def test_a_closed_service_refuses(tiny_pack: Path) -> None:
    made = edgeward.serve(tiny_pack, threads=1)
    made.close()
    with pytest.raises(ModelClosed, match="serve"):
        made.generate(PROMPT)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"history": "guess"}, "'fit' or 'refuse'"),
        ({"max_active": 0}, "max_active"),
        ({"power_watts": -1}, "power_watts"),
        ({"prices": 3}, "Prices"),
        ({"latency_budget": "fast"}, "latency_budget"),
    ],
)
def test_serve_refuses_wrong_arguments(
    tiny_pack: Path, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(OptionError, match=says):
        edgeward.serve(tiny_pack, **arguments)


def test_one_that_is_cancelled_leaves_its_neighbours_as_they_were(
    service: edgeward.Service,
) -> None:
    token, replies = CancelToken(), {}

    def work(seed: int) -> None:
        cancel = token if seed == 0 else None
        replies[seed] = service.generate(
            PROMPT, seed=seed, max_tokens=400, ignore_eos=True, cancel=cancel
        )

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    token.cancel()
    for thread in threads:
        thread.join()
    assert replies[0].finish_reason == "cancelled"
    for seed, reply in replies.items():
        whole = service.model.generate(PROMPT, seed=seed, max_tokens=400, ignore_eos=True)
        assert reply.token_ids == whole.token_ids[: len(reply.token_ids)]
        assert seed == 0 or len(reply.token_ids) == 400
    assert service.stats()["running"] == 0
