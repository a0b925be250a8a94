"""One request from call to reply: planned, let in, run under its limits, accounted for.

Knows: the order of these steps, and that every step is undone however the request ends. Does not
know: how time is foretold, how turns are shared, sockets.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any

from edgeward import chat as chat_
from edgeward import checks
from edgeward.errors import BudgetExceeded
from edgeward.reply import Chunk, Reply
from edgeward.stream import Stream

from .core import Call, Core, Outcome
from .gate import WEIGHTS
from .history import History
from .meter import Stopwatch
from .plan import LEAST_ANSWER, Ask, Candidate, Plan, Surroundings, make_plan
from .report import budget_report, ended_for
from .spending import Spending
from .ticket import Ticket
from .turns import Share

log = logging.getLogger("edgeward.service")


class Job:
    """One request. `start` lets it in or raises; `chunks` runs it; `close` ends it early."""

    def __init__(self, core: Core, call: Call) -> None:
        self.core, self.call = core, call
        share = Share(call.user, WEIGHTS[call.priority])
        meter = core.ledger.meter
        joules = meter.counter if meter.counts else None
        self.ticket = Ticket(core.turnstile, core.predictor, share, joules, core.batch)
        self._watch = Stopwatch(call.began, self.ticket)
        self._forms: dict[int, tuple[Any, list[int]]] = {}
        self._new_messages: list[dict[str, Any]] = []
        self._plan: Plan | None = None
        self._stream: Stream | None = None
        self._queued = 0.0
        self._undo = contextlib.ExitStack()
        self._closing = threading.Lock()
        self._told = False

    def start(self) -> None:
        """Plan, wait to be let in, and prepare the model's run."""
        call, core, ticket = self.call, self.core, self.ticket
        try:
            call.cancel.watch(ticket.cancel)
            self._undo.callback(call.cancel.unwatch, ticket.cancel)
            history = self._conversation()
            plan = self._make_plan(history, core.gate.expected_wait())
            self._queued = core.gate.enter(call.priority, call.user, ticket)
            let_in = time.perf_counter()
            self._undo.callback(
                lambda: core.gate.leave(call.user, (time.perf_counter() - let_in) * 1000)
            )
            if self._queued > 1:
                plan = self._make_plan(history, 0.0)  # time has passed, others have ended
            self._plan = plan
            ticket.prompt_tokens = plan.candidate.tokens
            ticket.place = plan.candidate.cached
            self._arm()
            core.load.add(ticket, plan.engine_ms)
            self._undo.callback(core.load.remove, ticket)
            core.turnstile.join(ticket.share)
            self._undo.callback(core.turnstile.leave, ticket.share)
            self._stream = self._run(plan)
            self._undo.callback(self._stream.close)
        except BaseException as error:
            self._end(None, error)
            raise

    def chunks(self) -> Generator[Chunk, None, Reply]:
        """The answer as it is made. Raises `BudgetExceeded` when the clock refuses it half way."""
        assert self._stream is not None
        watch = self._watch
        try:
            for chunk in self._stream:
                watch.saw(chunk)
                if chunk.finish_reason == "deadline" and self.ticket.passed == "first_token":
                    raise self._too_late()
                self._hold_pace()
                yield chunk
                watch.resume()
            reply = self._account(self._stream.reply)
        except BaseException as error:
            self._end(None, error)
            raise
        self._end(reply, None)
        return reply

    def _hold_pace(self) -> None:
        """End an answer that comes slower than it may, where the policy is to stop."""
        budget = self.call.budget
        if budget.per_token is None or budget.on_miss != "reject":
            return
        pace = self._watch.pace(LEAST_ANSWER)
        if pace is not None and pace > budget.per_token:
            self.ticket.stop_for("per_token")()

    def close(self) -> None:
        """Give everything back, if that has not been done. For answers nobody reads to the end."""
        self.ticket.cancel()
        self._end(None, GeneratorExit())

    def _conversation(self) -> History | None:
        call = self.call
        if call.kind == "generate":
            return None
        messages = chat_.normalize(call.prompt)
        if call.session is not None:
            session = self.core.sessions.get(call.session)
            self._undo.enter_context(session.turn())
            self._new_messages = messages
            messages = [*session.messages, *messages]
        return History(messages)

    def _make_plan(self, history: History | None, wait_ms: float) -> Plan:
        call, core, model = self.call, self.core, self.core.model
        check = checks.optional(checks.count(1))
        ask = Ask(
            budget=call.budget,
            max_tokens=check("max_tokens", call.sampling.get("max_tokens")),
            structured=call.response_format is not None or call.tools is not None,
            context=model.info.context,
            may_drop=history.droppable if history and core.history == "fit" else 0,
            price=core.ledger.estimate,
            cost_per_token=call.cost_per_token,
        )
        around = Surroundings(
            others=core.turnstile.active,
            joined=core.batch is not None,
            remaining_ms=core.load.remaining_ms,
            prefills_ms=core.load.prefills_ms,
            wait_ms=wait_ms,
            spent_ms=(time.perf_counter() - call.began) * 1000,
        )
        return make_plan(ask, lambda dropped: self._form(history, dropped), core.predictor, around)

    def _form(self, history: History | None, dropped: int) -> Candidate:
        if dropped not in self._forms:
            prompt = self.call.prompt if history is None else history.without(dropped)
            self._forms[dropped] = (
                prompt,
                self.core.model.prompt_ids(
                    prompt,
                    chat=history is not None,
                    tools=self.call.tools,
                    tool_choice=self.call.tool_choice,
                ),
            )
        ids = self._forms[dropped][1]
        return Candidate(dropped, len(ids), self.core.model.cached_prefix(ids))

    def _arm(self) -> None:
        budget, ticket, alarms = self.call.budget, self.ticket, self.core.alarms
        if budget.total is not None and budget.stops:
            moment = self.call.began + budget.total / 1000
            self._undo.callback(alarms.forget, alarms.at(moment, ticket.stop_for("total")))
        if budget.first_token is not None and budget.on_miss == "reject":
            ticket.first_by = self.call.began + budget.first_token / 1000
            number = alarms.at(ticket.first_by, ticket.stop_for("first_token"))
            self._undo.callback(alarms.forget, number)
        limit, plan = self.call.cost_per_token, self._plan
        if limit is not None and budget.stops:
            assert plan is not None
            room = self.core.model.info.context - plan.candidate.tokens
            most = room if plan.max_tokens is None else min(room, plan.max_tokens)
            ticket.spending = Spending(limit, max(1, most), self.core.ledger.estimate)

    def _run(self, plan: Plan) -> Stream:
        call, model = self.call, self.core.model
        prompt = self._forms[plan.candidate.dropped][0]
        more: dict[str, Any] = dict(call.sampling, cancel=self.ticket)
        if plan.max_tokens is not None:
            more["max_tokens"] = plan.max_tokens
        if call.safety_checks:
            more["safety_checks"] = call.safety_checks
        if call.response_format is not None:
            more["response_format"] = call.response_format
        if call.kind == "generate":
            return model.generate(prompt, stream=True, **more)
        return model.chat(
            prompt, stream=True, tools=call.tools, tool_choice=call.tool_choice, **more
        )

    def _account(self, reply: Reply) -> Reply:
        """The model's reply with what its budget came to and what it cost."""
        call, ticket, plan = self.call, self.ticket, self._plan
        assert plan is not None
        times = self._watch.times(reply.usage.completion_tokens)
        queued = self._queued + ticket.share.waited
        cost = self.core.ledger.charge(
            ticket.share.used,
            ticket.energy,
            reply.usage.completion_tokens,
            call.session,
            call.cost_per_token,
        )
        usage = replace(reply.usage, prompt_truncated=plan.candidate.dropped > 0)
        made = reply.usage.completion_tokens
        budget = budget_report(
            call.budget, plan, times, reply.finish_reason, queued, ended_for(ticket.passed, made)
        )
        if reply.finish_reason != "cancelled" and times.first_token is not None:
            self.core.predictor.observe_answer(
                max(0.0, self._watch.beside_ms - self._queued),
                self._watch.shown_after,
                reply.usage.completion_tokens,
            )
        reply = replace(reply, usage=usage, budget=budget, cost=cost)
        said = reply.finish_reason in ("stop", "length", "deadline") or (
            reply.finish_reason == "cancelled" and reply.text
        )
        if call.session is not None and said:
            ids = self._forms[plan.candidate.dropped][1]
            self.core.sessions.get(call.session).add([*self._new_messages, reply.message], ids)
        return reply

    def _too_late(self) -> BudgetExceeded:
        limit = self.call.budget.first_token
        took = self.ticket.prefill_ms + self.ticket.step_ms
        assert self._plan is not None
        return BudgetExceeded(
            f"the first token did not come within first_token={limit:g} ms, and on_miss is "
            f"'reject': the engine had worked {took:.0f} ms, {self._plan.engine_ms:.0f} were "
            f"foretold for the whole answer, {self._queued + self.ticket.share.waited:.0f} ms went "
            f"by waiting for others. Try again, raise the limit, or use on_miss='degrade'.",
            retry_after=self.core.load.remaining_ms / 1000,
        )

    def _end(self, reply: Reply | None, error: BaseException | None) -> None:
        with self._closing:
            if self._told:
                return
            self._told = True
        self._undo.close()
        total = (time.perf_counter() - self.call.began) * 1000
        outcome = Outcome(self.call, reply, error, self._plan, total)
        for observer in self.core.observers:
            try:
                observer(outcome)
            except Exception:
                # An answer is not lost for a fault of those who count it; the log has it.
                log.exception("the account of a request failed")
