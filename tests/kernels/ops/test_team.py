"""Teams of threads: barriers hold, callers take turns, a forked process is not left hanging."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from ops_cases import activations, matrix

from edgeward.kernels import _native

FORK = """
import os, numpy as np
from edgeward.kernels import _native
matrix = _native.PackedMatrix("q8_0", np.ones((64, 32), np.int8), np.ones((64, 1), np.float32))
x = np.ones((1, 32), np.float32)
team = _native.Team(3)
parent = matrix.multiply(x, team=team)
child = os.fork()
if child == 0:
    same = np.array_equal(matrix.multiply(x, team=team), parent)
    del team
    os._exit(0 if same else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.mark.parametrize("spin_us", [0, 50])
def test_barriers_and_shared_work_hold(spin_us: int) -> None:
    for threads in (1, 2, 3, 5):
        assert _native.Team(threads, spin_us=spin_us).exercise(200)


def test_pinned_threads_work_as_others_do() -> None:
    assert _native.Team(2, pin=True).exercise(50)


def test_callers_at_the_same_time_take_turns() -> None:
    case = matrix("q4_1", 64, 64)
    x = activations(3, 64)
    expected = case.packed.multiply(x)
    team = _native.Team(2, spin_us=20)
    right: list[bool] = []

    def call() -> None:
        made = [case.packed.multiply(x, team=team) for _ in range(50)]
        right.extend(np.array_equal(one, expected) for one in made)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(right) == 200
    assert all(right)


def test_a_forked_process_works_alone() -> None:
    subprocess.run([sys.executable, "-c", FORK], check=True, timeout=60)


def test_a_team_of_no_or_too_many_threads_is_refused() -> None:
    with pytest.raises(ValueError, match="threads is 0; give 1 to 256"):
        _native.Team(0)
    with pytest.raises(ValueError, match="threads is 1000"):
        _native.Team(1000)
    with pytest.raises(ValueError, match="spin_us"):
        _native.Team(2, spin_us=10**9)
