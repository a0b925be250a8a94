"""`bench ab` and `bench all` on a tiny pack: every turn is recorded, both commands report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeward.bench.cli import app
from edgeward.bench.records import read
from edgeward.bench.suites import arms, whole
from edgeward.errors import OptionError


def test_blocks_have_each_side_twice_on_the_same_prompts(tiny_pack: Path, tmp_path: Path) -> None:
    file = tmp_path / "ab.jsonl"
    setting = arms.Setting(prompt=8, generate=4, seconds=20.0, precision=100.0, threads=1)
    recording = arms.run((tiny_pack, tiny_pack), setting, file, lambda phase, done, total: None)
    assert recording.complete
    assert recording.arms == ["a", "b"]
    for arm in recording.arms:
        prefill = recording.turns("prefill", None, arm)
        assert len(prefill) == arms.FEWEST
        assert {len(values) for values in prefill.values()} == {2}
        steps = recording.turns("time per token", None, arm)
        assert {len(values) for values in steps.values()} == {2 * (setting.generate - 1)}
    assert read(file).turns("prefill", None, "b") == recording.turns("prefill", None, "b")


def test_the_order_is_drawn_by_lot_and_fixed_by_the_seed(tiny_pack: Path, tmp_path: Path) -> None:
    def order(seed: int) -> str:
        file = tmp_path / f"{seed}.jsonl"
        setting = arms.Setting(8, 2, 20.0, 100.0, 1, seed=seed)
        arms.run((tiny_pack, tiny_pack), setting, file, lambda phase, done, total: None)
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        return "".join(line["arm"] for line in lines if line.get("metric") == "yardstick")

    first = order(1)
    assert {first[i : i + 4] for i in range(0, len(first), 4)} == {"abba", "baab"}
    assert first != order(2)


def test_the_command_compares_a_pack_with_itself(tiny_pack: Path) -> None:
    words = ["ab", str(tiny_pack), str(tiny_pack), "--seconds", "5", "--precision", "100", "--json"]
    said = CliRunner().invoke(app, [*words, "--threads", "1", "--prompt", "8", "--generate", "3"])
    assert said.exit_code == 0, said.output
    rows = json.loads(said.stdout)["rows"]
    assert {row["metric"] for row in rows} == {"first token", "prefill", "time per token"}


@pytest.mark.parametrize("words", [["--seconds", "0"], ["--prompt", "1"], ["--precision", "0"]])
def test_settings_out_of_range_are_refused(words: list[str]) -> None:
    said = CliRunner().invoke(app, ["ab", "x", "x", *words])
    assert isinstance(said.exception, OptionError)


def test_all_of_a_pack_in_one_recording(tiny_pack: Path, tmp_path: Path) -> None:
    file, page = tmp_path / "all.jsonl", tmp_path / "all.html"
    words = ["all", str(tiny_pack), "--seconds", "0.5", "--threads", "1", "--out", str(file)]
    said = CliRunner().invoke(app, [*words, "--html", str(page), "--format", "llama-bench"])
    assert said.exit_code == 0, said.output
    assert "pp128" in said.output
    recording = read(file)
    assert recording.complete
    names = {name for name, _ in recording.keys("")}
    assert names >= {
        "load", "load to first token", "first token, chat", "prefill", "time per token",
        "throughput", "private memory", "mapped memory", "peak memory", "pack size",
        "between two steps", "reading limit", "dot product limit",
    }  # fmt: skip
    assert list(recording.curve("throughput")) == list(whole.STREAMS)
    assert all(len(turns) >= whole.FEWEST for turns in recording.curve("prefill").values())
    assert any(note.startswith("energy: not measured") for note in recording.notes)
    assert any(note.startswith("quality: not measured") for note in recording.notes)
    assert page.read_text(encoding="utf-8").count("<svg") >= 5
