"""`publish`, `update` and `rollback` as a person types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from channel_packs import NAME, Publisher

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def edgeward(home: Path) -> Run:
    """Runs the program with the device's store."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from edgeward.cli import main; main()", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "EDGEWARD_HOME": str(home), "COLUMNS": "200"},
        )

    return run


def test_a_model_is_published_updated_run_and_rolled_back(
    edgeward: Run, publisher: Publisher
) -> None:
    def publish(which: str) -> None:
        pack = publisher.packs[which]
        done = edgeward("publish", pack, publisher.channel, "--key", publisher.private)
        assert done.returncode == 0, done.stderr

    publish("1")
    done = edgeward("update", NAME, "--channel", publisher.channel, "--key", publisher.public)
    assert done.returncode == 0, done.stderr
    assert f"pack {publisher.sha('1')[:12]} is in use" in done.stdout
    done = edgeward("run", NAME, "the", "--raw", "--max-tokens", "2")
    assert done.returncode == 0, done.stderr
    publish("3")
    done = edgeward("update", "--json")
    (outcome,) = json.loads(done.stdout)
    assert (outcome["action"], outcome["pack"]) == ("updated", publisher.sha("3"))
    done = edgeward("rollback", NAME)
    assert "is in use again" in done.stdout
    done = edgeward("update")
    assert done.returncode == 1
    assert "rolled back by hand" in done.stderr


def test_a_bad_release_ends_with_a_line_and_an_exit_code(
    edgeward: Run, publisher: Publisher
) -> None:
    publisher.publish("bad")
    done = edgeward("update", NAME, "--channel", publisher.channel, "--key", publisher.public)
    assert done.returncode == 1
    assert "answers stored prompt 0 otherwise" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_use_is_told(edgeward: Run, publisher: Publisher) -> None:
    publisher.publish("1")
    done = edgeward("update", NAME, "--channel", publisher.channel)
    assert done.returncode == 2
    assert "--key" in done.stderr
    done = edgeward("publish", publisher.packs["1"], publisher.channel, "--key", publisher.public)
    assert done.returncode == 2
    assert "no private key" in done.stderr
    done = edgeward("rollback", "nothing")
    assert done.returncode != 0
    assert done.stderr.startswith("error:")
