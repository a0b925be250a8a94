"""`edgeward bench operators` measures shares of limits, and only when the answers are right."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from edgeward.bench.cli import app
from edgeward.bench.suites import operators as suite
from edgeward.errors import EdgewardError
from edgeward.kernels import reference_ops

SMALL = {"output": (64, 64), "head": (96, 64)}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "SHAPES", SMALL)


def test_every_operator_has_a_share_of_a_limit_of_the_same_rounds() -> None:
    setting = suite.Setting(
        threads=(1, 2), tokens=(1, 5), contexts=(70,), rounds=3, megabytes=1, formats=("q8_0",)
    )
    result = suite.run(setting, lambda phase, done, total: None)
    seen = {(row.operator, row.tokens, row.threads) for row in result.rows}
    assert ("output", 1, 1) in seen
    assert ("output", 5, 2) in seen
    assert ("head", 5, 1) not in seen
    assert ("attention at 70", 70, 2) in seen
    for row in result.rows:
        assert len(row.share.samples) == 3
        for share, speed, limit in zip(
            row.share.samples, row.speed.samples, row.limit.samples, strict=True
        ):
            assert share == pytest.approx(speed / limit)
        assert row.best == pytest.approx(row.speed.high / row.limit.high)
    assert set(result.barrier_us) == {1, 2}


def test_a_wrong_answer_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: Any) -> Any:
        return np.zeros((19, 48), np.float32)

    monkeypatch.setattr(reference_ops, "multiply", wrong)
    with pytest.raises(EdgewardError, match="q4_1: the product is not its twin's"):
        suite.run(suite.Setting(), lambda phase, done, total: None)


def test_the_command_prints_json_with_raw_samples() -> None:
    words = ["operators", "--threads", "1", "--tokens", "1", "--rounds", "2", "--context", "64"]
    made = CliRunner().invoke(app, [*words, "--json"])
    assert made.exit_code == 0, made.output
    said = json.loads(made.stdout)
    assert said["bench"] == "operators"
    assert all(len(row["time"]["samples"]) == 2 for row in said["rows"])


@pytest.mark.parametrize("words", [["--format", "q3"], ["--isa", "mmx"]])
def test_unknown_choices_are_refused(words: list[str]) -> None:
    made = CliRunner().invoke(app, ["operators", *words])
    assert made.exit_code != 0
