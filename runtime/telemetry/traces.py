"""A span and figures for each request, in OpenTelemetry's conventions for generative models.

Only where `opentelemetry-api` is installed; where the application has set up no provider nothing is
made and nothing is sent. Attributes are settings, counts, times and ends: no text of a request.

Knows: the conventions (semantic conventions 1.37, gen-ai), outcomes. Does not know: exporters.
"""

from __future__ import annotations

import importlib.util
import time
from typing import Any

from edgeward.errors import EdgewardError
from edgeward.reply import Reply
from edgeward.service.core import Core, Outcome

SCOPE = "edgeward"
_TIMES = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_STEPS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
_TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144)
_SAMPLING = {
    "max_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
}


def installed() -> bool:
    """Whether OpenTelemetry's interfaces are there."""
    return importlib.util.find_spec("opentelemetry") is not None


class Traces:
    """Tells OpenTelemetry of one service's requests. Thread-safe."""

    def __init__(self, core: Core, tracer_provider: Any = None, meter_provider: Any = None) -> None:
        """With the providers given, else the application's. Raises `EdgewardError` without them."""
        try:
            from opentelemetry import metrics, trace
        except ImportError:
            raise EdgewardError(
                "traces need opentelemetry-api: pip install 'edgeward[metrics]'."
            ) from None
        self._trace = trace
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(SCOPE, meter_provider=meter_provider)
        self._model = core.model.info.name

        def histogram(name: str, unit: str, text: str, bounds: tuple[float, ...]) -> Any:
            return meter.create_histogram(
                name, unit, text, explicit_bucket_boundaries_advisory=bounds
            )

        self._duration = histogram(
            "gen_ai.server.request.duration", "s", "From the call to the end.", _TIMES
        )
        self._first = histogram(
            "gen_ai.server.time_to_first_token", "s", "From the call to the first text.", _TIMES
        )
        self._step = histogram(
            "gen_ai.server.time_per_output_token", "s", "Mean time of a token after it.", _STEPS
        )
        self._usage = histogram(
            "gen_ai.client.token.usage", "{token}", "Tokens of prompts and answers.", _TOKENS
        )
        core.observers.append(self.saw)

    def saw(self, outcome: Outcome) -> None:
        """A call ended."""
        names = self._names(outcome)
        self._span(outcome, names)
        if outcome.error is not None:
            names = {**names, "error.type": _error(outcome.error)}
        self._duration.record(outcome.total_ms / 1000, names)
        reply = outcome.reply
        if reply is None:
            return
        for kind, tokens in (
            ("input", reply.usage.prompt_tokens),
            ("output", reply.usage.completion_tokens),
        ):
            self._usage.record(tokens, {**names, "gen_ai.token.type": kind})
        if reply.budget is not None:
            for ms, into in (
                (reply.budget.actual.first_token, self._first),
                (reply.budget.actual.per_token, self._step),
            ):
                if ms is not None:
                    into.record(ms / 1000, names)

    def _names(self, outcome: Outcome) -> dict[str, Any]:
        chat = outcome.call.kind == "chat"
        return {
            "gen_ai.operation.name": "chat" if chat else "text_completion",
            "gen_ai.provider.name": SCOPE,
            "gen_ai.request.model": self._model,
            "gen_ai.response.model": self._model,
        }

    def _span(self, outcome: Outcome, names: dict[str, Any]) -> None:
        end = time.time_ns()
        span = self._tracer.start_span(
            f"{names['gen_ai.operation.name']} {self._model}",
            # The model runs in this process: nothing is called over a network.
            kind=self._trace.SpanKind.INTERNAL,
            attributes=names,
            start_time=end - int(outcome.total_ms * 1e6),
        )
        if span.is_recording():
            span.set_attributes(_asked(outcome))
            if outcome.reply is not None:
                span.set_attributes(_answered(outcome.reply))
            if outcome.error is not None:
                span.set_attribute("error.type", _error(outcome.error))
                # Errors name values of options; what a user wrote is not among them.
                span.set_status(self._trace.Status(self._trace.StatusCode.ERROR))
        span.end(end)


def _asked(outcome: Outcome) -> dict[str, Any]:
    call = outcome.call
    found: dict[str, Any] = {
        ours: call.sampling[name]
        for name, ours in _SAMPLING.items()
        if isinstance(call.sampling.get(name), int | float)
    }
    if call.session is not None:
        found["gen_ai.conversation.id"] = call.session
    found["edgeward.priority"] = call.priority
    return found


def _answered(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = {
        "gen_ai.response.id": reply.receipt.id,
        "gen_ai.response.finish_reasons": (reply.finish_reason,),
        "gen_ai.usage.input_tokens": reply.usage.prompt_tokens,
        "gen_ai.usage.output_tokens": reply.usage.completion_tokens,
        "edgeward.usage.cached_tokens": reply.usage.cached_tokens,
    }
    if reply.budget is not None:
        found["edgeward.budget.met"] = reply.budget.met
        found["edgeward.budget.actions"] = tuple(map(str, reply.budget.actions))
        if reply.budget.actual.first_token is not None:
            found["edgeward.first_token_ms"] = reply.budget.actual.first_token
    if reply.cost is not None:
        found["edgeward.cost"] = reply.cost.total
    return found


def _error(error: BaseException) -> str:
    return type(error).__name__
