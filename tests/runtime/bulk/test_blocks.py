"""Files cut into blocks: every row once, with its line, whatever is in the file."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from edgeward.bulk import blocks
from edgeward.bulk.blocks import blocks_of
from edgeward.bulk.row import Row
from edgeward.errors import OptionError


def rows(path: Path, size: int) -> list[Row]:
    return [row for block in blocks_of(path, size) for row in block.read()]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 100])
def test_every_row_comes_once_with_its_line(tmp_path: Path, size: int) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text('{"n": 0}\n\n  \n{"n": 1}\n{"n": 2}\n\n{"n": 3}\n{"n": 4}\n{"n": 5}\n{"n": 6}')
    found = rows(file, size)
    assert [row.value for row in found] == [{"n": n} for n in range(7)]
    assert [row.index for row in found] == list(range(7))
    assert [row.line for row in found] == [1, 4, 5, 7, 8, 9, 10]
    counts = [block.count for block in blocks_of(file, size)]
    assert all(count == size for count in counts[:-1])
    assert sum(counts) == 7


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{broken", "no JSON"),
        (b"[1, 2]", "not a JSON object"),
        (b"3", "not a JSON object"),
        (b'{"a": "\xff"}', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"a": NaN}', "no JSON"),
        (b'{"a": 1} {"b": 2}', "no JSON"),
    ],
)
def test_a_bad_line_is_a_row_with_a_problem(tmp_path: Path, line: bytes, problem: str) -> None:
    file = tmp_path / "in.jsonl"
    file.write_bytes(b'{"n": 0}\n' + line + b'\n{"n": 2}\n')
    good, bad, last = rows(file, 2)
    assert good.value == {"n": 0}
    assert last.value == {"n": 2}
    assert bad.value is None
    assert bad.line == 2
    assert problem in bad.problem


def test_a_line_that_is_too_long_is_one_bad_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LONGEST_LINE", 64)
    file = tmp_path / "in.jsonl"
    long = json.dumps({"text": "x" * 1000})
    file.write_text(f'{long}\n{{"n": 1}}\n{long}')
    found = rows(file, 1)
    assert [row.line for row in found] == [1, 2, 3]
    assert ["64 bytes" in row.problem for row in found] == [True, False, True]


def test_a_byte_order_mark_before_the_first_row_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"n": 0}\r\n{"n": 1}\r\n')
    assert [row.value for row in rows(file, 10)] == [{"n": 0}, {"n": 1}]


def test_blocks_can_be_read_in_another_process(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text("".join(f'{{"n": {n}}}\n' for n in range(5)))
    last = pickle.loads(pickle.dumps(blocks_of(file, 2)))[-1]
    assert [row.value for row in last.read()] == [{"n": 4}]


def test_an_empty_file_has_no_blocks(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text("\n\n")
    assert blocks_of(file, 4) == []


@pytest.mark.parametrize(("name", "said"), [("in.csv", "ends in '.csv'"), ("in", "'nothing'")])
def test_another_ending_is_refused(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        blocks_of(tmp_path / name, 4)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot read"):
        blocks_of(tmp_path / "in.jsonl", 4)
