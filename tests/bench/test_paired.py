"""The signed-rank test against its definition by enumeration, and its interval."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edgeward.bench.paired import MOST, holm, signed_rank


def enumerated_p(differences: list[float]) -> float:
    """Share of all sign patterns whose rank sum is as far from the middle."""
    ranks = np.argsort(np.argsort(np.abs(differences))) + 1
    middle = ranks.sum() / 2
    far = abs(ranks[np.asarray(differences) > 0].sum() - middle)
    signs = itertools.product((0, 1), repeat=len(differences))
    sums = [abs((ranks * np.asarray(s)).sum() - middle) for s in signs]
    return float(np.mean([s >= far - 1e-9 for s in sums]))


@pytest.mark.parametrize("seed", range(6))
def test_p_is_the_share_of_sign_patterns(seed: int) -> None:
    differences = np.random.default_rng(seed).normal(0.4, 1, 10).tolist()
    assert signed_rank(differences).p == pytest.approx(enumerated_p(differences))


def test_the_interval_holds_what_the_test_does_not_refuse() -> None:
    differences = np.random.default_rng(1).normal(0.3, 1, 20)
    found = signed_rank(differences)
    assert found.low < found.value < found.high
    for edge, outwards in ((found.low, -1), (found.high, 1)):
        assert signed_rank(differences - (edge - outwards * 1e-6)).p > 0.05
        assert signed_rank(differences - (edge + outwards * 1e-6)).p <= 0.05


def test_few_differences_have_no_interval_and_are_never_significant() -> None:
    found = signed_rank([1.0, 2.0, 3.0])
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert found.p == pytest.approx(0.25)


def test_equal_things_have_p_one() -> None:
    assert signed_rank([0.0] * 12).p == 1.0


def test_long_lists_are_averaged_by_neighbours() -> None:
    differences = np.random.default_rng(2).normal(0, 1, 5 * MOST)
    found = signed_rank(differences)
    assert found.count == 5 * MOST
    assert abs(found.value) < 0.1


@pytest.mark.parametrize("wrong", [[], [1.0, float("nan")]])
def test_what_cannot_be_tested_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="differences"):
        signed_rank(wrong)


def test_holm_corrects_the_smallest_most_and_keeps_the_order() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
