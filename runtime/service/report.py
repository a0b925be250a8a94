"""What a budget came to: limits beside predictions beside what it took, and why one was missed."""

from __future__ import annotations

from edgeward.reply import Action, BudgetReport, Latency

from .budget import Budget
from .plan import Plan

OVERSHOOT = 15.0
"""Milliseconds after the deadline within which an answer that the clock ended counts as in time:
what the engine takes to stop, and the text to be finished."""


def ended_for(limit: str | None, made: int) -> Action | None:
    """What is told of an answer that was ended after `made` tokens, for its pace or its price."""
    if limit == "per_token":
        return Action("ended_for_pace", made)
    return Action("ended_for_cost", made) if limit == "cost_per_token" else None


def budget_report(
    budget: Budget,
    plan: Plan,
    actual: Latency,
    finish_reason: str,
    queued: float,
    ended: Action | None = None,
) -> BudgetReport:
    """The report of a finished request; `queued` milliseconds went by waiting for others.

    `ended`: why it was stopped, if not by the clock.
    """
    missed = []
    for name in ("first_token", "per_token", "total"):
        limit = getattr(budget, name)
        took = getattr(actual, name)
        if limit is None or took is None:
            continue
        allowed = limit + OVERSHOOT if name == "total" and finish_reason == "deadline" else limit
        if took > allowed:
            missed.append(_why(name, limit, took, getattr(plan.predicted, name), queued))
    if budget.first_token is not None and actual.first_token is None:
        missed += _nothing_shown(budget.first_token, actual.total, finish_reason)
    actions = plan.actions
    if queued >= 1:
        actions = (*actions, Action("queued", round(queued)))
    if ended is not None:
        actions = (*actions, ended)
    return BudgetReport(
        limits=budget.limits,
        on_miss=budget.on_miss,
        predicted=plan.predicted,
        actual=actual,
        met=not missed,
        missed=tuple(missed),
        actions=actions,
        queued=queued,
    )


def _why(name: str, limit: float, took: float, foretold: float | None, queued: float) -> str:
    said = f"{name} took {took:.1f} ms, {took - limit:.1f} over its limit of {limit:g}"
    if foretold is not None:
        said += f"; foretold were {foretold:.1f}"
    if queued > 0.5 * (took - limit):
        return f"{said}; {queued:.1f} ms went by waiting for other requests"
    if foretold is not None and took > 1.1 * foretold:
        return f"{said}; the device ran slower than its last runs let expect"
    return said


def _nothing_shown(limit: float, total: float | None, finish_reason: str) -> list[str]:
    """An empty answer kept the time to its first text if it ended in it."""
    if total is None or total <= limit:
        return []
    return [
        f"first_token: no text was shown in {total:.1f} ms ({finish_reason}); {limit:g} allowed"
    ]
