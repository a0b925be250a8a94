"""What OpenTelemetry is told is what happened, in its own words, without a user's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import edgeward
from edgeward.errors import BudgetExceeded
from edgeward.service.budget import Budget
from edgeward.telemetry.traces import Traces, installed

SECRET = "zebra umbrella"


class Told:
    """Providers that keep all in memory."""

    def __init__(self, service: edgeward.Service) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        Traces(service.core, self.tracers, MeterProvider([self._reader]))

    @property
    def spans(self) -> list[Any]:
        return list(self._exporter.get_finished_spans())

    def points(self) -> dict[str, list[Any]]:
        data = self._reader.get_metrics_data()
        assert data is not None
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def told(service: edgeward.Service) -> Told:
    return Told(service)


def test_a_span_has_the_conventions_attributes(service: edgeward.Service, told: Told) -> None:
    reply = service.chat(SECRET, max_tokens=5, seed=3, temperature=0.5, session="s")
    (span,) = told.spans
    assert span.name == "chat tiny"
    assert span.kind is SpanKind.INTERNAL
    found = dict(span.attributes)
    assert found["gen_ai.operation.name"] == "chat"
    assert found["gen_ai.request.model"] == "tiny"
    assert found["gen_ai.request.max_tokens"] == 5
    assert found["gen_ai.request.temperature"] == 0.5
    assert found["gen_ai.request.seed"] == 3
    assert found["gen_ai.conversation.id"] == "s"
    assert found["gen_ai.response.id"] == reply.receipt.id
    assert found["gen_ai.response.finish_reasons"] == (reply.finish_reason,)
    assert found["gen_ai.usage.input_tokens"] == reply.usage.prompt_tokens
    assert found["gen_ai.usage.output_tokens"] == reply.usage.completion_tokens
    assert reply.budget is not None
    took = (span.end_time - span.start_time) / 1e6
    assert reply.budget.actual.total is not None
    assert took >= reply.budget.actual.total
    assert span.status.status_code is StatusCode.UNSET


def test_nothing_a_user_wrote_or_read_is_in_it(service: edgeward.Service, told: Told) -> None:
    reply = service.chat(SECRET, max_tokens=30, seed=3)
    with pytest.raises(BudgetExceeded):
        service.chat(SECRET, latency_budget=1e-6)
    everything = "".join(span.to_json() for span in told.spans) + str(told.points())
    assert SECRET not in everything
    assert reply.text not in everything


def test_an_error_is_one_in_span_and_figures(service: edgeward.Service, told: Told) -> None:
    with pytest.raises(BudgetExceeded):
        service.generate("hello", latency_budget=1e-6)
    (span,) = told.spans
    assert span.name == "text_completion tiny"
    assert span.attributes["error.type"] == "BudgetExceeded"
    assert span.status.status_code is StatusCode.ERROR
    (point,) = told.points()["gen_ai.server.request.duration"]
    assert point.attributes["error.type"] == "BudgetExceeded"


def test_figures_are_those_of_the_replies(service: edgeward.Service, told: Told) -> None:
    replies = [
        service.generate("hello", max_tokens=n, seed=1, ignore_eos=True, latency_budget=Budget())
        for n in (3, 6)
    ]
    points = told.points()
    tokens = {p.attributes["gen_ai.token.type"]: p for p in points["gen_ai.client.token.usage"]}
    assert tokens["output"].sum == 9
    assert tokens["input"].sum == sum(r.usage.prompt_tokens for r in replies)
    (first,) = points["gen_ai.server.time_to_first_token"]
    assert first.count == 2
    shown = [r.budget.actual.first_token or 0 for r in replies if r.budget is not None]
    assert first.sum == pytest.approx(sum(shown) / 1000)
    (step,) = points["gen_ai.server.time_per_output_token"]
    assert step.count == 2


def test_spans_hang_under_the_callers_in_threads_and_tasks(
    service: edgeward.Service, told: Told
) -> None:
    tracer = told.tracers.get_tracer("application")
    with tracer.start_as_current_span("page"):
        service.generate("hello", max_tokens=2, seed=1)
        asyncio.run(_asked(service))
    *made, parent = told.spans
    assert len(made) == 2
    for span in made:
        assert span.parent.span_id == parent.context.span_id


async def _asked(service: edgeward.Service) -> None:
    await service.agenerate("hello", max_tokens=2, seed=1)


def test_a_service_tells_by_itself_where_it_is_installed(service: edgeward.Service) -> None:
    assert installed()
    assert any(isinstance(getattr(o, "__self__", None), Traces) for o in service.core.observers)
