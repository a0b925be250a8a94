"""The gate: catches damage and slowness, lets equals through, and what is not shown is no pass."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recorded
import tiny_gguf
import tiny_llama
from typer.testing import CliRunner

import edgeward
from edgeward.bench.gate import judge, outputs
from edgeward.bench.gate.policy import Policy, read
from edgeward.cli.main import app
from edgeward.errors import EdgewardError, OptionError

QUALITY = """
[quality]
mean_kl = 0.01
top1_agreement = 0.9
[size]
pack = 0.01
[settings]
windows = 2
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.toml"
    file.write_text(QUALITY)
    return file


def test_a_pack_passes_against_itself_in_every_form(tiny_pack: Path, policy: Path) -> None:
    junit, summary = policy.with_name("g.xml"), policy.with_name("g.md")
    words = ["gate", str(tiny_pack), str(tiny_pack), "--policy", str(policy), "--threads", "1"]
    said = CliRunner().invoke(
        app, [*words, "--junit", str(junit), "--markdown", str(summary), "--json"]
    )
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["passed"]
    assert ET.parse(junit).getroot().attrib["failures"] == "0"
    assert summary.read_text().startswith("### edgeward gate: passed")


def test_a_damaged_quantization_is_caught(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tiny_llama.write_pack(tmp_path / "good")
    sound = tiny_llama.tensors

    def shifted(settings: Mapping[str, Any], seed: int = 0) -> dict[str, Any]:
        """As from blocks whose scales are read one row too late, in one matrix of all."""
        made, name = sound(settings, seed), "model.layers.1.mlp.down_proj.weight"
        scales = np.abs(made[name]).max(axis=1, keepdims=True)
        made[name] = made[name] / scales * np.roll(scales, 1, axis=0) * 1.2
        return made

    monkeypatch.setattr(tiny_llama, "tensors", shifted)
    damaged = tiny_llama.write_pack(tmp_path / "damaged")
    words = ["gate", str(good), str(damaged), "--policy", str(policy), "--threads", "1", "--json"]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 1, said.output
    outcomes = {f["name"]: f["outcome"] for f in json.loads(said.stdout)["findings"]}
    assert outcomes["quality: top1_agreement"] == "failed"
    assert outcomes["size: pack"] == "passed"


def test_another_model_is_caught(
    tiny_pack: Path, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWARD_HOME", str(tmp_path / "home"))
    weights = tiny_gguf.write(tmp_path / "damaged.gguf", context=2048, scale=0.3, seed=1)
    damaged = edgeward.pull(weights, evaluate=False)
    words = ["gate", str(tiny_pack), str(damaged), "--policy", str(policy), "--threads", "1"]
    said = CliRunner().invoke(app, [*words, "--json"])
    assert said.exit_code == 1
    outcomes = {f["name"]: f["outcome"] for f in json.loads(said.stdout)["findings"]}
    assert outcomes["quality: mean_kl"] == outcomes["quality: top1_agreement"] == "failed"


@pytest.mark.parametrize(
    ("factor", "blocks", "outcome"),
    [(1.0, 100, "passed"), (1.3, 100, "failed"), (1.0, 9, "not shown"), (3.0, 5, "not shown")],
)
def test_speed_is_judged_by_its_interval(factor: float, blocks: int, outcome: str) -> None:
    recording = recorded.in_turns(5, {"time per token": factor}, blocks=blocks)
    (finding,) = judge.speed(Policy(speed={"time per token": 0.05}), recording)
    assert finding.outcome == outcome
    assert outputs.passed([finding]) == (outcome == "passed")


def test_what_was_not_measured_is_no_pass() -> None:
    recording = recorded.in_turns(5, {"prefill": 1.0})
    (finding,) = judge.speed(Policy(speed={"time per token": 0.05}), recording)
    assert finding.outcome == "not measured"
    assert not outputs.passed([finding])


def test_a_recording_of_other_packs_is_refused(tiny_pack: Path, tmp_path: Path) -> None:
    file, rules = tmp_path / "ab.jsonl", tmp_path / "p.toml"
    recorded.in_turns(1, {"prefill": 1.0}, file=file)
    rules.write_text("[speed]\nprefill = 0.1\n")
    words = ["gate", str(tiny_pack), str(tiny_pack), "--policy", str(rules)]
    said = CliRunner().invoke(app, [*words, "--recording", str(file)])
    assert isinstance(said.exception, EdgewardError)
    assert "not of these two packs" in str(said.exception)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[speed]\nwarp = 1\n", "'warp' in .speed. is unknown"),
        ("[colour]\nred = 1\n", "colour. is unknown"),
        ("[speed]\nprefill = -1\n", "give a number"),
        ("speed = 3\n", "give a table"),
        ("[speed\n", "is no TOML"),
        ("", "names no figure"),
    ],
)
def test_a_wrong_policy_is_told(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "p.toml"
    file.write_text(text)
    with pytest.raises(OptionError, match=message):
        read(file)
