"""Work aside: every request is answered once, in any rhythm, and failures come to the caller."""

from __future__ import annotations

import threading
import time

import pytest

from edgeward.structure.aside import IDLE, LOOKS, PENDING, Aside, _Rhythm


def test_each_request_is_answered_once_in_any_rhythm() -> None:
    done: list[int] = []
    aside = Aside(lambda: done.append(0) or len(done), "test")
    # Even steps, a pause longer than all looks, steps too quick to be foreseen, even ones again.
    for number, pause in enumerate([0.003] * 12 + [0.1] + [0.0] * 300 + [0.003] * 12, 1):
        aside.begin()
        time.sleep(pause)
        assert aside.wait() == number
        assert aside.answer is IDLE
    aside.close()
    assert len(done) == 325


def test_the_work_begins_without_being_woken_once_the_rhythm_is_known() -> None:
    began = threading.Event()
    aside = Aside(began.set, "test")
    for _ in range(8):
        began.clear()
        aside.begin()
        # Nobody waits, so nobody wakes it but its own alarm.
        assert began.wait(30)
        time.sleep(0.005)
        aside.wait()
    aside.close()


def test_a_failure_comes_out_of_wait() -> None:
    def fail() -> None:
        raise KeyError("no such state")

    aside = Aside(fail, "test")
    aside.begin()
    with pytest.raises(KeyError, match="no such state"):
        aside.wait()
    aside.close()


def test_close_ends_the_thread_also_while_it_pauses() -> None:
    aside = Aside(lambda: None, "edgeward-closing")
    for _ in range(5):
        aside.begin()
        aside.wait()
        time.sleep(0.001)
    aside.close()
    assert "edgeward-closing" not in {thread.name for thread in threading.enumerate()}


def test_close_waits_for_what_was_begun() -> None:
    done: list[bool] = []
    aside = Aside(lambda: done.append(True), "test")
    aside.begin()
    aside.close()
    assert done == [True]
    assert aside.answer is not PENDING


def test_the_rhythm_leaves_a_prefill_out_and_believes_longer_intervals_slowly() -> None:
    rhythm, now = _Rhythm(), time.perf_counter()
    for begun in (0.0, 0.5):  # the prefill
        rhythm.note(now + begun)
        assert rhythm.pauses() == []
    rhythm.note(now + 0.51)
    first, *others = rhythm.pauses()
    assert first == pytest.approx(0.51 + 1.1 * 0.01, abs=0.1)
    assert others == [pytest.approx(0.001)] * (LOOKS - 1)
    rhythm.note(now + 0.61)  # ten times as long
    assert rhythm.pauses()[1] == pytest.approx(0.00105)
    rhythm.note(now + 0.615)  # half as long
    assert rhythm.pauses()[1] == pytest.approx(0.0005)
