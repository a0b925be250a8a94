"""Turns at the engine are one at a time, fair by user, weighted by priority, and can be left."""

from __future__ import annotations

import threading
import time

from edgeward.service.turns import Share, Turnstile, Waiter


def busy(turnstile: Turnstile, share: Share, ms: float, until: threading.Event) -> None:
    """Take turns that count as `ms` each, as fast as they are to be had."""
    waiter = Waiter()
    while not until.is_set():
        if turnstile.enter(share, waiter):
            time.sleep(0.0005)
            turnstile.exit(share, ms)


def compete(*who: tuple[Share, float], seconds: float = 0.4) -> None:
    turnstile, until = Turnstile(), threading.Event()
    for share, _ in who:
        turnstile.join(share)
    threads = [threading.Thread(target=busy, args=(turnstile, s, ms, until)) for s, ms in who]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    until.set()
    for thread in threads:
        thread.join()


def test_short_and_long_turns_get_equal_time() -> None:
    long, short = Share("a"), Share("b")
    compete((long, 60.0), (short, 10.0))
    assert 0.7 < long.used / short.used < 1.4


def test_many_requests_of_one_user_count_as_one() -> None:
    crowd = [Share("a") for _ in range(4)]
    single = Share("b")
    compete(*((s, 10.0) for s in crowd), (single, 10.0))
    assert 0.7 < sum(s.used for s in crowd) / single.used < 1.4
    assert min(s.used for s in crowd) > 0.5 * max(s.used for s in crowd)


def test_priority_is_a_share_not_a_right() -> None:
    high, low = Share("a", weight=4.0), Share("b", weight=1.0)
    compete((high, 10.0), (low, 10.0))
    assert 2.5 < high.used / low.used < 6


def test_a_newcomer_neither_waits_for_the_past_nor_profits_from_it() -> None:
    turnstile, old, new = Turnstile(), Share("a"), Share("b")
    turnstile.join(old)
    until = threading.Event()
    first = threading.Thread(target=busy, args=(turnstile, old, 10.0, until))
    first.start()
    time.sleep(0.1)
    before = old.used
    turnstile.join(new)
    second = threading.Thread(target=busy, args=(turnstile, new, 10.0, until))
    second.start()
    time.sleep(0.3)
    until.set()
    first.join()
    second.join()
    assert before > 100
    assert 0.6 < (old.used - before) / new.used < 1.6


def test_never_two_at_once() -> None:
    turnstile, inside, worst = Turnstile(), [], []

    def work() -> None:
        share, waiter = Share(""), Waiter()
        turnstile.join(share)
        for _ in range(100):
            assert turnstile.enter(share, waiter)
            inside.append(1)
            worst.append(len(inside))
            inside.pop()
            turnstile.exit(share, 1.0)
        turnstile.leave(share)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(worst) == 1
    assert turnstile.active == 0
    assert turnstile.busy_ms == 800


def test_a_waiting_request_can_be_called_off() -> None:
    turnstile, holder, other = Turnstile(), Share("a"), Share("b")
    turnstile.join(holder)
    turnstile.join(other)
    assert turnstile.enter(holder, Waiter())
    waiter, granted = Waiter(), []
    thread = threading.Thread(target=lambda: granted.append(turnstile.enter(other, waiter)))
    thread.start()
    time.sleep(0.05)
    waiter.call_off()
    thread.join(5)
    assert granted == [False]
    turnstile.exit(holder, 1.0)
    assert turnstile.enter(holder, Waiter())  # nobody stands in the way
