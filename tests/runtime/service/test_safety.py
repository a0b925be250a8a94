"""Checks stand in the loop of a service as they do in a model's, and its report knows of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import edgeward
from edgeward.safety import Check


@dataclass(frozen=True)
class NoRiver(Check):
    """Objects to whatever says river."""

    name: str = "river"

    def score(self, text: str) -> float:
        return float("river" in text)


@dataclass(frozen=True)
class Watcher(Check):
    """Objects to nothing."""

    name: str = "watcher"

    def score(self, text: str) -> float:
        return 0.25


def test_a_prompt_that_is_objected_to_is_not_computed(service: edgeward.Service) -> None:
    before = service.stats()["busy_ms"]
    reply = service.chat("tell me of the river", safety_checks=[NoRiver()])
    assert reply.finish_reason == "safety"
    assert [v.check for v in reply.safety if not v.allowed] == ["river"]
    assert service.stats()["busy_ms"] == before
    assert reply.budget is not None
    assert reply.cost is not None
    assert service.stats()["running"] == 0


def test_what_was_objected_to_is_not_remembered(service: edgeward.Service) -> None:
    service.chat("the river", session="safe", safety_checks=[NoRiver()])
    assert service.messages("safe") == []


def test_checks_of_a_service_are_those_of_its_requests(tiny_pack: Path) -> None:
    with edgeward.serve(tiny_pack, threads=1, safety_checks=[Watcher()]) as watched:
        reply = watched.generate("hello", seed=3, max_tokens=20)
        assert {v.check for v in reply.safety} == {"watcher"}
        bare = watched.generate("hello", seed=3, max_tokens=20, safety_checks=())
        assert bare.safety == ()
        assert reply.token_ids == bare.token_ids
        assert reply.text == bare.text


def test_the_built_in_checks_run_under_a_budget(tiny_pack: Path) -> None:
    with edgeward.serve(
        tiny_pack,
        threads=1,
        latency_budget=edgeward.Budget(first_token=60_000),
        cost_per_token=1.0,
        safety_checks=[edgeward.toxicity_filter, edgeward.jailbreak_detector],
    ) as guarded:
        reply = guarded.chat("what is the capital of France?", max_tokens=5, seed=1)
        assert reply.budget is not None
        assert reply.budget.met
        assert len({v.check for v in reply.safety}) == 2
