"""Comparisons: equal things are called equal, slower ones slower, whatever the machine does."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import recorded
from typer.testing import CliRunner

from edgeward.bench import compare
from edgeward.bench.cli import app
from edgeward.bench.records import Recorder
from edgeward.errors import EdgewardError

EQUAL = {"first token": 1.0, "prefill": 1.0, "time per token": 1.0}


def test_equal_packs_are_no_difference_at_least_95_times_of_100() -> None:
    wrong = 0
    for seed in range(200):
        rows = compare.arms(recorded.in_turns(seed, EQUAL, blocks=24))
        wrong += any(row.verdict != "no difference" for row in rows)
    assert wrong <= 10


def test_five_percent_slower_is_found_nine_times_of_ten() -> None:
    found = 0
    for seed in range(60):
        rows = compare.arms(recorded.in_turns(seed, EQUAL | {"time per token": 1.05}, blocks=100))
        (row,) = (row for row in rows if row.metric == "time per token")
        found += row.verdict == "worse"
    assert found >= 54


def test_the_interval_holds_the_ratio() -> None:
    (row,) = compare.arms(recorded.in_turns(3, {"prefill": 1.2}, blocks=80))
    assert row.low < 1.2 < row.high
    assert row.verdict == "worse"
    (row,) = compare.arms(recorded.in_turns(3, {"prefill": 0.8}, blocks=80))
    assert row.verdict == "better"


def test_few_blocks_give_no_verdict() -> None:
    (row,) = compare.arms(recorded.in_turns(3, {"prefill": 3.0}, blocks=5))
    assert row.verdict == "too few samples"


def test_two_recordings_of_one_pack_are_no_difference() -> None:
    rows = compare.recordings(recorded.alone(1), recorded.alone(2))
    assert {row.verdict for row in rows} == {"no difference"}
    assert "yardstick" not in {row.metric for row in rows}


def test_between_recordings_only_what_exceeds_the_floor_is_a_difference() -> None:
    small = compare.recordings(recorded.alone(1), recorded.alone(2, level=0.04))
    assert all(row.verdict == "no difference" for row in small)
    large = compare.recordings(recorded.alone(1), recorded.alone(2, level=0.3))
    verdicts = {row.name: row.verdict for row in large}
    assert verdicts["time per token at 128"] == verdicts["prefill at 16"] == "worse"
    assert verdicts["pack size"] == "no difference"
    faster = compare.recordings(recorded.alone(1, level=0.3), recorded.alone(2))
    assert {row.verdict for row in faster if row.metric == "time per token"} == {"better"}


def test_a_slower_machine_raises_the_floor() -> None:
    slower = recorded.alone(2, level=0.3)
    for turn, values in slower.turns("yardstick").items():
        values[:] = [1.3 * value for value in values]
        assert turn >= 0
    rows = compare.recordings(recorded.alone(1), slower)
    assert {row.verdict for row in rows if row.metric == "prefill"} == {"no difference"}
    said = compare.different_machines(recorded.alone(1), slower)
    assert any("1.30 times as long" in line for line in said)


def test_sizes_have_no_chance_in_them() -> None:
    first, second = recorded.alone(1), recorded.alone(2)
    second.turns("pack size")[0][:] = [250.0]
    (row,) = (r for r in compare.recordings(first, second) if r.metric == "pack size")
    assert (row.verdict, row.ratio) == ("worse", pytest.approx(250 / 247))


def test_recordings_without_a_figure_in_common_are_refused() -> None:
    with Recorder(None, recorded.header()) as other:
        other.samples("embed", "ms", 0, [1.0])
    with pytest.raises(EdgewardError, match=r"nothing to compare: .* and embed"):
        compare.recordings(recorded.alone(1), other.recording)
    with pytest.raises(EdgewardError, match="has two"):
        compare.recordings(recorded.alone(1), recorded.in_turns(1, EQUAL, blocks=2))
    with pytest.raises(EdgewardError, match=r"has 1 side"):
        compare.arms(recorded.alone(1))


def test_the_command_compares_files_and_tells_of_interruptions(tmp_path: Path) -> None:
    ab = tmp_path / "ab.jsonl"
    recorded.in_turns(1, EQUAL | {"prefill": 1.5}, file=ab)
    said = CliRunner().invoke(app, ["compare", str(ab), "--json"])
    assert said.exit_code == 0, said.output
    rows = {row["metric"]: row for row in json.loads(said.stdout)["rows"]}
    assert rows["prefill"]["verdict"] == "worse"
    assert math.isclose(rows["prefill"]["ratio"], 1.5, rel_tol=0.05)
    ab.write_bytes(ab.read_bytes().rsplit(b"\n", 2)[0][:-7])
    said = CliRunner().invoke(app, ["compare", str(ab)])
    assert "was interrupted: it is partial" in said.output.replace("\n", " ")


@pytest.mark.parametrize("floor", ["-0.1", "1"])
def test_a_floor_out_of_range_is_refused(tmp_path: Path, floor: str) -> None:
    file = tmp_path / "a.jsonl"
    recorded.alone(1, file=file)
    said = CliRunner().invoke(app, ["compare", str(file), str(file), "--floor", floor])
    assert said.exit_code != 0
