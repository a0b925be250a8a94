"""Before anything is computed: what will be run, how long it will take, what is given up for it.

The ladder, in this order, each step only when the one before is not enough: (1) what is cached of
the prompt is used (it always is), (2) the oldest turns of a conversation are dropped, (3) the
answer is made shorter, (4) the request is refused.

Knows: prompts as ids, predictions, limits. Does not know: engines, threads, answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgeward.errors import BudgetExceeded, ContextOverflow
from edgeward.reply import Action, Latency

from .budget import Budget
from .predictor import Predictor
from .ticket import QUANTUM_ALONE, QUANTUM_SHARED, chunk_within

LEAST_ANSWER = 8
"""Tokens of an answer that is worth beginning, where a request does not ask for fewer."""
_CLOSING = 0.8
"""Share of the time left that a structured answer plans with: it must be able to close."""


@dataclass(frozen=True)
class Surroundings:
    """What goes on when a request comes."""

    others: int
    """Requests that take turns at the engine."""
    joined: bool
    """Their decode steps are computed together with this one's."""
    remaining_ms: float
    """Engine time that these are foretold to need."""
    prefills_ms: tuple[float, ...]
    """Of those of them whose prompt is not computed yet, the time it needs."""
    wait_ms: float
    """Time until this one may take turns."""
    spent_ms: float
    """Time since the call."""


@dataclass(frozen=True)
class Candidate:
    """One form of the prompt: `tokens` long, of which `cached` are held."""

    dropped: int
    tokens: int
    cached: int


@dataclass(frozen=True)
class Ask:
    """What is wanted, and of which kind."""

    budget: Budget
    max_tokens: int | None
    structured: bool
    """The answer obeys a grammar and must be able to close."""
    context: int
    may_drop: int
    """Oldest turns that may go."""
    price: Callable[[float], float]
    """What so many milliseconds of the engine cost."""
    cost_per_token: float | None = None


@dataclass(frozen=True)
class Plan:
    """What will be run."""

    candidate: Candidate
    max_tokens: int | None
    predicted: Latency
    engine_ms: float
    """Engine time foretold for prompt and a common answer."""
    actions: tuple[Action, ...]


def make_plan(
    ask: Ask, form: Callable[[int], Candidate], predictor: Predictor, around: Surroundings
) -> Plan:
    """Choose the form of the prompt (`form(n)` is the one without its n oldest turns).

    Raises `BudgetExceeded` when no form fits the limits, `ContextOverflow` when none fits the
    context; a policy of "report" raises only the latter.
    """
    planner = _Planner(ask, predictor, around)
    whole = form(0)
    in_context = _first(planner.in_context, form, whole, ask.may_drop)
    if in_context is None:
        in_context = form(ask.may_drop)
        if in_context.tokens >= ask.context:
            raise ContextOverflow(
                f"the prompt has {in_context.tokens} tokens{_without(in_context)}; the context "
                f"holds {ask.context} and must leave room for at least one more. Shorten the last "
                f"message, or load the model with a larger context."
            )
    chosen: Candidate | None = in_context
    if ask.budget.stops and not planner.fits(in_context):
        may_drop = ask.may_drop if ask.budget.on_miss == "degrade" else in_context.dropped
        chosen = _first(planner.fits, form, in_context, may_drop)
        if chosen is None:
            raise planner.refusal(form(may_drop))
    assert chosen is not None
    return planner.plan(chosen)


def _first(
    fits: Callable[[Candidate], bool],
    form: Callable[[int], Candidate],
    start: Candidate,
    last: int,
) -> Candidate | None:
    """The form that drops least and fits, beginning with `start`; None when none does.

    After the first form each dropped turn makes a prompt shorter, so the border is searched by
    halves. (The first may be the fastest one all the same: it is what the cache holds.)
    """
    if fits(start):
        return start
    low, high = start.dropped + 1, last
    if low > high or not fits(form(high)):
        return None
    while low < high:
        middle = (low + high) // 2
        if fits(form(middle)):
            high = middle
        else:
            low = middle + 1
    return form(low)


def _without(c: Candidate) -> str:
    return f" without its {c.dropped} oldest turns" if c.dropped else ""


