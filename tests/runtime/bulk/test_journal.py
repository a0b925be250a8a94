"""What is on the disk while a run lasts, and what a kill leaves."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from edgeward.bulk.journal import Journal
from edgeward.errors import KeepError, OptionError

ASKED = {"task": "chat", "keep": ("id",), "rows": 3}


def row(index: int, **rest: Any) -> dict[str, Any]:
    return {"index": index, **rest}


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_are_in_place_at_the_end_and_nothing_else_is(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with Journal(out, ASKED) as journal:
        journal.append([row(0), row(1)])
        journal.append([row(2, text="é")])
        assert not out.exists()
        journal.finish()
    assert lines(out) == [row(0), row(1), row(2, text="é")]
    assert os.listdir(tmp_path) == ["out.jsonl"]


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_cut_line_is_dropped_and_the_run_goes_on(tmp_path: Path, cut: int) -> None:
    out = tmp_path / "out.jsonl"
    with Journal(out, ASKED) as journal:
        journal.append([row(0, text="zero"), row(1, error={"line": 2})])
    partial = tmp_path / "out.jsonl.partial"
    whole = partial.read_bytes()
    cut = min(cut, len(whole) - 1)
    partial.write_bytes(whole[:-cut])
    with Journal(out, ASKED) as journal:
        done = journal.done
        assert done == whole[:-cut].count(b"\n")
        assert journal.failed == 0
        journal.append([row(n, text="again") for n in range(done, 3)])
        journal.finish()
    assert [entry["index"] for entry in lines(out)] == [0, 1, 2]


def test_failed_rows_of_the_run_before_are_counted(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with Journal(out, ASKED) as journal:
        journal.append([row(0), row(1, error={"line": 2})])
    with Journal(out, ASKED) as journal:
        assert (journal.done, journal.failed) == (2, 1)


def test_rows_out_of_order_are_not_taken_for_finished_ones(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with Journal(out, ASKED) as journal:
        journal.append([row(0)])
    with (tmp_path / "out.jsonl.partial").open("ab") as file:
        file.write(b'{"index":5}\n{"index":1}\n')
    with Journal(out, ASKED) as journal:
        assert journal.done == 1
        journal.append([row(1)])
        journal.finish()
    assert lines(out) == [row(0), row(1)]


def test_a_run_asked_otherwise_does_not_go_on(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with Journal(out, ASKED) as journal:
        journal.append([row(0)])
    with pytest.raises(OptionError, match=r"begun with other rows and task.*--fresh"):
        Journal(out, {**ASKED, "task": "embed", "rows": 4})
    with Journal(out, {**ASKED, "task": "embed"}, fresh=True) as journal:
        assert journal.done == 0


def test_a_partial_file_that_lost_its_description_does_not_go_on(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with Journal(out, ASKED) as journal:
        journal.append([row(0)])
    (tmp_path / "out.jsonl.partial.json").unlink()
    with pytest.raises(OptionError, match="begun with other"):
        Journal(out, ASKED)


def test_a_run_that_did_nothing_leaves_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path / "out.jsonl", ASKED):
        pass
    assert os.listdir(tmp_path) == []


def test_an_output_that_exists_is_kept_until_the_end_of_a_fresh_run(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("precious")
    with pytest.raises(OptionError, match="exists"):
        Journal(out, ASKED)
    assert os.listdir(tmp_path) == ["out.jsonl"]
    with Journal(out, ASKED, fresh=True) as journal:
        journal.append([row(0)])
        assert out.read_text() == "precious"
        journal.finish()
    assert lines(out) == [row(0)]


def test_two_runs_on_one_output_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with Journal(out, ASKED) as journal:
        journal.append([row(0)])
        for fresh in (False, True):
            with pytest.raises(OptionError, match="another run is writing"):
                Journal(out, ASKED, fresh=fresh)
        journal.append([row(1)])
        journal.finish()
    assert lines(out) == [row(0), row(1)]


def test_a_full_disk_is_told_and_what_is_finished_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Journal(out, ASKED) as journal:
        journal.append([row(0)])
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(KeepError, match=r"No space left.*goes on from there"):
                journal.finish()
    with Journal(out, ASKED) as journal:
        assert journal.done == 1


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeepError, match="cannot write"):
        Journal(tmp_path / "none" / "out.jsonl", ASKED)
