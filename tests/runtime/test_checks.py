"""Checks of argument values return plain types and refuse with name, value and range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeward import checks
from edgeward.errors import OptionError


@pytest.mark.parametrize(
    ("check", "value", "plain"),
    [
        (checks.number(0, 1), np.float32(0.5), 0.5),
        (checks.number(0, 1), 1, 1.0),
        (checks.whole(0, 9, "0 to 9"), np.int8(9), 9),
        (checks.count(1), 1, 1),
        (checks.count_or_off, -1, 0),
        (checks.optional(checks.count(1)), None, None),
        (checks.flag, False, False),
        (checks.strings, "a", ("a",)),
        (checks.strings, ["a", "b"], ("a", "b")),
        (checks.token_ids, range(3), (0, 1, 2)),
        (checks.token_sequences, [[1], (2, 3)], ((1,), (2, 3))),
        (checks.token_numbers(checks.number(-1, 1)), {"7": 1, 8: 0.5}, {7: 1.0, 8: 0.5}),
    ],
)
def test_a_legal_value_is_made_plain(check: checks.Check, value: Any, plain: Any) -> None:
    got = check("x", value)
    assert got == plain
    assert type(got) is type(plain)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (checks.number(0, 1), 1.1),
        (checks.number(0, 1), float("nan")),
        (checks.number(0, 1, above=True), 0),
        (checks.number(0, 1), True),
        (checks.number(0, 1), 1j),
        (checks.whole(0, 9, "0 to 9"), 10),
        (checks.count(1), 2.0),
        (checks.count(1), 2**63),
        (checks.count_or_off, -2),
        (checks.flag, 0),
        (checks.strings, b"a"),
        (checks.strings, {"a"}),
        (checks.token_ids, "12"),
        (checks.token_ids, [1.5]),
        (checks.token_sequences, [[]]),
        (checks.token_sequences, [1]),
        (checks.token_numbers(checks.number(-1, 1)), {"1": 2}),
        (checks.token_numbers(checks.number(-1, 1)), {"9" * 5000: 1}),
        (checks.token_numbers(checks.number(-1, 1)), {"²": 1}),
    ],
)
def test_another_value_is_refused_by_name(check: checks.Check, value: Any) -> None:
    with pytest.raises(OptionError, match=r"knob.* is .*; it must be "):
        check("knob", value)