class _Planner:
    def __init__(self, ask: Ask, predictor: Predictor, around: Surroundings) -> None:
        self.ask, self.predictor, self.around = ask, predictor, around
        self.room = min(ask.max_tokens or LEAST_ANSWER, max(1, ask.context // 4))
        self.chunk = chunk_within(predictor, QUANTUM_SHARED if around.others else QUANTUM_ALONE)

    def in_context(self, c: Candidate) -> bool:
        """A prompt that cannot get shorter is content with room for one token."""
        room = self.room if c.dropped < self.ask.may_drop else 1
        return c.tokens + room <= self.ask.context

    def first_token(self, c: Candidate, *, sure: bool) -> float:
        """Milliseconds from the call to the first text."""
        around, predictor = self.around, self.predictor
        prefill = predictor.prefill(c.tokens - c.cached, c.cached, self.chunk, sure=sure)
        shown = predictor.held_back * self.step(c, sure=sure)
        if not around.joined:
            # Turns for all: as many times longer, but no longer than what the others still need.
            alone = predictor.beside(sure=sure) + prefill
            mine = min(alone * (1.0 + around.others), alone + around.remaining_ms)
            return around.spent_ms + around.wait_ms + mine + shown
        # Prompts take turns, and between two of their runs there is a step of all answers.
        prefill += sum(min(prefill, ms) for ms in around.prefills_ms)
        answers = max(0, around.others - len(around.prefills_ms))
        if answers:
            runs = 1 + int(prefill / QUANTUM_SHARED)
            prefill += runs * predictor.step(c.tokens, answers, sure=sure)
        spent = around.spent_ms + around.wait_ms + predictor.beside(sure=sure)
        return spent + prefill + shown

    @property
    def rows(self) -> int:
        """Answers that a step is computed for together."""
        return 1 + self.around.others if self.around.joined else 1

    def step(self, c: Candidate, *, sure: bool = False) -> float:
        turns = 1.0 if self.around.joined else 1.0 + self.around.others
        return turns * self.predictor.step(c.tokens, self.rows, sure=sure)

    def answer(self, c: Candidate) -> int:
        """Tokens of answer that fit into `total` behind this prompt."""
        total = self.ask.budget.total
        assert total is not None
        left = total - self.first_token(c, sure=True)
        if not self.around.joined:
            left /= 1.0 + self.around.others
        share = _CLOSING if self.ask.structured else 1.0
        return 1 + self.predictor.fit(left * share, c.tokens, self.rows) if left > 0 else 0

    def misses(self, c: Candidate) -> list[str]:
        """The limits that this prompt will not keep, each with its figures."""
        budget, found = self.ask.budget, list[str]()
        first = self.first_token(c, sure=True)
        if budget.first_token is not None and first > budget.first_token:
            found.append(f"first_token {budget.first_token:g} ms, foretold {first:.0f}")
        step = self.step(c, sure=True)
        if budget.per_token is not None and step > budget.per_token:
            found.append(f"per_token {budget.per_token:g} ms, foretold {step:.1f}")
        if budget.total is not None:
            need = min(self.ask.max_tokens or LEAST_ANSWER, LEAST_ANSWER)
            if budget.on_miss == "reject":
                need = self.ask.max_tokens or need
            if self.answer(c) < need:
                ms = first + (need - 1) * self.step(c)
                found.append(f"total {budget.total:g} ms, foretold {ms:.0f} for {need} tokens")
        limit = self.ask.cost_per_token
        if limit is not None and (cost := self.cost_per_token(c)) > limit:
            found.append(f"cost_per_token {limit:g}, foretold {cost:.3g}")
        return found

    def common(self, c: Candidate) -> int:
        """Tokens that the answer will have if it is a common one."""
        left = self.ask.context - c.tokens
        most = left if self.ask.max_tokens is None else min(left, self.ask.max_tokens)
        return max(1, min(most, self.predictor.answer_tokens))

    def engine_ms(self, c: Candidate) -> float:
        """Engine time for prompt and a common answer: its part of what it shares with others."""
        prefill = self.predictor.prefill(c.tokens - c.cached, c.cached, self.chunk)
        return prefill + self.common(c) * self.predictor.step(c.tokens, self.rows) / self.rows

    def cost_per_token(self, c: Candidate) -> float:
        return self.ask.price(self.engine_ms(c)) / self.common(c)

    def fits(self, c: Candidate) -> bool:
        return self.in_context(c) and not self.misses(c)

    def refusal(self, c: Candidate) -> BudgetExceeded:
        around, told = self.around, "; ".join(self.misses(c))
        busy = around.wait_ms + around.remaining_ms
        advice = "shorten the prompt, raise the limit, or allow it with on_miss='report'"
        if busy > 0:
            advice = f"try again in {busy / 1000:.1f} s when {around.others} others are done, or "
            advice += "raise the limit"
        return BudgetExceeded(
            f"a prompt of {c.tokens} tokens ({c.cached} of them cached){_without(c)} does not "
            f"keep the limits on this device: {told}; {advice}.",
            retry_after=busy / 1000 if busy > 0 else None,
        )

    def plan(self, c: Candidate) -> Plan:
        ask, actions, max_tokens = self.ask, [], self.ask.max_tokens
        if c.cached:
            actions.append(Action("reused_prefix", c.cached))
        if c.dropped:
            actions.append(Action("dropped_turns", c.dropped))
        left = ask.context - c.tokens
        most = left if max_tokens is None else min(left, max_tokens)
        if ask.budget.total is not None and ask.budget.stops:
            answer = max(1, self.answer(c))
            if answer < most and ask.structured:
                # A text can be ended at the deadline by the clock; a JSON value must be closed.
                max_tokens = answer
                actions.append(Action("shorter_answer", answer))
        first, step = self.first_token(c, sure=False), self.step(c)
        longest = None if ask.max_tokens is None else first + (most - 1) * step
        return Plan(
            c,
            max_tokens,
            Latency(first, step, longest),
            self.engine_ms(c),
            tuple(actions),
        )
