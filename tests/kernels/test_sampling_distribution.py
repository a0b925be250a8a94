"""Frequencies follow the exact distribution, and nothing outside its support is ever drawn."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeward.kernels import _native, reference

DRAWS = 40_000
DRAWS_OF_MANY = 6_000
"""From tens of thousands of tokens: most bins are merged anyway."""
GOLDEN = Path(__file__).parent.parent / "data" / "golden" / "logits.npz"
"""Of a model, by tools/make_logits_golden.py."""

SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "cold": {"temperature": 0.5},
    "hot": {"temperature": 2.0},
    "top_k": {"top_k": 7},
    "top_p": {"top_p": 0.8},
    "top_p small": {"top_p": 0.1},
    "min_p": {"min_p": 0.1},
    "typical_p": {"typical_p": 0.7},
    "top_k top_p": {"top_k": 12, "top_p": 0.9},
    "min_p top_p": {"min_p": 0.03, "top_p": 0.75, "temperature": 1.4},
    "top_n_sigma": {"top_n_sigma": 1.2},
    "xtc": {"xtc_probability": 0.4, "xtc_threshold": 0.02},
    "xtc top_p": {"xtc_probability": 0.5, "xtc_threshold": 0.06, "top_p": 0.7},
    "mirostat": {"mirostat_tau": 1.1, "mirostat_eta": 0.0},
    "typical_p top_p": {"typical_p": 0.9, "top_p": 0.9},
    "all": {"min_p": 0.01, "top_k": 30, "typical_p": 0.95, "top_p": 0.9, "temperature": 1.2},
    "penalties": {
        "repetition_penalty": 1.3,
        "frequency_penalty": 0.4,
        "presence_penalty": 0.3,
        "logit_bias": {2: 1.0, 5: -1.0},
        "banned_ids": [3],
        "top_p": 0.95,
    },
}

LOGITS: dict[str, NDArray[np.float32]] = {
    "real": np.random.default_rng(1).normal(0, 1.5, 300).astype(np.float32),
    "peaked": np.array([9, 5, 4.5, 4, 3, 1, 0, -2, -np.inf, -40], dtype=np.float32),
    "flat": np.zeros(40, dtype=np.float32),
    "tied": np.repeat(np.array([2, 1, 0, -1], dtype=np.float32), 9)[::-1].copy(),
}

with np.load(GOLDEN) as _rows:
    LOGITS |= {f"model, {name}": _rows[name].astype(np.float32) for name in _rows}


def chi_square_z(counts: NDArray[np.int64], p: NDArray[np.float64]) -> float:
    """The chi-square statistic as a standard normal (Wilson and Hilferty); rare bins are merged."""
    expected = p * counts.sum()
    common = expected >= 5
    seen, hoped = counts[common], expected[common]
    if not common.all():
        seen = np.append(seen, counts[~common].sum())
        hoped = np.append(hoped, expected[~common].sum())
    full = hoped > 0
    seen, hoped = seen[full], hoped[full]
    freedom = len(seen) - 1
    if freedom == 0:
        return 0.0
    statistic = float((((seen - hoped) ** 2) / hoped).sum())
    spread = 2 / (9 * freedom)
    return ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)


@pytest.mark.parametrize("logits", LOGITS.values(), ids=LOGITS.keys())
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_frequencies_follow_the_exact_distribution(
    logits: NDArray[np.float32], setting: dict[str, Any]
) -> None:
    size = len(logits)
    native = _native.Sampler(size, seed=2024, **setting)
    twin = reference.Sampler(size, **setting)
    for sampler in (native, twin):
        sampler.observe_prompt([1, 2])
        for token in (4, 4, 6):
            sampler.observe(token)
    exact = twin.probabilities(logits)
    draws = DRAWS if size < 1000 else DRAWS_OF_MANY
    drawn = [native.sample(logits, position) for position in range(draws)]
    counts = np.bincount(drawn, minlength=size)
    assert not counts[exact == 0].any()
    assert chi_square_z(counts, exact) < 4  # one chance in 30,000; the seed is fixed


def test_the_check_itself_sees_a_wrong_distribution() -> None:
    logits = LOGITS["real"]
    native = _native.Sampler(len(logits), seed=2024)
    drawn = [native.sample(logits, position) for position in range(DRAWS)]
    wrong = reference.Sampler(len(logits), temperature=1.1).probabilities(logits)
    assert chi_square_z(np.bincount(drawn, minlength=len(logits)), wrong) > 6


@pytest.mark.parametrize(
    "setting", [{"top_p": 0.6}, {"top_k": 9}, {"min_p": 0.2}, {"typical_p": 0.4}]
)
def test_ties_are_cut_by_lower_id(setting: dict[str, Any]) -> None:
    logits = np.zeros(10, dtype=np.float32)
    native = _native.Sampler(10, **setting)
    drawn = {native.sample(logits, position) for position in range(2000)}
    kept = {"top_p": 6, "top_k": 9, "min_p": 10, "typical_p": 4}[next(iter(setting))]
    assert drawn == set(range(kept))


def test_streams_of_neighbouring_seeds_and_positions_are_unrelated() -> None:
    logits = np.zeros(2, dtype=np.float32)
    rows = np.array(
        [[_native.Sampler(2, seed=s).sample(logits, p) for p in range(200)] for s in range(200)]
    )
    for neighbours in (rows[1:] == rows[:-1], rows[:, 1:] == rows[:, :-1]):
        share = float(neighbours.mean())
        assert abs(share - 0.5) < 4 * 0.5 / math.sqrt(neighbours.size)
