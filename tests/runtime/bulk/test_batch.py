"""Whole runs: each row's result is its own, whatever the order, the threads and the kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import edgeward
from edgeward.errors import OptionError, PackError
from edgeward.model import Model


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


PROMPTS = [{"id": f"q{n}", "prompt": "the river " * (n % 4 + 1)} for n in range(11)]


def test_each_row_is_what_the_model_alone_answers(
    tmp_path: Path, tiny_pack: Path, tiny_model: Model
) -> None:
    source = write(tmp_path / "in.jsonl", PROMPTS)
    report = edgeward.batch(
        source, tmp_path / "out.jsonl", model=tiny_pack, task="generate", max_tokens=6, seed=40,
        concurrency=4, load={"threads": 1},
    )  # fmt: skip
    assert (report.rows, report.failed, report.resumed) == (11, 0, 0)
    made = lines(tmp_path / "out.jsonl")
    assert report.tokens == sum(row["usage"]["completion_tokens"] for row in made)
    for n, row in enumerate(made):
        alone = tiny_model.generate(PROMPTS[n]["prompt"], max_tokens=6, seed=40 + n)
        assert row["index"] == n
        assert row["id"] == f"q{n}"
        assert row["text"] == alone.text
        assert row["finish_reason"] == alone.finish_reason
        assert row["receipt"]["sampling"]["seed"] == 40 + n
        assert row["receipt"]["pack_sha256"] == alone.receipt.pack_sha256


def test_the_output_has_the_same_bytes_whatever_the_concurrency(
    tmp_path: Path, tiny_pack: Path
) -> None:
    source = write(tmp_path / "in.jsonl", PROMPTS)
    for concurrency in (1, 3, 8):
        edgeward.batch(
            source, tmp_path / f"{concurrency}.jsonl", model=tiny_pack, task="generate",
            max_tokens=5, temperature=1.0, concurrency=concurrency, load={"threads": 1},
        )  # fmt: skip
    first = (tmp_path / "1.jsonl").read_bytes()
    assert (tmp_path / "3.jsonl").read_bytes() == first
    assert (tmp_path / "8.jsonl").read_bytes() == first


def test_bad_rows_are_told_with_their_line_and_the_others_are_done(
    tmp_path: Path, tiny_pack: Path
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(
        '{"prompt": "a"}\n\n{"prompt": 3}\nnonsense\n{"text": "b"}\n'
        '{"prompt": "c", "sampling": {"temperature": -1}}\n'
        '{"prompt": "d", "sampling": {"stream": true}}\n'
        '{"prompt": "e", "sampling": 4}\n'
        f"{json.dumps({'prompt': 'the ' * 5000})}\n"
        '{"prompt": "f", "sampling": {"max_tokens": 2}}\n'
    )
    report = edgeward.batch(
        source, tmp_path / "out.jsonl", model=tiny_pack, task="generate", max_tokens=4,
        load={"threads": 1},
    )  # fmt: skip
    made = lines(tmp_path / "out.jsonl")
    errors = {row["error"]["line"]: row["error"] for row in made if "error" in row}
    assert sorted(errors) == [3, 4, 5, 6, 7, 8, 9]
    assert report.failed == 7
    assert report.problems[0].startswith("line 3:")
    said = {line: error["message"] for line, error in errors.items()}
    assert "it must be a text" in said[3]
    assert "no JSON" in said[4]
    assert "no field 'prompt'; this row has 'text'" in said[5]
    assert "temperature" in said[6]
    assert "not one row's to choose" in said[7]
    assert "must be an object" in said[8]
    assert errors[9]["type"] == "ContextOverflow"
    good = [row for row in made if "error" not in row]
    assert [row["index"] for row in good] == [0, 8]
    assert good[1]["usage"]["completion_tokens"] <= 2


def test_too_many_errors_end_the_run_and_what_is_finished_stays(
    tmp_path: Path, tiny_pack: Path
) -> None:
    source = write(tmp_path / "in.jsonl", [{"prompt": "a"}, *[{"text": "b"}] * 9])
    arguments: dict[str, Any] = {"model": tiny_pack, "max_tokens": 2, "load": {"threads": 1}}
    with pytest.raises(OptionError, match="max_errors allows 2"):
        edgeward.batch(source, tmp_path / "out.jsonl", max_errors=2, **arguments)
    assert lines(tmp_path / "out.jsonl.partial")[0]["index"] == 0
    report = edgeward.batch(source, tmp_path / "out.jsonl", **arguments)
    assert report.resumed >= 1
    assert (report.rows, report.failed) == (10, 9)


KILLED = """
import sys
import edgeward
edgeward.batch(sys.argv[1], sys.argv[2], model=sys.argv[3], task="generate", max_tokens=40,
               ignore_eos=True, concurrency=2, load={"threads": 1})
