"""A device is measured once, told apart from others, and followed while it is used."""

from __future__ import annotations

from pathlib import Path

import pytest
from rates import predictor, profile

import edgeward
from edgeward.service import profile as profiles
from edgeward.service.profile import DeviceProfile


def test_a_run_takes_what_was_measured_and_lengths_between_lie_between() -> None:
    made = profile(per_token=2.0, step=10.0)
    assert made.one(64, 0) == 128
    assert made.one(100, 0) == pytest.approx(200)
    assert made.one(1024, 0) == pytest.approx(2048)
    assert made.one(1, 500) == 10


def test_steps_together_take_what_was_measured_of_so_many() -> None:
    made = profile(step=10.0, more_rows=2.0)
    assert made.one(1, 0, 1) == 10
    assert made.one(1, 0, 2) == 12
    assert made.one(1, 0, 5) == pytest.approx(18)
    assert made.one(1, 0, 8) == 24
    assert made.one(1, 0, 10) == pytest.approx(28)


def test_a_prompt_is_the_sum_of_its_runs() -> None:
    made = profile(per_token=1.0, pair=0.001)
    alone = made.one(128, 0) + made.one(128, 128) + made.one(44, 256)
    assert made.prefill(300, 0, 128) == pytest.approx(alone)
    assert made.prefill(172, 128, 128) == pytest.approx(alone - made.one(128, 0))
    assert made.prefill(0, 10, 128) == 0


def test_a_device_that_slows_down_is_followed() -> None:
    device = predictor(step=10.0)
    assert device.step(0) == 10
    for _ in range(30):
        device.observe_run(1, 0, 25.0)
    assert device.step(0) == pytest.approx(25)
    assert device.load == pytest.approx(2.5)


def test_one_late_run_changes_neither_the_middle_nor_the_sure_end() -> None:
    device = predictor(step=10.0)
    for _ in range(23):
        device.observe_run(1, 0, 10.0)
    device.observe_run(1, 0, 9000.0)
    assert device.step(0) == device.step(0, sure=True) == 10


def test_what_checks_hold_back_is_learned() -> None:
    device = predictor(per_token=1.0, step=10.0)
    assert device.held_back == 0
    for _ in range(30):
        device.observe_answer(5.0, 4, 64)
    assert device.held_back == 3
    assert device.beside() == pytest.approx(5)


@pytest.mark.parametrize("ms", [0.0, -5.0, 5.0, 1000.0])
def test_the_steps_that_fit_take_no_longer(ms: float) -> None:
    device = predictor(step=10.0)
    steps = device.fit(ms, 0)
    assert steps * 10 <= max(0.0, ms) < (steps + 1) * 10 or ms <= 0 == steps


def test_a_kept_profile_comes_back(store: Path) -> None:
    made = profile()
    profiles.write(made)
    assert profiles.read(made.key) == made
    assert profiles.path_of(made.key).is_relative_to(store)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"format":1', b"[1]", b"x" * 100_000])
def test_a_damaged_profile_is_measured_anew(store: Path, content: bytes) -> None:
    path = profiles.path_of("damaged")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    assert profiles.read("damaged") is None


def test_a_profile_of_another_key_or_shape_is_not_taken(store: Path) -> None:
    made = profile()
    profiles.write(made)
    profiles.path_of(made.key).rename(profiles.path_of("1" * 32))
    assert profiles.read("1" * 32) is None


def test_keys_tell_packs_threads_and_versions_apart() -> None:
    facts = ("a" * 64, "portable.onnx", "1.24", "avx2", 2)
    keys = {profiles.key_of(*facts)}
    for place, other in enumerate(("b" * 64, "fused.onnx", "1.25", "generic", 1)):
        changed = list(facts)
        changed[place] = other
        keys.add(profiles.key_of(*changed))  # type: ignore[arg-type]
    assert len(keys) == 6


def test_a_service_measures_once_and_then_reads(
    tiny_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path))
    with edgeward.serve(tiny_pack, threads=1) as first:
        assert "measured now, kept" in first.stats()["profile"]
        made = first.core.predictor.profile
    with edgeward.serve(tiny_pack, threads=1) as second:
        assert "read from" in second.stats()["profile"]
        assert second.core.predictor.profile == made
    check(made)


def check(made: DeviceProfile) -> None:
    assert made.sizes[0] == 2
    assert len(made.sizes) == len(made.run_ms) > 3
    assert made.one(512, 0) > made.one(1, 0) > 0


def test_a_store_that_cannot_be_written_is_told_not_fatal(
    tiny_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path / "file"))
    with edgeward.serve(tiny_pack, threads=1) as service:
        assert "not kept" in service.stats()["profile"]
