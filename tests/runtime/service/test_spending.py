"""A price per token is held while the answer is made, and a pace where the policy is to stop."""

from __future__ import annotations

import pytest

import edgeward
from edgeward.reply import Reply
from edgeward.service.budget import Budget
from edgeward.service.spending import Spending


def made_until_it_stops(limit: float, prompt_ms: float, step_ms: float, most: int = 100) -> int:
    spending, used = Spending(limit, most, price=lambda ms: ms), prompt_ms
    for made in range(1, most + 1):
        if not spending.allows(used, (made - 1) * step_ms, made - 1, made):
            return made
        used += step_ms
    return most


def test_an_answer_that_keeps_its_price_goes_on_to_its_end() -> None:
    assert made_until_it_stops(limit=20, prompt_ms=100, step_ms=10) == 100


def test_tokens_that_cost_more_than_the_mean_end_at_the_last_one_that_is_allowed() -> None:
    # A cached prompt costs nothing; steps of 10 ms over a limit of 9.5: (made - 1) * 10 / made.
    assert made_until_it_stops(limit=9.5, prompt_ms=0, step_ms=10) == 20


def test_what_can_no_longer_be_reached_is_not_paid_for() -> None:
    # 1,000 ms of prompt and steps of 10 come to 20 a token at best.
    assert made_until_it_stops(limit=15, prompt_ms=1000, step_ms=10) == 5
    assert made_until_it_stops(limit=21, prompt_ms=1000, step_ms=10) == 100


def actions(reply: Reply) -> dict[str, int]:
    assert reply.budget is not None
    return {action.name: action.amount for action in reply.budget.actions}


@pytest.fixture
def dear(service: edgeward.Service, monkeypatch: pytest.MonkeyPatch) -> edgeward.Service:
    """The service foretells that nothing costs anything, and finds out while it runs."""
    from edgeward.service.plan import _Planner

    monkeypatch.setattr(_Planner, "cost_per_token", lambda self, c: 0.0)
    return service


def test_an_answer_is_ended_when_it_costs_more_than_was_foretold(dear: edgeward.Service) -> None:
    asked = {"max_tokens": 200, "ignore_eos": True, "seed": 1}
    whole = dear.generate("the river", **asked)
    reply = dear.generate("the river", cost_per_token=1e-15, **asked)
    assert reply.finish_reason == "deadline"
    made = actions(reply)["ended_for_cost"]
    assert made == len(reply.token_ids) < 20
    assert reply.token_ids == whole.token_ids[:made]
    assert reply.cost is not None
    assert not reply.cost.met


def test_report_lets_it_go_on_and_says_so(dear: edgeward.Service) -> None:
    budget = Budget(on_miss="report")
    reply = dear.generate(
        "the river",
        cost_per_token=1e-15,
        latency_budget=budget,
        max_tokens=40,
        ignore_eos=True,
    )
    assert len(reply.token_ids) == 40
    assert reply.cost is not None
    assert not reply.cost.met
    assert "ended_for_cost" not in actions(reply)


@pytest.fixture
def hopeful(service: edgeward.Service, monkeypatch: pytest.MonkeyPatch) -> edgeward.Service:
    """The service foretells steps that take no time."""
    from edgeward.service.plan import _Planner

    monkeypatch.setattr(_Planner, "step", lambda self, c, sure=False: 0.0)
    return service


def test_a_slow_answer_is_ended_where_the_policy_is_to_reject(hopeful: edgeward.Service) -> None:
    asked = {"max_tokens": 300, "ignore_eos": True, "seed": 2}
    strict = Budget(per_token=1e-6, on_miss="reject")
    reply = hopeful.generate("the river", latency_budget=strict, **asked)
    assert reply.finish_reason == "deadline"
    assert 8 <= actions(reply)["ended_for_pace"] == len(reply.token_ids) < 300
    assert reply.budget is not None
    assert not reply.budget.met
    mild = Budget(per_token=1e-6)
    reply = hopeful.generate("the river", latency_budget=mild, **asked)
    assert len(reply.token_ids) == 300  # a late token is worth more than none, and is reported
    assert reply.budget is not None
    assert not reply.budget.met
