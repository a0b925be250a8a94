"""The safety suite: figures for every length, and nothing timed when scores are wrong."""

from __future__ import annotations

import json

import pytest

from edgeward.bench.suites import safety as suite
from edgeward.cli.main import main
from edgeward.errors import EdgewardError
from edgeward.kernels import reference_safety
from edgeward.safety import weights


def test_every_length_and_the_stream_have_a_figure(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["bench", "safety", "--characters", "40", "--calls", "5", "--json"])
    assert left.value.code == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    names = [
        "score, 40 characters", "both checks, 40 characters", "both checks, ordinary prompts",
        "both checks, mixed messages", "push, first half of a long reply", "push, second half",
    ]  # fmt: skip
    assert list(figures) == names
    assert all(figure["median"] > 0 for figure in figures.values())


def test_nothing_is_timed_when_the_kernels_and_their_twin_disagree() -> None:
    data = weights.read()
    twin = reference_safety.read(data)
    name, calibration, alone = twin.heads[0]
    twin.heads[0] = (
        name,
        (*calibration[:3], calibration[3] + 1),
        (alone[0], alone[1] + 1, alone[2]),
    )
    with pytest.raises(EdgewardError, match=r"and twin .* disagree"):
        suite._agree(weights.load(), twin)
