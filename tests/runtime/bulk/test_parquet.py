"""Parquet in and out: the same rows as JSON lines give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import edgeward
from edgeward.bulk.blocks import blocks_of
from edgeward.errors import OptionError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def write(path: Path, rows: list[dict[str, Any]], group: int) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=group)


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_every_row_comes_once(tmp_path: Path, size: int) -> None:
    file = tmp_path / "in.parquet"
    write(file, [{"n": n, "text": f"t{n}"} for n in range(11)], group=4)
    found = [row for block in blocks_of(file, size) for row in block.read()]
    assert [row.value for row in found] == [{"n": n, "text": f"t{n}"} for n in range(11)]
    assert [row.index for row in found] == list(range(11))
    assert [row.line for row in found] == list(range(1, 12))


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "in.parquet"
    file.write_bytes(b"PAR1 but nothing else")
    with pytest.raises(OptionError, match="no Parquet file"):
        blocks_of(file, 4)


def test_verdicts_are_the_same_in_both_forms(tmp_path: Path) -> None:
    texts = [{"id": str(n), "text": f"You are number {n}."} for n in range(7)]
    write(tmp_path / "in.parquet", [*texts, {"id": "7", "text": None}], group=3)
    lines = [*texts, {"id": "7", "text": None}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for end in ("jsonl", "parquet"):
        edgeward.batch(
            tmp_path / f"in.{end}", tmp_path / f"out.{end}", task="safety",
            safety_checks="toxicity,pii",
        )  # fmt: skip
    as_lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    as_table = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["index"] for row in as_table] == list(range(8))
    for line, row in zip(as_lines, as_table, strict=True):
        assert line.get("allowed") == row["allowed"]
        for name in ("safety", "error"):
            assert line.get(name) == (None if row[name] is None else json.loads(row[name]))
    assert as_lines[7]["error"]["line"] == 8
    assert not list(tmp_path.glob("*.partial*"))
