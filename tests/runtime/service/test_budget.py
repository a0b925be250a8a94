"""Limits are checked when they are given, not when they are missed."""

from __future__ import annotations

from typing import Any

import pytest

from edgeward.errors import OptionError
from edgeward.service.budget import NO_BUDGET, Budget, budget_of


def test_a_number_is_the_time_to_the_first_token() -> None:
    assert budget_of(100) == Budget(first_token=100)
    assert budget_of(None) == NO_BUDGET
    assert budget_of(Budget(total=5, on_miss="reject")).total == 5.0


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e12, True, "100"])
@pytest.mark.parametrize("name", ["first_token", "per_token", "total"])
def test_a_limit_out_of_range_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=f"{name} is"):
        Budget(**{name: value})


def test_an_unknown_policy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match="'degrade', 'reject' or 'report'"):
        Budget(first_token=1, on_miss="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["100", True, [100]])
def test_a_budget_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(OptionError, match="latency_budget"):
        budget_of(value)
