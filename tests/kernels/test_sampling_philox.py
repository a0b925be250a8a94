"""The random numbers are Philox4x32-10: the published known answers of its authors (Random123)."""

from __future__ import annotations

import random

import pytest

from edgeward.kernels import _native, reference

KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_the_published_answers(counter: str, key: str, answer: str) -> None:
    assert _native.philox4x32_10(words(counter), words(key)) == words(answer)
    assert list(reference.philox4x32_10(words(counter), words(key))) == words(answer)


def test_the_twin_agrees_on_random_counters() -> None:
    source = random.Random(1)
    for _ in range(200):
        counter, key = ([source.getrandbits(32) for _ in range(n)] for n in (4, 2))
        assert _native.philox4x32_10(counter, key) == list(reference.philox4x32_10(counter, key))
