"""A model in service: the same calls as `Model`, under a latency budget, a price and safety checks.

Knows: what a caller may ask. Does not know: how it is kept (`job.py`), HTTP (`edgeward.server`).
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from edgeward import checks
from edgeward.cancel import CancelToken
from edgeward.chat import Messages
from edgeward.errors import ModelClosed, OptionError
from edgeward.model import Model
from edgeward.reply import Reply
from edgeward.request_maker import Prompt
from edgeward.stream import Stream
from edgeward.telemetry.drift import DriftMonitor

from . import saving
from .audit import Auditor
from .budget import Budget, budget_of
from .core import Call, Core
from .gate import check_priority
from .job import Job
from .opinions import Opinions
from .streams import AsyncAnswer, ServiceStream
from .tally import Tally
from .turns import Share, Waiter

_SPARE_THREADS = 8
"""Worker threads beyond those that run and wait: they tell the next ones that there is no room."""

_Limit = Budget | float | None
_UNSET: Any = object()


class Service:
    """Answers under limits; `edgeward.serve` makes one. Safe from many threads and tasks."""

    def __init__(
        self,
        core: Core,
        *,
        budget: Budget,
        cost_per_token: float | None,
        safety_checks: Sequence[Any],
        owns_model: bool,
        owns_embedder: bool,
        profile_note: str,
        opinions: Opinions,
        auditor: Auditor | None,
        drift: DriftMonitor,
        embedder: Model | None,
    ) -> None:
        self.embedder = embedder
        """The encoder that `embed` asks; None: there is none."""
        self.model = core.model
        """The model that answers."""
        self.budget = budget
        """Limits of a request that brings none of its own."""
        self.cost_per_token = cost_per_token
        self.safety_checks = tuple(safety_checks)
        self.core = core
        """The parts that its requests share, for those who count them or stand in front."""
        self._owns_model, self._owns_embedder = owns_model, owns_embedder
        self._profile_note = profile_note
        self._tally = Tally()
        self._opinions = opinions
        self._auditor = auditor
        self._drift = drift
        core.observers.extend((self._tally.saw, opinions.saw, drift.saw))
        if auditor is not None:
            info = core.model.info
            auditor.audit.add("served", pack=info.name, pack_sha256=info.pack_sha256)
            core.observers.append(auditor.saw)
        workers = core.gate.slots + core.gate.queue + _SPARE_THREADS
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="edgeward-answer")
        self._closed = False

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take no more requests, let running ones end, and give the memory back."""
        self._closed = True
        self._threads.shutdown(wait=True)
        self.core.alarms.close()
        self.core.ledger.close()
        if self._owns_model:
            self.model.close()
        if self._owns_embedder and self.embedder is not None:
            self.embedder.close()

    @overload
    def generate(
        self, prompt: Prompt, *, stream: Literal[False] = False, **asked: Any
    ) -> Reply: ...
    @overload
    def generate(self, prompt: Prompt, *, stream: Literal[True], **asked: Any) -> Stream: ...
    def generate(self, prompt: Prompt, *, stream: bool = False, **asked: Any) -> Reply | Stream:
        """Continue a text, or a list of token ids, as `Model.generate` does.

        Besides its arguments: `latency_budget` and `cost_per_token` instead of the service's own
        (None: no limit), `priority` "high", "normal" or "low", and `user`, a name by which
        requests of one user share one turn at the engine. Raises `BudgetExceeded`, `Overloaded`,
        and what `Model.generate` raises. `reply.budget` and `reply.cost` say what it came to.

        >>> service.generate("Once", latency_budget=Budget(total=500))  # doctest: +SKIP
        """
        return self._answer(self._call("generate", prompt, asked), stream)

    @overload
    def chat(
        self, messages: Messages, *, stream: Literal[False] = False, **asked: Any
    ) -> Reply: ...
    @overload
    def chat(self, messages: Messages, *, stream: Literal[True], **asked: Any) -> Stream: ...
    def chat(self, messages: Messages, *, stream: bool = False, **asked: Any) -> Reply | Stream:
        """Answer a message or a conversation, as `Model.chat` does.

        Besides its arguments those of `generate` above, and `session`: a name under which what was
        said is remembered, so that the next call brings only what is new. A conversation that does
        not fit the context or the budget is told without its oldest turns, and the reply says so.

        >>> service.chat("And of Italy?", session="ada").text  # doctest: +SKIP
        'The capital of Italy is Rome.'
        """
        return self._answer(self._call("chat", messages, asked), stream)

    async def agenerate(
        self, prompt: Prompt, *, stream: bool = False, **asked: Any
    ) -> Reply | AsyncAnswer:
        """`generate` for asyncio; cancelling the task stops the model."""
        return await self._aanswer(self._call("generate", prompt, asked), stream)

    async def achat(
        self, messages: Messages, *, stream: bool = False, **asked: Any
    ) -> Reply | AsyncAnswer:
        """`chat` for asyncio; cancelling the task stops the model."""
        return await self._aanswer(self._call("chat", messages, asked), stream)

    def embed(self, texts: str | Sequence[str], *, user: str = "") -> NDArray[np.float32]:
        """A vector for each text: float32 (texts, dimension), by the service's `embedder`.

        Takes one turn at the machine, like a run of the model. Raises `OptionError` without an
        embedder, and what `Model.embed` raises.
        """
        if self.embedder is None:
            raise OptionError(
                "this service has no encoder; give one to serve(), such as "
                "embedder='all-minilm-l6-v2'."
            )
        share, turnstile = Share(user), self.core.turnstile
        turnstile.join(share)
        try:
            turn = turnstile.enter(share, Waiter())
            assert turn is not None  # nobody else has this waiter
            began = time.perf_counter()
            try:
                return self.embedder.embed(texts)
            finally:
                turnstile.exit(turn, (time.perf_counter() - began) * 1000)
        finally:
            turnstile.leave(share)

    def messages(self, session: str) -> list[dict[str, Any]]:
        """What was said in a session so far; empty for one that has not begun."""
        return self.core.sessions.get(session).messages

    def sessions(self) -> list[str]:
        """Names of the sessions that are remembered."""
        return self.core.sessions.names()

    def forget(self, session: str) -> bool:
        """Forget a session and all that was said in it; False when there was none."""
        self.core.ledger.forget(session)
        return self.core.sessions.forget(session)

    def save(self, session: str, path: str | Path) -> None:
        """Write a session to a file that only this user can read, to go on with it later.

        The file holds what was said, and the keys and values of the last prompt where they are
        still held. Raises `SessionError` when it cannot be written.
        """
        saving.save(self.core, session, Path(path))

    def restore(self, path: str | Path, name: str | None = None) -> str:
        """Take a saved session up again; returns its name (`name`, or the one it was saved by).

        Raises `SessionError` for a file that is damaged or of another pack or tokenizer,
        `OptionError` when the name is in use.
        """
        return saving.restore(self.core, Path(path), name)

    def feedback(self, receipt_id: str, score: int, comment: str | None = None) -> None:
        """Keep what somebody thought of an answer: 1 good, -1 bad, 0 neither.

        `receipt_id` is `reply.receipt.id` of one of the last thousand answers. Kept in the store's
        `feedback.db` for 90 days; with text only if the service was made with `keep_text=True`,
        and then a `comment` may be given. Raises `OptionError`, or `KeepError` when it cannot be
        written.
        """
        self._opinions.give(receipt_id, score, comment)

    def listen(self, host: str = "127.0.0.1", port: int = 8080, **options: Any) -> None:
        """Serve over HTTP until SIGINT or SIGTERM; docs/serve.md has the paths and `options`.

        Needs `pip install "edgeward[server]"`. Raises `OptionError` for an address that is taken,
        or that others can reach while there is no API key.
        """
        from edgeward.server.listen import listen

        listen(self, host, port, **options)

    def stats(self) -> dict[str, Any]:
        """Counts, times, cost and memory since the service began, as plain values."""
        core = self.core
        _, pool = self.model.opened()
        return {
            **self._tally.stats(),
            "running": core.gate.running,
            "waiting": core.gate.waiting,
            "load": core.predictor.load,
            "busy_ms": core.turnstile.busy_ms,
            "cost": core.ledger.stats(),
            "cache_bytes": pool.idle_bytes,
            "sessions": len(core.sessions.names()),
            "profile": self._profile_note,
            "drift": self._drift.stats(),
            "audit_lost": None if self._auditor is None else self._auditor.lost,
        }

    def _call(self, kind: Literal["generate", "chat"], prompt: Any, asked: dict[str, Any]) -> Call:
        if self._closed:
            raise ModelClosed("the service was closed; call edgeward.serve() again.")
        take = asked.pop
        limit: _Limit = take("latency_budget", _UNSET)
        cost = take("cost_per_token", _UNSET)
        user, session = take("user", ""), take("session", None)
        if not isinstance(user, str):
            raise checks.refusal("user", user, "a string")
        if session is not None and kind == "generate":
            raise OptionError("a session is a conversation; use chat(), or leave out session.")
        if asked.get("num_beams") not in (None, 1):
            raise OptionError(
                "a beam search does not run under a service's limits: it has no text before its "
                "end. Leave out num_beams, or use service.model.generate()."
            )
        tools, choice = take("tools", None), take("tool_choice", None)
        if kind == "generate" and (tools is not None or choice is not None):
            raise OptionError("tools are for conversations; use chat(), or leave them out.")
        return Call(
            kind=kind,
            prompt=prompt,
            budget=self.budget if limit is _UNSET else budget_of(limit),
            cost_per_token=self.cost_per_token if cost is _UNSET else check_price(cost),
            safety_checks=take("safety_checks", self.safety_checks),
            priority=check_priority(take("priority", "normal")),
            user=user,
            session=session,
            tools=tools,
            tool_choice=choice,
            response_format=take("response_format", None),
            cancel=take("cancel", None) or CancelToken(),
            sampling=asked,
        )

    def _answer(self, call: Call, stream: bool) -> Reply | Stream:
        job = Job(self.core, call)
        job.start()
        running = ServiceStream(job)
        return running if stream else running.result()

    async def _aanswer(self, call: Call, stream: bool) -> Reply | AsyncAnswer:
        answer = AsyncAnswer(call.cancel)
        # In the caller's context: spans of the application are parents of ours.
        context = contextvars.copy_context()
        self._threads.submit(context.run, answer.pump, Job(self.core, call))
        await answer.started()
        return answer if stream else await answer.result()


def check_price(value: Any) -> float | None:
    """The argument `cost_per_token`: above 0, or None. Raises `OptionError`."""
    price: float | None = checks.optional(checks.number(0, 1e9, above=True))(
        "cost_per_token", value
    )
    return price
