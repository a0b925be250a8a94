"""Plans keep to their target and spend bytes where they save most."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edgeward.errors import OptionError
from edgeward.quantize.plan import Choice, loss_of, matrix_bytes, size_of, under_bytes, under_loss
from edgeward.quantize.schemes.grids import Q4_0, Q4_1, Q8_0


def ladder(size: int, loss: float, *, exact: bool = False) -> list[Choice]:
    found = [
        Choice(Q4_0, False, 9 * size, loss),
        Choice(Q4_1, False, 10 * size, loss * 0.6),
        Choice(Q8_0, False, 17 * size, loss / 256),
    ]
    return [Choice(Q4_1, True, 10 * size, 0.0), *found] if exact else found


CHOICES = {"a": ladder(100, 0.5), "b": ladder(300, 0.1), "c": ladder(50, 0.4, exact=True)}


@pytest.mark.parametrize("most", [4050, 4300, 5000, 6000, 9000])
def test_a_size_is_kept_and_no_single_change_is_better(most: int) -> None:
    plan = under_bytes(CHOICES, most)
    assert size_of(plan) <= most
    best = min(
        sum(c.loss for c in some)
        for some in itertools.product(*CHOICES.values())
        if sum(c.bytes for c in some) <= most
    )
    # Greedy on the hull: within one step of the best there is.
    assert loss_of(plan) <= best + 0.25
    assert loss_of(under_bytes(CHOICES, most + 500)) <= loss_of(plan)


def test_a_loss_is_kept_with_few_bytes() -> None:
    plan = under_loss(CHOICES, 0.3)
    assert loss_of(plan) <= 0.3
    assert size_of(plan) < size_of(under_loss(CHOICES, 0.01))
    assert size_of(under_loss(CHOICES, 99)) == 4050
    # Out of reach: everything at its best.
    assert loss_of(under_loss(CHOICES, 0)) == pytest.approx(0.6 / 256)


def test_what_is_carried_over_exactly_comes_before_rounding() -> None:
    assert under_bytes(CHOICES, 4300)["c"].exact
    same = {"a": [Choice(Q4_1, True, 10, 0.0), Choice(Q4_1, False, 10, 0.0)]}
    assert under_bytes(same, 10)["a"].exact


def test_too_small_a_target_says_what_is_least() -> None:
    with pytest.raises(OptionError, match=r"take 0\.0 MB at least"):
        under_bytes(CHOICES, 4049)


def test_bytes_are_those_of_the_layout() -> None:
    for form, bits in ((Q4_0, 4.5), (Q4_1, 5.0), (Q8_0, 8.5)):
        assert matrix_bytes(form, 64, 96) * 8 == 64 * 96 * bits
    assert matrix_bytes(Q4_0, 17, 32) == matrix_bytes(Q4_0, 32, 32)
    assert np.isclose(matrix_bytes(Q4_0, 16, 32), 288)
