"""What was written stays as it was, or everybody can see that it did not."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path

import pytest

import edgeward
from edgeward.errors import KeepError
from edgeward.telemetry.audit import AuditLog


def filled(path: Path, events: int = 5) -> AuditLog:
    log = AuditLog(path)
    for number in range(events):
        log.add("event", value=number)
    return log


def test_a_chain_is_whole_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    log = filled(tmp_path / "log")
    head = AuditLog(tmp_path / "log").add("last", value="ä")
    check = log.verify()
    assert (check.lines, check.head, check.problem) == (6, head, None)
    assert [e["facts"]["value"] for e in log.entries()] == [0, 1, 2, 3, 4, "ä"]
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0


def test_no_log_is_an_empty_one(tmp_path: Path) -> None:
    assert AuditLog(tmp_path / "none").verify().lines == 0
    assert list(AuditLog(tmp_path / "none").entries()) == []


@pytest.mark.parametrize("change", ["edit", "drop", "swap", "forge"])
def test_changes_show_where_they_are(tmp_path: Path, change: str) -> None:
    path = tmp_path / "log"
    log = filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    if change == "edit":
        lines[2] = lines[2].replace(b'"value":2', b'"value":9')
    elif change == "drop":
        del lines[2]
    elif change == "swap":
        lines[2], lines[3] = lines[3], lines[2]
    else:
        lines[2] = json.dumps({**json.loads(lines[2]), "before": "f" * 64}).encode() + b"\n"
    path.write_bytes(b"".join(lines))
    check = log.verify()
    assert check.lines == 2
    assert (check.problem or "").startswith("line 3")


def test_an_end_that_was_cut_off_shows_against_the_head(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = filled(path)
    head = log.verify().head
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    assert log.verify().problem is None
    assert log.verify().head != head


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_a_line_cut_by_a_crash_is_told_and_what_was_acknowledged_stays(
    tmp_path: Path, cut: int
) -> None:
    path = tmp_path / "log"
    log = filled(path)
    path.write_bytes(path.read_bytes()[:-cut])
    log.add("after")
    lines = path.read_text().splitlines()
    assert json.loads(lines[-1])["event"] == "after"
    check = log.verify()
    assert check.problem is None
    # Without its newline alone a line is whole.
    assert (check.lines, check.torn) == ((6, 0) if cut == 1 else (5, 1))


def test_many_threads_write_one_chain(tmp_path: Path) -> None:
    logs = [AuditLog(tmp_path / "log") for _ in range(4)]
    threads = [threading.Thread(target=lambda log=log: filled(log.path, 10)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert logs[0].verify().lines == 40


def test_requests_leave_lines_without_their_text(tiny_pack: Path, store: Path) -> None:
    with edgeward.serve(tiny_pack, threads=1, audit=True) as service:
        asked = {"max_tokens": 3, "ignore_eos": True, "session": "trip", "user": "ada"}
        reply = service.chat("my grandmother", **asked)
        log = AuditLog()
        events = list(log.entries())[-2:]
        assert [e["event"] for e in events] == ["served", "request"]
        facts = events[1]["facts"]
        assert facts["receipt"] == reply.receipt.id
        assert (facts["user"], facts["session"], facts["tokens"][1]) == ("ada", "trip", 3)
        assert "grandmother" not in log.path.read_text()
        assert service.stats()["audit_lost"] == 0


def test_a_full_disk_is_counted_and_answers_go_on(
    tiny_pack: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with edgeward.serve(tiny_pack, threads=1, audit=True) as service:

        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        assert service.generate("hello", max_tokens=2).usage.completion_tokens <= 2
        assert service.stats()["audit_lost"] == 1
        with pytest.raises(KeepError, match="No space left"):
            AuditLog().add("event")
