"""The suite of serve: its figures, its judgement, on a tiny model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgeward.bench.suites.serve_budget import Seen, _figures
from edgeward.bench.suites.serve_figure import Figure, percentile
from edgeward.bench.suites.serve_soak import Result


def test_the_command_measures_every_part(tiny_pack: Path, tmp_path: Path) -> None:
    program = "from edgeward.cli import main; main()"
    arguments = ["bench", "serve", str(tiny_pack), "--json", "--requests", "6", "--rounds", "2"]
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments, "--streams", "3", "--tokens", "6"],
        capture_output=True,
        text=True,
        check=False,
        env={"EDGEWARD_HOME": str(tmp_path), "PATH": ""},
    )
    assert run.returncode in (0, 1), run.stderr
    said = json.loads(run.stdout)
    found = {(f["part"], f["name"]): f for f in said["figures"]}
    assert {part.split(",")[0] for part, _ in found} == {"budget", "overhead", "streams", "prefix"}
    assert found["budget, alone", "missed in silence"]["value"] == 0
    assert found["streams", "speed of 3 over one"]["value"] > 0
    assert found["prefix", "sooner"]["samples"] == 6
    assert (run.returncode == 1) == any(f["met"] is False for f in said["figures"])


def test_a_short_soak_accounts_for_every_request(tiny_pack: Path, tmp_path: Path) -> None:
    program = "from edgeward.cli import main; main()"
    arguments = ["bench", "soak", str(tiny_pack), "--json", "--requests", "120", "--clients", "6"]
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"EDGEWARD_HOME": str(tmp_path), "PATH": ""},
    )
    said = json.loads(run.stdout)
    assert sum(said["ends"].values()) == 120
    assert said["lost"] == said["log_errors"] == []
    assert said["left_running"] == 0
    assert said["ends"]["too large: 413"] > 0


def test_a_soak_that_grows_or_loses_does_not_pass() -> None:
    flat = [100.0 + i % 2 for i in range(40)]
    assert Result(memory=[int(1e6 * m) for m in flat]).passed
    assert not Result(memory=[int(1e6 * (100 + i / 4)) for i in range(40)]).passed
    assert not Result(memory=[10**8] * 40, lost=["request 3"]).passed
    assert not Result(memory=[10**8] * 40, left_running=1).passed


def test_a_bound_is_held_on_its_side() -> None:
    assert Figure("p", "n", 3.0, "ms", 1, 3.0).met
    assert Figure("p", "n", 3.1, "ms", 1, 3.0).met is False
    assert Figure("p", "n", 1.9, "x", 1, 2.0, "least").met is False
    assert Figure("p", "n", None, "x", 0, 2.0).met is None
    assert Figure("p", "n", 5.0, "x", 1).met is None


def test_a_miss_that_is_not_told_fails_the_suite() -> None:
    figures = {f.name: f for f in _figures("x", Seen(admitted=100, met=98, told=1, silent=1))}
    assert figures["met, or told"].met
    assert figures["missed in silence"].met is False
    figures = {f.name: f for f in _figures("x", Seen(admitted=100, met=98))}
    assert figures["met, or told"].met is False


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentile([], 90) is None
    assert percentile([1.0, 2.0, 3.0], 50) == pytest.approx(2.0)
