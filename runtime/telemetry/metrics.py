"""Figures for Prometheus, counted with `prometheus-client`.

Names of times follow OpenTelemetry's conventions for generative models
(`gen_ai.server.time_to_first_token` and its siblings); what they have no word for is `edgeward_*`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edgeward.errors import EdgewardError
from edgeward.machine import resident_memory
from edgeward.service.core import Core, Outcome

FIRST_TOKEN = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
PER_TOKEN = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0)
TOTAL = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)
ERROR = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)


class Metrics:
    """Counters and histograms of one service, in a registry of their own. Thread-safe."""

    def __init__(self, core: Core) -> None:
        """Raises `EdgewardError` without prometheus-client."""
        try:
            import prometheus_client as prometheus
            from prometheus_client.core import GaugeMetricFamily
        except ImportError:
            raise EdgewardError(
                "metrics need prometheus-client: pip install 'edgeward[metrics]'."
            ) from None
        self._write = prometheus.generate_latest
        self.content_type = "text/plain; version=0.0.4; charset=utf-8"
        self.registry = registry = prometheus.CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Any:
            return prometheus.Counter(name, text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: Iterable[float]) -> Any:
            return prometheus.Histogram(name, text, buckets=tuple(buckets), registry=registry)

        self._requests = counter("edgeward_requests", "Requests, by how they ended.", "end")
        self._tokens = counter("edgeward_tokens", "Tokens: prompt, cached, completion.", "kind")
        self._budget = counter("edgeward_budget", "Budgets met and missed.", "outcome")
        self._actions = counter("edgeward_actions", "What was done to keep limits.", "action")
        self._blocks = counter("edgeward_safety_blocks", "Requests that a check ended.", "where")
        self._cost = counter("edgeward_cost", "Money spent, in that of the prices.")
        self._joules = counter("edgeward_energy_joules", "Energy, by where it was read.", "source")
        name = "gen_ai_server_time_to_first_token_seconds"
        self._first = histogram(name, "From the call to the first visible text.", FIRST_TOKEN)
        name = "gen_ai_server_time_per_output_token_seconds"
        self._step = histogram(name, "Mean time between tokens after the first.", PER_TOKEN)
        name = "gen_ai_server_request_duration_seconds"
        self._total = histogram(name, "From the call to the end.", TOTAL)
        name = "edgeward_prediction_error_ratio"
        self._error = histogram(name, "|foretold - actual| / actual of first tokens.", ERROR)
        registry.register(_Now(core, GaugeMetricFamily))
        core.observers.append(self.saw)

    def saw(self, outcome: Outcome) -> None:
        """A call ended."""
        reply = outcome.reply
        self._total.observe(outcome.total_ms / 1000)
        if reply is None:
            kind = type(outcome.error).__name__
            self._requests.labels(kind).inc()
            if kind == "SafetyBlocked":
                self._blocks.labels("prompt").inc()
            return
        self._requests.labels(reply.finish_reason).inc()
        if str(reply.finish_reason) == "safety":
            self._blocks.labels("answer").inc()
        self._tokens.labels("prompt").inc(reply.usage.prompt_tokens)
        self._tokens.labels("cached").inc(reply.usage.cached_tokens)
        self._tokens.labels("completion").inc(reply.usage.completion_tokens)
        if reply.cost is not None:
            self._cost.inc(reply.cost.total)
            self._joules.labels(reply.cost.energy_source).inc(reply.cost.joules)
        report = reply.budget
        if report is None:
            return
        self._budget.labels("met" if report.met else "missed").inc()
        for action in report.actions:
            self._actions.labels(action.name).inc()
        first, foretold = report.actual.first_token, report.predicted.first_token
        if first is not None:
            self._first.observe(first / 1000)
            if foretold is not None:
                self._error.observe(abs(foretold - first) / first)
        if report.actual.per_token is not None:
            self._step.observe(report.actual.per_token / 1000)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        made: bytes = self._write(self.registry)
        return made


class _Now:
    """What is read when somebody asks."""

    def __init__(self, core: Core, family: Any) -> None:
        self._core, self._family = core, family

    def collect(self) -> Iterable[Any]:
        core = self._core
        _, pool = core.model.opened()
        memory = resident_memory()
        values = {
            "edgeward_running": ("Requests that run.", core.gate.running),
            "edgeward_waiting": ("Requests that wait.", core.gate.waiting),
            "edgeward_cache_bytes": ("Keys and values of earlier prompts.", pool.idle_bytes),
            "edgeward_load_ratio": ("Time of a run over that of its profile.", core.predictor.load),
            "edgeward_busy_seconds": ("Time the engine worked.", core.turnstile.busy_ms / 1000),
        }
        if memory is not None:
            values["edgeward_memory_bytes"] = ("Private memory of the process.", memory[0])
        for name, (text, value) in values.items():
            yield self._family(name, text, value=value)
