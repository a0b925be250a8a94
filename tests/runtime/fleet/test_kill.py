"""The updater is killed at every step: the version in use stays whole, the next run completes.

One program forks a child for each step, so that the libraries are imported once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from channel_packs import NAME, Publisher

PROGRAM = r"""
import os, shutil, signal, sys, traceback
from pathlib import Path

import numpy, onnxruntime, llguidance                       # before the forks; none is started yet
from edgeward import store
from edgeward.fleet import update
from edgeward.pack import Pack

channel, name, old, new, home = sys.argv[1:]
key = Path(channel).parent / "key.pub.pem"
template = Path(home + ".template")
BEFORE = ("", old)


def child(work):
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    code = 1
    try:
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def run(kill_at):
    # The steps are those told to `progress`; 10**9: never.
    count = 0
    def progress(step, done, total):
        nonlocal count
        if count == kill_at:
            print(step, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
    (outcome,) = update(name, channel=channel, key=key, progress=progress)
    return 0 if outcome.action in ("updated", "current") else 3


def used():
    if not os.path.lexists(store.pack_folder(name)):
        return ""
    return Pack.open(store.find(name)).sha256       # raises when a byte is wrong


os.environ["EDGEWARD_HOME"] = home
first = os.environ["FIRST"]
for kill_at in range(1000):
    shutil.rmtree(home, ignore_errors=True)
    if template.exists():
        shutil.copytree(template, home, symlinks=True)
    status = child(lambda: run(kill_at))
    now = used()
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if not killed:
        assert status == 0 and now == new, (kill_at, status, now)
        print("steps", kill_at)
        break
    assert now in (first, new), (kill_at, now)
    assert child(lambda: run(10**9)) == 0, kill_at
    assert used() == new, kill_at
    left = {p.name for p in (Path(home) / "fleet/models" / name / "versions").iterdir()}
    assert left == {v for v in (first, new) if v}, (kill_at, left)
    assert not list((Path(home) / "fleet/models" / name / "work").iterdir())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks and SIGKILL")
@pytest.mark.parametrize("begin", ["nothing", "a version", "a pulled pack"])
def test_a_kill_at_any_step_is_survived(
    publisher: Publisher, home: Path, begin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from edgeward.fleet import update

    template = Path(f"{home}.template")
    monkeypatch.setenv("EDGEWARD_HOME", str(template))
    channel = str(publisher.channel)
    publisher.publish("1")
    first = "" if begin == "nothing" else publisher.sha("1")
    if begin == "a version":
        update(NAME, channel=channel, key=publisher.public)
    elif begin == "a pulled pack":
        shutil.copytree(publisher.packs["1"], template / "packs" / NAME)
    publisher.publish("3")
    arguments = [channel, NAME, publisher.sha("1"), publisher.sha("3"), str(home)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, "FIRST": first, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.split()
    assert {"index", "recipe", "fetch", "verify", "place", "try", "switch", "tidy"} <= set(said)
