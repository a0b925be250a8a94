"""The ladder: what is cached, shorter history, shorter answer, refusal; each only when needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from rates import predictor

from edgeward.errors import BudgetExceeded, ContextOverflow
from edgeward.service.budget import Budget
from edgeward.service.plan import Ask, Candidate, Plan, Surroundings, make_plan

ALONE = Surroundings(0, False, remaining_ms=0.0, prefills_ms=(), wait_ms=0.0, spent_ms=0.0)


def ask(budget: Budget, **more: object) -> Ask:
    plain = Ask(budget, 50, False, context=1000, may_drop=4, price=lambda ms: ms / 1e6)
    return replace(plain, **more)  # type: ignore[arg-type]


def turns(tokens: int = 100, each: int = 100, cached: int = 0) -> Callable[[int], Candidate]:
    """A conversation: the last turn has `tokens`, each of four older ones `each`."""
    return lambda dropped: Candidate(
        dropped, tokens + (4 - dropped) * each, cached if not dropped else 0
    )


def planned(asked: Ask, form: Callable[[int], Candidate], around: Surroundings = ALONE) -> Plan:
    return make_plan(asked, form, predictor(), around)


def test_what_fits_is_left_as_it_is() -> None:
    plan = planned(ask(Budget(first_token=510)), turns())
    assert plan.candidate.dropped == 0
    assert plan.actions == ()
    assert plan.predicted.first_token == pytest.approx(500)
    assert plan.predicted.per_token == pytest.approx(10)
    assert plan.predicted.total == pytest.approx(500 + 49 * 10)


def test_as_few_turns_go_as_the_budget_allows() -> None:
    plan = planned(ask(Budget(first_token=310)), turns())
    assert plan.candidate.dropped == 2
    assert [str(a) for a in plan.actions] == ["dropped_turns 2"]


def test_a_cached_prefix_is_better_than_a_shorter_history() -> None:
    plan = planned(ask(Budget(first_token=310)), turns(cached=200))
    assert plan.candidate.dropped == 0
    assert [str(a) for a in plan.actions] == ["reused_prefix 200"]


def test_what_no_form_can_keep_is_refused_with_figures_and_advice() -> None:
    with pytest.raises(BudgetExceeded, match=r"100 tokens .* without its 4 oldest turns") as caught:
        planned(ask(Budget(first_token=50)), turns())
    assert "first_token 50 ms, foretold 100" in str(caught.value)
    assert caught.value.retry_after is None


def test_reject_drops_nothing() -> None:
    with pytest.raises(BudgetExceeded, match="500 tokens"):
        planned(ask(Budget(first_token=310, on_miss="reject")), turns())


def test_report_refuses_nothing_and_gives_nothing_up() -> None:
    limits = Budget(first_token=1, per_token=1, total=1, on_miss="report")
    plan = planned(ask(limits, cost_per_token=1e-12), turns())
    assert plan.candidate.dropped == 0
    assert plan.max_tokens == 50


def test_a_waiting_request_counts_its_wait_and_its_neighbours() -> None:
    around = replace(ALONE, others=1, remaining_ms=150.0, wait_ms=40.0, spent_ms=5.0)
    plan = planned(ask(Budget(first_token=1000)), turns(), around)
    assert plan.predicted.first_token == pytest.approx(5 + 40 + 500 + 150)
    assert plan.predicted.per_token == pytest.approx(20)


def test_an_overloaded_engine_is_told_with_a_time_to_come_back() -> None:
    around = replace(ALONE, others=3, remaining_ms=3000.0, wait_ms=1000.0)
    with pytest.raises(BudgetExceeded, match=r"try again in 4\.0 s") as caught:
        planned(ask(Budget(first_token=600, on_miss="reject")), turns(), around)
    assert caught.value.retry_after == pytest.approx(4.0)


def test_a_slow_step_is_refused_by_per_token() -> None:
    with pytest.raises(BudgetExceeded, match="per_token 9 ms, foretold 10"):
        planned(ask(Budget(per_token=9)), turns())


def test_a_structured_answer_is_shortened_so_that_it_can_close() -> None:
    plan = planned(ask(Budget(total=700), structured=True), turns())
    assert plan.max_tokens == 1 + int(0.8 * 200 / 10)
    assert str(plan.actions[-1]) == f"shorter_answer {plan.max_tokens}"


def test_a_text_is_left_to_the_clock() -> None:
    plan = planned(ask(Budget(total=700)), turns())
    assert plan.max_tokens == 50
    assert plan.actions == ()


def test_turns_go_when_no_time_is_left_for_an_answer() -> None:
    plan = planned(ask(Budget(total=400)), turns())
    assert plan.candidate.dropped == 2


def test_the_price_of_a_token_is_a_limit_like_time() -> None:
    # A prompt of 500 ms and 50 tokens of 10: 20 ms of the engine a token.
    assert planned(ask(Budget(), cost_per_token=21e-6), turns()).candidate.dropped == 0
    assert planned(ask(Budget(), cost_per_token=19e-6), turns()).candidate.dropped == 1
    with pytest.raises(BudgetExceeded, match="cost_per_token"):
        planned(ask(Budget(), cost_per_token=1e-6), turns())


def test_turns_go_to_fit_the_context_whatever_the_policy() -> None:
    plan = planned(ask(Budget(on_miss="report"), context=400), turns())
    assert plan.candidate.dropped == 2  # 300 and room for 50


def test_a_last_message_beyond_the_context_is_refused() -> None:
    with pytest.raises(ContextOverflow, match="100 tokens without its 4 oldest turns"):
        planned(ask(Budget(), context=100), turns())


def test_the_last_message_may_take_all_but_one_position() -> None:
    assert planned(ask(Budget(), context=101), turns()).candidate.dropped == 4


def test_beside_answers_that_share_its_steps_a_prompt_waits_for_one_between_its_runs() -> None:
    around = replace(ALONE, others=3, joined=True, remaining_ms=9000.0)
    plan = planned(ask(Budget()), turns(), around)
    assert plan.predicted.first_token == pytest.approx(500 + 9 * (10 + 2 * 2))
    assert plan.predicted.per_token == pytest.approx(10 + 3 * 2)


def test_beside_prompts_it_waits_as_long_as_for_its_own() -> None:
    around = replace(ALONE, others=2, joined=True, prefills_ms=(100.0, 4000.0))
    plan = planned(ask(Budget()), turns(), around)
    assert plan.predicted.first_token == pytest.approx(500 + 100 + 500)
