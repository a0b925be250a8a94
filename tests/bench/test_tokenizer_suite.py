"""`edgeward bench tokenizer`: right ids before speed, like compared with like."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

from edgeward.bench.peers.lines import LineProcess
from edgeward.bench.stats import summarize
from edgeward.bench.suites import tokenizer as suite
from edgeward.errors import EdgewardError

PACKED = Path(__file__).parents[1] / "data" / "tokenizers" / "smollm2-135m" / "tokenizer.json.gz"


def silent(phase: str, done: int, total: int) -> None:
    pass


def result(tool: str, speed: float, wrong: list[str] | None = None) -> suite.ToolResult:
    return measured(tool, {"english, first": {0: speed, 1: speed}}, wrong)


def measured(
    tool: str, figures: dict[str, dict[int, float]], wrong: list[str] | None = None
) -> suite.ToolResult:
    """What a tool did by figure and round."""
    return suite.ToolResult(
        tool,
        "1",
        figures={name: summarize([*by.values()], "MB/s") for name, by in figures.items()},
        rounds={name: [*by] for name, by in figures.items()},
        wrong=wrong or [],
        checked=True,
    )


def test_ours_and_the_reference_give_the_same_ids(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_bytes(gzip.decompress(PACKED.read_bytes()))
    setting = suite.Setting(rounds=1, passes=2, tools=("edgeward", "hf"), worst=False)
    found = suite.run(file, {"mine": "A text of two words, or more. " * 20}, setting, silent)
    ours, reference = found.tools
    assert (ours.missing, reference.missing) == ("", "")
    assert (ours.wrong, reference.wrong) == ([], [])
    assert {"load", "chat message", "mine, first", "mine, again", "decode"} <= set(ours.figures)
    assert {ratio.peer for ratio in found.ratios} == {"hf"}


def test_a_tool_with_wrong_ids_is_no_rival() -> None:
    results = [result("edgeward", 10), result("splintr", 5), result("iree", 100, ["english"])]
    (ratio,) = suite._ratios(results)
    assert (ratio.peer, ratio.ratio.median) == ("splintr", 2)


def test_rounds_are_paired_by_their_number() -> None:
    ours = measured("edgeward", {"a, first": {0: 10, 1: 20, 2: 30}})
    other = measured("splintr", {"a, first": {1: 10, 2: 10}, "b, first": {0: 1}})
    (ratio,) = suite._ratios([ours, other])
    assert ratio.ratio.samples == (2, 3)


def test_rounds_without_a_figure_keep_their_numbers() -> None:
    whole = {
        "load": {"version": "1", "cpu_s": 1, "private_bytes": 0},
        "text:a": {"cpu_s": [1.0], "bytes": 5},
    }
    cut = {name: answer for name, answer in whole.items() if name == "load"}
    told = suite._tool_result("iree", [whole, cut, whole], {})
    assert (told.rounds["load"], told.rounds["a, first"]) == ([0, 1, 2], [0, 2])


def test_without_the_reference_nobody_is_a_rival() -> None:
    answer = {"load": {"version": "1", "cpu_s": 1, "private_bytes": 0}}
    answer["text:a"] = {"ids": "x", "cpu_s": [1.0], "bytes": 5}
    every = {"edgeward": [answer], "splintr": [answer]}
    results = [suite._tool_result(tool, found, every) for tool, found in every.items()]
    assert [r.checked for r in results] == [False, False]
    assert suite._ratios(results) == []


def test_a_tool_that_ends_midway_says_why() -> None:
    whole = {"load": {"version": "1", "cpu_s": 1, "private_bytes": 0}}
    cut = {**whole, "ended": {"missing": "no answer in 120 s"}}
    assert suite._tool_result("iree", [whole, cut], {}).ended == "no answer in 120 s"


def test_lists_are_compared_with_lists_and_arrays_with_arrays() -> None:
    results = [
        result("edgeward", 10),
        result("edgeward-array", 30),
        result("splintr", 5),
        result("gigatoken", 20),
    ]
    found = {ratio.figure: (ratio.peer, ratio.ratio.median) for ratio in suite._ratios(results)}
    assert found == {
        "english, first": ("splintr", 2),
        "english, first (array)": ("gigatoken", 1.5),
    }


def test_a_wrong_id_is_noticed() -> None:
    right = {"load": {"version": "1", "cpu_s": 1, "private_bytes": 0}, "text:a": {"ids": "x"}}
    other = {**right, "text:a": {"ids": "y", "cpu_s": [1.0], "bytes": 5}}
    right["text:a"] |= {"cpu_s": [1.0], "bytes": 5}
    found = suite._tool_result("iree", [other], {"hf": [right], "iree": [other]})
    assert found.wrong == ["a"]


def test_a_tool_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    setting = suite.Setting(rounds=2, tools=("edgeward", "hf"), worst=False)
    damaged = tmp_path / "tokenizer.json"
    damaged.write_text(json.dumps({"model": {"type": "Nonsense"}}))
    found = suite.run(damaged, {"mine": "text"}, setting, silent)
    assert all(tool.missing for tool in found.tools)
    assert "Nonsense" in found.tools[0].missing
    assert found.ratios == []


def test_a_silent_worker_is_ended(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text("import time; time.sleep(60)")
    with (
        LineProcess("slow", sys.executable, script, []) as worker,
        pytest.raises(EdgewardError, match=r"the peer slow: no answer in 0 s"),
    ):
        worker.ask({"do": "load"}, limit_s=0.2)


def test_builtin_texts_are_large_enough_to_measure() -> None:
    for text in suite.builtin_texts().values():
        assert len(text) > 400_000
