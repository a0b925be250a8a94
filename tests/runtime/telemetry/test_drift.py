"""Drift is noticed, and no drift is noticed as rarely as was said; only counts are kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edgeward
from edgeward.reply import Reply
from edgeward.service.budget import NO_BUDGET
from edgeward.service.core import Call, Outcome
from edgeward.telemetry.drift import FALSE_ALARMS, LEARN, WINDOW, DriftMonitor
from edgeward.telemetry.sketch import chi_squared, joined, psi, threshold

PACK = "0" * 64


@pytest.mark.parametrize(
    ("degrees", "share", "exact"),
    [(1, 0.95, 3.841), (1, 0.998, 9.550), (4, 0.99, 13.277), (9, 0.998, 26.056), (9, 0.9, 14.684)],
)
def test_quantiles_are_those_of_the_tables(degrees: int, share: float, exact: float) -> None:
    assert chi_squared(degrees, share) == pytest.approx(exact, rel=0.025)


def test_equal_shares_are_no_distance_apart() -> None:
    assert psi([100, 200, 300], [100, 200, 300]) == 0
    assert psi([10, 90], [90, 10]) == pytest.approx(psi([90, 10], [10, 90]))
    assert psi([100, 0], [0, 100]) > 5  # an empty bin is far, not infinitely


def test_thin_bins_are_joined_and_nothing_is_lost() -> None:
    before, after = joined([1, 2, 100, 3, 400, 1], [0, 1, 50, 0, 100, 0])
    assert (sum(before), sum(after)) == (507, 151)
    assert len(before) == len(after) == 2
    assert joined([0, 0], [3, 4]) == ([0], [7])


@pytest.mark.parametrize(
    "shares", [[0.5, 0.5], [0.7, 0.2, 0.1], [0.1] * 10, [0.9, 0.04, 0.03, 0.03]]
)
@pytest.mark.parametrize("rate", [0.01, 0.002])
def test_false_alarms_are_as_rare_as_stated(shares: list[float], rate: float) -> None:
    random = np.random.default_rng(11)
    trials, alarms = 10_000, 0
    before = random.multinomial(LEARN, shares, trials).tolist()
    after = random.multinomial(WINDOW, shares, trials).tolist()
    for a, b in zip(before, after, strict=True):
        x, y = joined(a, b)
        alarms += psi(x, y) > threshold(sum(x), sum(y), len(x), rate)
    # Three standard deviations of the count, and a third for counts that are no normal numbers.
    assert alarms <= 1.33 * rate * trials + 3 * (rate * trials) ** 0.5


@pytest.fixture(scope="module")
def model_reply(tiny_pack: Path) -> Reply:
    with edgeward.load(tiny_pack, threads=1) as model:
        return model.generate("hello", max_tokens=3, seed=1)


def feed(monitor: DriftMonitor, reply: Reply, lengths: Callable[[], int], count: int) -> None:
    call = Call("generate", "", NO_BUDGET, None, ())
    for _ in range(count):
        usage = dataclasses.replace(reply.usage, prompt_tokens=lengths())
        made = dataclasses.replace(reply, usage=usage, text="hello there")
        monitor.saw(Outcome(call, made, None, None, 1.0))


def test_longer_prompts_are_noticed_and_named(model_reply: Reply, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    monitor = DriftMonitor(PACK, tmp_path / "drift.json")
    usual = lambda: int(random.lognormal(4, 0.6))  # noqa: E731
    feed(monitor, model_reply, usual, LEARN)
    assert monitor.stats()["state"] == "watching"
    feed(monitor, model_reply, usual, 3 * WINDOW)
    assert monitor.alarms == []
    feed(monitor, model_reply, lambda: int(random.lognormal(4.7, 0.6)), WINDOW)
    (alarm,) = monitor.alarms
    assert (alarm.feature, alarm.window) == ("prompt_tokens", 4)
    assert alarm.psi > alarm.threshold


def test_a_reference_outlives_its_service(model_reply: Reply, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "drift.json"
    feed(DriftMonitor(PACK, path), model_reply, lambda: 50, LEARN)
    assert b"hello" not in path.read_bytes()
    later = DriftMonitor(PACK, path)
    assert later.stats()["state"] == "watching"
    feed(later, model_reply, lambda: 50, WINDOW)
    assert later.alarms == []
    assert DriftMonitor("1" * 64, path).stats()["state"] == "learning"
    path.write_bytes(path.read_bytes()[:-20])
    assert DriftMonitor(PACK, path).stats()["state"] == "learning"


def test_a_store_that_cannot_be_written_is_told(model_reply: Reply, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monitor = DriftMonitor(PACK, tmp_path / "file" / "drift.json")
    feed(monitor, model_reply, lambda: 50, LEARN)
    assert "not kept" in monitor.note
    assert monitor.stats()["state"] == "watching"


def test_a_service_counts_answers_and_refusals(service: edgeward.Service) -> None:
    service.generate("hello", max_tokens=2)
    with pytest.raises(edgeward.EdgewardError):
        service.generate("hello", latency_budget=1e-6)
    drift = service.stats()["drift"]
    assert (drift["seen"], drift["of"]) == (2, LEARN)
    assert 0 < FALSE_ALARMS < 0.05
