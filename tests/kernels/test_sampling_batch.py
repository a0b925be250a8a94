"""A batch draws what its rows draw alone, whatever the order and the neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeward.kernels import _native

SETTINGS: list[dict[str, Any]] = [
    {},
    {"temperature": 0.0},
    {"top_k": 5},
    {"top_p": 0.8},
    {"min_p": 0.1, "logit_bias": {3: 4.0}},
    {"typical_p": 0.7},
    {"repetition_penalty": 1.5, "dry_multiplier": 1.0},
    {"banned_ids": [0, 1, 2]},
]
ROWS, VOCABULARY = len(SETTINGS), 301


def samplers() -> list[_native.Sampler]:
    return [_native.Sampler(VOCABULARY, seed=i, **s) for i, s in enumerate(SETTINGS)]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("writable", [False, True])
def test_a_batch_equals_its_rows_alone(masked: bool, writable: bool) -> None:
    rng = np.random.default_rng(6)
    together, alone, backwards = samplers(), samplers(), samplers()
    for step in range(30):
        x = rng.normal(0, 2, (ROWS, VOCABULARY)).astype(np.float32)
        before = x.copy()
        x.flags.writeable = writable
        allowed = rng.integers(0, 2**32, (ROWS, 10), dtype=np.uint32) if masked else None
        positions = [step + 10 * row for row in range(ROWS)]
        drawn = _native.sample_batch(together, x, positions, allowed)
        assert drawn == [
            sampler.sample(x[row].copy(), positions[row], allowed[row] if masked else None)
            for row, sampler in enumerate(alone)
        ]
        back = allowed[::-1].copy() if allowed is not None else None
        turned = _native.sample_batch(backwards[::-1], x[::-1].copy(), positions[::-1], back)
        assert turned[::-1] == drawn
        assert x.tobytes() == before.tobytes()
        for group in (together, alone, backwards):
            for sampler, token in zip(group, drawn, strict=True):
                sampler.observe(token)


def test_an_empty_batch_is_empty() -> None:
    assert _native.sample_batch([], np.zeros((0, 5), dtype=np.float32), []) == []


def test_errors_name_the_row() -> None:
    x = np.zeros((3, 8), dtype=np.float32)
    three = [_native.Sampler(8) for _ in range(3)]
    x[1, 6] = np.nan
    with pytest.raises(ValueError, match=r"row 1: logits\[6\] is NaN"):
        _native.sample_batch(three, x, [0, 0, 0])
    x[1, 6] = 0
    assert len(_native.sample_batch(three, x, [0, 0, 0])) == 3  # still usable


def test_lists_that_do_not_fit_are_refused() -> None:
    x = np.zeros((2, 8), dtype=np.float32)
    one, two = _native.Sampler(8), _native.Sampler(8)
    with pytest.raises(ValueError, match=r"positions has 1 entries; .* 2 samplers"):
        _native.sample_batch([one, two], x, [0])
    with pytest.raises(ValueError, match=r"samplers\[1\] is in the list twice"):
        _native.sample_batch([one, one], x, [0, 0])
    with pytest.raises(ValueError, match=r"samplers\[1\] has a vocabulary of 9"):
        _native.sample_batch([one, _native.Sampler(9)], x, [0, 0])
    with pytest.raises(ValueError, match=r"samplers\[1\] is None"):
        _native.sample_batch([one, None], x, [0, 0])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"float32 array of shape \(2, 8\)"):
        _native.sample_batch([one, two], np.zeros((2, 9), dtype=np.float32)[:, :8], [0, 0])
    with pytest.raises(ValueError, match=r"uint32 array of shape \(2, 1\)"):
        _native.sample_batch([one, two], x, [0, 0], np.zeros((1, 1), dtype=np.uint32))
    with pytest.raises(ValueError, match="position is -5"):
        _native.sample_batch([one, two], x, [0, -5])
