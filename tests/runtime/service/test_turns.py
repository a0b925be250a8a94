"""Turns at the engine are one at a time, fair by user, weighted by priority, and can be left."""

from __future__ import annotations

import threading
import time

import pytest

from edgeward.service.turns import Share, Turnstile, Waiter


def busy(turnstile: Turnstile, share: Share, ms: float, until: threading.Event) -> None:
    """Take turns that count as `ms` each, as fast as they are to be had."""
    waiter = Waiter()
    while not until.is_set():
        turn = turnstile.enter(share, waiter)
        if turn is not None:
            time.sleep(0.0005)
            turnstile.exit(turn, ms)


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
            turn = turnstile.enter(share, waiter)
            assert turn is not None
            inside.append(1)
            worst.append(len(inside))
            inside.pop()
            turnstile.exit(turn, 1.0)
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
    turn = turnstile.enter(holder, Waiter())
    assert turn is not None
    waiter, granted = Waiter(), []
    thread = threading.Thread(target=lambda: granted.append(turnstile.enter(other, waiter)))
    thread.start()
    time.sleep(0.05)
    waiter.call_off()
    thread.join(5)
    assert granted == [None]
    turnstile.exit(turn, 1.0)
    assert turnstile.enter(holder, Waiter())  # nobody stands in the way


def stepper(
    turnstile: Turnstile, share: Share, steps: int, groups: list[set[Share]], pause: float = 0.0
) -> threading.Thread:
    """A thread that takes `steps` turns that may be joined, and notes the groups it leads."""

    def work() -> None:
        waiter = Waiter()
        turnstile.join(share)
        for _ in range(steps):
            time.sleep(pause)
            turn = turnstile.enter(share, waiter, joins=True)
            assert turn is not None
            if turn.state == "leads":
                groups.append({one.share for one in turn.group})
                time.sleep(0.005)
                turnstile.exit(turn, 8.0)
        turnstile.leave(share)

    return threading.Thread(target=work)


def test_steps_of_several_requests_go_in_one_run_and_share_its_price() -> None:
    turnstile, shares, groups = Turnstile(), [Share(str(i)) for i in range(4)], []
    threads = [stepper(turnstile, share, 50, groups) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(group) for group in groups) == 200
    assert max(len(group) for group in groups) == 4
    assert turnstile.busy_ms == 8.0 * len(groups)
    assert sum(share.used for share in shares) == pytest.approx(turnstile.busy_ms)
    assert turnstile.active == 0


def test_one_who_is_slow_to_come_back_does_not_stop_the_others() -> None:
    turnstile, groups = Turnstile(), []
    slow, quick = Share("a"), Share("b")
    first = stepper(turnstile, slow, 5, groups, pause=0.5)
    second = stepper(turnstile, quick, 60, groups)
    first.start()
    second.start()
    second.join()
    assert first.is_alive()  # its pauses alone take 2.5 seconds, the other did not wait for it
    first.join()
    assert sum(len(group) for group in groups) == 65


def test_a_run_that_fails_tells_all_of_its_group() -> None:
    turnstile, shares, told = Turnstile(), [Share(str(i)) for i in range(3)], []
    holder = turnstile.enter(Share("x"), Waiter())
    assert holder is not None

    def work(share: Share) -> None:
        turnstile.join(share)
        turn = turnstile.enter(share, Waiter(), joins=True)
        assert turn is not None
        error = MemoryError() if turn.state == "leads" else turn.error
        if turn.state == "leads":
            turnstile.exit(turn, 1.0, error=error)
        told.append(type(error))
        turnstile.leave(share)

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    turnstile.exit(holder, 1.0)
    for thread in threads:
        thread.join(5)
    assert told == [MemoryError] * 3


def test_one_that_rides_is_not_torn_out_of_its_run() -> None:
    turnstile, leader, rider = Turnstile(), Share("a"), Share("b")
    holder = turnstile.enter(Share("x"), Waiter())
    assert holder is not None
    for share in (leader, rider):
        turnstile.join(share)
    waiters = {leader: Waiter(), rider: Waiter()}
    ended, running, go_on = [], threading.Event(), threading.Event()

    def work(share: Share) -> None:
        turn = turnstile.enter(share, waiters[share], joins=True)
        assert turn is not None
        if turn.state == "leads":
            for one in turn.group:
                if one is not turn:
                    waiters[one.share].call_off()
            running.set()
            go_on.wait(5)
            turnstile.exit(turn, 1.0)
        ended.append(turn.state)

    threads = [threading.Thread(target=work, args=(share,)) for share in (leader, rider)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    turnstile.exit(holder, 1.0)
    assert running.wait(5)
    time.sleep(0.05)
    assert ended == []
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert sorted(ended) == ["leads", "over"]
