"""What Prometheus reads is what happened."""

from __future__ import annotations

import sys

import prometheus_client.parser as parser
import pytest

import edgeward
from edgeward.errors import BudgetExceeded, EdgewardError
from edgeward.service.budget import Budget
from edgeward.telemetry.metrics import Metrics


def values(metrics: Metrics) -> dict[str, float]:
    """Sample name with its labels -> value."""
    found = {}
    for family in parser.text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_counts_times_and_sums_are_those_of_the_replies(service: edgeward.Service) -> None:
    metrics = Metrics(service.core)
    replies = [service.generate("hello", max_tokens=n, seed=1, ignore_eos=True) for n in (3, 5)]
    missed = Budget(first_token=1e-6, on_miss="report")
    replies.append(service.generate("hello", max_tokens=2, seed=1, latency_budget=missed))
    with pytest.raises(BudgetExceeded):
        service.generate("hello", latency_budget=1e-6)
    found = values(metrics)
    assert found["edgeward_requests_total{end=BudgetExceeded}"] == 1
    assert sum(v for k, v in found.items() if k.startswith("edgeward_requests_total")) == 4
    tokens = sum(r.usage.completion_tokens for r in replies)
    assert found["edgeward_tokens_total{kind=completion}"] == tokens
    assert found["edgeward_budget_total{outcome=missed}"] == 1
    assert found["edgeward_budget_total{outcome=met}"] == 2
    assert found["gen_ai_server_time_to_first_token_seconds_count"] == 3
    firsts = [r.budget.actual.first_token for r in replies if r.budget is not None]
    total = sum(first for first in firsts if first is not None) / 1000
    assert found["gen_ai_server_time_to_first_token_seconds_sum"] == pytest.approx(total)
    cost = sum(r.cost.total for r in replies if r.cost is not None)
    assert found["edgeward_cost_total"] == pytest.approx(cost)
    assert found["edgeward_running"] == 0
    assert found["edgeward_cache_bytes"] > 0


def test_two_services_do_not_share_their_figures(
    service: edgeward.Service, tiny_pack: object
) -> None:
    first, second = Metrics(service.core), Metrics(service.core)
    service.generate("hello", max_tokens=2)
    assert values(first)["edgeward_tokens_total{kind=prompt}"] > 0
    assert first.registry is not second.registry


def test_without_the_package_it_says_how_to_get_it(
    service: edgeward.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(EdgewardError, match=r"edgeward\[metrics\]"):
        Metrics(service.core)
