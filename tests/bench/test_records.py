"""Recordings: what is written comes back, also when the end is missing; damage is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import recorded

from edgeward.bench.records import Recorder, read
from edgeward.errors import EdgewardError


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    made, found = recorded.alone(4, file=file), read(file)
    assert found.header == made.header
    assert found.keys() == made.keys()
    assert all(found.turns(*key) == made.turns(*key) for key in made.keys(""))
    assert found.notes == made.notes
    assert found.complete
    assert list(found.curve("prefill")) == [16, 128, 512]


def test_an_interrupted_recording_keeps_its_turns(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    recorder = Recorder(file, recorded.header())

    def interrupted() -> None:
        with recorder:
            recorder.samples("load", "ms", 0, [1.0, 2.0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    found = read(file)
    assert not found.complete
    assert found.turns("load") == {0: [1.0, 2.0]}


def test_a_cut_last_line_is_an_interruption_and_no_damage(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    recorded.alone(4, file=file)
    raw = file.read_bytes()
    file.write_bytes(raw[: raw.rindex(b"\n", 0, -1) + 20])
    assert not read(file).complete


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b'{"kind":"end","seconds":1}\n', "does not begin with a header"),
        (b"\xff\xfe{]\n{}\n", "line 1 is not of a recording"),
        (b'{"kind":"samples","metric":1}\n', "line 1 is not of a recording"),
    ],
)
def test_damage_is_told_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "r.jsonl"
    file.write_bytes(content)
    with pytest.raises(EdgewardError, match=message):
        read(file)


def test_two_headers_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    recorded.alone(4, file=file)
    file.write_bytes(file.read_bytes() * 2)
    with pytest.raises(EdgewardError, match="has one, of format 1"):
        read(file)


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(EdgewardError, match="cannot read"):
        read(tmp_path / "none.jsonl")
    with pytest.raises(EdgewardError, match="cannot write"):
        Recorder(tmp_path / "none" / "r.jsonl", recorded.header())
