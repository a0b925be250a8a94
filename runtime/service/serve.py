"""`edgeward.serve`: from a model to a service that answers under limits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import edgeward
from edgeward import checks
from edgeward.batched_steps import BatchedSteps
from edgeward.encoder import EncoderModel
from edgeward.errors import OptionError
from edgeward.kernels import _native
from edgeward.model import Model
from edgeward.telemetry import traces
from edgeward.telemetry.audit import AuditLog
from edgeward.telemetry.costs import CostBook
from edgeward.telemetry.drift import DriftMonitor
from edgeward.telemetry.feedback import Feedback

from . import profile
from .alarms import Alarms
from .audit import Auditor
from .budget import Budget, budget_of
from .core import Core, History, Load
from .cost import Ledger, Prices
from .energy import find_meter
from .gate import Gate
from .measure import measure
from .opinions import Opinions
from .predictor import Predictor
from .service import Service, check_price
from .sessions import Sessions
from .turns import Turnstile

CACHE_BYTES = 256 * 2**20


def serve(
    model: str | Path | Model,
    *,
    latency_budget: Budget | float | None = None,
    cost_per_token: float | None = None,
    safety_checks: Sequence[Any] = (),
    prices: Prices | None = None,
    power_watts: float | None = None,
    max_active: int = 8,
    max_queue: int = 64,
    cache_bytes: int = CACHE_BYTES,
    history: History = "fit",
    keep_text: bool = False,
    audit: bool = False,
    embedder: str | Path | Model | None = None,
    **loading: Any,
) -> Service:
    """Answer requests of many users with one model, each within its limits.

    `model` is what `edgeward.load` takes (then `loading` are its arguments) or a loaded model.
    `latency_budget`: milliseconds to the first visible token, or a `Budget` that says more.
    `cost_per_token`: the most that a token of an answer may cost, in the money of `prices`.
    `safety_checks`: checks that see what comes in and goes out. `power_watts`: what the device
    draws under load, where it cannot tell. `max_active` requests run at once, `max_queue` wait,
    more are refused. `cache_bytes` of keys and values of earlier prompts are kept. `history`: "fit"
    drops the oldest turns of a conversation that is too long, "refuse" raises. `keep_text`: prompts
    and answers may be kept on this device with the feedback that is given to them. `audit`: each
    request leaves a line without text in the store's hash-chained `audit.jsonl`. `embedder`: an
    encoder, for `Service.embed` and /v1/embeddings.

    The first service of a pack on a machine measures the device for about three seconds and keeps
    the figures in the store. Raises what `load` raises, and `OptionError`. docs/serve.md explains
    every number.

    >>> service = serve("smollm2-135m", latency_budget=100)  # doctest: +SKIP
    >>> print(service.chat("What is the capital of France?"))  # doctest: +SKIP
    The capital of France is Paris.
    """
    budget, price = budget_of(latency_budget), check_price(cost_per_token)
    power = checks.optional(checks.number(0, 1e6, above=True))("power_watts", power_watts)
    if history not in get_args(History):
        raise checks.refusal("history", history, "'fit' or 'refuse'")
    prices = Prices() if prices is None else prices
    if not isinstance(prices, Prices):
        raise checks.refusal("prices", prices, "an edgeward.Prices")
    slots, queue = (
        checks.count(1)("max_active", max_active),
        checks.count(0)("max_queue", max_queue),
    )
    size = checks.count(0)("cache_bytes", cache_bytes)
    keep, audited = checks.flag("keep_text", keep_text), checks.flag("audit", audit)
    if isinstance(model, Model) and loading:
        raise OptionError(f"{', '.join(loading)}: arguments of load(); this model is loaded.")
    loaded = model if isinstance(model, Model) else edgeward.load(model, **loading)
    encoder: Model | None = None
    try:
        if isinstance(loaded, EncoderModel):
            raise OptionError(
                f"{loaded.info.name!r} is an encoder and writes no text; serve a language model, "
                f"with embedder={loaded.info.name!r}."
            )
        encoder = edgeward.load(embedder) if isinstance(embedder, str | Path) else embedder
        if encoder is not None and not isinstance(encoder, EncoderModel):
            raise checks.refusal("embedder", embedder, "an encoder: its name, folder or Model")
        predictor, note = _predictor(loaded)
    except BaseException:
        if loaded is not model:
            loaded.close()
        if encoder is not None and encoder is not embedder:
            encoder.close()
        raise
    # The first prompt compiles its template: not in somebody's budget.
    loaded.prompt_ids("hello", chat=loaded.tokenizer.chat_template is not None)
    engine, pool = loaded.opened()
    pool.keep(2 * slots, size)
    # Those that run and those that are kept.
    arena = pool.gather(3 * slots)
    most = loaded.info.memory.requests
    core = Core(
        model=loaded,
        predictor=predictor,
        gate=Gate(slots if most is None else min(slots, most), queue),
        turnstile=Turnstile(),
        alarms=Alarms(),
        ledger=Ledger(
            find_meter(loaded.info.threads, power), prices, CostBook(), loaded.info.pack_sha256
        ),
        sessions=Sessions(),
        history=history,
        load=Load(predictor),
        batch=None if arena is None else BatchedSteps(engine, arena),
        observers=[],
    )
    if traces.installed():
        traces.Traces(core)
    return Service(
        core,
        budget=budget,
        cost_per_token=price,
        safety_checks=safety_checks,
        owns_model=loaded is not model,
        owns_embedder=encoder is not embedder,
        embedder=encoder,
        profile_note=note,
        opinions=Opinions(Feedback(), keep),
        drift=DriftMonitor(loaded.info.pack_sha256),
        auditor=Auditor(AuditLog()) if audited else None,
    )


def _predictor(model: Model) -> tuple[Predictor, str]:
    """From the kept profile of this pack and machine, or from a new one; and which it was."""
    engine, _ = model.opened()
    key = profile.key_of(
        model.info.pack_sha256,
        model.info.graph,
        engine.runtime_version,
        _native.active_isa(),
        model.info.threads,
    )
    kept = profile.read(key)
    if kept is not None:
        return Predictor(kept), f"read from {profile.path_of(key)}"
    made = measure(engine, model.info.context, key)
    try:
        profile.write(made)
    except OSError as error:
        # Only the next start is slower for it; stats() tells.
        return Predictor(made), f"measured now, and not kept: {error.strerror or error}"
    return Predictor(made), f"measured now, kept in {profile.path_of(key)}"
