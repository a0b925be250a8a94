"""Threads that give results in order and hold few."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from edgeward.bulk.pump import ordered


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_order(threads: int) -> None:
    def work(n: int) -> int:
        time.sleep(0.002 * (n % 3))
        return n * n

    assert list(ordered(work, range(40), threads)) == [n * n for n in range(40)]


def test_few_are_begun_beyond_what_is_taken() -> None:
    begun = 0

    def things() -> Iterator[int]:
        nonlocal begun
        for n in range(1000):
            begun = n + 1
            yield n

    results = ordered(lambda n: n, things(), 2)
    for taken in range(1, 20):
        next(results)
        assert begun <= taken + 6
    results.close()


def test_an_error_ends_it_and_stops_the_others() -> None:
    stopped = threading.Event()

    def work(n: int) -> int:
        if n == 3:
            raise ValueError("three")
        if n > 3:
            assert stopped.wait(20)
        return n

    results = ordered(work, range(100), 2, stopped.set)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert stopped.is_set()


def test_a_caller_that_goes_away_stops_them() -> None:
    stopped = threading.Event()
    results = ordered(lambda n: n == 0 or stopped.wait(20), range(100), 2, stopped.set)
    assert next(results)
    results.close()
    assert stopped.is_set()