"""


def test_a_killed_run_goes_on_and_no_row_is_lost_or_doubled(
    tmp_path: Path, tiny_pack: Path
) -> None:
    source = write(tmp_path / "in.jsonl", PROMPTS * 40)
    out = tmp_path / "out.jsonl"
    partial = tmp_path / "out.jsonl.partial"
    command = [sys.executable, "-c", KILLED, str(source), str(out), str(tiny_pack)]
    for wanted in (1, 3):
        child = subprocess.Popen(command)
        try:
            until = time.monotonic() + 60
            while not (partial.exists() and partial.read_bytes().count(b"\n") >= wanted):
                assert child.poll() is None
                assert time.monotonic() < until
                time.sleep(0.005)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
    assert not out.exists()
    arguments: dict[str, Any] = {
        "model": tiny_pack, "task": "generate", "max_tokens": 40, "ignore_eos": True,
        "load": {"threads": 1},
    }  # fmt: skip
    report = edgeward.batch(source, out, **arguments)
    assert report.resumed >= 3
    assert [row["index"] for row in lines(out)] == list(range(440))
    edgeward.batch(source, tmp_path / "whole.jsonl", concurrency=3, **arguments)
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", "out.jsonl", "whole.jsonl"]


def test_chat_takes_messages_and_a_system_message(tmp_path: Path, tiny_pack: Path) -> None:
    rows = [
        {"prompt": "Hello"},
        {"messages": [{"role": "user", "content": "Hello"}]},
        {"messages": "Hello"},
        {"messages": [{"role": "nobody"}]},
    ]
    source = write(tmp_path / "in.jsonl", rows)
    report = edgeward.batch(
        source, tmp_path / "out.jsonl", model=tiny_pack, system="Be kind.", max_tokens=2,
        temperature=0, load={"threads": 1},
    )  # fmt: skip
    first, second, third, fourth = lines(tmp_path / "out.jsonl")
    assert first["receipt"]["prompt_sha256"] == second["receipt"]["prompt_sha256"]
    assert first["text"] == second["text"]
    assert "must be a list" in third["error"]["message"]
    assert "error" in fourth
    assert report.failed == 2


def test_safety_needs_no_model_and_reports_like_the_checks(tmp_path: Path) -> None:
    texts = ["Have a nice day.", "Write to ada@example.com", ""]
    source = write(tmp_path / "in.jsonl", [{"post": text} for text in texts])
    edgeward.batch(
        source, tmp_path / "out.jsonl", task="safety", field="post", safety_checks="pii,toxicity",
        keep=["post"],
    )  # fmt: skip
    made = lines(tmp_path / "out.jsonl")
    assert [row["post"] for row in made] == texts
    for text, row in zip(texts, made, strict=True):
        alone = [edgeward.pii_filter.check(text), edgeward.toxicity_filter.check(text)]
        assert [v["allowed"] for v in row["safety"]] == [v.allowed for v in alone]
        assert [v["score"] for v in row["safety"]] == [v.score for v in alone]
        assert row["allowed"] == all(v.allowed for v in alone)


def test_a_wrong_question_is_refused_before_anything_is_written(
    tmp_path: Path, tiny_pack: Path
) -> None:
    source = write(tmp_path / "in.jsonl", PROMPTS)
    out = tmp_path / "out.jsonl"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"task": "paint", "model": tiny_pack}, "task='paint'"),
        ({}, "needs a model"),
        ({"task": "safety"}, "has no checks"),
        ({"task": "safety", "model": tiny_pack, "safety_checks": "pii"}, "needs no model"),
        ({"task": "embed", "model": tiny_pack}, "writes text and has no vectors"),
        ({"task": "embed", "model": tiny_pack, "max_tokens": 3}, "leave out sampling"),
        ({"model": tiny_pack, "engine": "dask"}, "engine='dask'"),
        ({"model": tiny_pack, "concurrency": 0}, "concurrency"),
        ({"model": tiny_pack, "max_errors": -1}, "max_errors"),
    ]
    for arguments, said in wrong:
        with pytest.raises(OptionError, match=said):
            edgeward.batch(source, out, **arguments)
    with pytest.raises(OptionError, match=r"ends in '.csv'"):
        edgeward.batch(source, tmp_path / "out.csv", model=tiny_pack)
    with pytest.raises(OptionError, match="is the input"):
        edgeward.batch(source, source, model=tiny_pack)
    with pytest.raises(OptionError, match="no folder"):
        edgeward.batch(source, tmp_path / "none" / "out.jsonl", model=tiny_pack)
    with pytest.raises(PackError):
        edgeward.batch(source, out, model=tmp_path)
    assert os.listdir(tmp_path) == ["in.jsonl"]


def test_an_empty_input_gives_an_empty_output(tmp_path: Path, tiny_pack: Path) -> None:
    source = write(tmp_path / "in.jsonl", [])
    report = edgeward.batch(source, tmp_path / "out.jsonl", model=tiny_pack)
    assert report.rows == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b""
